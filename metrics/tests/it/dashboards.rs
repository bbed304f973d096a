//! The dashboard and the rules: they name what there is, all of it, and a real Prometheus answers every query.

use std::collections::BTreeSet;
use std::path::Path;

use crate::promtool::{filled, promtool};
use crate::queries::{folder, queries};

/// The metric names in `text`, with the endings of histograms' series taken off.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    let names = words.filter(|word| word.starts_with("rest_client_") || word.starts_with("kubewire_client_"));
    names
        .map(|name| {
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            base.unwrap_or(name).to_owned()
        })
        .collect()
}

fn families() -> BTreeSet<String> {
    let text = filled().gather_text();
    text.lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_dashboard_shows_every_metric_and_no_other() {
    assert_eq!(names(&queries().join("\n")), families());
}

#[test]
fn the_documentation_names_every_metric_and_no_other() {
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let rows: String = docs
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').nth(1).unwrap())
        .collect();
    assert_eq!(names(&rows), families());
}

#[test]
fn the_rules_name_metrics_that_exist() {
    let rules = std::fs::read_to_string(folder().join("rules.yaml")).unwrap();
    let code: String = rules
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect();
    let used: BTreeSet<_> = names(&code);
    assert!(!used.is_empty() && used.is_subset(&families()), "{:?}", used.difference(&families()));
}

#[test]
fn promtool_accepts_the_rules_and_their_tests() {
    for arguments in [["check", "rules", "rules.yaml"], ["test", "rules", "rules_test.yaml"]] {
        let Some((success, said)) = promtool(&arguments, "") else { return };
        assert!(success, "promtool {arguments:?}: {said}");
    }
}

/// Everything at once, again and again, until it is dropped.
#[cfg(feature = "exporter")]
async fn traffic(metrics: &kubewire_metrics::ClientMetrics) {
    loop {
        crate::promtool::observe_everything(metrics);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[cfg(feature = "exporter")]
#[tokio::test]
async fn a_real_prometheus_answers_every_query() {
    use crate::prometheus::Prometheus;

    let metrics = kubewire_metrics::ClientMetrics::builder().native_names(true).build().unwrap();
    let exporter = metrics.serve("127.0.0.1:0").await.unwrap();
    let address = exporter.local_addr();
    let asked = tokio::task::spawn_blocking(move || {
        let prometheus = Prometheus::start(address, &folder().join("rules.yaml"))?;
        prometheus.wait_for(&queries());
        let recorded = [
            "job_host_code:rest_client_requests:rate5m",
            "job_host:rest_client_request_errors:ratio_rate5m",
            "job_host:rest_client_request_retries:ratio_rate5m",
            "job_host_verb:rest_client_request_duration_seconds:p50",
            "job_host_verb:rest_client_request_duration_seconds:p99",
            "job_host:rest_client_rate_limiter_duration_seconds:p99",
            "job_host:kubewire_client_connections_reused:ratio_rate5m",
            "job_host_verb:kubewire_client_time_to_first_byte_seconds:p99",
            "job_host:kubewire_client_response_wire_bytes:ratio_rate5m",
        ];
        prometheus.wait_for(&recorded.map(str::to_owned));
        // Every request takes a second, so the median lies in the bucket from 0.5 to 1.
        let median = prometheus.query("job_host_verb:rest_client_request_duration_seconds:p50").unwrap();
        assert!(median.iter().all(|(_, value)| (0.5..=1.0).contains(value)), "{median:?}");
        Some(())
    });
    tokio::select! {
        asked = asked => drop(asked.unwrap()),
        () = traffic(&metrics) => {}
    }
}
