//! What follows from what: of each answer and event, what is passed on and what is started next.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use kubewire_transport::ErrorKind;
use tokio::time::Instant;

use super::Change;
use super::listing::{Listing, Step};
use super::stream::{ListWatch, Next, Passed, State};
use crate::list::PAGE_ITEMS;
use crate::observe::Restart;
use crate::watch::{LONGEST_WAIT, Run};
use crate::{ApiError, Decode, Error, Request, Status, WatchEvent};

/// After so many watches in a row that came to nothing, what there is is read anew, as a list.
const PATIENCE: u32 = 3;
/// The longest silence in a list, unless the request says otherwise: servers end one after a minute.
const LIST_IDLE: Duration = Duration::from_secs(120);

impl<T: Decode> ListWatch<T> {
    pub(super) fn start(&mut self, next: Next) {
        let version = if self.is_unavailable { "" } else { &self.version };
        self.state = match next {
            Next::Round if self.page.is_none() => {
                State::Initial(Run::start(&self.request, version, true), false)
            }
            Next::Watch => State::Watching(Run::start(&self.request, &self.version, false)),
            _ => State::Listing(Box::new(Listing::start(self.list_request(next)))),
        };
    }

    fn list_request(&self, next: Next) -> Request {
        let mut request = self.request.again();
        if request.get_idle_timeout().is_none() {
            request = request.idle_timeout(LIST_IDLE);
        }
        request.set_param("timeoutSeconds", None);
        let version = match self.version.as_str() {
            _ if self.is_unavailable => None,
            // Whatever the server has at hand will do: the watch brings what is newer.
            "" => Some("0"),
            seen => Some(seen),
        };
        request.set_param("resourceVersion", version);
        // With a version and a limit, servers read from their store what they have in memory.
        let page = self.page.as_deref().or((version.is_none() || version == Some("0")).then_some(PAGE_ITEMS));
        let page = page.filter(|_| !matches!(next, Next::WholeList));
        request.set_param("limit", page);
        // With a limit, a version alone means exactly that one, however old.
        let is_exact = page.is_some() && version.is_some_and(|version| version != "0");
        request.set_param("resourceVersionMatch", is_exact.then_some("NotOlderThan"));
        request
    }

    /// Starts something else at once.
    fn go_on(&mut self, next: Next) -> Passed<T> {
        self.state = State::Next(next);
        None
    }

    /// Starts something else at a time.
    fn wait(&mut self, next: Next, at: Instant) -> Passed<T> {
        self.state = State::Waiting(next, Box::pin(tokio::time::sleep_until(self.request.no_later(at))));
        None
    }

    /// The time until the next try after a failure, no less than what the server asks for.
    fn after_backoff(&mut self, asked: Duration) -> Instant {
        let delay = self.backoff.next().unwrap_or_default();
        Instant::now() + delay.max(asked.min(LONGEST_WAIT))
    }

    /// Tells what failed, and tries again later, unless nothing can come of it.
    pub(super) fn fail(&mut self, error: Error, next: Next) -> Passed<T> {
        if matches!(error, Error::Request { .. }) || self.request.is_over() {
            self.state = State::Ended;
        } else {
            let asked = match &error {
                Error::Api(api) => api.wait(),
                _ => Duration::ZERO,
            };
            let at = self.after_backoff(asked);
            self.wait(next, at);
        }
        Some(Err(error))
    }

    /// The same for a watch that goes on from where it was, while there is hope.
    fn fail_to_watch(&mut self, error: Error) -> Passed<T> {
        self.observer.restart(Restart::Error);
        // An answer says that the server is there, and this is what it makes of the watch.
        if !matches!(error, Error::Transport { .. }) {
            self.failures += 1;
        }
        let next = if self.failures < PATIENCE { Next::Watch } else { Next::List };
        self.fail(error, next)
    }

    /// The watch does what it should.
    fn works(&mut self) {
        self.failures = 0;
        self.backoff.reset();
    }

    pub(super) fn protocol(&self, why: &'static str) -> Error {
        Error::Protocol { target: self.request.target(), why }
    }

    /// An error event, or one that can't be read.
    fn event_error(&self, status: Status) -> Error {
        Error::from(ApiError {
            target: *self.request.target(),
            code: status.code,
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            warnings: Vec::new(),
        })
    }

    pub(super) fn listed(&mut self, step: Step<T>) -> Passed<T> {
        Some(Ok(match step {
            Step::Begun => Change::Init,
            Step::Item(object) => Change::Applied(object),
            Step::Done(version) if version.is_empty() => {
                let error =
                    self.protocol("the list has no resourceVersion, so that no watch can go on from it");
                self.held = self.fail(error, Next::List);
                Change::InitDone
            }
            Step::Done(version) => {
                self.version = version;
                self.is_unavailable = false;
                self.state = State::Next(Next::Watch);
                Change::InitDone
            }
        }))
    }

    pub(super) fn list_failed(&mut self, error: Error, has_begun: bool, is_whole: bool) -> Passed<T> {
        if !has_begun && error.is_version_unavailable() && !self.is_unavailable {
            tracing::debug!(%error, "the list is read at the newest version");
            self.is_unavailable = true;
            return self.go_on(Next::List);
        }
        if has_begun && !is_whole && error.is_resource_expired() {
            tracing::debug!("a continue token has expired: the whole list is read in one piece");
            return self.go_on(Next::WholeList);
        }
        self.fail(error, Next::Round)
    }

    /// An event of a watch that begins with what there is.
    pub(super) fn initial(&mut self, event: WatchEvent<T>) -> Passed<T> {
        Some(Ok(match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => Change::Applied(object),
            WatchEvent::Deleted(object) => Change::Deleted(object),
            WatchEvent::Bookmark(bookmark) if !bookmark.is_initial_events_end => return None,
            WatchEvent::Bookmark(bookmark) if bookmark.resource_version.is_empty() => {
                let error = self.protocol("the bookmark after all objects has no resourceVersion");
                return self.fail(error, Next::List);
            }
            WatchEvent::Bookmark(bookmark) => {
                self.version = bookmark.resource_version;
                if let State::Initial(run, _) = std::mem::replace(&mut self.state, State::Ended) {
                    self.state = State::Watching(run);
                }
                self.is_unavailable = false;
                self.works();
                Change::InitDone
            }
            WatchEvent::Error(status) => {
                let error = self.event_error(*status);
                return self.initial_failed(error);
            }
        }))
    }

    /// Puts `Init` before the first of what there is.
    pub(super) fn after_init(&mut self, passed: Passed<T>) -> Passed<T> {
        if !matches!(passed, Some(Ok(_))) {
            return passed;
        }
        if let State::Initial(_, has_begun) = &mut self.state {
            *has_begun = true;
        }
        self.held = passed;
        Some(Ok(Change::Init))
    }

    /// A watch that begins with what there is was refused, or failed.
    pub(super) fn initial_failed(&mut self, error: Error) -> Passed<T> {
        let is_down = matches!(
            error.transport().map(kubewire_transport::Error::kind),
            Some(
                ErrorKind::Dns
                    | ErrorKind::ConnectionRefused
                    | ErrorKind::Connect
                    | ErrorKind::ConnectTimeout
                    | ErrorKind::Tls
            )
        );
        if is_down
            || error.is_too_many_requests()
            || matches!(error, Error::Request { .. })
            || self.request.is_over()
        {
            return self.fail(error, Next::Round);
        }
        if error.is_version_unavailable() && !self.is_unavailable {
            tracing::debug!(%error, "the watch begins at the newest version");
            self.is_unavailable = true;
            return self.go_on(Next::Round);
        }
        tracing::debug!(%error, "the server sends no objects with a watch; they are listed");
        self.go_on(Next::List)
    }

    /// A watch that begins with what there is ended before all was there.
    pub(super) fn initial_ended(
        &mut self,
        why: Restart,
        is_too_short: bool,
        next_start: Instant,
    ) -> Passed<T> {
        self.observer.restart(why);
        self.failures += 1;
        if is_too_short || self.failures >= PATIENCE {
            tracing::debug!("the watch ended before it had sent all objects; they are listed");
            return self.go_on(Next::List);
        }
        self.wait(Next::Round, next_start)
    }

    pub(super) fn changed(&mut self, event: WatchEvent<T>) -> Passed<T> {
        if !matches!(event, WatchEvent::Error(_)) {
            self.works();
        }
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => Some(Ok(Change::Applied(object))),
            WatchEvent::Deleted(object) => Some(Ok(Change::Deleted(object))),
            WatchEvent::Bookmark(_) => None,
            WatchEvent::Error(status) => {
                let error = self.event_error(*status);
                self.watch_failed(error)
            }
        }
    }

    pub(super) fn watch_failed(&mut self, error: Error) -> Passed<T> {
        if !error.is_version_unavailable() {
            return self.fail_to_watch(error);
        }
        tracing::debug!(%error, "the watch's version is gone: all is read anew");
        // The list gave again what no watch can begin at.
        self.is_unavailable |= self.expired == self.version;
        self.expired.clone_from(&self.version);
        self.observer.restart(Restart::Expired);
        let at = self.after_backoff(Duration::ZERO);
        self.wait(Next::Round, at)
    }

    pub(super) fn watch_ended(&mut self, why: Restart, is_too_short: bool, next_start: Instant) -> Passed<T> {
        if is_too_short {
            let error = self.protocol("the watch ended at once, without an event");
            return self.fail_to_watch(error);
        }
        self.observer.restart(why);
        self.works();
        self.wait(Next::Watch, next_start)
    }
}
