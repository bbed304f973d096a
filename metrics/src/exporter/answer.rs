//! What the endpoint answers to a request.

use std::convert::Infallible;
use std::io::{self, Write};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::header::{ACCEPT, ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use prometheus::TextEncoder;
use prometheus::proto::MetricFamily;

use super::negotiate::{Format, accepts_gzip};
use super::{Gather, openmetrics};

/// Where the metrics are.
pub(super) const PATH: &str = "/metrics";

pub(super) async fn answer<B>(
    request: Request<B>,
    gather: Gather,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() != PATH {
        return Ok(text(StatusCode::NOT_FOUND, "not found: the metrics are at /metrics\n"));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are allowed\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(response);
    }
    let format = Format::choose(request.headers().get_all(ACCEPT));
    let gzip = accepts_gzip(request.headers().get_all(ACCEPT_ENCODING));
    // Collectors may read files or wait for locks, and compressing takes a while.
    let made = tokio::task::spawn_blocking(move || body(&gather(), format, gzip)).await;
    Ok(match made {
        Ok(Ok(body)) => {
            let mut response = with_body(StatusCode::OK, format.content_type(), body);
            response.headers_mut().insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
            if gzip {
                response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            response
        }
        Ok(Err(error)) => failed(&error),
        Err(panic) => failed(&panic),
    })
}

fn body(families: &[MetricFamily], format: Format, gzip: bool) -> io::Result<Vec<u8>> {
    let encoded = match format {
        Format::Text => TextEncoder::new().encode_to_string(families),
        Format::OpenMetrics { .. } => openmetrics::encode(families),
    };
    let plain = encoded.map_err(io::Error::other)?.into_bytes();
    if !gzip {
        return Ok(plain);
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 8), Compression::fast());
    encoder.write_all(&plain)?;
    encoder.finish()
}

fn failed(error: &(dyn std::error::Error + 'static)) -> Response<Full<Bytes>> {
    tracing::warn!(error, "the metrics could not be gathered");
    text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be gathered: the program's log says why\n")
}

fn text(status: StatusCode, message: &'static str) -> Response<Full<Bytes>> {
    with_body(status, "text/plain; charset=utf-8", message.into())
}

/// A response with its length, which `HEAD` shows too.
fn with_body(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response<Full<Bytes>> {
    let length = body.len();
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}
