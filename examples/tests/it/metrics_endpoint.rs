//! `metrics_endpoint`, scraped by a real Prometheus.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Stdio};

use crate::program::{command, run};
use crate::prometheus::Prometheus;
use crate::queries::{folder, queries};

/// The running example, ended when this is dropped.
struct Example {
    process: Child,
    address: SocketAddr,
    _stdout: BufReader<ChildStdout>,
    _home: tempfile::TempDir,
}

impl Example {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command =
            command("metrics_endpoint", &["--listen", "127.0.0.1:0", "--pause", "100"], home.path());
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().unwrap();
        let address = url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap().parse().unwrap();
        Self { process, address, _stdout: stdout, _home: home }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_real_prometheus_finds_what_the_client_does() {
    let example = Example::start();
    let Some(prometheus) = Prometheus::start(example.address, &folder().join("rules.yaml")) else { return };
    let asked = queries();
    assert!(asked.len() > 35, "{asked:?}");
    prometheus.wait_for(&asked);

    // One code for each thing that the example does, and only retries that go well.
    let codes = prometheus.query("count by (code) (rest_client_requests_total)").unwrap();
    let codes: Vec<_> = codes.iter().map(|(labels, _)| labels.as_str()).collect();
    for code in ["200", "201", "404", "503"] {
        assert!(codes.iter().any(|labels| labels.contains(code)), "{code} in {codes:?}");
    }
    let retried = prometheus.query("sum(rest_client_request_retries_total{code=\"200\"})").unwrap();
    assert!(retried[0].1 >= 1.0, "{retried:?}");
    // The limiter lets five a second pass: so many is what is measured, and requests wait for it.
    let waits =
        "histogram_quantile(0.99, sum by (le) (rate(rest_client_rate_limiter_duration_seconds_bucket[1m])))";
    let waits = prometheus.query(waits).unwrap();
    assert!(waits[0].1 > 0.025 && waits[0].1 < 10.0, "{waits:?}");
    let median =
        "histogram_quantile(0.5, sum by (le) (rate(rest_client_request_duration_seconds_bucket[1m])))";
    let median = prometheus.query(median).unwrap();
    assert!(median[0].1 > 0.0 && median[0].1 < 10.0, "{median:?}");
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let listener = std::net::TcpListener::bind(taken).unwrap();
    let ran = run("metrics_endpoint", &["--listen", &taken.to_string()]).await;
    drop(listener);
    assert!(ran.error().contains(&taken.to_string()) && ran.error().contains("--listen"), "{}", ran.stderr);
}
