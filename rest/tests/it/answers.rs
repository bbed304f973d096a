//! Answers: what is a success, what an error says, what is decoded.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use kubewire_rest::http::Response;
use kubewire_rest::transport::{Body, Error as TransportError, ErrorKind};
use kubewire_rest::{
    CauseType, Config, Error, GroupVersion, List, NoWarnings, Object, Status, StatusReason, Table, Warning,
    WarningHandler,
};
use serde_json::{Value, json};

use crate::service::{Script, Step, answer, fail, with};

fn typed(code: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = code.try_into().unwrap();
    if !content_type.is_empty() {
        response.headers_mut().insert("content-type", content_type.parse().unwrap());
    }
    response
}

async fn send(response: Response<Body>) -> kubewire_rest::Result {
    Script::new([Step::Answer(response)]).client().get().resource("pods").name("web").send().await
}

async fn error_of(response: Response<Body>) -> Error {
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

// BH-A4, BH-A6
#[tokio::test]
async fn each_code_and_its_predicate() {
    type Is = fn(&Error) -> bool;
    let predicates: &[(&str, Is)] = &[
        ("bad_request", Error::is_bad_request),
        ("unauthorized", Error::is_unauthorized),
        ("forbidden", Error::is_forbidden),
        ("not_found", Error::is_not_found),
        ("method_not_supported", Error::is_method_not_supported),
        ("not_acceptable", Error::is_not_acceptable),
        ("already_exists", Error::is_already_exists),
        ("conflict", Error::is_conflict),
        ("gone", Error::is_gone),
        ("resource_expired", Error::is_resource_expired),
        ("request_entity_too_large", Error::is_request_entity_too_large),
        ("unsupported_media_type", Error::is_unsupported_media_type),
        ("invalid", Error::is_invalid),
        ("too_many_requests", Error::is_too_many_requests),
        ("internal_error", Error::is_internal_error),
        ("service_unavailable", Error::is_service_unavailable),
        ("timeout", Error::is_timeout),
        ("server_timeout", Error::is_server_timeout),
        ("store_read_error", Error::is_store_read_error),
    ];
    let holds = |error: &Error| -> Vec<&str> {
        predicates.iter().filter(|(_, is)| is(error)).map(|(name, _)| *name).collect()
    };
    // By code, without a Status.
    for (code, expected) in [
        (400, &["bad_request"][..]),
        (401, &["unauthorized"]),
        (403, &["forbidden"]),
        (404, &["not_found"]),
        (405, &["method_not_supported"]),
        (406, &["not_acceptable"]),
        (409, &["conflict"]),
        (410, &["gone"]),
        (413, &["request_entity_too_large"]),
        (415, &["unsupported_media_type"]),
        (422, &["invalid"]),
        (429, &["too_many_requests"]),
        (500, &["internal_error"]),
        (502, &["internal_error"]),
        (503, &["service_unavailable"]),
        (504, &["timeout"]),
        (418, &[]),
    ] {
        assert_eq!(holds(&error_of(typed(code, "text/plain", "x")).await), expected, "{code}");
    }
    // By reason and code, with one.
    for (reason, code, expected) in [
        ("BadRequest", 0, &["bad_request"][..]),
        ("Unauthorized", 0, &["unauthorized"]),
        ("Forbidden", 0, &["forbidden"]),
        ("NotFound", 0, &["not_found"]),
        ("MethodNotAllowed", 0, &["method_not_supported"]),
        ("NotAcceptable", 0, &["not_acceptable"]),
        ("AlreadyExists", 409, &["already_exists"]),
        ("Conflict", 409, &["conflict"]),
        ("Gone", 410, &["gone"]),
        ("Expired", 410, &["resource_expired"]),
        ("RequestEntityTooLarge", 0, &["request_entity_too_large"]),
        ("UnsupportedMediaType", 0, &["unsupported_media_type"]),
        ("Invalid", 422, &["invalid"]),
        ("TooManyRequests", 0, &["too_many_requests"]),
        ("InternalError", 500, &["internal_error"]),
        ("ServiceUnavailable", 0, &["service_unavailable"]),
        ("Timeout", 504, &["timeout"]),
        ("ServerTimeout", 500, &["server_timeout"]),
        ("StorageReadError", 500, &["store_read_error"]),
        // The reason wins over the code, but for two.
        ("NotFound", 409, &["not_found"]),
        ("NotFound", 429, &["not_found", "too_many_requests"]),
        ("NotFound", 413, &["not_found", "request_entity_too_large"]),
        // An unknown reason leaves it to the code.
        ("Odd", 404, &["not_found"]),
        ("Odd", 409, &["conflict"]),
        ("", 410, &["gone"]),
        ("Odd", 500, &["internal_error"]),
        ("Odd", 0, &[]),
    ] {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code});
        assert_eq!(holds(&error_of(answer(400, status.to_string())).await), expected, "{reason} {code}");
    }
    // An error that is no answer is none of them.
    let script = Script::new([fail(ErrorKind::Tls)]);
    let error = script.client().get().send().await.check().unwrap_err();
    assert!(holds(&error).is_empty() && error.status().is_none() && error.code().is_none());
}

// BH-A4, BH-A6
#[tokio::test]
async fn suggested_delays() {
    let status = |reason: &str, seconds: u32| {
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason,
            "details": {"retryAfterSeconds": seconds}})
        .to_string()
    };
    for (response, seconds) in [
        (answer(429, status("TooManyRequests", 3)), Some(3)),
        (answer(500, status("ServerTimeout", 2)), Some(2)),
        (answer(500, status("ServerTimeout", 0)), Some(0)),
        (answer(500, status("Timeout", 0)), None),
        (answer(404, status("NotFound", 9)), Some(9)),
        (with(typed(400, "text/plain", "x"), "retry-after", "7"), Some(7)),
        (typed(503, "text/plain", "x"), None),
    ] {
        let error = error_of(response).await;
        assert_eq!(error.retry_after().map(|after| after.as_secs()), seconds, "{error}");
    }
}

// BH-A4
#[tokio::test]
async fn what_a_generic_error_says() {
    let apps = |steps| {
        let config = Config::new("https://server:6443");
        Script::new(steps).builder(&config).group_version(GroupVersion::new("apps", "v1")).build().unwrap()
    };
    let text = format!("  {}", "x".repeat(3000));
    let client = apps([Step::Answer(with(typed(500, "text/plain", text), "retry-after", "no"))]);
    let request = client.put().namespace("ns").resource("deployments").name("web").send().await;
    let error = request.check().unwrap_err();
    let status = error.status().unwrap();
    let details = status.details.as_ref().unwrap();
    assert_eq!(
        (details.group.as_str(), details.kind.as_str(), details.name.as_str()),
        ("apps", "deployments", "web")
    );
    assert!(status.message.ends_with("(put deployments.apps web)"), "{}", status.message);
    assert_eq!(status.causes()[0].cause_type, CauseType::UNEXPECTED_SERVER_RESPONSE);
    assert_eq!(status.causes()[0].message.len(), 2046, "cut, then trimmed");
    // What is not text is not shown.
    let error = error_of(typed(500, "application/octet-stream", "secret bytes")).await;
    assert_eq!(error.status().unwrap().causes()[0].message, "unknown");
    assert!(!format!("{error} {error:?}").contains("secret bytes"));
    // Without a resource nothing is said of it.
    let script = Script::new([Step::Answer(typed(404, "text/plain", "x"))]);
    let error = script.client().get().abs_path("/nope").send().await.check().unwrap_err();
    assert!(!error.status().unwrap().message.contains('('), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("GET /nope on http://server:8080: ") && text.contains("no such path"), "{text}");
}

// BH-A4
#[tokio::test]
async fn conflicts_by_verb() {
    for (verb, exists) in [("POST", true), ("PUT", false), ("PATCH", false), ("DELETE", false)] {
        let script = Script::new([Step::Answer(typed(409, "", ""))]);
        let error = script.client().verb(verb).resource("pods").send().await.check().unwrap_err();
        assert_eq!((error.is_already_exists(), error.is_conflict()), (exists, !exists), "{verb}");
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

#[tokio::test]
async fn errors_say_what_was_tried_and_what_to_do() {
    for (kind, words) in [
        (ErrorKind::ConnectionRefused, ["refused", "is the API server running"]),
        (ErrorKind::Dns, ["not found", "name in the kubeconfig"]),
        (ErrorKind::Tls, ["TLS", "certificate authority"]),
        (ErrorKind::ConnectTimeout, ["no connection in time", "firewalls"]),
    ] {
        let script = Script::new([fail(kind)]);
        let request = script.client().get().namespace("ns").resource("pods").param("token", "hidden");
        let error = request.send().await.check().unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("GET /api/v1/namespaces/ns/pods on http://server:8080: "), "{text}");
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert!(!text.contains("hidden"), "queries are left out: {text}");
        // The chain goes on below what the text tells.
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), "scripted");
    }
}
