use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, Response, StatusCode};
use kubewire_transport::Body;
use tokio::time::{Instant, Sleep};

use super::body::Chunks;
use super::media_type::{MediaType, content_type};
use crate::error::Stage;
use crate::execute::{Exchange, silent};
use crate::{DecodeError, DecodeFault, DecodeOptions, Error, Warning};

/// The body of an answer, chunk by chunk, as the server sends it.
///
/// Dropping it ends the request at once.
pub struct ByteStream {
    exchange: Box<Exchange>,
    status: StatusCode,
    headers: HeaderMap,
    warnings: Vec<Warning>,
    chunks: Chunks,
    deadline: Option<Pin<Box<Sleep>>>,
    /// Bytes that may still come, and the limit that this began as.
    bound: Option<(usize, usize)>,
    silence: Option<Silence>,
    is_over: bool,
}

/// Notices when nothing comes any more.
struct Silence {
    bound: Duration,
    sleep: Pin<Box<Sleep>>,
    /// Whether the sleep runs: it begins anew when there was something.
    is_running: bool,
    is_over: bool,
}

impl Silence {
    fn new(bound: Duration) -> Self {
        Self { bound, sleep: Box::pin(tokio::time::sleep(bound)), is_running: true, is_over: false }
    }

    /// Gives the error once nothing came for too long. A reader that is slow finds what came meanwhile first.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<kubewire_transport::Error> {
        if !self.is_running {
            self.is_running = true;
            // A bound too long to be reckoned with is none.
            let Some(at) = Instant::now().checked_add(self.bound) else { return Poll::Pending };
            self.sleep.as_mut().reset(at);
        }
        ready!(self.sleep.as_mut().poll(cx));
        self.is_over = true;
        Poll::Ready(silent(self.bound))
    }
}

impl ByteStream {
    pub(crate) fn new(exchange: Box<Exchange>, response: Response<Body>, warnings: Vec<Warning>) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            chunks: Chunks::new(body, &parts.headers),
            silence: exchange.silence.map(Silence::new),
            deadline: exchange.limits.end().map(|end| Box::pin(tokio::time::sleep_until(end))),
            exchange,
            status: parts.status,
            headers: parts.headers,
            warnings,
            bound: None,
            is_over: false,
        }
    }

    /// Takes no more than the client's `max_body_bytes`, for those who hold all that comes.
    pub(crate) fn bounded(mut self) -> Self {
        let limit = self.exchange.place.client.0.max_body_bytes;
        self.bound = Some((limit, limit));
        self
    }

    /// The next chunk, or the error of a silence that lasts too long.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, kubewire_transport::Error>>> {
        match (self.chunks.poll_next(cx), &mut self.silence) {
            (Poll::Pending, Some(silence)) => silence.poll(cx).map(|error| Some(Err(error))),
            (chunk, silence) => {
                if let Some(silence) = silence {
                    silence.is_running = false;
                }
                chunk
            }
        }
    }

    /// Counts a chunk against the bound.
    fn take(&mut self, chunk: Bytes) -> Result<Bytes, Error> {
        if let Some((left, limit)) = &mut self.bound {
            match left.checked_sub(chunk.len()) {
                Some(rest) => *left = rest,
                None => return Err(Error::TooLarge { target: self.exchange.target(), limit: *limit }),
            }
        }
        Ok(chunk)
    }

    /// Whether it ended because nothing came any more.
    pub(crate) fn is_silent(&self) -> bool {
        self.silence.as_ref().is_some_and(|silence| silence.is_over)
    }

    /// The HTTP status code.
    pub fn status_code(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The content type; empty when the answer has none.
    pub fn content_type(&self) -> &str {
        content_type(&self.headers)
    }

    /// The warnings that came with the answer.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    pub(crate) fn options(&self) -> &DecodeOptions {
        &self.exchange.options
    }

    /// The body's form; `None` when its content type is no media type.
    pub(crate) fn media_type(&self) -> Option<MediaType> {
        match self.content_type() {
            "" => Some(self.exchange.place.client.0.content.wire().media_type),
            sent => MediaType::parse(sent),
        }
    }

    /// The error of a body that can't be read.
    pub(crate) fn decode_error(&self, found: String, source: DecodeFault) -> Error {
        DecodeError {
            target: self.exchange.place.target(),
            code: self.status.as_u16(),
            content_type: self.content_type().to_owned(),
            found,
            source,
        }
        .into()
    }

    /// The next chunk; `None` at the end. Cancellation safe: nothing is lost.
    ///
    /// # Errors
    /// The connection broke, or the time for the answer is over. There is nothing after an error.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let is_late = self.deadline.as_mut().is_some_and(|deadline| deadline.as_mut().poll(cx).is_ready());
        let item = if is_late {
            self.is_over = true;
            Some(Err(self.exchange.timed_out()))
        } else {
            let chunk = ready!(self.poll_chunk(cx));
            let chunk = chunk.map(|chunk| match chunk {
                Ok(chunk) => self.take(chunk),
                Err(error) => Err(self.exchange.failed(error, Stage::Body)),
            });
            self.is_over = !matches!(chunk, Some(Ok(_)));
            chunk
        };
        Poll::Ready(item)
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream").field("status_code", &self.status).finish_non_exhaustive()
    }
}
