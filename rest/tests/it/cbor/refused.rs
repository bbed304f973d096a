//! Servers that don't read CBOR.

use std::time::Duration;

use futures_util::stream;
use http::Method;
use kubewire_rest::transport::ErrorKind;
use kubewire_rest::{Bytes, Config, GroupVersion, PatchType, Request, RestClient, cbor};
use serde_json::{Value, json};

use super::{CBOR, JSON, client};
use crate::service::{Script, Step, answer, come_back, fail, ok};

const APPLY_CBOR: &str = "application/apply-patch+cbor";
const APPLY_YAML: &str = "application/apply-patch+yaml";

fn refused() -> Step {
    let body = r#"{"kind":"Status","status":"Failure","reason":"UnsupportedMediaType","code":415}"#;
    Step::Answer(answer(415, body))
}

/// What was sent: its content type, its accept list, and what its body says.
fn sent(script: &Script) -> Vec<(String, String, Value)> {
    let sent = script.sent();
    let read = sent.iter().map(|sent| {
        let content_type = sent.header("content-type");
        let text = match content_type.ends_with("cbor") {
            true => cbor::to_json(&sent.body, 1000).unwrap(),
            false => String::from_utf8(sent.body.clone()).unwrap(),
        };
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
        (content_type.to_owned(), sent.header("accept").to_owned(), body)
    });
    read.collect()
}

/// The content types of what was sent.
fn types(script: &Script) -> Vec<String> {
    script.sent().iter().map(|sent| sent.header("content-type").to_owned()).collect()
}

async fn end(request: Request, how: &str) -> Option<kubewire_rest::Error> {
    match how {
        "send" => request.send().await.check().err(),
        _ => request.send_raw().await.err(),
    }
}

// BH-X9
#[tokio::test(start_paused = true)]
async fn a_refused_request_and_all_later_ones_are_json() {
    const PREFERRED: &str = "application/cbor, */*";
    const PLAIN: &str = "application/json, */*";
    type Build = fn(&RestClient) -> Request;
    let builds: [(Build, &str, &str); 6] = [
        (|c| c.post().body(&json!({"a": [1, "é"]})), CBOR, JSON),
        (|c| c.put().body(&json!({"a": [1, "é"]})), CBOR, JSON),
        (|c| c.delete().body(&json!({"a": [1, "é"]})), CBOR, JSON),
        (|c| c.apply("m").body(&json!({"a": [1, "é"]})), APPLY_CBOR, APPLY_YAML),
        (|c| c.patch(PatchType::ApplyCbor).body(&json!({"a": [1, "é"]})), APPLY_CBOR, APPLY_YAML),
        // No retries, and yet: it is another request.
        (|c| c.post().body(&json!({"a": [1, "é"]})).max_retries(0), CBOR, JSON),
    ];
    for how in ["send", "send_raw"] {
        for (index, (build, first, later)) in builds.iter().enumerate() {
            let script = Script::new([refused(), ok(), ok()]);
            let client = client(&script);
            assert!(end(build(&client), how).await.is_none(), "case {index}");
            assert!(end(build(&client.clone()), how).await.is_none(), "case {index}");
            let body = json!({"a": [1, "é"]});
            let expected = [(first, PREFERRED), (later, PREFERRED), (later, PLAIN)];
            let expected = expected.map(|(sent, asked)| (sent.to_string(), asked.to_owned(), body.clone()));
            assert_eq!(sent(&script), expected, "case {index}, {how}");
            assert_eq!(script.gaps(), [0, 0]);
            // Of another group's server nothing is known.
            let other = client.for_group_version(GroupVersion::new("apps", "v1"));
            assert!(end(build(&other), how).await.is_none());
            assert_eq!(sent(&script)[3].0, *first, "case {index}");
        }
    }
}

// BH-X9
#[tokio::test(start_paused = true)]
async fn a_configured_accept_list_stays() {
    let script = Script::new([refused(), ok(), ok()]);
    let config = Config {
        content_type: Some(CBOR.to_owned()),
        accept_content_types: Some("application/cbor;q=0.9,application/json;q=0.8".to_owned()),
        ..Config::new("http://server")
    };
    let client = script.builder(&config).allow_cbor().build().unwrap();
    for _ in 0..2 {
        client.post().body(&1).send().await.check().unwrap();
    }
    let accepts: Vec<String> = sent(&script).into_iter().map(|(_, accept, _)| accept).collect();
    assert_eq!(accepts, ["application/cbor;q=0.9,application/json;q=0.8"; 3]);
}

// BH-X9
#[tokio::test(start_paused = true)]
async fn what_can_not_be_encoded_again_is_the_servers_error() {
    type Build = fn(&RestClient) -> Request;
    let chunks = || stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"\xa0"))]);
    let of_stream = move |c: &RestClient| c.post().header("content-type", CBOR).body_stream(chunks());
    let no_cbor: Build = |c| c.post().header("content-type", CBOR).body_bytes("{}");
    let builds: [&dyn Fn(&RestClient) -> Request; 2] = [&of_stream, &no_cbor];
    for build in builds {
        let script = Script::new([refused(), ok()]);
        let client = client(&script);
        let error = build(&client).send().await.check().unwrap_err();
        assert!(error.is_unsupported_media_type(), "{error}");
        assert_eq!(script.attempts(), 1);
        // Later requests send JSON all the same.
        client.post().body(&1).send().await.check().unwrap();
        assert_eq!(types(&script), [CBOR, JSON]);
    }
}

// BH-X9
#[tokio::test(start_paused = true)]
async fn only_415_for_cbor_in_send_and_send_raw_counts() {
    // JSON that is refused stays refused, and says nothing about CBOR.
    let script = Script::new([refused(), refused(), ok()]);
    let client = client(&script);
    assert!(client.patch(PatchType::Merge).body(&1).send().await.check().is_err());
    // So does CBOR in a stream or a watch.
    let streamed = client.post().body(&1).stream().await.unwrap_err();
    assert!(streamed.is_unsupported_media_type());
    client.post().body(&1).send().await.check().unwrap();
    assert_eq!(types(&script), ["application/merge-patch+json", CBOR, CBOR]);

    // A server that refuses JSON too is believed, after one more try.
    let script = Script::new([refused(), refused()]);
    let error = super::client(&script).post().body(&1).send().await.check().unwrap_err();
    assert!(error.is_unsupported_media_type() && script.attempts() == 2, "{error}");

    // By default nothing is CBOR.
    let script = Script::default();
    script.client().post().body(&1).send().await.check().unwrap();
    assert_eq!(sent(&script), [(JSON.to_owned(), "application/json, */*".to_owned(), json!(1))]);
}

// BH-X2, BH-X9
#[tokio::test(start_paused = true)]
async fn retries_are_counted_apart() {
    let script = Script::new([come_back(429, "2"), refused(), fail(ErrorKind::UnexpectedEof), ok()]);
    let client = client(&script);
    let get = client.verb("GET").body(&json!({"a": 1})).max_retries(2);
    get.timeout(Duration::from_secs(60)).send().await.check().unwrap();
    assert_eq!(types(&script), [CBOR, CBOR, JSON, JSON]);
    assert_eq!(script.gaps(), [2, 0, 1]);
    assert!(script.sent().iter().all(|sent| sent.method == Method::GET));
}
