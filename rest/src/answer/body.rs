//! Reading whole bodies, within bounds.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, Response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use kubewire_transport::{Body, Error, ErrorKind};

/// Memory is set aside for what a Content-Length announces up to here; beyond it grows with what comes.
const ANNOUNCED_BYTES: usize = 4 * 1024 * 1024;
/// Up to so much of an unread body is read, so that its connection can be used again.
const DRAIN_BYTES: usize = 2048;
/// For so long.
const DRAIN_TIME: Duration = Duration::from_millis(500);

/// Why a body was not read to its end.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// It is larger than the limit.
    TooLarge,
    /// It broke off.
    Transport(Error),
}

/// The size that an answer's headers promise, where they mean the bytes that are read here.
fn announced(headers: &HeaderMap) -> Option<usize> {
    if headers.contains_key(CONTENT_ENCODING) {
        return None;
    }
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body to its end. A single chunk is not copied.
pub(crate) async fn read_all(mut body: Body, headers: &HeaderMap, limit: usize) -> Result<Bytes, ReadError> {
    let announced = announced(headers);
    if announced.is_some_and(|size| size > limit) {
        return Err(ReadError::TooLarge);
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame.map_err(ReadError::Transport)?.into_data() else { continue };
        // HTTP/2 servers often end an answer with a chunk of nothing.
        if chunk.is_empty() {
            continue;
        }
        if chunk.len() > limit - first.len() - rest.len() {
            return Err(ReadError::TooLarge);
        }
        if first.is_empty() && rest.is_empty() {
            first = chunk;
            continue;
        }
        if rest.is_empty() {
            rest.reserve(announced.unwrap_or(0).min(ANNOUNCED_BYTES).max(first.len() + chunk.len()));
            rest.extend_from_slice(&std::mem::take(&mut first));
        }
        rest.extend_from_slice(&chunk);
    }
    let whole = if rest.is_empty() { first } else { rest.freeze() };
    match announced {
        Some(size) if size != whole.len() => Err(ReadError::Transport(cut_short(size, whole.len()))),
        _ => Ok(whole),
    }
}

fn cut_short(announced: usize, came: usize) -> Error {
    Error::new(ErrorKind::UnexpectedEof, format!("{announced} bytes were announced, {came} came"))
}

/// Reads what is left of a body that nobody wants, if it is short: its connection can then be used again. A long one is
/// dropped, and its connection with it.
pub(crate) async fn drain(response: Response<Body>) {
    let is_long = announced(response.headers()).is_some_and(|size| size > DRAIN_BYTES);
    let mut body = response.into_body();
    if is_long || body.is_end_stream() || body.size_hint().lower() > DRAIN_BYTES as u64 {
        return;
    }
    let read = async {
        let mut left = DRAIN_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            let size = frame.data_ref().map_or(0, Bytes::len);
            if size >= left {
                break;
            }
            left -= size;
        }
    };
    // Whoever sends a short body that slowly gets a new connection.
    let _ = tokio::time::timeout(DRAIN_TIME, read).await;
}

/// The data of a body, chunk by chunk.
#[derive(Debug)]
pub(crate) struct Chunks {
    body: Body,
    announced: Option<usize>,
    came: usize,
    ended: bool,
}

impl Chunks {
    pub(crate) fn new(body: Body, headers: &HeaderMap) -> Self {
        Self { body, announced: announced(headers), came: 0, ended: false }
    }

    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
            let item = match frame.map(|frame| frame.map(http_body::Frame::into_data)) {
                Some(Ok(Ok(data))) => {
                    self.came += data.len();
                    if data.is_empty() {
                        continue;
                    }
                    return Poll::Ready(Some(Ok(data)));
                }
                Some(Ok(Err(_trailers))) => continue,
                Some(Err(error)) => Some(Err(error)),
                None => match self.announced {
                    Some(size) if size != self.came => Some(Err(cut_short(size, self.came))),
                    _ => None,
                },
            };
            self.ended = true;
            self.body = Body::empty();
            return Poll::Ready(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;
    use http::HeaderMap;
    use kubewire_transport::{Body, Error};

    use super::read_all;

    #[tokio::test]
    async fn one_chunk_is_not_copied_whatever_empty_ones_are_around_it() {
        let chunk = Bytes::from(vec![7; 10_000]);
        let chunks = [Bytes::new(), chunk.clone(), Bytes::new(), Bytes::new()];
        let body = Body::stream(stream::iter(chunks.map(Ok::<_, Error>)));
        let whole = read_all(body, &HeaderMap::new(), 10_000).await.unwrap();
        assert_eq!((whole.as_ptr(), whole.len()), (chunk.as_ptr(), chunk.len()));
    }
}
