//! What errors say, and the questions that they answer.

use kubewire_rest::transport::ErrorKind;
use kubewire_rest::{CauseType, Config, Error, GroupVersion};
use serde_json::json;

use crate::answers::{error_of, typed};
use crate::service::{Script, Step, answer, fail, with};

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
