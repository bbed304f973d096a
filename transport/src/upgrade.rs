use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::Response;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{Error, ErrorKind};

/// The connection that a `101 Switching Protocols` answer hands over: a duplex byte stream.
///
/// A request for one has [`RequestKind::Upgrade`](crate::RequestKind::Upgrade) in its extensions, or the header
/// `Connection: Upgrade`. The connection outlives the client and its timeouts, and closes when this is dropped.
///
/// ```no_run
/// # async fn run(client: kubewire_transport::HttpClient) -> Result<(), Box<dyn std::error::Error>> {
/// use kubewire_transport::{Body, HttpService, RequestKind, Upgraded};
/// use tokio::io::AsyncWriteExt;
///
/// let request = http::Request::get("/api/v1/namespaces/default/pods/web/portforward")
///     .header("Connection", "Upgrade")
///     .header("Upgrade", "SPDY/3.1")
///     .extension(RequestKind::Upgrade)
///     .body(Body::empty())?;
/// let mut response = client.execute(request).await?;
/// let mut stream = Upgraded::from_response(&mut response).await?;
/// stream.write_all(b"...").await?;
/// # Ok(())
/// # }
/// ```
pub struct Upgraded(Pin<Box<dyn Duplex>>);

trait Duplex: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

/// How an [`Upgraded`] rides on a response.
#[derive(Clone)]
struct Ride(Arc<Mutex<Option<Upgraded>>>);

impl Upgraded {
    /// Any duplex stream. It is dropped, and by that closed, with this.
    pub fn new(io: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        Self(Box::pin(io))
    }

    /// Takes the connection out of an answer with code 101.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] when the answer has another code, whose body then says why, or when its connection was
    /// taken already.
    ///
    /// # Cancellation
    /// Dropping the future closes the connection.
    pub async fn from_response<B>(response: &mut Response<B>) -> Result<Self, Error> {
        if response.status() != http::StatusCode::SWITCHING_PROTOCOLS {
            let text = format!("the server answered {} and does not switch protocols", response.status());
            return Err(Error::new(ErrorKind::Protocol, text));
        }
        let ride = response.extensions_mut().remove::<Ride>();
        if let Some(upgraded) = ride.and_then(|ride| ride.take()) {
            return Ok(upgraded);
        }
        match hyper::upgrade::on(response).await {
            Ok(upgraded) => Ok(Self::new(TokioIo::new(upgraded))),
            Err(error) => Err(Error::new(ErrorKind::Protocol, error)
                .context("the answer has no connection to hand over, or it was taken already")),
        }
    }

    /// Gives the connection to an answer, so that [`from_response`](Self::from_response) finds it there, in place of
    /// one that was there before. For an [`HttpService`](crate::HttpService) of your own.
    pub fn put_into<B>(self, response: &mut Response<B>) {
        response.extensions_mut().insert(Ride(Arc::new(Mutex::new(Some(self)))));
    }
}

impl Ride {
    fn take(&self) -> Option<Upgraded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl AsyncRead for Upgraded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_read(cx, buf)
    }
}

impl AsyncWrite for Upgraded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgraded")
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn a_fake_hands_over_a_stream() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut response = Response::new(());
        *response.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
        Upgraded::new(near).put_into(&mut response);
        let mut upgraded = Upgraded::from_response(&mut response).await.unwrap();
        upgraded.write_all(b"ping").await.unwrap();
        let mut read = [0; 4];
        far.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"ping");
        assert_eq!(Upgraded::from_response(&mut response).await.unwrap_err().kind(), ErrorKind::Protocol);
    }

    #[tokio::test]
    async fn a_refusal_is_told() {
        let mut response = Response::new(());
        *response.status_mut() = http::StatusCode::FORBIDDEN;
        let error = Upgraded::from_response(&mut response).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("403"));
    }
}
