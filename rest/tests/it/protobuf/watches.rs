use std::time::Duration;

use futures_util::StreamExt as _;
use kubewire_rest::{
    Bookmark, CauseType, Decode, DecodeOptions, Encoded, Protobuf, StatusReason, WatchEvent,
};
use proptest::prelude::*;

use super::messages::*;
use crate::service::{Script, Step};

type Event = WatchEvent<Protobuf<Pod>>;

async fn watch_with<T: Decode>(bytes: &[u8], size: usize, options: DecodeOptions) -> Vec<WatchEvent<T>> {
    let script = Script::new([Step::Answer(answer(200, bytes, size))]);
    let pods = script.client().get().namespace("default").resource("pods").decode_options(options);
    let events = pods.watch::<T>().await.unwrap().collect().await;
    assert_eq!(script.sent()[0].header("accept"), PROTOBUF);
    events
}

async fn watch(bytes: &[u8], size: usize) -> Vec<Event> {
    watch_with(bytes, size, DecodeOptions::default()).await
}

fn bookmark(version: &str, end: &str) -> Vec<u8> {
    let metadata = ObjectMeta {
        resource_version: version.to_owned(),
        annotations: [("k8s.io/initial-events-end".to_owned(), end.to_owned())].into(),
        ..ObjectMeta::default()
    };
    frame("BOOKMARK", wrapped("Pod", &Pod { metadata: Some(metadata), ..Pod::default() }))
}

fn object(event_type: &str, n: usize) -> Vec<u8> {
    frame(event_type, wrapped("Pod", &pod(n)))
}

// BH-W1, BH-W2, BH-W4, BH-W5
#[tokio::test(start_paused = true)]
async fn events_come_in_order_in_any_pieces() {
    let bytes = [
        object("ADDED", 1),
        object("MODIFIED", 2),
        bookmark("3", "false"),
        bookmark("4", "true"),
        frame("ERROR", wrapped("Status", &failure(504, "Timeout"))),
        object("DELETED", 5),
        frame("ERROR", wrapped("Pod", &pod(6))),
    ]
    .concat();
    for size in [1, 2, 3, 4, 5, 7, 100, 1 << 20] {
        let events = watch(&bytes, size).await;
        assert_eq!(events.len(), 7);
        assert_eq!(events[0], WatchEvent::Added(Protobuf(pod(1))));
        assert_eq!(events[1], WatchEvent::Modified(Protobuf(pod(2))));
        for (at, version, is_initial_events_end) in [(2, "3", false), (3, "4", true)] {
            let bookmark = Bookmark { resource_version: version.to_owned(), is_initial_events_end };
            assert_eq!(events[at], WatchEvent::Bookmark(bookmark));
        }
        let WatchEvent::Error(status) = &events[4] else { panic!("{:?}", events[4]) };
        assert_eq!((status.code, &status.reason), (504, &StatusReason::TIMEOUT));
        assert_eq!(events[5], WatchEvent::Deleted(Protobuf(pod(5))));
        let WatchEvent::Error(status) = &events[6] else { panic!("{:?}", events[6]) };
        assert!(status.message.contains("no Status"), "{}", status.message);
    }
}

// BH-W2: length 4, two bytes, end: a silent end.
#[tokio::test(start_paused = true)]
async fn what_is_cut_ends_silently() {
    assert!(watch(&[0, 0, 0, 4, 1, 2], 100).await.is_empty());
    let frames = [object("ADDED", 1), object("MODIFIED", 2)];
    let (first, bytes) = (frames[0].len(), frames.concat());
    for cut in (0..bytes.len()).step_by(3) {
        let events = watch(&bytes[..cut], 50).await;
        assert_eq!(events.len(), usize::from(cut >= first), "{cut}");
    }
}

// BH-W1, BH-W2
#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_the_last_event() {
    for (frame, what) in [
        (object("CREATED", 1), "unknown type"),
        (vec![0, 0, 0, 0], "without an object"),
        (frame("ADDED", Vec::new()), "without an object"),
        (frame("ADDED", br#"{"kind":"Pod"}"#.to_vec()), "four bytes"),
        (frame("ADDED", b"k8s\0\x12\x02\x1a\x07".to_vec()), "beyond the end of its message"),
        (frame("ADDED", b"k8s\0\x12\x06\x1a\x04\x0a\x07ab".to_vec()), "not of the type asked for"),
        (vec![0, 0, 0, 2, 0x12, 0x7f], "beyond the end"),
        (vec![0, 0, 0, 3, 0x0a, 1, 0xff], "UTF-8"),
        // 16 MiB and a byte; nearly 4 GiB.
        (vec![1, 0, 0, 1, 0], "larger than the limit of 16777216"),
        (vec![0xff; 4], "larger than the limit of 16777216"),
        (br#"{"type":"ADDED","object":{}}"#.to_vec(), "larger than the limit"),
    ] {
        for size in [1, 1000] {
            let bytes = [&object("ADDED", 1)[..], &frame, &object("ADDED", 2)].concat();
            let events = watch(&bytes, size).await;
            assert_eq!(events.len(), 2, "{what}: {events:?}");
            let WatchEvent::Error(status) = &events[1] else { panic!("{:?}", events[1]) };
            assert!(status.message.contains(what), "{what:?} in {}", status.message);
            assert!(status.message.contains("in event 1"), "{}", status.message);
            assert_eq!(status.code, 500);
            assert!(status.has_cause(&CauseType::CLIENT_WATCH_DECODING));
            assert!(status.has_cause(&CauseType::UNEXPECTED_SERVER_RESPONSE));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn objects_are_cut_and_kept_as_in_lists() {
    let bytes = [object("ADDED", 1), bookmark("9", "true")].concat();
    let options = DecodeOptions::default()
        .skip_fields(["metadata.managedFields", "metadata.labels", "metadata.resourceVersion"])
        .unwrap();
    let events = watch_with::<Protobuf<Pod>>(&bytes, 10, options).await;
    let mut expected = pod(1);
    let metadata = expected.metadata.as_mut().unwrap();
    metadata.managed.clear();
    metadata.labels.clear();
    metadata.resource_version.clear();
    assert_eq!(events[0], WatchEvent::Added(Protobuf(expected)));
    assert!(matches!(&events[1], WatchEvent::Bookmark(bookmark) if bookmark.is_initial_events_end));

    let events = watch_with::<Encoded<Protobuf<Pod>>>(&bytes, 10, DecodeOptions::default()).await;
    let WatchEvent::Added(pod) = &events[0] else { panic!("{:?}", events[0]) };
    assert_eq!(
        (pod.name(), pod.resource_version(), pod.str_at(&[3, 1])),
        ("pod-1", Some("1"), Some("Running"))
    );
    assert!(pod.decode().unwrap().metadata.unwrap().managed.is_empty());
    let large = watch_with::<Protobuf<Pod>>(&bytes, 10, DecodeOptions::default().max_object_bytes(100)).await;
    assert!(matches!(&large[..], [WatchEvent::Error(status)] if status.message.contains("limit of 100")));
}

// BH-W3
#[tokio::test(start_paused = true)]
async fn a_retry_watch_goes_on_after_the_last_version() {
    let script = Script::new([
        Step::Answer(answer(200, &[object("ADDED", 5), bookmark("7", "false")].concat(), 10)),
        Step::Answer(answer(200, &object("MODIFIED", 8), 10)),
        Step::Answer(answer(200, &frame("ERROR", wrapped("Status", &failure(410, "Expired"))), 10)),
    ]);
    let pods = script.client().get().namespace("default").resource("pods");
    let watch = pods.retry_watch::<Protobuf<Pod>>("4").unwrap();
    let events: Vec<Event> = tokio::time::timeout(Duration::from_secs(60), watch.collect()).await.unwrap();
    assert_eq!(events[..2], [WatchEvent::Added(Protobuf(pod(5))), WatchEvent::Modified(Protobuf(pod(8)))]);
    assert!(matches!(&events[2], WatchEvent::Error(status) if status.code == 410));
    let sent = script.sent();
    for (sent, version) in sent.iter().zip(["4", "7", "8"]) {
        assert!(sent.uri.query().unwrap().contains(&format!("resourceVersion={version}")), "{}", sent.uri);
        assert_eq!(sent.header("accept"), PROTOBUF);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Bytes of any kind end the watch with an error, or silently, and never otherwise.
    #[test]
    fn bytes_of_any_kind_end_a_watch(
        at in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 1..20),
        size in 1_usize..60,
    ) {
        let mut frames = [object("ADDED", 1), object("MODIFIED", 2), object("DELETED", 3)].concat();
        let at = at.index(frames.len());
        frames.splice(at..at, bytes);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let events = runtime.block_on(watch(&frames, size));
        let errors = events.iter().filter(|event| matches!(event, WatchEvent::Error(_))).count();
        prop_assert!(errors <= 1 && events.len() <= 5, "{:?}", events);
    }
}
