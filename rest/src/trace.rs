//! The span of a request.

use tracing::Span;
use tracing::field::Empty;

use crate::Request;

/// A span for one request. Its path has names taken out, so that spans can be counted by it.
pub(crate) fn request_span(request: &Request) -> Span {
    let span = tracing::info_span!(
        "kubernetes_request",
        "http.request.method" = request.method().as_str(),
        "url.template" = Empty,
        "server.address" = request.host(),
        "http.response.status_code" = Empty,
        attempts = Empty,
    );
    if span.is_disabled() {
        // Nobody looks: entering and leaving this one costs least.
        return Span::none();
    }
    span.record("url.template", request.path_template());
    span
}

/// Tells the span what came of an attempt.
pub(crate) fn record_attempt(attempts: u32, code: Option<u16>) {
    let span = Span::current();
    span.record("attempts", attempts);
    if let Some(code) = code {
        span.record("http.response.status_code", code);
    }
}
