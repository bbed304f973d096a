//! Answers: what is a success, what an error says, what is decoded.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use kubewire_rest::http::Response;
use kubewire_rest::transport::{Body, Error as TransportError, ErrorKind};
use kubewire_rest::{
    Config, Error, List, NoWarnings, Object, PartialObjectMetadata, Status, StatusReason, Table, Warning,
    WarningHandler,
};
use serde_json::{Value, json};

use crate::service::{Script, Step, answer, fail, with};

pub fn typed(code: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = code.try_into().unwrap();
    if !content_type.is_empty() {
        response.headers_mut().insert("content-type", content_type.parse().unwrap());
    }
    response
}

pub async fn send(response: Response<Body>) -> kubewire_rest::Result {
    Script::new([Step::Answer(response)]).client().get().resource("pods").name("web").send().await
}

pub async fn error_of(response: Response<Body>) -> Error {
    send(response).await.check().unwrap_err()
}

// BH-A1
#[tokio::test]
async fn which_codes_are_successes() {
    for code in [200, 201, 202, 203, 204, 205, 206, 207, 226, 299, 300, 301, 304, 400, 404, 418, 500, 599] {
        let script = || Script::new([Step::Answer(typed(code, "", ""))]).client();
        let whole = (200..=206).contains(&code);
        assert_eq!(script().get().send().await.error().is_none(), whole, "send {code}");
        assert_eq!(script().get().send_raw().await.is_ok(), whole, "send_raw {code}");
        assert_eq!(script().get().stream().await.is_ok(), (200..300).contains(&code), "stream {code}");
    }
    let upgraded = send(typed(101, "", "")).await;
    assert!(upgraded.error().is_none() && upgraded.status_code().unwrap() == 101);
}

// BH-A2
#[tokio::test]
async fn content_types() {
    let json = r#"{"kind":"Pod","apiVersion":"v1"}"#;
    // Code, content type, the reason of the error, whether a success decodes.
    for (code, content_type, reason, decodes) in [
        (200, "application/json", None, true),
        (200, "application/json; charset=utf-8", None, true),
        (200, "", None, true),
        (200, "application/yaml", None, true),
        (200, "text/plain", None, false),
        (200, "foobar", None, false),
        (200, "application/vnd.kubernetes.protobuf", None, false),
        (200, "application/,others", Some(StatusReason::INTERNAL_ERROR), false),
        (404, "application/,others", Some(StatusReason::INTERNAL_ERROR), false),
        (404, "foobar", Some(StatusReason::NOT_FOUND), false),
        (404, "text/html", Some(StatusReason::NOT_FOUND), false),
        (404, "application/json", Some(StatusReason::NOT_FOUND), false),
        (503, "application/octet-stream", Some(StatusReason::SERVICE_UNAVAILABLE), false),
    ] {
        let label = format!("{code} {content_type:?}");
        let result = send(with(typed(code, content_type, json), "warning", "299 - \"w\"")).await;
        assert_eq!(result.error().and_then(Error::reason).cloned(), reason, "{label}");
        // The body, the code and the warnings are there beside an error too.
        assert_eq!((result.body().as_ref(), result.warnings().len()), (json.as_bytes(), 1), "{label}");
        assert_eq!(result.status_code().unwrap(), code, "{label}");
        let shown = if content_type.is_empty() { "application/json" } else { content_type };
        assert_eq!(result.content_type(), shown, "{label}");
        let object = result.into_object::<Object>();
        assert_eq!(object.is_ok(), decodes, "{label}: {object:?}");
        if reason.is_none() && !decodes {
            let text = object.unwrap_err().to_string();
            assert!(text.contains("decoder") && text.contains(content_type), "{label}: {text}");
        }
    }
}

// BH-A3
#[tokio::test]
async fn statuses_in_bodies() {
    let with_code = |extra: Value| {
        let mut status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404,
            "reason": "NotFound", "message": "told"});
        for (key, value) in extra.as_object().unwrap() {
            status[key] = value.clone();
        }
        status.to_string()
    };
    // Code, body, the code that the error tells, its reason.
    for (code, body, told, reason) in [
        (400, with_code(json!({})), 404, "NotFound"),
        (400, with_code(json!({"apiVersion": ""})), 404, "NotFound"),
        (400, with_code(json!({"apiVersion": null})), 404, "NotFound"),
        (400, with_code(json!({"apiVersion": "meta.k8s.io/v1"})), 404, "NotFound"),
        (400, with_code(json!({"apiVersion": "v2"})), 400, "BadRequest"),
        (400, with_code(json!({"kind": ""})), 400, "BadRequest"),
        (400, with_code(json!({"kind": "Pod"})), 400, "BadRequest"),
        (400, with_code(json!({"status": "Success"})), 400, "BadRequest"),
        (400, with_code(json!({"status": "failure"})), 400, "BadRequest"),
        (400, with_code(json!({"status": ""})), 400, "BadRequest"),
        (400, "{".to_owned(), 400, "BadRequest"),
        (400, "[]".to_owned(), 400, "BadRequest"),
        (400, String::new(), 400, "BadRequest"),
        (500, with_code(json!({"reason": "Odd", "code": 666})), 666, "Odd"),
        (409, with_code(json!({"reason": "AlreadyExists", "code": 409})), 409, "AlreadyExists"),
    ] {
        let result = send(answer(code, body.clone())).await;
        let status = result.error().unwrap().status().unwrap();
        assert_eq!((status.code, status.reason.as_str()), (told, reason), "{code} {body}");
        assert_eq!(result.error().unwrap().code(), Some(code), "the answer's own code stays");
        let generic = told == code && reason == "BadRequest";
        assert_eq!(result.error().unwrap().is_unexpected_server_response(), generic, "{code} {body}");
        // raw() keeps to the code.
        let raw = result.raw().unwrap_err();
        assert_eq!(raw.status().unwrap().code, code, "{body}");
        assert!(raw.is_unexpected_server_response(), "{body}");
        let script = Script::new([Step::Answer(answer(code, body.clone()))]);
        let raw = script.client().get().send_raw().await.unwrap_err();
        assert_eq!(raw.status().unwrap().code, code, "{body}");
        let Error::Api(api) = raw else { panic!("{raw}") };
        assert_eq!(api.body, body.as_bytes());
    }
}

// BH-A3, BH-A12
#[tokio::test]
async fn a_status_behind_a_success() {
    let failure = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","code":404,"reason":"NotFound"}"#;
    let meta = r#"{"kind":"Status","apiVersion":"meta.k8s.io/v1","status":"Failure","reason":"NotFound"}"#;
    let spaced = r#"{ "kind" : "Status", "apiVersion" : "v1", "status" : "Unknown", "reason": "NotFound"}"#;
    for body in [failure, meta, spaced] {
        let error = send(answer(200, body)).await.into_object::<Object>().unwrap_err();
        assert!(error.is_not_found() && error.code() == Some(200), "{body}: {error}");
        send(answer(200, body)).await.into_object::<Value>().unwrap_err();
        let status = send(answer(200, body)).await.into_object::<Status>().unwrap();
        assert_eq!(status.reason, StatusReason::NOT_FOUND);
        assert!(send(answer(200, body)).await.raw().is_ok());
    }
    // None of these is the API's Status of a failure.
    for body in [
        r#"{"kind":"Status","apiVersion":"v1","status":"Success"}"#,
        r#"{"kind":"Status","apiVersion":"example.com/v1","status":"Failure"}"#,
        r#"{"kind":"Status","status":"Failure"}"#,
        r#"{"kind":"Pod","apiVersion":"v1","status":"Failure"}"#,
        r#"{"kind":"Pod","apiVersion":"v1","metadata":{"annotations":{"kind":"Status"}}}"#,
    ] {
        send(answer(200, body))
            .await
            .into_object::<Object>()
            .unwrap_or_else(|error| panic!("{body}: {error}"));
    }
}

// BH-A5
#[tokio::test]
async fn parts_of_a_result() {
    let result = send(with(answer(201, "{}"), "x-more", "1")).await;
    assert!(result.was_created() && result.error().is_none());
    assert_eq!(result.headers().unwrap()["x-more"], "1");
    assert_eq!(result.raw().unwrap(), "{}");
    let result = Script::new([fail(ErrorKind::Dns)]).client().get().send().await;
    assert!(result.status_code().is_none() && result.headers().is_none() && !result.was_created());
    assert_eq!((result.content_type(), result.body().len(), result.warnings().len()), ("", 0, 0));
    assert!(result.raw().is_err());
}

/// A type that looks at the kind of what it is read from, as generated types do.
#[derive(Debug)]
struct Node;

impl<'de> serde::Deserialize<'de> for Node {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Object::deserialize(deserializer)?;
        match object.types.kind.as_str() {
            "Node" => Ok(Self),
            other => Err(serde::de::Error::invalid_value(serde::de::Unexpected::Str(other), &"Node")),
        }
    }
}

// BH-A12
#[tokio::test]
async fn an_answer_of_the_type_s_own_kind_is_taken() {
    let node = r#"{"kind":"Node","apiVersion":"v1","metadata":{"name":"a"}}"#;
    send(answer(200, node)).await.into_object::<Node>().unwrap();
    // These don't know their kind: any will do.
    let object: Object = send(answer(200, node)).await.into_object().unwrap();
    assert_eq!(object.types.kind, "Node");
    let list = r#"{"kind":"NodeList","apiVersion":"v1","metadata":{},"items":[]}"#;
    send(answer(200, list)).await.into_object::<List<Node>>().unwrap();
}

// BH-A11, BH-A12
#[tokio::test]
async fn what_can_not_be_decoded() {
    let pod = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"secret-name"}}"#;
    let error = send(typed(204, "", "")).await.into_object::<Object>().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("empty") && text.contains("204") && text.contains("application/json"), "{text}");
    for (error, words) in [
        (send(answer(200, pod)).await.into_object::<Table>().unwrap_err(), ["Pod", "Table"]),
        (send(answer(200, pod)).await.into_object::<List<Object>>().unwrap_err(), ["v1 Pod", "items"]),
        (
            send(answer(200, pod)).await.into_object::<PartialObjectMetadata>().unwrap_err(),
            ["Pod", "PartialObjectMetadata"],
        ),
        (send(answer(200, pod)).await.into_object::<Node>().unwrap_err(), ["v1 Pod", "expected Node"]),
        (send(answer(200, pod)).await.into_object::<Vec<u8>>().unwrap_err(), ["v1 Pod", "sequence"]),
        (send(answer(200, "{\"kind\":")).await.into_object::<Object>().unwrap_err(), ["EOF", "200"]),
        (
            send(typed(200, "", &b"\"\xff\""[..])).await.into_object::<Value>().unwrap_err(),
            ["can't be read", "unicode"],
        ),
    ] {
        let text = error.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert!(error.is_unexpected_object() == text.contains("Pod"), "{text}");
        assert_eq!(error.code(), Some(200));
        assert!(!text.contains("secret-name"), "{text}");
    }
}

// BH-A8
#[tokio::test]
async fn bodies_that_break_off() {
    for kind in [ErrorKind::StreamReset, ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof] {
        for how in ["send", "send_raw", "stream"] {
            let broken = || {
                let chunks = futures_util::stream::iter([
                    Ok(http_body::Frame::data(Bytes::from_static(b"{\"kind\":"))),
                    Err(TransportError::new(kind, "scripted")),
                ]);
                let mut response = answer(200, "");
                *response.body_mut() = Body::wrap(http_body_util::StreamBody::new(chunks));
                Step::Answer(response)
            };
            let script = Script::new([broken(), broken()]);
            let request = script.client().get().resource("pods");
            let error = match how {
                "send" => request.send().await.check().unwrap_err(),
                "send_raw" => request.send_raw().await.unwrap_err(),
                _ => {
                    let mut stream = request.stream().await.unwrap();
                    assert_eq!(stream.chunk().await.unwrap().unwrap(), "{\"kind\":");
                    let error = stream.chunk().await.unwrap().unwrap_err();
                    assert!(stream.chunk().await.is_none());
                    error
                }
            };
            assert_eq!(error.transport().unwrap().kind(), kind, "{how}");
            assert!(error.to_string().contains("broke off"), "{how}: {error}");
            assert_eq!(script.attempts(), 1, "an answer that began is not asked for again");
        }
    }
}

// BH-A8
#[tokio::test]
async fn a_short_body_is_an_error() {
    for (announced, sent, good) in [(2, "{}", true), (3, "{}", false), (1, "{}", false)] {
        let response = || Step::Answer(with(typed(200, "", sent), "content-length", &announced.to_string()));
        let script = || Script::new([response()]).client().get();
        assert_eq!(script().send().await.error().is_none(), good, "{announced}");
        assert_eq!(script().send_raw().await.is_ok(), good, "{announced}");
        let mut stream = script().stream().await.unwrap();
        let mut ended_well = true;
        while let Some(chunk) = stream.chunk().await {
            ended_well &= chunk.is_ok();
        }
        assert_eq!(ended_well, good, "{announced}");
    }
}

// BH-A10
#[tokio::test]
async fn a_limit_on_bodies() {
    let config = Config::new("h");
    for (size, announced, good) in
        [(100, false, true), (101, false, false), (101, true, false), (100, true, true)]
    {
        let mut response = answer(200, "");
        let chunks = (0..size).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(b"1"))).collect::<Vec<_>>();
        *response.body_mut() = Body::stream(futures_util::stream::iter(chunks));
        if announced {
            response = with(response, "content-length", &size.to_string());
        }
        let script = Script::new([Step::Answer(response)]);
        let client = script.builder(&config).max_body_bytes(100).build().unwrap();
        let result = client.get().resource("pods").send_raw().await;
        assert_eq!(result.is_ok(), good, "{size} {announced}");
        if let Err(error) = result {
            assert!(error.to_string().contains("100 bytes"), "{error}");
        }
    }
}

/// Keeps what it is told.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl WarningHandler for Kept {
    fn handle(&self, warning: &Warning) {
        self.0.lock().unwrap().push(warning.text.clone());
    }
}

// BH-A7
#[tokio::test]
async fn warnings_reach_the_result_and_the_handler() {
    let warned = |code| {
        let response = with(answer(code, "{}"), "warning", r#"299 - "first", 299 - "unterminated"#);
        Step::Answer(with(response, "warning", r#"321 - "second""#))
    };
    for code in [200, 404, 500] {
        for how in ["send", "send_raw", "stream"] {
            let kept = Kept::default();
            let script = Script::new([warned(code)]);
            let config = Config::new("h");
            let client = script.builder(&config).warning_handler(Arc::new(kept.clone())).build().unwrap();
            let request = client.get();
            match how {
                "send" => assert_eq!(request.send().await.warnings().len(), 2),
                "send_raw" => drop(request.send_raw().await),
                _ => drop(request.stream().await),
            }
            assert_eq!(*kept.0.lock().unwrap(), ["first", "second"], "{code} {how}");
        }
    }
    // A request's own handler takes the client's place.
    let kept = Kept::default();
    let script = Script::new([warned(200)]);
    let config = Config::new("h");
    let client = script.builder(&config).warning_handler(Arc::new(kept.clone())).build().unwrap();
    client.get().warning_handler(Arc::new(NoWarnings)).send().await.check().unwrap();
    assert!(kept.0.lock().unwrap().is_empty());
}
