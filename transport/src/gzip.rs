use async_compression::tokio::bufread::GzipDecoder;
use futures_util::TryStreamExt as _;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue, RANGE};
use http::{HeaderMap, Method, Response};
use http_body_util::{BodyExt as _, StreamBody};
use tokio_util::io::{ReaderStream, StreamReader};

use crate::answer::Answer;
use crate::engine::EngineBody;
use crate::observe::ByteObserver;
use crate::{Body, Error, ErrorKind};

/// Asks for a compressed answer, unless the request says what it wants. Tells whether it asked.
pub(crate) fn ask(method: &Method, headers: &mut HeaderMap) -> bool {
    if *method == Method::HEAD || headers.contains_key(ACCEPT_ENCODING) || headers.contains_key(RANGE) {
        return false;
    }
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    true
}

/// Whether an answer to a request that asked for compression is compressed.
pub(crate) fn is_used(response: &Response<EngineBody>) -> bool {
    let is_gzip = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"gzip");
    response.headers().get(CONTENT_ENCODING).is_some_and(is_gzip)
        && !http_body::Body::is_end_stream(response.body())
}

/// Decodes a compressed answer as it arrives.
pub(crate) fn decode(mut response: Response<Answer>, bytes: ByteObserver) -> Response<Body> {
    response.headers_mut().remove(CONTENT_ENCODING);
    response.headers_mut().remove(CONTENT_LENGTH);
    response.map(|body| {
        let compressed = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
        let mut decoder = GzipDecoder::new(compressed);
        decoder.multiple_members(true);
        let plain = ReaderStream::with_capacity(decoder, 16 * 1024)
            .inspect_ok(move |plain| bytes.decoded(plain.len()))
            .map_ok(http_body::Frame::data)
            .map_err(failure);
        Body::wrap(StreamBody::new(plain))
    })
}

/// The body's own error passes through; others are the decoder's.
fn failure(error: std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::UnexpectedEof => ErrorKind::UnexpectedEof,
        _ => ErrorKind::Protocol,
    };
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(other) => Error::new(kind, other).context("the compressed answer can't be decoded"),
    }
}
