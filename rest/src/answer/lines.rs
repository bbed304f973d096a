use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use futures_core::Stream;

use super::ByteStream;
use crate::Error;

/// The longest line unless one is set.
const LINE_BYTES: usize = 1 << 20;

impl ByteStream {
    /// The body line by line: what logs are read by.
    ///
    /// ```no_run
    /// # async fn run(client: kubewire_rest::RestClient) -> Result<(), kubewire_rest::Error> {
    /// use kubewire_rest::PodLogOptions;
    ///
    /// let options = PodLogOptions { follow: Some(true), tail_lines: Some(10), ..Default::default() };
    /// let request = client.get().namespace("default").resource("pods").name("web-0").subresource("log");
    /// let mut lines = request.versioned_params(&options).stream().await?.lines();
    /// while let Some(line) = lines.next().await {
    ///     println!("{}", String::from_utf8_lossy(&line?));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn lines(self) -> Lines {
        Lines { body: self, chunk: Bytes::new(), begun: BytesMut::new(), max: LINE_BYTES, error: None }
    }
}

/// The lines of a body, as they come: what stands before each `\n` or `\r\n`, and what stands after the last, if
/// anything. They are bytes, for a log may hold any.
///
/// The body is read no faster than its lines are taken. An error comes after the line that it cuts short, and ends it.
/// Dropping it ends the request.
///
/// Made by [`ByteStream::lines`].
pub struct Lines {
    body: ByteStream,
    chunk: Bytes,
    /// The part of a line that came before the chunk.
    begun: BytesMut,
    max: usize,
    /// An error that comes after the line which it cuts short.
    error: Option<Error>,
}

impl Lines {
    /// The longest line, in bytes; 1 MiB unless set. A longer one comes in pieces of so many bytes, so that no more is
    /// ever held.
    #[must_use]
    pub fn max_line_bytes(mut self, bytes: usize) -> Self {
        self.max = bytes.max(1);
        self
    }

    /// The next line; `None` at the end. Cancellation safe: nothing is lost.
    ///
    /// # Errors
    /// Those of [`ByteStream::chunk`]. There is nothing after an error; the line which it cuts short comes before it.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The answer that the lines are of.
    pub fn body(&self) -> &ByteStream {
        &self.body
    }

    /// The next line in what has come.
    fn line(&mut self) -> Option<Bytes> {
        let room = self.max - self.begun.len();
        let window = self.chunk.len().min(room.saturating_add(1));
        if let Some(length) = memchr::memchr(b'\n', &self.chunk[..window]) {
            let end = self.chunk.split_to(length);
            self.chunk.advance(1);
            let mut line = self.joined(end);
            if line.last() == Some(&b'\r') {
                line.truncate(line.len() - 1);
            }
            return Some(line);
        }
        if self.chunk.len() > room {
            let piece = self.chunk.split_to(room);
            return Some(self.joined(piece));
        }
        self.begun.extend_from_slice(&self.chunk);
        self.chunk.clear();
        None
    }

    /// A line's end, with what came of it before.
    fn joined(&mut self, end: Bytes) -> Bytes {
        if self.begun.is_empty() {
            return end;
        }
        self.begun.extend_from_slice(&end);
        self.begun.split().freeze()
    }
}

impl Stream for Lines {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(line) = this.line() {
                return Poll::Ready(Some(Ok(line)));
            }
            if let Some(error) = this.error.take() {
                return Poll::Ready(Some(Err(error)));
            }
            match ready!(Pin::new(&mut this.body).poll_next(cx)) {
                Some(Ok(chunk)) => this.chunk = chunk,
                end => {
                    this.error = end.and_then(Result::err);
                    if !this.begun.is_empty() {
                        return Poll::Ready(Some(Ok(this.begun.split().freeze())));
                    }
                    if this.error.is_none() {
                        return Poll::Ready(None);
                    }
                }
            }
        }
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("body", &self.body).finish_non_exhaustive()
    }
}
