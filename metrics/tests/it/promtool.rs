//! What Prometheus' own tool says about the metrics. Skipped, loudly, where it is not installed.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use kubewire_metrics::{ClientMetrics, EventType, ExecOutcome, RestartReason, RetryReason};

/// Runs promtool with `input` on its standard input; none where there is no promtool.
pub(crate) fn promtool(arguments: &[&str], input: &str) -> Option<(bool, String)> {
    let mut command = Command::new("promtool");
    command
        .args(arguments)
        .current_dir(crate::queries::folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("SKIPPED: promtool cannot be run ({error}): install Debian's package prometheus");
            return None;
        }
    };
    // It ends early when it finds something wrong: that shows below.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

/// A set in which every family has a sample.
pub(crate) fn filled() -> ClientMetrics {
    let metrics = ClientMetrics::builder().native_names(true).build().unwrap();
    observe_everything(&metrics);
    metrics
}

/// Observes once whatever can be observed; all times are a second.
pub(crate) fn observe_everything(metrics: &ClientMetrics) {
    let host = metrics.host("h:1");
    let get = host.requests("GET");
    let second = Duration::from_secs(1);
    get.observe_duration(second);
    get.observe_request_size(1);
    get.observe_response_size(1);
    get.observe_rate_limiter(second);
    get.count_request(None);
    get.count_retry(Some(200));
    get.count_retry_reason(RetryReason::RetryAfter);
    get.observe_first_byte(second);
    get.observe_body(second);
    get.observe_decode(second);
    get.add_wire_bytes(1);
    get.add_decoded_bytes(2);
    metrics.dns("h").observe(second);
    metrics.exec_plugins().count_call(ExecOutcome::Success);
    metrics.exec_plugins().observe_rotation_age(second);
    host.observe_tls_handshake(second);
    host.count_connection_reused();
    host.count_connection_opened();
    drop((get.in_flight(), host.limiter_queue()));
    let pods = host.resource("pods");
    pods.watch_opened().count_event(EventType::Added);
    pods.count_watch_restart(RestartReason::Closed);
    pods.observe_list_items(1);
}

#[test]
fn check_metrics_is_clean() {
    let text = filled().gather_text();
    assert_eq!(text.matches("# TYPE ").count(), 16 + 17, "every family is there");
    let Some((success, said)) = promtool(&["check", "metrics"], &text) else { return };
    assert!(success && said.is_empty(), "promtool check metrics: {said}");
}
