//! Answers from which nothing comes any more.

use std::time::Duration;

use kubewire_rest::http::Response;
use kubewire_rest::transport::{Body, BoxError, ErrorKind};
use kubewire_rest::{Bytes, Object, Stage};
use tokio::time::Instant;

use crate::service::{Script, Step, stays_open};
use crate::watch::{frame, name, pods};

const DAY: Duration = Duration::from_secs(86_400);

/// After how many seconds a watch ends.
async fn ends_after(
    script: Script,
    request: impl FnOnce(kubewire_rest::Request) -> kubewire_rest::Request,
) -> u64 {
    let start = Instant::now();
    let mut watch = request(pods(&script)).watch::<Object>().await.unwrap();
    assert_eq!(name(&watch.next().await.unwrap()), "+a");
    match tokio::time::timeout(DAY, watch.next()).await {
        Ok(next) => assert!(next.is_none()),
        Err(_) => return u64::MAX,
    }
    start.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn a_silent_watch_ends_without_a_word() {
    let script = || Script::new([stays_open(&frame("ADDED", "a", "4"))]);
    let seconds = Duration::from_secs;
    assert_eq!(ends_after(script(), |request| request).await, u64::MAX, "nothing says when");
    assert_eq!(ends_after(script(), |request| request.idle_timeout(seconds(7))).await, 7);
    assert_eq!(
        ends_after(script(), |request| request.idle_timeout(seconds(7)).idle_timeout(seconds(0))).await,
        u64::MAX
    );
    assert_eq!(ends_after(script(), |request| request.param("timeoutSeconds", "10")).await, 40);
    assert_eq!(ends_after(script(), |request| request.param("timeoutSeconds", "x")).await, u64::MAX);
    let both =
        |request: kubewire_rest::Request| request.param("timeoutSeconds", "10").idle_timeout(seconds(90));
    assert_eq!(ends_after(script(), both).await, 90, "the caller knows best");
    assert_eq!(ends_after(script(), |request| request.idle_timeout(Duration::MAX)).await, u64::MAX);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_slow_loses_nothing() {
    let (send, mut receive) = tokio::sync::mpsc::unbounded_channel::<Result<Bytes, BoxError>>();
    let chunks = futures_util::stream::poll_fn(move |cx| receive.poll_recv(cx));
    let script = Script::new([Step::Answer(Response::new(Body::stream(chunks)))]);
    let mut watch = pods(&script).idle_timeout(Duration::from_secs(5)).watch::<Object>().await.unwrap();
    for number in 0..3 {
        send.send(Ok(frame("ADDED", &number.to_string(), "4").into())).unwrap();
        tokio::time::sleep(DAY).await;
        assert_eq!(name(&watch.next().await.unwrap()), format!("+{number}"));
    }
    // Only now it waits.
    let start = Instant::now();
    assert!(watch.next().await.is_none());
    assert_eq!(start.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_stalls_is_an_error() {
    let script = Script::new([stays_open(r#"{"kind":"PodList","metadata":{},"items":[{},"#)]);
    let mut items = pods(&script).idle_timeout(Duration::from_secs(5)).items::<Object>().await.unwrap();
    assert!(items.next().await.unwrap().is_ok());
    let error = items.next().await.unwrap().unwrap_err();
    assert!(error.is_client_timeout() && error.to_string().contains("nothing came for 5s"), "{error}");
    assert!(items.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_begin_is_an_error() {
    let script = Script::new([Step::Hang]);
    let start = Instant::now();
    let error = pods(&script).idle_timeout(Duration::from_secs(5)).send().await.check().unwrap_err();
    assert_eq!((start.elapsed().as_secs(), script.attempts()), (5, 1));
    assert_eq!(error.transport().unwrap().kind(), ErrorKind::Timeout);
    assert!(matches!(error, kubewire_rest::Error::Transport { stage: Stage::Head, .. }), "{error:?}");
}
