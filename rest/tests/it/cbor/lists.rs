//! Lists and watches in CBOR.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use kubewire_rest::transport::Body;
use kubewire_rest::{
    Bytes, CauseType, DecodeOptions, Encoded, List, ListDecoder, Object, Project, Projected, WatchEvent, cbor,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CBOR, cbor_answer, client, typed_answer};
use crate::service::{Script, Step};

const SEQUENCE: &str = "application/cbor-seq";

fn pods() -> Value {
    let item = |n: u32| {
        json!({"metadata": {"name": format!("web-{n}"), "managedFields": [{"manager": "m\n"}]},
            "spec": {"nodeName": "\"n\" é", "n": n}})
    };
    json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "7", "continue": "more"},
        "items": (0..9).map(item).collect::<Vec<_>>()})
}

#[derive(Deserialize)]
struct Narrow {
    spec: Spec,
}
#[derive(Deserialize)]
struct Spec {
    n: u32,
}
impl Project for Narrow {
    const PATHS: &'static [&'static str] = &["spec.n"];
}

/// The body in pieces of `size` bytes.
fn in_pieces(content_type: &str, bytes: &[u8], size: usize) -> Step {
    let pieces: Vec<_> =
        bytes.chunks(size).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))).collect();
    let mut answer = typed_answer(200, content_type, Vec::new());
    *answer.body_mut() = Body::stream(stream::iter(pieces));
    Step::Answer(answer)
}

#[tokio::test(start_paused = true)]
async fn lists_items_and_pages_are_those_of_the_json() {
    let whole: List<Object> = serde_json::from_value(pods()).unwrap();
    let body = cbor::encode(&pods()).unwrap();
    for size in [1, 7, 100, 1 << 20] {
        let script = Script::new((0..6).map(|_| in_pieces(CBOR, &body, size)));
        let client = client(&script);
        let get = || client.get().resource("pods");
        assert_eq!(get().list::<Object>().await.unwrap(), whole);
        let mut items = get().items::<Object>().await.unwrap();
        let mut names = Vec::new();
        while let Some(item) = items.next().await {
            names.push(item.unwrap().metadata.name);
        }
        assert_eq!(names.len(), 9);
        assert_eq!(items.metadata().unwrap().continue_token, "more");
        let page = get().pages::<Object>().next().await.unwrap().unwrap();
        assert_eq!(page, whole);
        let encoded: List<Encoded<Object>> = get().list().await.unwrap();
        assert!(encoded.items.iter().all(|item| !item.to_json().contains("manager")));
        assert_eq!(encoded.items[8].str_at("spec.nodeName").unwrap().as_deref(), Some("\"n\" é"));
        let narrow: List<Projected<Narrow>> = get().list().await.unwrap();
        assert_eq!(
            narrow.items.iter().map(|item| item.spec.n).collect::<Vec<_>>(),
            (0..9).collect::<Vec<_>>()
        );
        let object: List<Object> = get().send().await.into_object().unwrap();
        assert_eq!(object, whole);
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_breaks_gives_the_items_before() {
    let good = cbor::encode(&pods()).unwrap();
    // "items" comes before "kind": the last item is broken.
    let at = good.windows(6).rposition(|bytes| bytes == b"\x45web-8").unwrap();
    let mut bad = good.clone();
    bad[at] = 0x65;
    bad[at + 1] = 0xff;
    let script = Script::new([
        in_pieces(CBOR, &bad, 50),
        in_pieces(CBOR, &good[..good.len() - 1], 50),
        Step::Answer(cbor_answer(200, &json!({"kind": "Pod", "apiVersion": "v1"}))),
        in_pieces(CBOR, b"", 1),
    ]);
    let client = client(&script);
    let mut items = client.get().resource("pods").items::<Object>().await.unwrap();
    for n in 0..8 {
        assert_eq!(items.next().await.unwrap().unwrap().metadata.name, format!("web-{n}"));
    }
    let error = items.next().await.unwrap().unwrap_err().to_string();
    assert!(error.contains("no UTF-8") && error.contains(&format!("at byte {}", at + 1)), "{error}");
    assert!(items.next().await.is_none());
    let list = || client.get().resource("pods").list::<Object>();
    let error = list().await.unwrap_err().to_string();
    assert!(error.contains("the CBOR ends too early"), "{error}");
    let error = list().await.unwrap_err().to_string();
    assert!(error.contains("not a list"), "{error}");
    let error = list().await.unwrap_err().to_string();
    assert!(error.contains("ends too early"), "{error}");
}

/// Memory is held for the item that is coming in, whatever the list's length.
#[test]
fn a_long_list_is_read_in_the_memory_of_an_item() {
    let item =
        cbor::encode(&json!({"metadata": {"name": "web"}, "spec": {"note": "x".repeat(10_000)}})).unwrap();
    let mut decoder = ListDecoder::<Object>::cbor(&DecodeOptions::default());
    decoder.push(Bytes::from_static(b"\xa2\x45items\x9a\xff\xff\xff\xff"));
    let (mut most, mut count) = (0, 0);
    for _ in 0..3_000 {
        decoder.push(Bytes::from(item.clone()));
        while let Some(item) = decoder.next_item() {
            item.unwrap();
            count += 1;
        }
        most = most.max(decoder.memory());
    }
    // An item is complete when the next begins.
    assert!(count == 2_999 && decoder.bytes_read() > 30_000_000 && most < 200_000, "{most}");
}

fn event(kind: &str, name: &str, version: &str) -> Value {
    json!({"type": kind, "object": {"kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": name, "resourceVersion": version}}})
}

// BH-W1, BH-W2
#[tokio::test(start_paused = true)]
async fn a_watch_is_a_sequence() {
    let events = [event("ADDED", "a", "1"), event("MODIFIED", "a", "2"), event("DELETED", "a", "3")];
    let status = json!({"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 410}});
    let mut body = Vec::new();
    for event in events.iter().chain([&event("BOOKMARK", "", "9"), &status]) {
        body.extend(cbor::encode(event).unwrap());
    }
    let cut = body.len() - 3;
    for (size, sent) in [(1, &body[..]), (33, &body), (1 << 20, &body), (5, &body[..cut])] {
        let script = Script::new([in_pieces(SEQUENCE, sent, size)]);
        let mut watch = client(&script).get().resource("pods").watch::<Encoded<Object>>().await.unwrap();
        let mut seen = Vec::new();
        while let Some(event) = watch.next().await {
            seen.push(match event {
                WatchEvent::Added(pod) => format!("+{}", pod.resource_version().unwrap()),
                WatchEvent::Modified(pod) => format!("~{}", pod.resource_version().unwrap()),
                WatchEvent::Deleted(pod) => format!("-{}", pod.name()),
                WatchEvent::Bookmark(bookmark) => bookmark.resource_version,
                WatchEvent::Error(status) => status.code.to_string(),
            });
        }
        let all = ["+1", "~2", "-a", "9", "410"];
        // One that is cut off ends without a word.
        assert_eq!(seen, all[..if sent.len() == cut { 4 } else { 5 }], "{size}");
    }
}

/// An event is there with its last byte.
#[tokio::test(start_paused = true)]
async fn an_event_waits_for_no_other() {
    let event = Bytes::from(cbor::encode(&event("ADDED", "a", "1")).unwrap());
    let mut answer = typed_answer(200, SEQUENCE, Vec::new());
    let chunks = stream::iter([Ok::<_, std::io::Error>(event)]).chain(stream::pending());
    *answer.body_mut() = Body::stream(chunks);
    let script = Script::new([Step::Answer(answer)]);
    let mut watch = client(&script).get().resource("pods").watch::<Object>().await.unwrap();
    let event = tokio::time::timeout(Duration::from_secs(1), watch.next()).await.unwrap();
    assert!(matches!(event, Some(WatchEvent::Added(_))));
}

// BH-W1, BH-W2, BH-W7
#[tokio::test(start_paused = true)]
async fn what_is_no_watch_of_cbor() {
    // CBOR, but not as a sequence.
    let script = Script::new([in_pieces(CBOR, b"\xa0", 1)]);
    let error = client(&script).get().resource("pods").watch::<Object>().await.unwrap_err();
    assert!(error.to_string().contains("no decoder"), "{error}");
    for bad in [&b"\xff"[..], b"\x01", b"\xa1\x44type\xf7", b"\xa1\x44type\x45ADDED", b"\x80"] {
        let good = cbor::encode(&event("ADDED", "a", "1")).unwrap();
        let script = Script::new([in_pieces(SEQUENCE, &[&good[..], bad].concat(), 9)]);
        let mut watch = client(&script).get().resource("pods").watch::<Object>().await.unwrap();
        assert!(matches!(watch.next().await, Some(WatchEvent::Added(_))));
        let Some(WatchEvent::Error(status)) = watch.next().await else { panic!("{bad:x?}") };
        assert!(status.has_cause(&CauseType::CLIENT_WATCH_DECODING) && status.code == 500, "{status:?}");
        assert!(watch.next().await.is_none());
    }
}
