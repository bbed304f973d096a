//! A connection that can be made to misbehave.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// What is done with the bytes that the server writes from now on.
#[derive(Debug, Default)]
enum Act {
    #[default]
    Pass,
    /// So many get through, then the end comes.
    Limit(usize, End),
    /// They are dropped; these are sent instead, then the end comes.
    Replace(Bytes, End),
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fake) enum End {
    Close,
    Reset,
}

/// Tells one connection how to behave; clones tell the same one.
#[derive(Clone, Debug, Default)]
pub(in crate::fake) struct Wire(Arc<Mutex<Act>>);

impl Wire {
    fn act(&self) -> MutexGuard<'_, Act> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::fake) fn end_after(&self, bytes: usize, end: End) {
        *self.act() = Act::Limit(bytes, end);
    }

    pub(in crate::fake) fn replace(&self, bytes: Bytes, end: End) {
        *self.act() = Act::Replace(bytes, end);
    }
}

/// A stream that stands on TCP.
pub(in crate::fake) trait OnTcp: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    fn tcp(&self) -> &TcpStream;
}

impl OnTcp for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl OnTcp for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// The connection.
pub(in crate::fake) struct FaultIo<S> {
    inner: S,
    wire: Wire,
}

impl<S: OnTcp> FaultIo<S> {
    pub(in crate::fake) fn new(inner: S, wire: Wire) -> Self {
        Self { inner, wire }
    }

    /// Ends the connection; the error makes the server's side of it give up.
    fn end(&mut self, cx: &mut Context<'_>, end: End) -> Poll<io::Error> {
        match end {
            // Dropped with no time to linger, the socket sends RST.
            End::Reset => drop(self.inner.tcp().set_zero_linger()),
            End::Close => drop(ready!(Pin::new(&mut self.inner).poll_shutdown(cx))),
        }
        Poll::Ready(io::Error::new(io::ErrorKind::BrokenPipe, "a fault that the test asked for"))
    }
}

impl<S: OnTcp> AsyncRead for FaultIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: OnTcp> AsyncWrite for FaultIo<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let wire = this.wire.clone();
        let mut act = wire.act();
        match &mut *act {
            Act::Pass => Pin::new(&mut this.inner).poll_write(cx, buf),
            Act::Limit(0, end) => {
                // What got through must not be lost in a buffer of TLS.
                ready!(Pin::new(&mut this.inner).poll_flush(cx))?;
                this.end(cx, *end).map(Err)
            }
            Act::Limit(left, _) => {
                let most = buf.len().min(*left);
                let written = ready!(Pin::new(&mut this.inner).poll_write(cx, &buf[..most]))?;
                *left -= written;
                Poll::Ready(Ok(written))
            }
            Act::Replace(bytes, end) => {
                while bytes.has_remaining() {
                    let written = ready!(Pin::new(&mut this.inner).poll_write(cx, bytes))?;
                    bytes.advance(written);
                }
                ready!(Pin::new(&mut this.inner).poll_flush(cx))?;
                this.end(cx, *end).map(Err)
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        let act = match &*self.wire.act() {
            Act::Limit(0, end) => Some(*end),
            _ => None,
        };
        match act {
            // All that was allowed is out, though the server may have no more to write.
            Some(end) => self.end(cx, end).map(Err),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
