//! Faults applied to answers, on a connection and without one.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, header};
use http_body_util::BodyExt as _;
use kubewire_transport::{Body, BoxError, Error, ErrorKind};
use serde_json::{Value, json};

use super::super::state::State;
use super::super::status::json_response;
use super::wire::{End, Wire};
use super::{Fault, bodies};

/// The request gets no answer: its stream is reset, or its connection ends.
#[derive(Debug)]
pub(in crate::fake) struct Broken(Option<h2::Error>);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault that the test asked for")
    }
}

impl std::error::Error for Broken {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The code of the reset is read from here.
        self.0.as_ref().map(|e| e as _)
    }
}

/// Answers a request that came on a connection.
pub(in crate::fake) async fn on_the_wire<B>(
    state: &Arc<State>,
    wire: &Wire,
    request: Request<B>,
) -> Result<Response<Body>, Broken>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<BoxError>,
{
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
    let Some(fault) = state.faults.strike(request.method(), path) else {
        return Ok(state.answer(request).await);
    };
    let http2 = request.version() == http::Version::HTTP_2;
    let answer = if fault.executes() { state.answer(request).await } else { Response::default() };
    match fault {
        Fault::ResetBefore => wire.end_after(0, End::Reset),
        Fault::Reset { after } => wire.end_after(after, End::Reset),
        Fault::Close { after } => wire.end_after(after, End::Close),
        Fault::Garbage(bytes) => wire.replace(bytes, End::Close),
        Fault::WrongLength(by) if !http2 => {
            let bytes = with_wrong_length(answer, by).await;
            wire.replace(bytes, End::Close);
            return Ok(Response::default());
        }
        Fault::GoAway if http2 => {
            // A frame of 8 bytes, type 7, on stream 0: the last stream is 0, no error.
            let frame = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            wire.replace(Bytes::copy_from_slice(&frame), End::Close);
        }
        Fault::StreamReset(code) if http2 => return Err(Broken(Some(h2::Reason::from(code).into()))),
        Fault::GoAway | Fault::StreamReset(_) => return Err(Broken(None)),
        other => return Ok(altered(other, answer).await),
    }
    Ok(answer)
}

/// Answers a request that came without a connection.
pub(in crate::fake) async fn in_process(
    state: &Arc<State>,
    request: Request<Body>,
) -> Result<Response<Body>, Error> {
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
    let Some(fault) = state.faults.strike(request.method(), path) else {
        return Ok(state.answer(request).await);
    };
    let answer = if fault.executes() { state.answer(request).await } else { Response::default() };
    let failed = |kind| Error::new(kind, "a fault that the test asked for");
    Err(match fault {
        Fault::ResetBefore => failed(ErrorKind::ConnectionReset),
        Fault::Reset { .. } => failed(ErrorKind::ConnectionReset),
        Fault::Close { .. } => failed(ErrorKind::UnexpectedEof),
        Fault::Garbage(_) | Fault::WrongLength(_) => failed(ErrorKind::Protocol),
        Fault::GoAway => failed(ErrorKind::GoAway).not_processed(),
        Fault::StreamReset(7) => failed(ErrorKind::StreamRefused).not_processed(),
        Fault::StreamReset(_) => failed(ErrorKind::StreamReset),
        other => return Ok(altered(other, answer).await),
    })
}

/// Those faults that are in the answer itself.
async fn altered(fault: Fault, mut answer: Response<Body>) -> Response<Body> {
    let own = |body: Body| {
        let mut response = Response::new(body);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    };
    match fault {
        Fault::Status { code, retry_after } => return status(code, retry_after),
        Fault::Body(bytes) => return own(bytes.into()),
        Fault::HugeBody(size) => return own(bodies::huge(size)),
        Fault::EndlessBody => return own(bodies::endless_list()),
        Fault::EndlessLine => return own(bodies::endless_line()),
        Fault::GzipBomb(size) => {
            let mut response = own(bodies::gzip_bomb(size).into());
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            return response;
        }
        Fault::CutBody { after } => return answer.map(|body| bodies::cut(body, after)),
        Fault::Stall { after } => return answer.map(|body| bodies::stall(body, after)),
        Fault::Trickle { bytes, every } => return answer.map(|body| bodies::trickle(body, bytes, every)),
        Fault::Delay(time) => tokio::time::sleep(time).await,
        Fault::ContentType(text) => {
            if let Ok(value) = HeaderValue::from_str(&text) {
                answer.headers_mut().insert(header::CONTENT_TYPE, value);
            }
        }
        Fault::Header(name, value) => append(&mut answer, &name, &value),
        Fault::HugeHeader(size) => append(&mut answer, "x-huge", &"a".repeat(size)),
        Fault::WrongLength(by) => {
            let (head, body) = answer.into_parts();
            let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            let claimed = wrong(bytes.len(), by);
            // A stream has no length of its own that would be checked against the claim.
            let body = Body::stream(futures_util::stream::iter([Ok::<_, BoxError>(bytes)]));
            answer = Response::from_parts(head, body);
            answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(claimed));
        }
        _ => {}
    }
    answer
}

fn append(answer: &mut Response<Body>, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
        answer.headers_mut().append(name, value);
    }
}

fn wrong(length: usize, by: i64) -> u64 {
    (length as u64).saturating_add_signed(by)
}

/// An HTTP/1.1 answer, byte by byte, with a length that is not its body's.
async fn with_wrong_length(answer: Response<Body>, by: i64) -> Bytes {
    let (head, body) = answer.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut text = format!("HTTP/1.1 {}\r\n", head.status);
    for (name, value) in &head.headers {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap_or_default()));
    }
    text.push_str(&format!("content-length: {}\r\n\r\n", wrong(body.len(), by)));
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&body);
    bytes.into()
}

/// An error code's answer.
fn status(code: u16, retry_after: Option<u32>) -> Response<Body> {
    let (reason, message) = match code {
        401 => ("Unauthorized", "Unauthorized"),
        429 => ("TooManyRequests", "Too many requests, please try again later."),
        500 => ("InternalError", "Internal error occurred: a fault that the test asked for"),
        503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
        504 => ("Timeout", "Timeout: request did not complete within the allotted timeout"),
        _ => ("", "a fault that the test asked for"),
    };
    let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code});
    if !reason.is_empty() {
        status["reason"] = Value::from(reason);
    }
    if let Some(seconds) = retry_after {
        status["details"] = json!({"retryAfterSeconds": seconds});
    }
    let mut response = json_response(code, &status);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
