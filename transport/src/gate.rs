//! One connect at a time, so that a crowd of requests to a cold client shares the first connection.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt as _;
use hyper_util::client::legacy::connect::Connection;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use crate::limits::{self, Limits};
use crate::observe::Opening;
use crate::rotation::Freshness;
use crate::service::BoxFuture;
use crate::{BoxError, Error, ErrorKind};

/// How long after a connect the pool may take to hand the connection to all who want one. Only then another is made.
const HANDOVER: Duration = Duration::from_millis(100);

const UNKNOWN: u8 = 0;
const MULTIPLEXED: u8 = 1;
const ONE_BY_ONE: u8 = 2;

/// The layer around an engine's connector, which also keeps its limits and counts what it opens.
///
/// An HTTP/2 connection serves any number of requests, but the pool beneath starts a connect for each request that finds
/// none. Here those wait in line. When the first connect is done, the pool serves all of them from it and moves their
/// own connects to background tasks, which is how they are known and ended.
#[derive(Clone)]
pub(crate) struct Gate(Arc<State>);

struct State {
    /// When the last connect was done.
    line: Mutex<Option<Instant>>,
    protocol: AtomicU8,
    limits: Limits,
    freshness: Freshness,
}

impl Gate {
    /// `multiplexed` tells whether connections may turn out to be HTTP/2.
    pub(crate) fn new(multiplexed: bool, limits: Limits, freshness: Freshness) -> Self {
        let protocol = AtomicU8::new(if multiplexed { UNKNOWN } else { ONE_BY_ONE });
        Self(Arc::new(State { line: Mutex::default(), protocol, limits, freshness }))
    }
}

impl State {
    fn has_line(&self) -> bool {
        self.protocol.load(Ordering::Relaxed) != ONE_BY_ONE
    }

    async fn connect<T, E>(&self, connect: impl Future<Output = Result<T, E>>) -> Result<T, BoxError>
    where
        T: Connection,
        E: Into<BoxError>,
    {
        let mut place = None;
        if self.has_line() {
            let home = tokio::task::try_id();
            let last = place.insert(while_at(home, self.line.lock()).await?);
            if let Some(last) = **last
                && self.has_line()
            {
                while_at(home, tokio::time::sleep_until(last + HANDOVER)).await?;
            }
        }
        if !self.freshness.is_current().await {
            return Err(superseded().into());
        }
        let connection = connect.await.map_err(Into::into)?;
        let protocol = if connection.connected().is_negotiated_h2() { MULTIPLEXED } else { ONE_BY_ONE };
        self.protocol.store(protocol, Ordering::Relaxed);
        if let Some(mut last) = place {
            *last = Some(Instant::now());
        }
        Ok(connection)
    }
}

/// Waits for `wait` as long as it is polled by the task `home`.
async fn while_at<T>(home: Option<tokio::task::Id>, wait: impl Future<Output = T>) -> Result<T, Error> {
    let mut wait = std::pin::pin!(wait);
    poll_fn(|cx| {
        if tokio::task::try_id() != home {
            return Poll::Ready(Err(superseded()));
        }
        wait.poll_unpin(cx).map(Ok)
    })
    .await
}

/// The end of a connect that is no longer wanted. The request beneath it, if there is still one, is to be sent again.
fn superseded() -> Error {
    Error::new(ErrorKind::ConnectionLost, "the connection is not needed any more").not_processed()
}

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated { inner: Arc::new(inner), state: Arc::clone(&self.0) }
    }
}

/// A connector behind a [`Gate`].
///
/// The engines clone it several times for each request, and connect with hardly any of the clones: only then is the
/// connector itself cloned.
pub(crate) struct Gated<S> {
    inner: Arc<S>,
    state: Arc<State>,
}

impl<S> Clone for Gated<S> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), state: Arc::clone(&self.state) }
    }
}

impl<S, R> Service<R> for Gated<S>
where
    S: Service<R> + Clone + Send + Sync + 'static,
    S::Response: Connection + Send,
    S::Error: Into<BoxError> + Send,
    S::Future: Send,
    R: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // The clone that connects is asked.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: R) -> Self::Future {
        let mut inner = S::clone(&self.inner);
        let state = Arc::clone(&self.state);
        let opening = Opening::new();
        Box::pin(async move {
            let connect = state.connect(async move {
                poll_fn(|cx| inner.poll_ready(cx)).await?;
                inner.call(target).await
            });
            let (connection, handshake) = limits::within(state.limits, connect).await?;
            opening.opened(handshake);
            Ok(connection)
        })
    }
}
