//! Watches: events in any pieces, what ends them, and what is made of errors.

use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use kubewire_rest::http::Response;
use kubewire_rest::transport::{Body, BoxError, Error as TransportError, ErrorKind};
use kubewire_rest::{
    Bookmark, Bytes, CauseType, Encoded, Error, Object, Project, Projected, Request, Status, TokenBucket,
    WatchEvent, WatchStream,
};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::service::{Script, Step, answer, come_back, fail, with};

pub fn pods(script: &Script) -> Request {
    script.client().get().namespace("default").resource("pods")
}

pub fn frame(event_type: &str, name: &str, version: &str) -> String {
    let object = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name, "resourceVersion": version,
        "managedFields": [{"manager": "m"}], "labels": {"n": "\u{fc}\"{"}}, "status": {"phase": "Running"}});
    json!({"type": event_type, "object": object}).to_string()
}

pub fn bookmark(version: &str, end: &str) -> String {
    json!({"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": {"resourceVersion": version,
        "annotations": {"k8s.io/initial-events-end": end}}}})
    .to_string()
}

pub fn error(code: u16) -> String {
    json!({"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "status": "Failure",
        "message": "scripted", "reason": "Expired", "code": code}})
    .to_string()
}

/// An answer of these chunks, which then ends or breaks.
fn chunks(chunks: Vec<Vec<u8>>, end: Option<TransportError>) -> Response<Body> {
    let chunks = chunks.into_iter().map(|chunk| Ok(http_body::Frame::data(Bytes::from(chunk))));
    let body = futures_util::stream::iter(chunks.chain(end.map(Err)));
    let mut response = Response::new(Body::wrap(http_body_util::StreamBody::new(body)));
    response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    response
}

async fn watch<T: kubewire_rest::Decode>(text: impl Into<String>) -> Vec<WatchEvent<T>> {
    let script = Script::new([Step::Answer(answer(200, text))]);
    pods(&script).watch::<T>().await.unwrap().collect().await
}

fn names(events: &[WatchEvent<Object>]) -> Vec<String> {
    events.iter().map(name).collect()
}

pub fn name(event: &WatchEvent<Object>) -> String {
    match event {
        WatchEvent::Added(pod) => format!("+{}", pod.metadata.name),
        WatchEvent::Modified(pod) => format!("~{}", pod.metadata.name),
        WatchEvent::Deleted(pod) => format!("-{}", pod.metadata.name),
        WatchEvent::Bookmark(bookmark) => format!("@{}", bookmark.resource_version),
        WatchEvent::Error(status) => format!("!{}", status.code),
    }
}

fn assert_send_and_unpin<T: Send + Unpin>(_: &T) {}

// BH-W1, BH-W2, BH-W4
#[tokio::test(start_paused = true)]
async fn events_come_in_order() {
    let text = [
        frame("ADDED", "a", "1"),
        "\n".to_owned(),
        frame("MODIFIED", "a", "2"),
        bookmark("3", "false"),
        bookmark("4", "true"),
        error(504),
        frame("DELETED", "a", "5"),
    ]
    .concat();
    let script = Script::new([Step::Answer(answer(200, text))]);
    let mut watch = pods(&script).param("watch", "false").watch::<Object>().await.unwrap();
    assert_send_and_unpin(&watch);
    let (mut events, mut versions) = (Vec::new(), Vec::new());
    while let Some(event) = watch.next().await {
        versions.push(watch.resource_version().to_owned());
        events.push(event);
    }
    assert_eq!(names(&events), ["+a", "~a", "@3", "@4", "!504", "-a"]);
    assert_eq!(versions, ["1", "2", "3", "4", "", "5"]);
    let end = |is_initial_events_end, resource_version: &str| {
        WatchEvent::Bookmark(Bookmark {
            resource_version: resource_version.to_owned(),
            is_initial_events_end,
        })
    };
    assert_eq!(events[2..4], [end(false, "3"), end(true, "4")]);
    assert_eq!(script.sent()[0].uri.query(), Some("watch=true"));
}

#[derive(Debug, Deserialize, PartialEq)]
struct Narrow {
    metadata: Metadata,
    status: Option<Value>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Metadata {
    name: String,
}

impl Project for Narrow {
    const PATHS: &'static [&'static str] = &["metadata.name"];
}

// BH-W2: errors and bookmarks are whole, whatever the type reads.
#[tokio::test(start_paused = true)]
async fn the_caller_chooses_the_type() {
    let text = || [frame("ADDED", "a", "1"), bookmark("3", "true"), error(410)].concat();
    let narrow: Vec<WatchEvent<Projected<Narrow>>> = watch(text()).await;
    let a = Narrow { metadata: Metadata { name: "a".to_owned() }, status: None };
    assert_eq!(narrow[0], WatchEvent::Added(Projected(a)));
    let encoded: Vec<WatchEvent<Encoded<Object>>> = watch(text()).await;
    let WatchEvent::Added(pod) = &encoded[0] else { panic!("{encoded:?}") };
    assert_eq!((pod.name(), pod.resource_version()), ("a", Some("1")));
    assert_eq!(pod.label("n").as_deref(), Some("\u{fc}\"{"));
    assert!(!pod.to_json().contains("managedFields"));
    assert_eq!(pod.decode().unwrap().metadata.name, "a");
    let script = Script::new([Step::Answer(answer(200, text()))]);
    let skipping = pods(&script).skip_fields(["status", "metadata.managedFields"]);
    let values: Vec<WatchEvent<Value>> = skipping.watch().await.unwrap().collect().await;
    let WatchEvent::Added(pod) = &values[0] else { panic!("{values:?}") };
    assert_eq!((pod.get("status"), pod["metadata"].get("managedFields")), (None, None));
    for (bookmark, error) in [(format!("{:?}", narrow[1]), format!("{:?}", narrow[2]))]
        .into_iter()
        .chain([(format!("{:?}", encoded[1]), format!("{:?}", encoded[2]))])
        .chain([(format!("{:?}", values[1]), format!("{:?}", values[2]))])
    {
        assert!(bookmark.contains("\"3\"") && bookmark.contains("true"), "{bookmark}");
        for part in ["Failure", "scripted", "Expired", "410"] {
            assert!(error.contains(part), "{error}");
        }
    }
}

// BH-W2: what the type doesn't name never reaches it, not even the version that the watch goes on from.
#[tokio::test(start_paused = true)]
async fn a_narrow_type_gets_what_it_names() {
    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Narrow {
        metadata: Metadata,
    }
    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Metadata {
        name: String,
    }
    impl Project for Narrow {
        const PATHS: &'static [&'static str] = &["metadata.name"];
    }
    let late = r#"{"object":{"kind":"Pod","metadata":{"name":"b","resourceVersion":"2"}},"type":"MODIFIED"}"#;
    let text = [&frame("ADDED", "a", "1"), late, &frame("DELETED", "c", "3")].concat();
    let script = Script::new([Step::Answer(answer(200, text))]);
    let mut watch = pods(&script).watch::<Projected<Narrow>>().await.unwrap();
    for (name, version) in [("a", "1"), ("b", "2"), ("c", "3")] {
        let event = watch.next().await.unwrap();
        let (WatchEvent::Added(pod) | WatchEvent::Modified(pod) | WatchEvent::Deleted(pod)) = event else {
            panic!("{event:?}")
        };
        assert_eq!((pod.metadata.name.as_str(), watch.resource_version()), (name, version));
    }
}

fn is_undecodable(event: &WatchEvent<Object>) -> bool {
    let WatchEvent::Error(status) = event else { return false };
    status.code == 500
        && status.status == Status::FAILURE
        && status.causes().len() == 2
        && status.has_cause(&CauseType::UNEXPECTED_SERVER_RESPONSE)
        && status.has_cause(&CauseType::CLIENT_WATCH_DECODING)
}

// BH-W2
#[tokio::test(start_paused = true)]
async fn what_is_no_event_ends_it_with_an_error() {
    let unknown = frame("SOMETHING", "a", "1");
    let mistyped = r#"{"type":"ADDED","object":{"metadata":7}}"#;
    for bad in [
        "nonsense",
        "7",
        "[]",
        "{}",
        r#"{"kind":"PodList","items":[]}"#,
        r#"{"type":"ADDED"}"#,
        r#"{"type":7,"object":{}}"#,
        r#"{"type":"ADDED","object":null}"#,
        r#"{"type":"BOOKMARK","object":[]}"#,
        "{\"type\":\"ADDED\",\"object\":{\"a\":\"\u{1}\"}}",
        mistyped,
        &unknown,
    ] {
        let text = [&frame("ADDED", "a", "1"), bad, &frame("ADDED", "b", "2")].concat();
        let events: Vec<WatchEvent<Object>> = watch(text).await;
        assert_eq!(names(&events), ["+a", "!500"], "{bad}");
        assert!(is_undecodable(&events[1]), "{bad}: {events:?}");
    }
    // Whatever an error event holds that is no Status is an error, and not the end.
    let odd = frame("ERROR", "a", "1") + &frame("ADDED", "b", "2");
    assert_eq!(names(&watch(odd).await), ["!500", "+b"]);
}

// BH-W1
#[tokio::test(start_paused = true)]
async fn a_frame_beyond_the_limit_ends_it_with_an_error() {
    let pod = |bytes: usize| frame("ADDED", &"x".repeat(bytes), "1");
    let events: Vec<WatchEvent<Encoded<Object>>> = watch(pod(15 << 20) + &frame("ADDED", "b", "2")).await;
    assert!(matches!(&events[..], [WatchEvent::Added(_), WatchEvent::Added(_)]));
    let events: Vec<WatchEvent<Object>> = watch(pod(16 << 20) + &frame("ADDED", "b", "2")).await;
    assert!(events.len() == 1 && is_undecodable(&events[0]));
}

// BH-W2, "length 4, two bytes, end"
#[tokio::test(start_paused = true)]
async fn the_end_of_the_connection_is_silent() {
    let whole = frame("ADDED", "a", "1") + &frame("ADDED", "b", "2");
    let cut = || vec![whole.as_bytes()[..whole.len() - 3].to_vec()];
    let mut ends = vec![(chunks(cut(), None), true)];
    for (kind, silent) in [
        (ErrorKind::UnexpectedEof, true),
        (ErrorKind::ConnectionReset, true),
        (ErrorKind::ConnectionLost, true),
        (ErrorKind::GoAway, true),
        (ErrorKind::Timeout, true),
        (ErrorKind::StreamReset, false),
        (ErrorKind::Protocol, false),
    ] {
        ends.push((chunks(cut(), Some(TransportError::new(kind, "scripted"))), silent));
    }
    ends.push((with(answer(200, ""), "content-length", "4"), true));
    for (index, (response, silent)) in ends.into_iter().enumerate() {
        let script = Script::new([Step::Answer(response)]);
        let events: Vec<WatchEvent<Object>> = pods(&script).watch().await.unwrap().collect().await;
        let errors = events.iter().filter(|event| is_undecodable(event)).count();
        assert_eq!(errors, usize::from(!silent), "{index}: {events:?}");
    }
}

// BH-X11: max 2, EOF three times; BH-X3
#[tokio::test(start_paused = true)]
async fn a_connection_that_keeps_breaking_is_an_empty_watch() {
    for kind in [ErrorKind::UnexpectedEof, ErrorKind::Timeout, ErrorKind::ConnectTimeout] {
        let script = Script::new([fail(kind), fail(kind), fail(kind)]);
        let mut watch: WatchStream<Object> = pods(&script).max_retries(2).watch().await.unwrap();
        assert!(watch.next().await.is_none());
        assert_eq!((script.attempts(), script.gaps()), (3, vec![1, 1]), "{kind:?}");
    }
    let script = Script::new([come_back(429, "3"), Step::Answer(answer(200, frame("ADDED", "a", "1")))]);
    let events: Vec<WatchEvent<Object>> = pods(&script).watch().await.unwrap().collect().await;
    assert_eq!((names(&events), script.gaps()), (vec!["+a".to_owned()], vec![3]));
    let script = Script::new([fail(ErrorKind::Tls)]);
    assert!(matches!(pods(&script).watch::<Object>().await, Err(Error::Transport { .. })));
}

// BH-X8
#[tokio::test(start_paused = true)]
async fn only_further_attempts_are_throttled() {
    let script = Script::new([fail(ErrorKind::UnexpectedEof), fail(ErrorKind::UnexpectedEof)]);
    // One token, and another each 10 seconds.
    let limiter = std::sync::Arc::new(TokenBucket::new(0.1, 1).unwrap());
    for _ in 0..2 {
        let request = pods(&Script::default())
            .throttle(std::sync::Arc::<TokenBucket>::clone(&limiter))
            .watch::<Object>();
        assert!(request.now_or_never().is_some(), "the first attempt waits for nothing");
    }
    drop(pods(&script).throttle(limiter).watch::<Object>().await.unwrap());
    assert_eq!(script.gaps(), [1, 10]);
}

// BH-A1
#[tokio::test(start_paused = true)]
async fn any_code_but_200_is_an_error() {
    for code in [201, 204, 206, 403, 410, 500] {
        let script = Script::new([Step::Answer(answer(code, ""))]);
        let error = pods(&script).watch::<Object>().await.unwrap_err();
        assert_eq!(error.code(), Some(code));
        assert!(error.to_string().contains("pods"), "{error}");
    }
    assert!(pods(&Script::default()).param("watch", "true").name("").watch::<Object>().await.is_err());
}

// BH-W7
#[tokio::test(start_paused = true)]
async fn content_types() {
    for (content_type, works) in [
        ("application/json;stream=watch", true),
        ("application/json; charset", true),
        ("application/,others", true),
        ("", true),
        ("foobar", false),
        ("text/plain", false),
        ("application/yaml", false),
        ("application/vnd.kubernetes.protobuf;stream=watch", false),
    ] {
        let mut response = answer(200, frame("ADDED", "a", "1"));
        response.headers_mut().insert("content-type", content_type.parse().unwrap());
        let script = Script::new([Step::Answer(response)]);
        match pods(&script).watch::<Object>().await {
            Ok(watch) => assert!(works && watch.count().await == 1, "{content_type}"),
            Err(error) => assert!(!works && error.to_string().contains("no decoder"), "{error}"),
        }
    }
}

/// A body that hangs, and tells when it is dropped.
struct Hanging(std::sync::Arc<std::sync::atomic::AtomicBool>);

impl Drop for Hanging {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_it_ends_the_request_and_deadlines_end_it_silently() {
    let is_gone = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let hanging = |gone: &std::sync::Arc<_>| {
        let state = Hanging(std::sync::Arc::clone(gone));
        let first = Bytes::from(frame("ADDED", "a", "1"));
        let body = futures_util::stream::iter([Ok::<_, BoxError>(first)]).chain(futures_util::stream::once(
            async move {
                let _state = &state;
                std::future::pending::<Result<Bytes, BoxError>>().await
            },
        ));
        Step::Answer(Response::new(Body::stream(body)))
    };
    let script = Script::new([hanging(&is_gone), hanging(&is_gone)]);
    let timed = pods(&script).timeout(Duration::from_secs(5));
    let mut watch: WatchStream<Object> = timed.watch().await.unwrap();
    assert!(watch.next().await.is_some());
    let waited = tokio::time::timeout(Duration::from_secs(60), watch.next()).await;
    assert!(waited.is_err(), "the timeout does not end it");
    assert!(!is_gone.load(std::sync::atomic::Ordering::Relaxed));
    drop(watch);
    assert!(is_gone.load(std::sync::atomic::Ordering::Relaxed));
    let start = tokio::time::Instant::now();
    let until = pods(&script).deadline(start + Duration::from_secs(5));
    let events: Vec<WatchEvent<Object>> = until.watch().await.unwrap().collect().await;
    assert_eq!((names(&events), start.elapsed()), (vec!["+a".to_owned()], Duration::from_secs(5)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // BH-W1
    #[test]
    fn the_pieces_make_no_difference(
        names_in in prop::collection::vec("[a-z\"\\\\{}\u{e4}\u{1f600}]{0,40}", 0..12),
        blanks in prop::collection::vec("[ \n\r\t]{0,3}", 12),
        size in 1..100_usize,
    ) {
        let text: String = names_in
            .iter()
            .zip(&blanks)
            .map(|(name, blank)| frame("ADDED", name, "1") + blank)
            .collect();
        let pieces = text.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
        let script = Script::new([Step::Answer(chunks(pieces, None))]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let events: Vec<WatchEvent<Object>> =
            runtime.block_on(async { pods(&script).watch().await.unwrap().collect().await });
        let expected: Vec<String> = names_in.iter().map(|name| format!("+{name}")).collect();
        prop_assert_eq!(names(&events), expected);
    }
}

/// A server that has just started makes it a moment later.
pub async fn default_namespace(client: &kubewire_rest::RestClient) {
    for _ in 0..200 {
        if client.get().resource("namespaces").name("default").send().await.error().is_none() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the server has no namespace \"default\"");
}

/// Creates, changes and deletes, and sees it.
async fn changes_are_seen(config: &kubewire_rest::Config) {
    let config = kubewire_rest::Config { qps: Some(-1.0), ..config.clone() };
    let client = kubewire_rest::RestClient::for_config(&config, kubewire_rest::GroupVersion::V1).unwrap();
    default_namespace(&client).await;
    let name = format!("watched-{}", std::process::id());
    let maps = |request: Request| request.namespace("default").resource("configmaps");
    let list: kubewire_rest::List<Object> = maps(client.get()).list().await.unwrap();
    let mut watch = maps(client.get())
        .param("fieldSelector", format!("metadata.name={name}"))
        .param("resourceVersion", &list.metadata.resource_version)
        .watch::<Object>()
        .await
        .unwrap();
    maps(client.post()).body(&Object::new("v1", "ConfigMap", &name)).send().await.check().unwrap();
    let patch = json!({"data": {"a": "1"}});
    let patched = maps(client.patch(kubewire_rest::PatchType::Merge)).name(&name).body(&patch);
    patched.send().await.check().unwrap();
    maps(client.delete()).name(&name).send().await.check().unwrap();
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let event = tokio::time::timeout(Duration::from_secs(20), watch.next()).await.unwrap().unwrap();
        if !matches!(event, WatchEvent::Bookmark(_)) {
            seen.push(self::name(&event));
        }
    }
    assert_eq!(seen, [format!("+{name}"), format!("~{name}"), format!("-{name}")]);
}

#[cfg(feature = "fake")]
#[tokio::test]
async fn on_the_embedded_server() {
    let server = kubewire_rest::fake::ApiServer::start().await.unwrap();
    changes_are_seen(&server.config()).await;
}

#[tokio::test]
async fn on_the_real_server() {
    let Some(server) = kubewire_envtest::server() else { return };
    let config = kubewire_rest::Config::from_kubeconfig(server.kubeconfig()).unwrap();
    changes_are_seen(&config).await;
}
