use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http::request::Parts;
use http_body::{Body as _, Frame, SizeHint};

use crate::{Body, Error};

/// A request kept so that it can be sent again.
pub(crate) struct Replay {
    pub(crate) parts: Parts,
    body: Kept,
}

enum Kept {
    /// Bytes: any number of times.
    Whole(Bytes),
    /// A stream: as long as nobody has begun to read it.
    Stream(Arc<Mutex<Source>>, SizeHint),
}

/// A stream that waits to be read, and why it broke.
struct Source {
    body: Option<Body>,
    failure: Option<Error>,
}

impl Replay {
    pub(crate) fn new(request: Request<Body>) -> Self {
        let (parts, body) = request.into_parts();
        let body = match body.into_bytes() {
            Ok(bytes) => Kept::Whole(bytes),
            Err(stream) => {
                let hint = stream.size_hint();
                let source = Source { body: Some(stream), failure: None };
                Kept::Stream(Arc::new(Mutex::new(source)), hint)
            }
        };
        Self { parts, body }
    }

    /// The request, if it can be sent now.
    pub(crate) fn request(&self) -> Option<Request<Body>> {
        let body = match &self.body {
            Kept::Whole(bytes) => Body::from(bytes.clone()),
            Kept::Stream(slot, hint) => {
                lock(slot).body.as_ref()?;
                Body::wrap(Lent { slot: Arc::clone(slot), body: None, hint: *hint })
            }
        };
        Some(Request::from_parts(self.parts.clone(), body))
    }

    /// Why the request's stream broke, if it did. What the engine makes of that need not tell it.
    pub(crate) fn failure(&self) -> Option<Error> {
        match &self.body {
            Kept::Whole(_) => None,
            Kept::Stream(slot, _) => lock(slot).failure.take(),
        }
    }

    /// Goes on without a body.
    pub(crate) fn drop_body(&mut self) {
        self.body = Kept::Whole(Bytes::new());
    }
}

/// A stream that is taken from its owner at the first look.
struct Lent {
    slot: Arc<Mutex<Source>>,
    body: Option<Body>,
    hint: SizeHint,
}

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        if this.body.is_none() {
            this.body = lock(&this.slot).body.take();
        }
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        Pin::new(body).poll_frame(cx).map_err(|error| {
            let kind = error.kind();
            lock(&this.slot).failure = Some(error);
            Error::new(kind, "the request's stream broke")
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(self.hint, http_body::Body::size_hint)
    }
}

fn lock(slot: &Mutex<Source>) -> MutexGuard<'_, Source> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn a_stream_can_be_sent_again_until_it_is_read() {
        let chunks = futures_util::stream::iter([Ok::<_, Error>(Bytes::from_static(b"abc"))]);
        let replay = Replay::new(Request::new(Body::stream(chunks)));
        drop(replay.request().unwrap());
        let request = replay.request().unwrap();
        assert_eq!(request.into_body().collect().await.unwrap().to_bytes(), "abc");
        assert!(replay.request().is_none());
    }

    #[tokio::test]
    async fn bytes_can_be_sent_again_and_again() {
        let replay = Replay::new(Request::new(Body::from("abc")));
        for _ in 0..3 {
            let body = replay.request().unwrap().into_body();
            assert_eq!(body.collect().await.unwrap().to_bytes(), "abc");
        }
    }
}
