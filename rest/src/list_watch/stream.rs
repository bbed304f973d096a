use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use kubewire_flowcontrol::ExponentialBackoff;
use tokio::time::Sleep;

use super::Change;
use super::listing::Listing;
use crate::observe::{ResourceObserver, Restart};
use crate::watch::Run;
use crate::{Decode, Error, Request, WatchEvent};

/// The first wait after a failure and the longest; each is two to three times the one before, at random.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(800), Duration::from_secs(30));

/// What there is, then each change of it: a stream of [`Change`]s that goes on whatever happens to the connection.
///
/// - It begins with [`Change::Init`], every object as [`Change::Applied`], and [`Change::InitDone`]. The server sends
///   them as a watch where it can, else as a list, which is decoded as it comes: no list is ever held.
/// - Then changes come in the order in which the server made them, none left out and none twice. A watch that ends, as
///   happens every few minutes, is started again where it was.
/// - When the server no longer knows that place (410), or the watch comes to nothing several times in a row, all begins
///   again with [`Change::Init`].
/// - What fails is told, and tried again after a wait of about a second at first and half a minute at most, or as long
///   as the server asks. It ends only when nothing can come any more: after the error of a request that was put together
///   wrongly, or of the request's [deadline](Request::deadline).
///
/// There is no task behind it: it works while it is polled, and dropping it ends its requests. When it is read too slowly
/// for the server to wait, the server ends the watch, which is then started again.
///
/// Made by [`Request::list_watch`].
pub struct ListWatch<T> {
    pub(super) request: Request,
    /// The items of a page that the caller asked for.
    pub(super) page: Option<String>,
    pub(super) observer: ResourceObserver,
    /// The last version that was seen; empty before there was one.
    pub(super) version: String,
    /// Whether the server can't serve that version, so that the next list takes the newest.
    pub(super) is_unavailable: bool,
    /// The version at which a watch was last refused as too old.
    pub(super) expired: String,
    pub(super) backoff: ExponentialBackoff,
    /// Watches in a row that came to nothing.
    pub(super) failures: u32,
    pub(super) state: State<T>,
    /// What comes next in any case.
    pub(super) held: Option<Result<Change<T>, Error>>,
}

pub(super) enum State<T> {
    Next(Next),
    Waiting(Next, Pin<Box<Sleep>>),
    Listing(Box<Listing<T>>),
    /// A watch that begins with what there is; whether the first of it has come.
    Initial(Run<T>, bool),
    Watching(Run<T>),
    Ended,
}

/// What is started next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    /// Reading all there is, as a watch unless the caller wants pages.
    Round,
    /// The same as a list.
    List,
    /// The same as a list in one piece.
    WholeList,
    /// The changes since the last version.
    Watch,
}

/// What is passed on, if anything.
pub(super) type Passed<T> = Option<Result<Change<T>, Error>>;

impl<T: Decode> ListWatch<T> {
    /// One that begins with the fault of its request, if there is one, and then is at its end.
    pub(super) fn new(
        request: Request,
        page: Option<String>,
        observer: ResourceObserver,
        fault: Option<Error>,
    ) -> Self {
        let (initial, max) = BACKOFF;
        Self {
            request,
            page,
            observer,
            version: String::new(),
            is_unavailable: false,
            expired: String::new(),
            backoff: ExponentialBackoff::new(initial, max).with_jitter(1.0),
            failures: 0,
            state: if fault.is_some() { State::Ended } else { State::Next(Next::Round) },
            held: fault.map(Err),
        }
    }

    /// The next change, or what went wrong; `None` once nothing can come any more. Cancellation safe: nothing is lost.
    ///
    /// # Errors
    /// What went wrong on the way, and is then tried again by itself; only after a request that was put together wrongly is there
    /// nothing more.
    pub async fn next(&mut self) -> Option<Result<Change<T>, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The last version that was seen, bookmarks included; empty before all there is was read.
    pub fn resource_version(&self) -> &str {
        &self.version
    }
}

impl<T: Decode> Stream for ListWatch<T> {
    type Item = Result<Change<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(held) = this.held.take() {
                return Poll::Ready(Some(held));
            }
            let passed = match &mut this.state {
                State::Next(next) => {
                    let next = *next;
                    this.start(next);
                    None
                }
                State::Waiting(next, sleep) => {
                    ready!(sleep.as_mut().poll(cx));
                    let next = *next;
                    this.start(next);
                    None
                }
                State::Listing(listing) => match ready!(listing.poll_step(cx)) {
                    Ok(step) => this.listed(step),
                    Err(error) => {
                        let (has_begun, is_whole) = (listing.has_begun(), listing.is_whole());
                        this.list_failed(error, has_begun, is_whole)
                    }
                },
                State::Initial(run, has_begun) => match ready!(run.poll_next(cx)) {
                    Ok(Some(event)) => {
                        let has_begun = *has_begun;
                        let passed = this.initial(event);
                        if has_begun { passed } else { this.after_init(passed) }
                    }
                    Ok(None) => {
                        let (why, is_too_short, next_start) =
                            (run.end(), run.is_too_short(), run.next_start());
                        this.initial_ended(why, is_too_short, next_start)
                    }
                    Err(error) => this.initial_failed(error),
                },
                State::Watching(run) => match ready!(run.poll_next(cx)) {
                    Ok(Some(event)) if !matches!(event, WatchEvent::Error(_)) && run.version().is_empty() => {
                        let why =
                            "an event of the watch has no resourceVersion, so that it can't go on after it";
                        let error = this.protocol(why);
                        this.observer.restart(Restart::Error);
                        this.fail(error, Next::Round)
                    }
                    Ok(Some(event)) => {
                        if !matches!(event, WatchEvent::Error(_)) {
                            run.version().clone_into(&mut this.version);
                        }
                        this.changed(event)
                    }
                    Ok(None) => {
                        let (why, is_too_short, next_start) =
                            (run.end(), run.is_too_short(), run.next_start());
                        this.watch_ended(why, is_too_short, next_start)
                    }
                    Err(error) => this.watch_failed(error),
                },
                State::Ended => return Poll::Ready(None),
            };
            if passed.is_some() {
                return Poll::Ready(passed);
            }
        }
    }
}

// A stream of changes holds no object that is pinned.
impl<T> Unpin for ListWatch<T> {}

impl<T> fmt::Debug for ListWatch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListWatch")
            .field("request", &self.request)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
