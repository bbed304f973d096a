//! Watches that go on by themselves.

use std::time::Duration;

use kubewire_rest::transport::ErrorKind;
use kubewire_rest::{Error, Object, Request, RetryWatch, WatchEvent};
use serde_json::json;
use tokio::time::Instant;

use crate::service::{Script, Step, answer, come_back, fail};
use crate::watch::{bookmark, default_namespace, error, frame, name, pods};

fn events(frames: &[String]) -> Step {
    Step::Answer(answer(200, frames.concat()))
}

fn retry(script: &Script) -> RetryWatch<Object> {
    pods(script).max_retries(0).retry_watch("3").unwrap()
}

/// All events until it ends, or for 100 seconds.
async fn all(mut watch: RetryWatch<Object>) -> Vec<String> {
    let end = Instant::now() + Duration::from_secs(100);
    let mut seen = Vec::new();
    while let Ok(Some(event)) = tokio::time::timeout_at(end, watch.next()).await {
        seen.push(name(&event));
    }
    if Instant::now() < end {
        seen.push("end".to_owned());
    }
    seen
}

fn versions(script: &Script) -> Vec<String> {
    let version = |query: &str| {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.filter(|(key, _)| key == "resourceVersion").map(|(_, value)| value.into_owned()).collect()
    };
    script.sent().iter().map(|sent| version(sent.uri.query().unwrap())).collect()
}

// BH-W3
#[tokio::test(start_paused = true)]
async fn it_goes_on_after_the_last_version_and_keeps_bookmarks() {
    let script = Script::new([
        events(&[frame("ADDED", "a", "4"), frame("MODIFIED", "a", "5")]),
        events(&[bookmark("9", "false")]),
        fail(ErrorKind::UnexpectedEof),
        events(&[]),
        events(&[frame("DELETED", "a", "12")]),
        Step::Hang,
    ]);
    let request = pods(&script).max_retries(0).param("sendInitialEvents", "true").param("labelSelector", "a");
    let mut watch = request.retry_watch::<Object>("3").unwrap();
    assert_eq!(script.attempts(), 0);
    for (event, version) in [("+a", "4"), ("~a", "5"), ("-a", "12")] {
        assert_eq!(name(&watch.next().await.unwrap()), event);
        assert_eq!(watch.resource_version(), version);
    }
    assert!(tokio::time::timeout(Duration::from_secs(100), watch.next()).await.is_err());
    assert_eq!(versions(&script), ["3", "5", "9", "9", "9", "12"]);
    assert_eq!(script.gaps(), [1, 1, 1, 1, 1]);
    for sent in script.sent() {
        let query = sent.uri.query().unwrap();
        assert!(query.contains("allowWatchBookmarks=true") && query.contains("watch=true"), "{query}");
        assert!(query.contains("labelSelector=a") && !query.contains("sendInitialEvents"), "{query}");
    }
}

// BH-W3
#[tokio::test(start_paused = true)]
async fn what_ends_it() {
    let added = || frame("ADDED", "a", "4");
    // An error event 410, and what stands after it.
    let script = Script::new([events(&[added(), error(410), added()]), Step::Hang]);
    assert_eq!(all(retry(&script)).await, ["+a", "!410", "end"]);
    // A refusal.
    for code in [401, 403] {
        let script = Script::new([events(&[added()]), Step::Answer(answer(code, "")), Step::Hang]);
        assert_eq!(all(retry(&script)).await, ["+a".to_owned(), format!("!{code}"), "end".to_owned()]);
    }
    // An object or a bookmark without a version.
    for event in [frame("ADDED", "a", ""), bookmark("", "false")] {
        let script = Script::new([events(&[added(), event]), Step::Hang]);
        assert_eq!(all(retry(&script)).await, ["+a", "!500", "end"]);
    }
    // The deadline.
    let script = Script::new([events(&[added()]), Step::Hang]);
    let start = Instant::now();
    let watch = pods(&script).deadline(start + Duration::from_secs(7)).retry_watch("3").unwrap();
    assert_eq!(all(watch).await, ["+a", "end"]);
    assert_eq!(start.elapsed(), Duration::from_secs(7));
}

// BH-W3, "code 666 or an ERROR that is no Status"
#[tokio::test(start_paused = true)]
async fn what_it_waits_out() {
    let added = || events(&[frame("ADDED", "a", "4")]);
    let asks = json!({"type": "ERROR", "object": {"kind": "Status", "status": "Failure", "code": 504,
        "details": {"retryAfterSeconds": 7}}});
    for (step, gap) in [
        (events(&[error(666)]), 1),
        (events(&[error(500)]), 1),
        (events(&[asks.to_string()]), 7),
        (events(&[frame("ERROR", "a", "99")]), 1),
        (events(&["nonsense".to_owned()]), 1),
        (Step::Answer(answer(410, "")), 1),
        (Step::Answer(answer(500, "")), 1),
        (Step::Answer(answer(201, "")), 1),
        (come_back(429, "5"), 5),
        (fail(ErrorKind::Tls), 1),
        (fail(ErrorKind::ConnectionRefused), 1),
        (fail(ErrorKind::UnexpectedEof), 1),
    ] {
        let shown = format!("{step:?}");
        let script = Script::new([step, added(), Step::Hang]);
        assert_eq!(all(retry(&script)).await, ["+a"], "{shown}");
        assert_eq!(script.gaps(), [gap, 1], "{shown}");
        assert_eq!(versions(&script), ["3", "3", "4"], "{shown}");
    }
    // A watch that was open for long is started again at once.
    let late = Step::Slow(Duration::from_secs(30), answer(200, frame("ADDED", "a", "4")));
    let script = Script::new([late, Step::Hang]);
    assert_eq!((all(retry(&script)).await, script.gaps()), (vec!["+a".to_owned()], vec![30]));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_can_never_be_read_is_told_the_second_time() {
    let bad = || r#"{"type":"ADDED","object":{"metadata":7}}"#.to_owned();
    let script = Script::new([
        events(&[bad()]),
        events(&[frame("ADDED", "a", "4"), bad()]),
        events(&[bad()]),
        Step::Hang,
    ]);
    assert_eq!(all(retry(&script)).await, ["+a", "!500", "end"]);
    assert_eq!(versions(&script), ["3", "3", "4"]);
}

// BH-W3
#[test]
fn it_needs_a_version_and_a_request() {
    let script = Script::default();
    for version in ["", "0"] {
        let error = pods(&script).retry_watch::<Object>(version).unwrap_err();
        assert!(matches!(&error, Error::Request { .. }) && error.to_string().contains("list"), "{error}");
    }
    let error = pods(&script).name("").retry_watch::<Object>("3").unwrap_err();
    assert!(error.to_string().contains("name"), "{error}");
    assert!(pods(&script).retry_watch::<Object>("3").is_ok(), "outside of a runtime too");
    assert_eq!(script.attempts(), 0);
}

/// The server ends the watch each second, while objects come one by one.
async fn nothing_is_lost(config: &kubewire_rest::Config) {
    let config = kubewire_rest::Config { qps: Some(-1.0), ..config.clone() };
    let client = kubewire_rest::RestClient::for_config(&config, kubewire_rest::GroupVersion::V1).unwrap();
    default_namespace(&client).await;
    let maps = |request: Request| request.namespace("default").resource("configmaps");
    let unique = format!("kept-{}", std::process::id());
    let list: kubewire_rest::List<Object> = maps(client.get()).list().await.unwrap();
    let mut watch = maps(client.get())
        .param("timeoutSeconds", "1")
        .param("labelSelector", format!("test={unique}"))
        .retry_watch::<Object>(list.metadata.resource_version)
        .unwrap();
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < Duration::from_millis(2500) {
        let mut map = Object::new("v1", "ConfigMap", format!("{unique}-{count}"));
        map.metadata.labels.insert("test".to_owned(), unique.clone());
        maps(client.post()).body(&map).send().await.check().unwrap();
        // Every other one comes while the watch may be down.
        if count % 2 == 1 {
            for seen in [count - 1, count] {
                let event = tokio::time::timeout(Duration::from_secs(20), watch.next()).await;
                let WatchEvent::Added(map) = event.unwrap().unwrap() else { panic!("something else") };
                assert_eq!(map.metadata.name, format!("{unique}-{seen}"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        count += 1;
    }
    maps(client.delete()).param("labelSelector", format!("test={unique}")).send().await.check().unwrap();
}

#[cfg(feature = "fake")]
#[tokio::test]
async fn nothing_is_lost_on_the_embedded_server() {
    let server = kubewire_rest::fake::ApiServer::start().await.unwrap();
    nothing_is_lost(&server.config()).await;
}

#[tokio::test]
async fn nothing_is_lost_on_the_real_server() {
    let Some(server) = kubewire_envtest::server() else { return };
    nothing_is_lost(&kubewire_rest::Config::from_kubeconfig(server.kubeconfig()).unwrap()).await;
}
