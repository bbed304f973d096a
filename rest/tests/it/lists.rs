//! Lists as they come over the wire: whole, item by item, page by page.

use kubewire_rest::http::{Response, StatusCode};
use kubewire_rest::transport::{Body, BoxError};
use kubewire_rest::{
    Bytes, DecodeFault, Encoded, Error, List, ListOptions, Object, Project, Projected, Request,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::service::{Script, Step, answer, come_back, with};

fn pods(script: &Script) -> Request {
    script.client().get().namespace("default").resource("pods")
}

fn pod(n: usize) -> Value {
    json!({"metadata": {"name": format!("pod-{n}"), "namespace": "default", "uid": format!("u{n}"),
        "managedFields": [{"manager": "m", "fieldsV1": {"f:a": {}}}], "labels": {"n": n.to_string()}},
        "spec": {"nodeName": "x".repeat(200)}, "status": {"phase": "Running"}})
}

pub fn page(numbers: std::ops::Range<usize>, token: &str, version: &str) -> String {
    let items: Vec<Value> = numbers.map(pod).collect();
    json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": version, "continue": token,
        "remainingItemCount": 7}, "items": items})
    .to_string()
}

/// An answer in pieces of `size` bytes.
pub fn pieces(text: &str, size: usize) -> Response<Body> {
    let chunks: Vec<Result<Bytes, BoxError>> =
        text.as_bytes().chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    let mut response = Response::new(Body::stream(futures_util::stream::iter(chunks)));
    response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    response
}

fn names(list: &List<Object>) -> Vec<&str> {
    list.items.iter().map(|object| object.metadata.name.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn lists_come_whole_however_they_are_cut_short_and_long() {
    for (count, size) in [(0, 10), (3, 1), (3, 1 << 20), (2000, 1000), (2000, 1 << 22)] {
        let text = page(0..count, "", "42");
        let script = Script::new([Step::Answer(pieces(&text, size))]);
        let list: List<Value> = pods(&script).list().await.unwrap();
        assert_eq!(list.metadata.resource_version, "42");
        assert_eq!(list.items, (0..count).map(pod).collect::<Vec<_>>());
    }
}

#[derive(Deserialize)]
struct Narrow {
    status: Status,
}

#[derive(Deserialize)]
struct Status {
    phase: String,
}

impl Project for Narrow {
    const PATHS: &'static [&'static str] = &["status.phase"];
}

#[tokio::test(start_paused = true)]
async fn the_caller_chooses_the_type_by_the_same_calls() {
    let list = || Step::Answer(answer(200, page(0..3, "", "42")));
    let script = Script::new([list(), list(), list(), list()]);
    let encoded: List<Encoded<Object>> = pods(&script).list().await.unwrap();
    assert_eq!(encoded.items[2].name(), "pod-2");
    assert!(!encoded.items[2].to_json().contains("managedFields"));
    assert_eq!(encoded.items[2].decode().unwrap().metadata.labels["n"], "2");

    let projected: List<Projected<Narrow>> = pods(&script).list().await.unwrap();
    assert_eq!(projected.items[1].status.phase, "Running");

    let mut items = pods(&script).items::<Encoded<Object>>().await.unwrap();
    let mut found = Vec::new();
    while let Some(item) = items.next().await {
        found.push(item.unwrap());
    }
    assert_eq!(found, encoded.items);
    assert_eq!(items.metadata().unwrap().resource_version, "42");
    assert!(items.next().await.is_none());

    let skipped: List<Value> =
        pods(&script).skip_fields(["metadata.managedFields", "spec"]).list().await.unwrap();
    assert_eq!(skipped.items[0].get("spec"), None);
    assert_eq!(skipped.items[0]["metadata"].get("managedFields"), None);
}

#[tokio::test(start_paused = true)]
async fn single_objects_come_in_every_type_too() {
    let one = || Step::Answer(answer(200, pod(1).to_string()));
    let yaml = || {
        let mut yaml = answer(200, "metadata: {name: y}\nstatus: {phase: Failed}\n");
        yaml.headers_mut().insert("content-type", "application/yaml".parse().unwrap());
        Step::Answer(yaml)
    };
    let script = Script::new([one(), one(), one(), yaml(), yaml()]);
    let get = || pods(&script).name("pod-1");
    let encoded: Encoded<Object> = get().send().await.into_object().unwrap();
    assert_eq!((encoded.name(), encoded.namespace()), ("pod-1", Some("default")));
    let narrow: Projected<Narrow> = get().send().await.into_object().unwrap();
    assert_eq!(narrow.status.phase, "Running");
    let value: Value = get().skip_fields(["metadata.managedFields"]).send().await.into_object().unwrap();
    assert_eq!(value["metadata"].get("managedFields"), None);
    let encoded: Encoded<Object> = get().send().await.into_object().unwrap();
    assert_eq!(encoded.name(), "y");
    let narrow: Projected<Narrow> = get().send().await.into_object().unwrap();
    assert_eq!(narrow.status.phase, "Failed");
}

#[tokio::test(start_paused = true)]
async fn errors_say_which_item_and_which_request() {
    let script = Script::new([Step::Answer(answer(
        200,
        r#"{"kind":"PodList","items":[{"metadata":{"name":"a"}},{"metadata":7}]}"#,
    ))]);
    let mut items = pods(&script).items::<Object>().await.unwrap();
    assert!(items.next().await.unwrap().is_ok());
    let error = items.next().await.unwrap().unwrap_err();
    let Error::Decode(decode) = &error else { panic!("{error}") };
    let DecodeFault::Item(item) = &decode.source else { panic!("{error}") };
    assert_eq!(item.item(), Some(1));
    let text = error.to_string();
    assert!(text.contains("PodList") && text.contains("item 1") && text.contains("pods"), "{text}");
    assert!(items.next().await.is_none());

    // The same of a long list, which is decoded elsewhere; and of one that breaks off.
    let text = page(0..2000, "", "1").replace(r#""name":"pod-1999""#, r#""name":[]"#);
    let script = Script::new([Step::Answer(pieces(&text, 5000))]);
    let error = pods(&script).list::<Object>().await.unwrap_err().to_string();
    assert!(error.contains("item 1999"), "{error}");
    // The first item that is wrong counts, though the list breaks off before anybody has decoded it.
    let text = page(0..2000, "", "1").replace(r#""name":"pod-1500""#, r#""name":[]"#);
    let script = Script::new([Step::Answer(pieces(&text[..text.len() - 1], 5000))]);
    let error = pods(&script).list::<Object>().await.unwrap_err().to_string();
    assert!(error.contains("item 1500"), "{error}");
    for text in [page(0..3, "", "1"), page(0..2000, "", "1")] {
        let script = Script::new([Step::Answer(pieces(&text[..text.len() - 1], 5000))]);
        let error = pods(&script).list::<Object>().await.unwrap_err().to_string();
        assert!(error.contains("ends too early"), "{error}");
    }
    // What is no list.
    for body in [r#"{"kind":"Pod"}"#, "", "7"] {
        let script = Script::new([Step::Answer(answer(200, body))]);
        assert!(matches!(pods(&script).list::<Object>().await, Err(Error::Decode(_))), "{body}");
    }
    let mut proto = answer(200, "k8s\0");
    proto.headers_mut().insert("content-type", "application/vnd.kubernetes.protobuf".parse().unwrap());
    let script = Script::new([Step::Answer(proto)]);
    let error = pods(&script).list::<Object>().await.unwrap_err().to_string();
    assert!(error.contains("no decoder"), "{error}");
    let error = pods(&Script::default()).skip_fields(["spec["]).list::<Object>().await.unwrap_err();
    assert!(matches!(error, Error::Request { .. }) && error.to_string().contains("spec["), "{error}");
}

#[tokio::test(start_paused = true)]
async fn lists_are_retried_like_other_requests_and_api_errors_are_errors() {
    let forbidden =
        r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403}"#;
    let script = Script::new([
        come_back(429, "1"),
        Step::Answer(answer(200, page(0..1, "", "1"))),
        Step::Answer(answer(403, forbidden)),
    ]);
    assert_eq!(names(&pods(&script).list().await.unwrap()), ["pod-0"]);
    assert_eq!(script.attempts(), 2);
    let error = pods(&script).items::<Object>().await.unwrap_err();
    assert!(error.is_forbidden());
    assert_eq!(error.code(), Some(StatusCode::FORBIDDEN.as_u16()));
}

#[tokio::test(start_paused = true)]
async fn the_answers_length_still_counts() {
    let text = page(0..3, "", "1");
    let short = with(pieces(&text, 100), "content-length", &(text.len() + 5).to_string());
    let script = Script::new([Step::Answer(short)]);
    assert!(matches!(pods(&script).list::<Object>().await, Err(Error::Transport { .. })));
}

fn queries(script: &Script) -> Vec<String> {
    script.sent().iter().map(|sent| sent.uri.query().unwrap_or_default().to_owned()).collect()
}

pub const EXPIRED: &str =
    r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410}"#;

/// BH-W9
#[tokio::test(start_paused = true)]
async fn pages_are_walked_and_put_together() {
    let pages = || {
        [page(0..10, "t1", "5"), page(10..20, "t2", "5"), page(20..21, "", "5")]
            .map(|text| Step::Answer(answer(200, text)))
    };
    let script = Script::new(pages().into_iter().chain(pages()));
    let options = ListOptions {
        limit: Some(10),
        resource_version: Some("3".into()),
        resource_version_match: Some(kubewire_rest::ResourceVersionMatch::NotOlderThan),
        label_selector: Some("a=b".into()),
        ..ListOptions::default()
    };
    let request = || pods(&script).versioned_params(&options);
    let mut walk = request().pages::<Object>();
    let mut counts = Vec::new();
    while let Some(page) = walk.next().await {
        counts.push(page.unwrap().items.len());
    }
    assert_eq!(counts, [10, 10, 1]);
    let list: List<Object> = request().all().await.unwrap();
    assert_eq!(list.items.len(), 21);
    assert_eq!(list.metadata.resource_version, "5");
    assert_eq!((list.metadata.continue_token.as_str(), list.metadata.remaining_item_count), ("", None));
    let queries = queries(&script);
    assert!(
        queries[0].contains("resourceVersion=3") && queries[0].contains("resourceVersionMatch=NotOlderThan")
    );
    for (query, token) in queries[1..3].iter().zip(["t1", "t2"]) {
        assert!(query.contains(&format!("continue={token}")) && query.contains("limit=10"), "{query}");
        assert!(query.contains("labelSelector=a%3Db") && !query.contains("resourceVersion"), "{query}");
    }
    let script = Script::new([Step::Answer(answer(200, page(0..1, "", "5")))]);
    assert!(pods(&script).pages::<Object>().next().await.unwrap().is_ok());
    assert_eq!(self::queries(&script), ["limit=500"]);
}

/// BH-W9: 21 items, pages of 10, expired at page 2.
#[tokio::test(start_paused = true)]
async fn an_expired_token_falls_back_to_the_whole_list() {
    let steps = || [Step::Answer(answer(200, page(0..10, "t1", "5"))), Step::Answer(answer(410, EXPIRED))];
    let whole = Step::Answer(answer(200, page(0..21, "", "9")));
    let script = Script::new(steps().into_iter().chain([whole]));
    let request = |script: &Script| pods(script).param("limit", "10").param("resourceVersion", "3");
    let list: List<Object> = request(&script).all().await.unwrap();
    assert_eq!((list.items.len(), list.metadata.resource_version.as_str()), (21, "9"));
    assert_eq!(queries(&script)[2], "resourceVersion=3");

    let script = Script::new(steps());
    let mut pages = request(&script).pages::<Object>();
    assert!(pages.next().await.unwrap().is_ok());
    assert!(pages.next().await.unwrap().unwrap_err().is_resource_expired());
    assert!(pages.next().await.is_none());

    // On the first page, and for any other reason, it is the error.
    let gone = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Gone","code":410}"#;
    for steps in [vec![answer(410, EXPIRED)], vec![answer(200, page(0..10, "t1", "5")), answer(410, gone)]] {
        let count = steps.len();
        let script = Script::new(steps.into_iter().map(Step::Answer));
        assert!(request(&script).all::<Object>().await.is_err());
        assert_eq!(script.attempts(), count);
    }
}

#[tokio::test(start_paused = true)]
async fn pages_that_lead_in_a_circle_are_an_error() {
    for circle in [1, 2, 3, 7] {
        let pages = (0..).map(|n| Step::Answer(answer(200, page(0..1, &format!("t{}", n % circle), "5"))));
        let script = Script::new(pages.take(100));
        let mut pages = pods(&script).pages::<Object>();
        let mut count = 0;
        let error = loop {
            match pages.next().await.unwrap() {
                Ok(_) => count += 1,
                Err(error) => break error,
            }
        };
        assert!(pages.next().await.is_none());
        assert!((circle..=4 * circle).contains(&count), "{count} pages of a circle of {circle}");
        let text = error.to_string();
        assert!(text.starts_with("GET /api/v1/namespaces/default/pods on http://server:8080: "), "{text}");
        assert!(text.contains("circle"), "{text}");
        assert!(pods(&script).all::<Object>().await.is_err());
    }
}

#[tokio::test]
async fn a_long_list_lets_other_tasks_run() {
    // All on one thread: the other task gets its turns only when the list's gives them.
    let text = page(0..3000, "", "1");
    let script = Script::new([Step::Answer(answer(200, text))]);
    let turns = std::rc::Rc::new(std::cell::Cell::new(0));
    let local = tokio::task::LocalSet::new();
    let counted = std::rc::Rc::clone(&turns);
    local.spawn_local(async move {
        loop {
            counted.set(counted.get() + 1);
            tokio::task::yield_now().await;
        }
    });
    let count = local
        .run_until(async {
            let mut items = pods(&script).items::<Value>().await.unwrap();
            let mut count = 0;
            while let Some(item) = items.next().await {
                item.unwrap();
                count += 1;
            }
            count
        })
        .await;
    assert_eq!(count, 3000);
    assert!(turns.get() >= 10, "{}", turns.get());
}
