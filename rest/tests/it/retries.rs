//! What is sent again, and how often.

use std::sync::Arc;
use std::time::Duration;

use kubewire_rest::transport::{Error, ErrorKind};
use kubewire_rest::{Attempt, Config, Decision, Object, Outcome, RetryPolicy, StandardRetry};
use tokio::time::Instant;

use crate::executing::{ENDS, end};
use crate::service::{Script, Step, answer, come_back, fail, ok, with};

const KINDS: [ErrorKind; 17] = [
    ErrorKind::Config,
    ErrorKind::Credential,
    ErrorKind::Dns,
    ErrorKind::ConnectionRefused,
    ErrorKind::Connect,
    ErrorKind::Tls,
    ErrorKind::ConnectTimeout,
    ErrorKind::Timeout,
    ErrorKind::ConnectionReset,
    ErrorKind::UnexpectedEof,
    ErrorKind::GoAway,
    ErrorKind::StreamRefused,
    ErrorKind::StreamReset,
    ErrorKind::ConnectionLost,
    ErrorKind::Body,
    ErrorKind::Protocol,
    ErrorKind::Other,
];

const VERBS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

// BH-X3
#[tokio::test(start_paused = true)]
async fn which_answers_are_asked_for_again() {
    // Code, Retry-After, whether the request is sent again.
    let cases = [
        (429, Some("0"), true),
        (429, Some("1"), true),
        (429, None, false),
        (429, Some("soon"), false),
        (500, Some("1"), true),
        (500, None, false),
        (502, Some("1"), true),
        (503, Some("0"), true),
        (503, None, false),
        (504, Some("3"), true),
        (599, Some("1"), true),
        (200, Some("1"), false),
        (201, Some("1"), false),
        (301, Some("1"), false),
        (400, Some("1"), false),
        (404, Some("1"), false),
        (409, Some("1"), false),
        (410, Some("1"), false),
    ];
    for (code, retry_after, again) in cases {
        for verb in VERBS {
            for how in ENDS {
                let first = answer(code, "{}");
                let first = match retry_after {
                    Some(value) => with(first, "retry-after", value),
                    None => first,
                };
                let script = Script::new([Step::Answer(first), ok()]);
                let error = end(script.client().verb(verb).resource("pods"), how).await;
                let label = format!("{verb} {code} {retry_after:?} {how}");
                assert_eq!(script.attempts(), if again { 2 } else { 1 }, "{label}");
                assert_eq!(error.is_none(), again || (200..=201).contains(&code), "{label}: {error:?}");
            }
        }
    }
}

// BH-X3
#[tokio::test(start_paused = true)]
async fn which_failures_are_tried_again() {
    use ErrorKind::{ConnectionLost, ConnectionReset, GoAway, StreamRefused, UnexpectedEof};
    for kind in KINDS {
        for verb in VERBS {
            for how in ENDS {
                for not_processed in [false, true] {
                    let error = Error::new(kind, "scripted");
                    let error = if not_processed { error.not_processed() } else { error };
                    let script = Script::new([Step::Fail(error), ok()]);
                    let result = end(script.client().verb(verb).resource("pods"), how).await;
                    let broken = [ConnectionReset, UnexpectedEof, GoAway, StreamRefused, ConnectionLost]
                        .contains(&kind);
                    let again = broken && how != "stream" && (verb == "GET" || not_processed);
                    let label = format!("{kind:?} {verb} {how} {not_processed}");
                    assert_eq!(script.attempts(), if again { 2 } else { 1 }, "{label}");
                    assert_eq!(result.is_none(), again, "{label}: {result:?}");
                    assert_eq!(script.gaps(), if again { vec![1] } else { vec![] }, "{label}");
                }
            }
        }
    }
}

// BH-X3
#[tokio::test(start_paused = true)]
async fn refused_connections_are_tried_again_where_the_policy_says_so() {
    for (kind, again) in [
        (ErrorKind::ConnectionRefused, true),
        (ErrorKind::Dns, true),
        (ErrorKind::Connect, true),
        (ErrorKind::ConnectTimeout, true),
        (ErrorKind::Tls, false),
        (ErrorKind::Other, false),
    ] {
        let script = Script::new([fail(kind), ok()]);
        let policy = StandardRetry { retry_connect: true, ..StandardRetry::default() };
        let request = script.client().post().resource("pods").retry_policy(Arc::new(policy));
        assert_eq!(request.send().await.error().is_none(), again, "{kind:?}");
        assert_eq!(script.attempts(), if again { 2 } else { 1 }, "{kind:?}");
    }
}

// BH-X3
#[tokio::test(start_paused = true)]
async fn how_often() {
    for (client_max, request_max, attempts) in [
        (None, None, 11),
        (Some(3), None, 4),
        (Some(0), None, 1),
        (None, Some(2), 3),
        (None, Some(0), 1),
        (Some(1), Some(4), 5),
    ] {
        let script = Script::new((0..20).map(|_| come_back(503, "1")));
        let config = Config::new("h");
        let mut builder = script.builder(&config);
        if let Some(max) = client_max {
            builder = builder.max_retries(max);
        }
        let mut request = builder.build().unwrap().get().resource("pods");
        if let Some(max) = request_max {
            request = request.max_retries(max);
        }
        let error = request.send().await.check().unwrap_err();
        assert!(error.code() == Some(503), "{error}");
        assert_eq!(script.attempts(), attempts, "{client_max:?} {request_max:?}");
    }
}

// BH-X3, BH-R6
#[tokio::test(start_paused = true)]
async fn a_streamed_body_is_sent_but_once() {
    for how in ENDS {
        let script = Script::new([come_back(429, "0"), ok()]);
        let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>("x".into())]);
        let error = end(script.client().put().resource("pods").body_stream(chunks), how).await.unwrap();
        assert!(error.code() == Some(429) && script.attempts() == 1, "{how}: {error}");
        // Bytes and files are sent again, whole.
        let script = Script::new([come_back(429, "0"), ok()]);
        assert!(end(script.client().put().body_bytes("again"), how).await.is_none());
        assert!(script.sent().iter().all(|sent| sent.body == b"again") && script.attempts() == 2, "{how}");
    }
}

#[derive(Debug)]
struct Twice;

impl RetryPolicy for Twice {
    fn decide(&self, attempt: &Attempt<'_>) -> Decision {
        match attempt.outcome {
            Outcome::Answer { status, .. } if status == 404 && attempt.number < 3 => {
                Decision::Retry { after: Duration::from_secs(attempt.number.into()) }
            }
            _ => Decision::Finish,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_of_ones_own() {
    let script = Script::new((0..5).map(|_| Step::Answer(answer(404, "{}"))));
    let config = Config::new("h");
    let client = script.builder(&config).retry_policy(Arc::new(Twice)).build().unwrap();
    let error = client.get().send().await.check().unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!((script.attempts(), script.gaps()), (3, vec![1, 2]));
}

fn nine_refusals(then: usize) -> Script {
    Script::new((1..=then).map(|second| come_back(429, &second.to_string())).chain([ok()]))
}

// BH-X3
#[tokio::test(start_paused = true)]
async fn nine_refusals_then_success_for_each_end() {
    let waited = Duration::from_secs((1..=9).sum());
    for end in ["send", "send_raw", "stream", "watch"] {
        let script = nine_refusals(9);
        let start = Instant::now();
        let request = script.client().post().resource("pods").body(&serde_json::json!({"a": 1}));
        match end {
            "send" => drop(request.send().await.into_object::<Object>().unwrap()),
            "send_raw" => assert_eq!(request.send_raw().await.unwrap(), "{}"),
            "watch" => drop(request.watch::<Object>().await.unwrap()),
            _ => assert_eq!(request.stream().await.unwrap().chunk().await.unwrap().unwrap(), "{}"),
        }
        assert_eq!((script.attempts(), start.elapsed()), (10, waited), "{end}");
        assert_eq!(script.gaps(), (1..=9).collect::<Vec<_>>(), "{end}");
        assert!(script.sent().iter().all(|sent| sent.body == br#"{"a":1}"#), "{end}");
    }
}

// BH-X3
#[tokio::test(start_paused = true)]
async fn eleven_refusals_give_the_429() {
    for end in ["send", "send_raw", "stream", "watch"] {
        let script = nine_refusals(11);
        let request = script.client().get().resource("pods");
        let error = match end {
            "send" => request.send().await.check().unwrap_err(),
            "send_raw" => request.send_raw().await.unwrap_err(),
            "watch" => request.watch::<Object>().await.map(drop).unwrap_err(),
            _ => request.stream().await.map(drop).unwrap_err(),
        };
        assert_eq!(script.attempts(), 11, "{end}");
        assert!(error.is_too_many_requests(), "{end}: {error}");
        assert_eq!(error.code(), Some(429));
        assert!(error.to_string().contains("11 attempts"), "{error}");
    }
}
