//! The endpoint, by raw HTTP.

use std::io::Read;
use std::net::SocketAddr;
use std::time::Duration;

use flate2::read::GzDecoder;
use kubewire_metrics::ClientMetrics;
use kubewire_metrics::exporter::Exporter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Sends `request` (line breaks as in a literal) and reads until the server closes.
async fn ask(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.replace('\n', "\r\n").as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes))
        .await
        .expect("an answer in time")
        .unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    Answer { head: String::from_utf8(bytes[..end].to_vec()).unwrap(), body: bytes[end..].to_vec() }
}

async fn exporter() -> (ClientMetrics, Exporter) {
    let metrics = ClientMetrics::new();
    metrics.request("GET", "h").count_request(Some(200));
    let exporter = metrics.serve("127.0.0.1:0").await.unwrap();
    (metrics, exporter)
}

const SERIES: &str = r#"rest_client_requests_total{code="200",host="h",method="GET"} 1"#;

#[tokio::test]
async fn text_by_default() {
    let (_metrics, exporter) = exporter().await;
    assert_eq!(exporter.url(), format!("http://{}/metrics", exporter.local_addr()));
    let answer = ask(exporter.local_addr(), "GET /metrics?x=1 HTTP/1.1\nHost: h\n\n").await;
    assert_eq!(answer.status(), "200");
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
    assert!(answer.text().contains(SERIES));
}

#[tokio::test]
async fn each_scrape_gathers_anew() {
    let (metrics, exporter) = exporter().await;
    metrics.request("GET", "h").count_request(Some(200));
    let answer = ask(exporter.local_addr(), "GET /metrics HTTP/1.0\n\n").await;
    assert!(answer.text().contains(&SERIES.replace("} 1", "} 2")));
}

#[tokio::test]
async fn openmetrics_and_gzip_where_asked_for() {
    let (_metrics, exporter) = exporter().await;
    let request = "GET /metrics HTTP/1.1\nHost: h\nAccept: application/openmetrics-text;version=1.0.0,*/*;q=0.1\n\
                   Accept-Encoding: gzip\n\n";
    let answer = ask(exporter.local_addr(), request).await;
    assert_eq!(
        answer.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    GzDecoder::new(answer.body.as_slice()).read_to_string(&mut text).unwrap();
    assert!(text.contains("# TYPE rest_client_requests counter\n"), "{text}");
    assert!(text.contains(SERIES) && text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test]
async fn head_shows_the_length_and_no_body() {
    let (_metrics, exporter) = exporter().await;
    let get = ask(exporter.local_addr(), "GET /metrics HTTP/1.1\nHost: h\n\n").await;
    let head = ask(exporter.local_addr(), "HEAD /metrics HTTP/1.1\nHost: h\n\n").await;
    assert_eq!(head.status(), "200");
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let (_metrics, exporter) = exporter().await;
    for path in ["/", "/metrics/", "/metrics/x", "//metrics", "/Metrics"] {
        let answer = ask(exporter.local_addr(), &format!("GET {path} HTTP/1.1\nHost: h\n\n")).await;
        assert_eq!(answer.status(), "404", "{path}");
        assert!(answer.text().contains("/metrics"));
    }
    let answer = ask(exporter.local_addr(), "POST /metrics HTTP/1.1\nHost: h\nContent-Length: 2\n\nhi").await;
    assert_eq!(answer.status(), "405");
    assert_eq!(answer.header("allow"), Some("GET, HEAD"));
}

#[tokio::test]
async fn heads_are_bounded() {
    let (_metrics, exporter) = exporter().await;
    let mut stream = TcpStream::connect(exporter.local_addr()).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\n").await.unwrap();
    // The server may answer and close before all is written: then writing fails, which is as good.
    let filler = format!("X: {}\r\n", "x".repeat(1 << 20));
    let _ = stream.write_all(filler.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.expect("closed in time");
    assert!(!String::from_utf8_lossy(&answer).contains(" 200 "));
}

#[tokio::test]
async fn a_gather_that_panics_is_an_error_for_that_scrape_only() {
    let exporter = Exporter::bind("127.0.0.1:0", || panic!("a collector's bug")).await.unwrap();
    for _ in 0..2 {
        let answer = ask(exporter.local_addr(), "GET /metrics HTTP/1.1\nHost: h\n\n").await;
        assert_eq!(answer.status(), "500");
        assert!(!answer.text().contains("bug"), "the reason is in the log, not on the net");
    }
}

#[tokio::test]
async fn idle_clients_cannot_keep_it_from_scrapers() {
    // More than it serves at a time, none of which ever says anything: they are cut off and the scrape goes through.
    let (_metrics, exporter) = exporter().await;
    let mut idle = Vec::new();
    for _ in 0..40 {
        idle.push(TcpStream::connect(exporter.local_addr()).await.unwrap());
    }
    tokio::time::pause();
    // Paused time runs ahead whenever nothing else is to be done.
    let mut answer = [0];
    assert_eq!(idle[0].read(&mut answer).await.unwrap(), 0, "cut off");
    tokio::time::resume();
    let answer = ask(exporter.local_addr(), "GET /metrics HTTP/1.1\nHost: h\n\n").await;
    assert_eq!(answer.status(), "200");
    drop(idle);
}

#[tokio::test]
async fn dropping_it_ends_it() {
    let (_metrics, exporter) = exporter().await;
    let address = exporter.local_addr();
    let mut open = TcpStream::connect(address).await.unwrap();
    // Once this is answered the other connection has been accepted, too.
    ask(address, "GET /metrics HTTP/1.1\nHost: h\n\n").await;
    drop(exporter);
    let mut rest = Vec::new();
    let read = timeout(Duration::from_secs(20), open.read_to_end(&mut rest)).await.expect("closed in time");
    assert!(read.is_err() || rest.is_empty());
    // The listener goes when the runtime next runs the task, which the read above has waited for.
    TcpStream::connect(address).await.unwrap_err();
}
