//! What is counted, and when.

use std::sync::Arc;
use std::time::Duration;

use kubewire_rest::transport::ErrorKind;
use kubewire_rest::{ClientMetrics, Config, RestClient, TokenBucket};
use serde_json::json;

use crate::service::{Script, Step, answer, come_back, fail, ok, stays_open};

struct Counted {
    metrics: Arc<ClientMetrics>,
    client: RestClient,
}

fn counted(steps: impl IntoIterator<Item = Step>) -> Counted {
    let metrics = Arc::new(ClientMetrics::new());
    let config = Config::new("https://server:6443/p");
    let client = Script::new(steps).builder(&config).metrics(Arc::clone(&metrics)).build().unwrap();
    Counted { metrics, client }
}

impl Counted {
    /// The value of a sample, 0 when it is not there.
    fn value(&self, name: &str, labels: &str) -> f64 {
        let text = self.metrics.gather_text();
        let line = text.lines().find(|line| line.starts_with(&format!("{name}{{{labels}}}")));
        line.map_or(0.0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
    }

    fn requests(&self, code: &str, method: &str) -> f64 {
        let labels = format!(r#"code="{code}",host="server:6443",method="{method}""#);
        self.value("rest_client_requests_total", &labels)
    }

    fn retries(&self, code: &str, verb: &str) -> f64 {
        let labels = format!(r#"code="{code}",host="server:6443",verb="{verb}""#);
        self.value("rest_client_request_retries_total", &labels)
    }

    fn histogram(&self, name: &str, verb: &str) -> (f64, f64) {
        let labels = format!(r#"host="server:6443",verb="{verb}""#);
        let part = |part| self.value(&format!("rest_client_{name}_{part}"), &labels);
        (part("count"), part("sum"))
    }
}

async fn end(request: kubewire_rest::Request, how: &str) {
    match how {
        "send" => drop(request.send().await.error()),
        "send_raw" => drop(request.send_raw().await),
        _ => drop(request.stream().await),
    }
}

// BH-M1, BH-M2
#[tokio::test(start_paused = true)]
async fn attempts_and_retries() {
    for how in ["send", "send_raw", "stream"] {
        let counted = counted([come_back(500, "2"), ok()]);
        end(counted.client.put().resource("pods").body(&json!({"a": 1})), how).await;
        assert_eq!((counted.requests("500", "PUT"), counted.requests("200", "PUT")), (1.0, 1.0), "{how}");
        assert_eq!((counted.retries("500", "PUT"), counted.retries("200", "PUT")), (0.0, 1.0), "{how}");
        let whole = if how == "stream" { (0.0, 0.0) } else { (1.0, 2.0) };
        assert_eq!(counted.histogram("request_duration_seconds", "PUT"), whole, "{how}");
        let sizes = if how == "stream" { (0.0, 0.0) } else { (2.0, 14.0) };
        assert_eq!(counted.histogram("request_size_bytes", "PUT"), sizes, "{how}");
        let answers = if how == "stream" { (0.0, 0.0) } else { (1.0, 2.0) };
        assert_eq!(counted.histogram("response_size_bytes", "PUT"), answers, "{how}");
    }
}

// BH-M1
#[tokio::test(start_paused = true)]
async fn failures_are_counted_too() {
    let failed = counted([fail(ErrorKind::ConnectionReset), fail(ErrorKind::Tls)]);
    end(failed.client.get(), "send").await;
    assert_eq!((failed.requests("<error>", "GET"), failed.retries("<error>", "GET")), (2.0, 1.0));
    assert_eq!(failed.histogram("request_duration_seconds", "GET"), (1.0, 1.0));
    assert_eq!(failed.histogram("request_size_bytes", "GET"), (2.0, 0.0), "no body counts as 0");
    assert_eq!(failed.histogram("response_size_bytes", "GET").0, 0.0, "no answer has no size");

    let malformed = counted([]);
    end(malformed.client.get().name(""), "send").await;
    assert_eq!(malformed.histogram("request_duration_seconds", "GET").0, 1.0);
    assert_eq!(malformed.requests("200", "GET"), 0.0);

    let empty = counted([Step::Answer(answer(404, "")), Step::Answer(answer(404, "{}"))]);
    end(empty.client.get(), "send").await;
    assert_eq!(empty.histogram("response_size_bytes", "GET").0, 0.0, "an error without a body");
    end(empty.client.get(), "send_raw").await;
    assert_eq!(empty.histogram("response_size_bytes", "GET"), (1.0, 2.0));
}

// BH-M1
#[tokio::test(start_paused = true)]
async fn unknown_sizes_are_skipped_and_dropped_requests_timed() {
    let streamed = counted([ok(), Step::Hang]);
    let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>("x".into())]);
    end(streamed.client.put().body_stream(chunks), "send").await;
    assert_eq!(streamed.histogram("request_size_bytes", "PUT").0, 0.0);
    let hanging = streamed.client.get().send();
    assert!(tokio::time::timeout(Duration::from_secs(3), hanging).await.is_err());
    assert_eq!(streamed.histogram("request_duration_seconds", "GET"), (1.0, 3.0));
}

// BH-M1
#[tokio::test(start_paused = true)]
async fn throttling_is_timed() {
    let metrics = Arc::new(ClientMetrics::new());
    let config = Config::new("https://server:6443");
    let script = Script::default();
    let client = script
        .builder(&config)
        .metrics(Arc::clone(&metrics))
        .rate_limiter(Arc::new(TokenBucket::new(0.5, 1).unwrap()))
        .build()
        .unwrap();
    let counted = Counted { metrics, client };
    for _ in 0..3 {
        end(counted.client.get(), "send").await;
    }
    assert_eq!(counted.histogram("rate_limiter_duration_seconds", "GET"), (3.0, 4.0));
    assert_eq!(counted.histogram("request_duration_seconds", "GET"), (3.0, 4.0), "throttling included");
}

/// However a list is read, it counts once it is whole; a long one is decoded on another thread.
#[tokio::test]
async fn lists_and_their_items() {
    let list = |items: usize| {
        let item = json!({"metadata": {"name": "a", "annotations": {"filler": "x".repeat(1000)}}});
        json!({"kind": "PodList", "apiVersion": "v1", "items": vec![item; items]}).to_string()
    };
    let mut cut = list(5);
    cut.pop();
    let answers = [list(3), list(4), list(1000), list(0), cut];
    let metrics = Arc::new(ClientMetrics::builder().native_names(true).build().unwrap());
    let config = Config::new("https://server:6443");
    let script = Script::new(answers.map(|text| Step::Answer(answer(200, text))));
    let client = script.builder(&config).metrics(Arc::clone(&metrics)).build().unwrap();
    let counted = Counted { metrics, client };
    let pods = || counted.client.get().resource("pods");
    let values = || {
        let value =
            |name: &str, labels: &str| counted.value(name, &format!(r#"host="server:6443",{labels}"#));
        let items = |part: &str| value(&format!("kubewire_client_list_items_{part}"), r#"resource="pods""#);
        let decoded = value("kubewire_client_decode_duration_seconds_count", r#"verb="GET""#);
        (items("count"), items("sum"), decoded)
    };
    pods().list::<kubewire_rest::Object>().await.unwrap();
    assert_eq!(values(), (1.0, 3.0, 1.0));
    let mut items = pods().items::<kubewire_rest::Object>().await.unwrap();
    while let Some(item) = items.next().await {
        item.unwrap();
        assert_eq!(values(), (1.0, 3.0, 1.0), "not before its end");
    }
    assert_eq!(values(), (2.0, 7.0, 2.0));
    pods().list::<kubewire_rest::Object>().await.unwrap();
    assert_eq!(values(), (3.0, 1007.0, 3.0));
    pods().list::<kubewire_rest::Object>().await.unwrap();
    assert_eq!(values(), (4.0, 1007.0, 4.0));
    pods().list::<kubewire_rest::Object>().await.unwrap_err();
    assert_eq!(values(), (4.0, 1007.0, 4.0), "it was not whole");
}

#[tokio::test(start_paused = true)]
async fn watches_and_their_events() {
    let metrics = Arc::new(ClientMetrics::builder().native_names(true).build().unwrap());
    let text = crate::watch::frame("ADDED", "a", "1") + &crate::watch::error(504) + "nonsense";
    let config = Config::new("https://server:6443");
    let script = Script::new([Step::Answer(answer(200, text))]);
    let client = script.builder(&config).metrics(Arc::clone(&metrics)).build().unwrap();
    let counted = Counted { metrics, client };
    let labels = r#"host="server:6443",resource="pods""#;
    let open = || counted.value("kubewire_client_watches_open", labels);
    let mut watch = counted.client.get().resource("pods").watch::<kubewire_rest::Object>().await.unwrap();
    assert_eq!(open(), 1.0);
    while watch.next().await.is_some() {}
    assert_eq!(open(), 0.0);
    for (event, count) in [("added", 1.0), ("error", 2.0), ("modified", 0.0)] {
        let labels = format!(r#"{labels},type="{event}""#);
        assert_eq!(counted.value("kubewire_client_watch_events_total", &labels), count, "{event}");
    }
}

#[tokio::test(start_paused = true)]
async fn watches_that_start_again() {
    let metrics = Arc::new(ClientMetrics::builder().native_names(true).build().unwrap());
    let added = || Step::Answer(answer(200, crate::watch::frame("ADDED", "a", "4")));
    let gone = || Step::Answer(answer(200, crate::watch::error(410)));
    let config = Config::new("https://server:6443");
    let script = Script::new([added(), fail(ErrorKind::Tls), stays_open(""), added(), gone()]);
    let client = script.builder(&config).metrics(Arc::clone(&metrics)).build().unwrap();
    let counted = Counted { metrics, client };
    let request = counted.client.get().resource("pods").max_retries(0).idle_timeout(Duration::from_secs(70));
    let mut watch = request.retry_watch::<kubewire_rest::Object>("3").unwrap();
    while watch.next().await.is_some() {}
    for (reason, count) in [("closed", 2.0), ("error", 1.0), ("expired", 1.0), ("idle", 1.0)] {
        let labels = format!(r#"host="server:6443",reason="{reason}",resource="pods""#);
        assert_eq!(counted.value("kubewire_client_watch_restarts_total", &labels), count, "{reason}");
    }
}
