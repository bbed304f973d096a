//! The Status of an answer whose code says that it is an error, made of the code alone.

use http::Method;

use crate::{CauseType, Status, StatusCause, StatusDetails, StatusReason};

/// How much of a body that is no Status is kept as the server's message, in bytes.
const MESSAGE_BYTES: usize = 2048;

/// What an error's Status says that the request was about.
#[derive(Debug)]
pub(crate) struct About<'a> {
    pub(crate) method: &'a Method,
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) name: &'a str,
}

/// The Status for `code`. `body` is the server's text, where it is text.
pub(crate) fn generic_status(about: &About<'_>, code: u16, body: Option<&[u8]>, retry_after: u32) -> Status {
    let text = body.map_or_else(|| "unknown".to_owned(), message_of);
    let (reason, mut message) = reason_and_message(about.method, code, &text);
    if !about.resource.is_empty() {
        let verb = about.method.as_str().to_ascii_lowercase();
        message.push_str(&format!(" ({verb} {}", about.resource));
        for (before, part) in [(".", about.group), (" ", about.name)] {
            if !part.is_empty() {
                message.push_str(before);
                message.push_str(part);
            }
        }
        message.push(')');
    }
    Status {
        status: Status::FAILURE.to_owned(),
        code,
        reason,
        message,
        details: Some(StatusDetails {
            group: about.group.to_owned(),
            kind: about.resource.to_owned(),
            name: about.name.to_owned(),
            causes: vec![StatusCause {
                cause_type: CauseType::UNEXPECTED_SERVER_RESPONSE,
                message: text,
                field: String::new(),
            }],
            retry_after_seconds: retry_after,
            ..StatusDetails::default()
        }),
        ..Status::default()
    }
}

fn message_of(body: &[u8]) -> String {
    let cut = &body[..body.len().min(MESSAGE_BYTES)];
    String::from_utf8_lossy(cut).trim().to_owned()
}

fn reason_and_message(method: &Method, code: u16, text: &str) -> (StatusReason, String) {
    let (reason, message) = match code {
        400 => (StatusReason::BAD_REQUEST, "the server rejected the request and did not say why"),
        401 => (StatusReason::UNAUTHORIZED, "the server asks for credentials"),
        403 => return (StatusReason::FORBIDDEN, text.to_owned()),
        404 => (StatusReason::NOT_FOUND, "the server does not have what was asked for"),
        405 => (StatusReason::METHOD_NOT_ALLOWED, "the server does not allow this method here"),
        406 if text.is_empty() || text == "unknown" => {
            (StatusReason::NOT_ACCEPTABLE, "the server can't answer with a content type that was asked for")
        }
        406 => return (StatusReason::NOT_ACCEPTABLE, text.to_owned()),
        409 if method == Method::POST => (StatusReason::ALREADY_EXISTS, "the server reports a conflict"),
        409 => (StatusReason::CONFLICT, "the server reports a conflict"),
        415 => return (StatusReason::UNSUPPORTED_MEDIA_TYPE, text.to_owned()),
        422 => (StatusReason::INVALID, "the server found an error in the request"),
        429 => (StatusReason::TOO_MANY_REQUESTS, "the server has too many requests and asks to try later"),
        503 => (StatusReason::SERVICE_UNAVAILABLE, "the server can't handle the request just now"),
        504 => (
            StatusReason::TIMEOUT,
            "the server could not answer in the time it had, and may still be working on the request",
        ),
        500.. => {
            let message = format!("an error in the server kept the request from succeeding: {text:?}");
            return (StatusReason::INTERNAL_ERROR, message);
        }
        _ => {
            let message =
                format!("the server responded with the status code {code} and gave no more information");
            return (StatusReason::default(), message);
        }
    };
    (reason, message.to_owned())
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::{About, generic_status};
    use crate::{CauseType, StatusReason};

    fn about<'a>(method: &'a Method, group: &'a str) -> About<'a> {
        About { method, group, resource: "deployments", name: "web" }
    }

    // BH-A4
    #[test]
    fn every_code_has_its_reason() {
        for (method, code, reason) in [
            (Method::GET, 400, StatusReason::BAD_REQUEST),
            (Method::GET, 401, StatusReason::UNAUTHORIZED),
            (Method::GET, 403, StatusReason::FORBIDDEN),
            (Method::GET, 404, StatusReason::NOT_FOUND),
            (Method::GET, 405, StatusReason::METHOD_NOT_ALLOWED),
            (Method::GET, 406, StatusReason::NOT_ACCEPTABLE),
            (Method::PUT, 409, StatusReason::CONFLICT),
            (Method::POST, 409, StatusReason::ALREADY_EXISTS),
            (Method::GET, 410, StatusReason::default()),
            (Method::GET, 413, StatusReason::default()),
            (Method::PUT, 415, StatusReason::UNSUPPORTED_MEDIA_TYPE),
            (Method::PUT, 422, StatusReason::INVALID),
            (Method::GET, 429, StatusReason::TOO_MANY_REQUESTS),
            (Method::GET, 500, StatusReason::INTERNAL_ERROR),
            (Method::GET, 502, StatusReason::INTERNAL_ERROR),
            (Method::GET, 503, StatusReason::SERVICE_UNAVAILABLE),
            (Method::GET, 504, StatusReason::TIMEOUT),
            (Method::GET, 302, StatusReason::default()),
        ] {
            let status = generic_status(&about(&method, "apps"), code, Some(b"text"), 3);
            assert_eq!(status.reason, reason, "{method} {code}");
            assert_eq!(status.code, code);
            assert!(status.is_failure() && status.has_cause(&CauseType::UNEXPECTED_SERVER_RESPONSE));
            let end = format!(" ({} deployments.apps web)", method.as_str().to_lowercase());
            assert!(status.message.ends_with(&end), "{}", status.message);
            assert_eq!(status.details.unwrap().retry_after_seconds, 3);
        }
    }

    // BH-A4
    #[test]
    fn the_servers_text_is_kept_cut_then_trimmed() {
        let long = format!("  {} ", "x".repeat(5000));
        let status = generic_status(&about(&Method::GET, ""), 403, Some(long.as_bytes()), 0);
        assert!(status.message.starts_with("xxx") && status.message.ends_with("(get deployments web)"));
        assert_eq!(status.causes()[0].message.len(), 2046);
        let status = generic_status(&about(&Method::GET, ""), 500, None, 0);
        assert_eq!(status.causes()[0].message, "unknown");
        let status = generic_status(&about(&Method::GET, ""), 406, Some(b""), 0);
        assert!(status.message.contains("content type"), "{}", status.message);
        let status = generic_status(&about(&Method::GET, ""), 406, Some(b"only json"), 0);
        assert!(status.message.starts_with("only json"));
    }
}
