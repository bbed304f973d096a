use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use tokio::time::{Instant, Sleep};

use super::event::{WatchEvent, internal_error};
use super::run::{LONGEST_WAIT, Run};
use crate::observe::{ResourceObserver, Restart};
use crate::{Decode, Error, Request, RequestError, Status};

impl Request {
    /// A watch that goes on where it was when the server or the connection ends it, until it can't. It begins after
    /// `resource_version`, which is that of a list or of an object that was seen. Nothing is sent before the first
    /// event is asked for. Bookmarks are asked for and kept from the caller.
    ///
    /// Unless the request has a `timeoutSeconds`, each watch lasts for five to ten minutes, at random. One in which
    /// nothing comes for half a minute longer, or for the request's [`idle_timeout`](Self::idle_timeout), is given up
    /// and started again.
    ///
    /// ```no_run
    /// # async fn run(client: kubewire_rest::RestClient) -> Result<(), kubewire_rest::Error> {
    /// use kubewire_rest::{List, Object, WatchEvent};
    ///
    /// let pods: List<Object> = client.get().resource("pods").list().await?;
    /// let mut watch = client.get().resource("pods").retry_watch::<Object>(pods.metadata.resource_version)?;
    /// while let Some(event) = watch.next().await {
    ///     if let WatchEvent::Error(status) = event {
    ///         println!("list again: {}", status.message);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A request that was put together wrongly. A version that is empty or `"0"`: such a watch begins with what the
    /// server has at hand, so that nobody could tell what was missed.
    pub fn retry_watch<T: Decode>(self, resource_version: impl Into<String>) -> Result<RetryWatch<T>, Error> {
        let version = resource_version.into();
        let request = match version.as_str() {
            "" | "0" => self.fail(RequestError::ResourceVersion(version.clone())),
            _ => self,
        };
        let mut request = request.checked()?;
        for name in ["sendInitialEvents", "resourceVersionMatch", "limit", "continue"] {
            request.set_param(name, None);
        }
        let observer = request.resource_observer();
        Ok(RetryWatch { request, observer, version, state: State::New, unreadable_after: None })
    }
}

/// The events of a watch that is started again, after the last version it saw, whenever it ends.
///
/// There is at least one second between two starts, more where the server asks for it. These are its last events:
///
/// - an error with code 410: the version is too old, list again;
/// - an error with code 401 or 403 when the server refuses to start the watch;
/// - an error with code 500 when an object has no version, or the same event can't be read a second time.
///
/// Any other error is waited out. It ends without a word at the request's [deadline](Request::deadline).
/// Dropping it ends the request.
///
/// Made by [`Request::retry_watch`].
pub struct RetryWatch<T> {
    request: Request,
    observer: ResourceObserver,
    /// The last version that was seen.
    version: String,
    state: State<T>,
    /// The version after which an event could not be read.
    unreadable_after: Option<String>,
}

enum State<T> {
    New,
    Waiting(Pin<Box<Sleep>>),
    Running(Run<T>),
    Ended,
}

impl<T: Decode> RetryWatch<T> {
    /// The next event; `None` at the end. Cancellation safe: nothing is lost.
    pub async fn next(&mut self) -> Option<WatchEvent<T>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The last version that was seen, bookmarks included: another watch goes on from here.
    pub fn resource_version(&self) -> &str {
        &self.version
    }

    fn start(&mut self) {
        self.state = State::Running(Run::start(&self.request, &self.version, false));
    }

    /// Starts again after a while.
    fn wait(&mut self, why: Restart, asked: Duration) {
        self.observer.restart(why);
        let mut at = Instant::now() + asked.min(LONGEST_WAIT);
        if let State::Running(run) = &self.state {
            at = at.max(run.next_start());
        }
        self.state = State::Waiting(Box::pin(tokio::time::sleep_until(at)));
    }

    fn end(&mut self, status: Status) -> Option<WatchEvent<T>> {
        self.state = State::Ended;
        Some(WatchEvent::Error(Box::new(status)))
    }

    /// The watch did not start.
    fn refused(&mut self, error: &Error) -> Option<WatchEvent<T>> {
        match error {
            // The request's deadline has passed.
            Error::Timeout { .. } | Error::RateLimiter { .. } => {
                self.state = State::Ended;
                None
            }
            Error::Request { .. } => self.end(internal_error(error.to_string(), Vec::new())),
            Error::Api(api) if matches!(api.code, 401 | 403) => self.end(api.status.clone()),
            _ => {
                tracing::debug!(%error, "the watch did not start; it is tried again");
                let asked = match error {
                    Error::Api(api) => api.wait(),
                    _ => Duration::ZERO,
                };
                self.wait(Restart::Error, asked);
                None
            }
        }
    }

    /// What the caller gets to see of an event.
    fn passed_on(
        &mut self,
        event: WatchEvent<T>,
        version: String,
        is_unreadable: bool,
    ) -> Option<WatchEvent<T>> {
        match event {
            WatchEvent::Error(status) if status.code == 410 => {
                self.observer.restart(Restart::Expired);
                self.end(*status)
            }
            WatchEvent::Error(status) => {
                if is_unreadable {
                    if self.unreadable_after.as_ref() == Some(&self.version) {
                        return self.end(*status);
                    }
                    self.unreadable_after = Some(self.version.clone());
                }
                tracing::debug!(message = status.message, "the watch failed; it is started again");
                let seconds = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
                self.wait(Restart::Error, Duration::from_secs(seconds.into()));
                None
            }
            _ if version.is_empty() => {
                let why = "an event of the watch has no resourceVersion, so it can't go on after it";
                self.end(internal_error(why.to_owned(), Vec::new()))
            }
            event => {
                self.version = version;
                (!matches!(event, WatchEvent::Bookmark(_))).then_some(event)
            }
        }
    }
}

impl<T: Decode> Stream for RetryWatch<T> {
    type Item = WatchEvent<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let event = match &mut this.state {
                State::New => {
                    this.start();
                    None
                }
                State::Waiting(sleep) => {
                    ready!(sleep.as_mut().poll(cx));
                    this.start();
                    None
                }
                State::Running(run) => match ready!(run.poll_next(cx)) {
                    Ok(Some(event)) => {
                        let version = run.version().to_owned();
                        let is_unreadable = run.is_unreadable();
                        this.passed_on(event, version, is_unreadable)
                    }
                    Ok(None) => {
                        let why = run.end();
                        this.wait(why, Duration::ZERO);
                        None
                    }
                    Err(error) => this.refused(&error),
                },
                State::Ended => return Poll::Ready(None),
            };
            if event.is_some() {
                return Poll::Ready(event);
            }
        }
    }
}

// A stream of events holds no event that is pinned.
impl<T> Unpin for RetryWatch<T> {}

impl<T> fmt::Debug for RetryWatch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryWatch")
            .field("request", &self.request)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
