use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream as _;
use tokio::time::Instant;

use super::event::WatchEvent;
use super::stream::WatchStream;
use crate::observe::Restart;
use crate::{Decode, Error, Request};

/// The least time between two starts.
pub(crate) const BETWEEN_STARTS: Duration = Duration::from_secs(1);
/// The longest wait that is taken from a server.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// After how many seconds the server is to end a watch: at random, so that those which began together do not all come
/// back at once.
const LASTS_SECONDS: std::ops::RangeInclusive<u64> = 300..=600;

/// One of the watches that follow each other, from its start to its end.
pub(crate) struct Run<T> {
    started: Instant,
    phase: Phase<T>,
    has_events: bool,
}

enum Phase<T> {
    Starting(Pin<Box<dyn Future<Output = Result<WatchStream<T>, Error>> + Send>>),
    Open(Box<WatchStream<T>>),
}

impl<T: Decode> Run<T> {
    /// Starts a watch after a version, or with what there is: not older than the version, any where it is empty.
    pub(crate) fn start(request: &Request, version: &str, with_what_there_is: bool) -> Self {
        let mut request = request.again();
        request.set_param("allowWatchBookmarks", Some("true"));
        request.set_param("resourceVersion", Some(version).filter(|version| !version.is_empty()));
        if with_what_there_is {
            request.set_param("sendInitialEvents", Some("true"));
            request.set_param("resourceVersionMatch", Some("NotOlderThan"));
        }
        if request.get_param("timeoutSeconds").is_none() {
            request.set_param("timeoutSeconds", Some(&fastrand::u64(LASTS_SECONDS).to_string()));
        }
        let phase = Phase::Starting(Box::pin(request.watch()));
        Self { started: Instant::now(), phase, has_events: false }
    }

    /// The next event; `None` at the end, an error where the watch could not be started.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<WatchEvent<T>>, Error>> {
        loop {
            match &mut self.phase {
                Phase::Starting(starting) => {
                    self.phase = Phase::Open(Box::new(ready!(starting.as_mut().poll(cx))?));
                }
                Phase::Open(watch) => {
                    let event = ready!(Pin::new(&mut **watch).poll_next(cx));
                    self.has_events |= event.is_some();
                    return Poll::Ready(Ok(event));
                }
            }
        }
    }

    /// The version in the latest event; empty where there was none.
    pub(crate) fn version(&self) -> &str {
        match &self.phase {
            Phase::Starting(_) => "",
            Phase::Open(watch) => watch.resource_version(),
        }
    }

    /// Whether its latest event says that one can't be read.
    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(&self.phase, Phase::Open(watch) if watch.is_unreadable())
    }

    /// Whether it ended as soon as it began, with nothing.
    pub(crate) fn is_too_short(&self) -> bool {
        !self.has_events && self.started.elapsed() < BETWEEN_STARTS
    }

    /// The earliest time for the next start.
    pub(crate) fn next_start(&self) -> Instant {
        self.started + BETWEEN_STARTS
    }

    /// Why the next one is started, where this has ended by itself.
    pub(crate) fn end(&self) -> Restart {
        match &self.phase {
            Phase::Open(watch) if watch.is_silent() => Restart::Idle,
            _ => Restart::Closed,
        }
    }
}
