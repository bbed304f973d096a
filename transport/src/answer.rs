use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Version;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::bundle::Place;
use crate::engine::EngineBody;
use crate::observe::ByteObserver;
use crate::service::BoxFuture;
use crate::{Error, ErrorKind};

/// The body of an answer as callers get it: it ends with the client's timeout, and is never short without an error.
pub(crate) struct Answer {
    /// Gone when it has ended, with all that it holds of its connection.
    body: Option<EngineBody>,
    /// HTTP/2 alone says when a body is whole and leaves it to us to ask.
    http2: bool,
    deadline: Option<Pin<Box<Sleep>>>,
    /// Becomes ready when the connection is not to be used any longer.
    cut: Option<BoxFuture<'static, ()>>,
    place: Option<Place>,
    bytes: ByteObserver,
}

impl Answer {
    pub(crate) fn new(
        body: EngineBody,
        version: Version,
        deadline: Option<Instant>,
        place: Option<Place>,
        bytes: ByteObserver,
    ) -> Self {
        Self {
            body: Some(body),
            http2: version == Version::HTTP_2,
            deadline: deadline.map(|deadline| Box::pin(tokio::time::sleep_until(deadline))),
            cut: place.as_ref().map(Place::drained),
            place,
            bytes,
        }
    }

    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Some(Err(timed_out())));
        }
        match Pin::new(&mut *body).poll_frame(cx) {
            Poll::Ready(None) if self.http2 && !body.is_end_stream() => {
                let text = "the server ended the answer before it was whole (HTTP/2 RST_STREAM)";
                Poll::Ready(Some(Err(Error::new(ErrorKind::UnexpectedEof, text))))
            }
            Poll::Pending => match &mut self.cut {
                Some(cut) => cut.as_mut().poll(cx).map(|()| {
                    let text = "the connection was retired: the client's certificate or the CA had changed";
                    Some(Err(Error::new(ErrorKind::ConnectionLost, text)))
                }),
                None => Poll::Pending,
            },
            ready => ready,
        }
    }
}

/// The error of a request that took longer than the client's timeout.
pub(crate) fn timed_out() -> Error {
    Error::new(ErrorKind::Timeout, "the client's timeout for a whole request ran out")
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let polled = this.next(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            this.bytes.arrived(data.len());
        }
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            this.body = None;
            this.deadline = None;
            this.cut = None;
            this.place = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), http_body::Body::size_hint)
    }
}
