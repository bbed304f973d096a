//! Requests on their way: order, waits, deadlines, cancellation.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kubewire_rest::transport::{Error, ErrorKind, RequestKind};
use kubewire_rest::{Config, HostBackoff, RateLimiter, Request, StandardRetry, TokenBucket};
use serde_json::json;
use tokio::time::Instant;

use crate::service::{Script, Step, answer, come_back, fail, ok, with};

/// Ends a request in one of the three ways and gives its error.
pub async fn end(request: Request, how: &str) -> Option<kubewire_rest::Error> {
    match how {
        "send" => request.send().await.check().err(),
        "send_raw" => request.send_raw().await.err(),
        "stream" => request.stream().await.err(),
        _ => panic!("{how}"),
    }
}

pub const ENDS: [&str; 3] = ["send", "send_raw", "stream"];

#[tokio::test]
async fn a_task_that_gets_answer_after_answer_lets_others_run() {
    const ANSWERS: usize = 100;
    let body = json!({ "data": "x".repeat(10_000) }).to_string();
    let script = Script::new((0..ANSWERS).map(|_| Step::Answer(answer(200, body.as_str()))));
    let client = script.client();
    let turns = Arc::new(AtomicUsize::new(0));
    let others = Arc::clone(&turns);
    tokio::spawn(async move {
        loop {
            others.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    // None of these waits for anything.
    for _ in 0..ANSWERS {
        client.get().send().await.check().unwrap();
    }
    let turns = turns.load(Ordering::Relaxed);
    assert!((ANSWERS / 50..ANSWERS / 10).contains(&turns), "{turns} turns");
}

// BH-X2
#[tokio::test(start_paused = true)]
async fn the_larger_wait_counts() {
    for (backoff, retry_after, waited) in [(1, "5", 5), (4, "2", 4), (3, "3", 3), (1, "0", 1)] {
        let script = Script::new([come_back(503, retry_after), ok()]);
        let manager = HostBackoff::new(Duration::from_secs(backoff), Duration::from_secs(60));
        script.client().get().backoff(Arc::new(manager)).send().await.check().unwrap();
        assert_eq!(script.gaps(), [waited], "{backoff} {retry_after}");
    }
}

// BH-X6
#[tokio::test(start_paused = true)]
async fn a_shared_backoff_remembers_across_requests() {
    let script = Script::new((0..4).map(|_| Step::Answer(answer(504, "{}"))).chain([
        ok(),
        ok(),
        Step::Fail(Error::new(ErrorKind::Tls, "x")),
    ]));
    let backoff = Arc::new(HostBackoff::new(Duration::from_secs(1), Duration::from_secs(60)));
    let config = Config::new("h");
    let client = script.builder(&config).backoff(backoff).build().unwrap();
    let mut waits = Vec::new();
    for _ in 0..7 {
        let start = Instant::now();
        let _ = client.get().send().await.error();
        waits.push(start.elapsed().as_secs());
    }
    assert_eq!(waits, [0, 1, 2, 4, 8, 0, 0]);
}

// BH-X12
#[tokio::test(start_paused = true)]
async fn retry_after_as_a_date_and_bounded() {
    for (value, max, waited) in [
        ("Tue, 24 Nov 2026 20:00:07 GMT", 600, 7),
        ("Tue, 24 Nov 2026 19:00:00 GMT", 600, 0),
        ("Tue, 24 Nov 2026 23:00:00 GMT", 600, 600),
        ("Tue, 24 Nov 2026 23:00:00 GMT", 60, 60),
        ("999999999", 600, 600),
        ("30", 5, 5),
    ] {
        let first = with(answer(503, "{}"), "date", "Tue, 24 Nov 2026 20:00:00 GMT");
        let script = Script::new([Step::Answer(with(first, "retry-after", value)), ok()]);
        let policy = StandardRetry { max_retry_after: Duration::from_secs(max), ..StandardRetry::default() };
        script.client().post().retry_policy(Arc::new(policy)).send().await.check().unwrap();
        assert_eq!(script.gaps(), [waited], "{value} {max}");
    }
}

// BH-X1
#[tokio::test(start_paused = true)]
async fn throttling_never_eats_the_timeout() {
    let script = Script::new([ok(), ok()]);
    let config = Config::new("h");
    let limiter: Arc<dyn RateLimiter> = Arc::new(TokenBucket::new(0.1, 1).unwrap());
    let client = script.builder(&config).rate_limiter(limiter).build().unwrap();
    client.get().send().await.check().unwrap();
    let start = Instant::now();
    client.get().timeout(Duration::from_secs(1)).send().await.check().unwrap();
    assert_eq!(start.elapsed().as_secs(), 10, "ten seconds for the token, and the timeout untouched");
}

// BH-X1, BH-X13, BH-F3
#[tokio::test(start_paused = true)]
async fn a_deadline_covers_throttling_too() {
    let script = Script::new([ok(), ok()]);
    let config = Config::new("h");
    let limiter: Arc<dyn RateLimiter> = Arc::new(TokenBucket::new(0.1, 1).unwrap());
    let client = script.builder(&config).rate_limiter(limiter).build().unwrap();
    for how in ENDS {
        client.rate_limiter().accept().await.unwrap();
        let start = Instant::now();
        let request = client.get().deadline(start + Duration::from_secs(5));
        let error = end(request, how).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO, "it fails at once");
        let text = error.to_string();
        assert!(text.contains("the client's own rate limiter") && text.contains("qps"), "{text}");
        assert!(error.is_not_processed());
    }
    assert_eq!(script.attempts(), 0);
}

// BH-X1
#[tokio::test(start_paused = true)]
async fn the_timeout_spans_attempts_waits_and_the_body() {
    let hanging = || {
        let chunks = futures_util::StreamExt::chain(
            futures_util::stream::iter([Ok::<_, std::io::Error>("{".into())]),
            futures_util::stream::pending(),
        );
        let mut response = answer(200, "");
        *response.body_mut() = kubewire_rest::transport::Body::stream(chunks);
        Step::Answer(response)
    };
    let cases: Vec<(&str, Vec<Step>, usize)> = vec![
        ("no answer", vec![Step::Hang], 1),
        ("slow answer", vec![Step::Slow(Duration::from_secs(11), answer(200, "{}"))], 1),
        ("a long wait", vec![come_back(503, "60"), ok()], 1),
        ("waits in all", vec![come_back(503, "4"), come_back(503, "4"), come_back(503, "4"), ok()], 3),
        ("a body that hangs", vec![hanging()], 1),
    ];
    for (label, steps, attempts) in cases {
        let script = Script::new(steps);
        let start = Instant::now();
        let error = script.client().get().timeout(Duration::from_secs(10)).send().await.check().unwrap_err();
        assert_eq!(start.elapsed().as_secs(), 10, "{label}");
        assert!(error.is_client_timeout(), "{label}: {error}");
        assert_eq!(script.attempts(), attempts, "{label}");
        assert!(error.to_string().contains("timeout of 10s"), "{label}: {error}");
    }
    // In time.
    let script = Script::new([Step::Slow(Duration::from_secs(9), answer(200, "{}"))]);
    script.client().get().timeout(Duration::from_secs(10)).send().await.check().unwrap();
    // The sooner of deadline and timeout is the one that is told.
    let script = Script::new([Step::Hang]);
    let request = script.client().get().timeout(Duration::from_secs(10));
    let error = request.deadline(Instant::now() + Duration::from_secs(3)).send().await.check().unwrap_err();
    assert!(error.to_string().contains("deadline"), "{error}");
}

// BH-X1
#[tokio::test(start_paused = true)]
async fn a_stream_knows_no_timeout_but_a_deadline() {
    let slow = || {
        let chunks = futures_util::stream::unfold(0, |number| async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            (number < 4).then(|| (Ok::<_, std::io::Error>("x".into()), number + 1))
        });
        let mut response = answer(200, "");
        *response.body_mut() = kubewire_rest::transport::Body::stream(Box::pin(chunks));
        Step::Answer(response)
    };
    let script = Script::new([slow(), slow()]);
    let mut stream = script.client().get().timeout(Duration::from_secs(2)).stream().await.unwrap();
    let mut chunks = 0;
    while let Some(chunk) = stream.chunk().await {
        assert_eq!(chunk.unwrap(), "x");
        chunks += 1;
    }
    assert_eq!(chunks, 4);
    let request = script.client().get().deadline(Instant::now() + Duration::from_secs(12));
    let mut stream = request.stream().await.unwrap();
    for _ in 0..2 {
        assert_eq!(stream.chunk().await.unwrap().unwrap(), "x");
    }
    let error = stream.chunk().await.unwrap().unwrap_err();
    assert!(error.is_client_timeout(), "{error}");
    assert!(stream.chunk().await.is_none(), "after an error a stream is over");
}

// BH-X4
#[tokio::test(start_paused = true)]
async fn earlier_failures_are_remembered() {
    let eof = || fail(ErrorKind::UnexpectedEof);
    let reset = || fail(ErrorKind::ConnectionReset);
    let cases: Vec<(&str, Vec<Step>, Option<&str>)> = vec![
        (
            "a failure, then cancelled",
            vec![eof(), come_back(500, "1"), come_back(500, "1"), Step::Hang],
            Some("ended"),
        ),
        ("answers only", vec![come_back(500, "1"), come_back(500, "1"), Step::Hang], None),
        ("another failure", vec![eof(), reset(), fail(ErrorKind::Tls)], Some("reset")),
        ("the same failure", vec![eof(), fail(ErrorKind::UnexpectedEof)], None),
        ("one failure", vec![fail(ErrorKind::Tls)], None),
        ("a failure, then an answer", vec![eof(), Step::Answer(answer(404, "{}"))], None),
    ];
    for (label, steps, mentioned) in cases {
        let retries = u32::try_from(steps.len() - 1).unwrap();
        let script = Script::new(steps);
        let request = script.client().get().timeout(Duration::from_secs(30)).max_retries(retries);
        let error = request.send().await.check().unwrap_err();
        assert_eq!(error.previous().is_some(), mentioned.is_some(), "{label}: {error}");
        if let Some(mentioned) = mentioned {
            assert!(error.previous().unwrap().contains(mentioned), "{label}: {error}");
            assert!(error.to_string().contains("an earlier attempt"), "{label}: {error}");
        }
    }
}

// BH-X10
#[tokio::test(start_paused = true)]
async fn dropping_the_future_ends_everything() {
    for steps in [vec![Step::Hang], vec![come_back(503, "100"), ok()]] {
        let script = Script::new(steps);
        let request = script.client().get();
        let timed = tokio::time::timeout(Duration::from_secs(1), request.send()).await;
        assert!(timed.is_err());
        tokio::time::sleep(Duration::from_secs(1000)).await;
        assert_eq!(script.attempts(), 1);
    }
}

// BH-X5
#[tokio::test(start_paused = true)]
async fn unread_bodies_are_drained_up_to_a_bound() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    // Chunks, the size of each, a Content-Length, chunks read; streams are never drained.
    for (count, size, announced, how, read) in [
        (2, 100, false, "send", 2),
        (2, 100, true, "send", 2),
        (2, 100, false, "send_raw", 2),
        (2, 100, false, "stream", 0),
        (100, 100, false, "send", 21),
        (100, 100, true, "send", 0),
    ] {
        let polled = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&polled);
        let chunks = futures_util::StreamExt::map(futures_util::stream::iter(0..count), move |_| {
            seen.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(vec![0; size].into())
        });
        let mut first = with(answer(503, ""), "retry-after", "0");
        *first.body_mut() = kubewire_rest::transport::Body::stream(chunks);
        if announced {
            first.headers_mut().insert("content-length", (count * size).into());
        }
        let script = Script::new([Step::Answer(first), ok()]);
        assert!(end(script.client().get(), how).await.is_none());
        assert_eq!(polled.load(Ordering::Relaxed), read, "{count} x {size} {announced} {how}");
    }
}

// BH-X8
#[tokio::test(start_paused = true)]
async fn each_attempt_takes_a_token() {
    let script = Script::new([come_back(503, "0"), come_back(503, "0"), ok()]);
    let config = Config::new("h");
    let limiter: Arc<dyn RateLimiter> = Arc::new(TokenBucket::new(1.0, 1).unwrap());
    let client = script.builder(&config).rate_limiter(Arc::clone(&limiter)).build().unwrap();
    client.get().send().await.check().unwrap();
    assert_eq!(script.gaps(), [1, 1]);
    assert!(!limiter.try_accept());
    // A request's own limiter takes its place.
    let start = Instant::now();
    client.get().throttle(Arc::new(kubewire_rest::Unlimited)).send().await.check().unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn streams_go_on_connections_for_long_answers() {
    for (how, kind) in
        [("send", RequestKind::Normal), ("send_raw", RequestKind::Normal), ("stream", RequestKind::LongLived)]
    {
        let script = Script::default();
        end(script.client().get(), how).await;
        assert_eq!(script.sent()[0].kind, kind, "{how}");
    }
}

#[tokio::test]
async fn the_programs_own_tracing_is_sent_on() {
    let script = Script::new([come_back(503, "0"), ok()]);
    let config = Config::new("h");
    let propagate = |headers: &mut http::HeaderMap| {
        let value = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        headers.insert("traceparent", value.parse().unwrap());
    };
    let client = script.builder(&config).propagate(propagate).build().unwrap();
    client.post().body(&json!({})).send().await.check().unwrap();
    assert_eq!(script.attempts(), 2);
    for sent in script.sent() {
        assert_eq!((sent.method.as_str(), sent.uri.to_string().as_str()), ("POST", "http://h/api/v1"));
        assert!(sent.header("traceparent").starts_with("00-0af7"));
    }
}

// BH-X13
#[tokio::test(start_paused = true)]
async fn a_limiter_that_never_accepts_says_so() {
    let script = Script::default();
    let limiter: Arc<dyn RateLimiter> = Arc::new(kubewire_flowcontrol::Never::new());
    let request = script.client().get().throttle(Arc::clone(&limiter));
    let sending = tokio::spawn(request.send());
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert!(!sending.is_finished());
    limiter.stop();
    let error = sending.await.unwrap().check().unwrap_err();
    assert!(error.to_string().contains("rate limiter") && error.to_string().contains("stopped"), "{error}");
    assert_eq!(script.attempts(), 0);
}
