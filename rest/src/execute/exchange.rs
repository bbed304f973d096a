use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Response};
use kubewire_transport::{self as transport, Body, ErrorKind, RequestKind};
use tokio::task::coop::consume_budget;
use tokio::time::Instant;
use tokio::time::error::Elapsed;

use super::BackoffManager;
use super::machine::{Machine, State, Verdict};
use super::policy::{End, Outcome};
use super::settings::Settings;
use crate::answer::body::{ReadError, drain, read_all};
use crate::answer::generic::About;
use crate::error::{Place, Stage, Target};
use crate::observe::{Counted, VerbObserver};
use crate::request::{Location, RequestBody};
use crate::trace::record_attempt;
use crate::warning::warnings_of;
use crate::{DecodeOptions, Error, Warning};

/// Room in an attempt's headers for what is added on the way: what is accepted, credentials, the user agent, a trace.
const FURTHER_HEADERS: usize = 6;

/// Decoding so many bytes takes one unit of a task's budget, of which tokio gives 128 between two turns of others ...
const UNIT_BYTES: usize = 2 << 10;
/// ... and no answer takes more than these, since a long one gives nobody a turn while it is decoded.
const MOST_UNITS: usize = 64;

/// One request, made ready, on its way to an answer: the machine says what comes next, this does it.
pub(crate) struct Exchange {
    pub(crate) place: Place,
    /// What the request is about.
    pub(crate) location: Location,
    /// What is read of the answer.
    pub(crate) options: DecodeOptions,
    /// The headers of every attempt, but for ...
    pub(crate) headers: HeaderMap,
    /// ... what the client accepts, where the request says nothing of it.
    pub(crate) accept: Option<HeaderValue>,
    pub(crate) body: RequestBody,
    pub(crate) settings: Settings,
    pub(crate) backoff: Option<Arc<dyn BackoffManager>>,
    pub(crate) observer: VerbObserver,
    pub(crate) _in_flight: Counted,
    pub(crate) limits: Limits,
    /// The longest time in which nothing may come.
    pub(crate) silence: Option<Duration>,
    pub(crate) machine: Machine,
}

/// How long a request may take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    /// For the attempts, the waits between them and the answer's body.
    timeout: Option<Duration>,
    /// For everything.
    deadline: Option<Instant>,
    /// The end of the timeout, once it runs.
    timeout_at: Option<Instant>,
}

impl Limits {
    pub(crate) fn new(timeout: Option<Duration>, deadline: Option<Instant>) -> Self {
        Self { timeout, deadline, timeout_at: None }
    }

    /// Starts the timeout.
    fn start(&mut self) {
        // A timeout too long to be reckoned with is none.
        self.timeout_at = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    }

    /// The time that ends first.
    pub(crate) fn end(&self) -> Option<Instant> {
        match (self.timeout_at, self.deadline) {
            (Some(timeout), Some(deadline)) => Some(timeout.min(deadline)),
            (timeout, deadline) => timeout.or(deadline),
        }
    }

    /// The timeout, if it is what ended.
    fn exceeded(&self) -> Option<Duration> {
        let is_timeout =
            self.timeout_at.is_some_and(|at| self.deadline.is_none_or(|deadline| at <= deadline));
        self.timeout.filter(|_| is_timeout)
    }
}

impl Exchange {
    /// Throttles, sends, and sends again, until there is an answer that stands.
    pub(crate) async fn head(&mut self) -> Result<Response<Body>, Error> {
        if let Err(fault) = self.body.load().await {
            return Err(Error::Request { target: self.target(), source: Box::new(fault) });
        }
        if self.machine.state() == State::Throttle {
            self.throttle().await?;
        }
        // Waiting for the client's own limiter does not count against the request's timeout.
        self.limits.start();
        let limits = self.limits;
        let done = {
            let attempts = pin!(self.attempts());
            within(limits, attempts).await
        };
        done.unwrap_or_else(|_| Err(self.timed_out()))
    }

    /// Reads the whole body of an answer, within the same limits.
    pub(crate) async fn whole(&self, body: Body, headers: &HeaderMap) -> Result<Bytes, Error> {
        let limit = self.place.client.0.max_body_bytes;
        let start = self.observer.start();
        let read = pin!(read_all(body, headers, limit));
        match within(self.limits, read).await {
            Ok(Ok(bytes)) => {
                self.observer.body(start);
                give_way(bytes.len()).await;
                Ok(bytes)
            }
            Ok(Err(ReadError::TooLarge)) => Err(Error::TooLarge { target: self.target(), limit }),
            Ok(Err(ReadError::Transport(error))) => Err(self.failed(error, Stage::Body)),
            Err(_) => Err(self.timed_out()),
        }
    }

    /// The warnings of an answer, handed to the handler on the way.
    pub(crate) fn take_warnings(&self, headers: &HeaderMap) -> Vec<Warning> {
        let warnings = warnings_of(headers);
        for warning in &warnings {
            self.settings.warnings.handle(warning);
        }
        warnings
    }

    async fn attempts(&mut self) -> Result<Response<Body>, Error> {
        loop {
            match self.machine.state() {
                State::Throttle => self.throttle().await?,
                State::Pause => self.pause().await,
                State::Attempt => {
                    let outcome = self.attempt().await;
                    #[cfg(feature = "cbor")]
                    let outcome = match outcome {
                        Ok(response) if self.falls_back_to_json(response.status()) => {
                            drain(response).await;
                            continue;
                        }
                        outcome => outcome,
                    };
                    let judged = match &outcome {
                        Ok(response) => {
                            Outcome::Answer { status: response.status(), headers: response.headers() }
                        }
                        Err(error) => Outcome::Failed(error),
                    };
                    let verdict = self.machine.attempted(&*self.settings.retry, &self.place.method, judged);
                    if verdict == Verdict::Again {
                        tracing::debug!(reason = self.machine.reason(), "the request is to be sent again");
                    }
                    match (verdict, outcome) {
                        (Verdict::Finish, Ok(response)) => return Ok(response),
                        (Verdict::Finish, Err(error)) => return Err(self.failed(error, Stage::Head)),
                        (Verdict::Again, Ok(response)) if self.machine.end() != End::Stream => {
                            drain(response).await;
                        }
                        (Verdict::Again, _) => {}
                    }
                }
            }
        }
    }

    async fn throttle(&mut self) -> Result<(), Error> {
        let mut start = None;
        let waited = {
            let _queued = self.place.client.0.observer.limiter_queue();
            let mut wait = self.settings.limiter.wait(self.limits.end());
            poll_fn(|cx| {
                let polled = Pin::new(&mut wait).poll(cx);
                if polled.is_pending() {
                    start.get_or_insert_with(Instant::now);
                }
                polled
            })
            .await
        };
        let elapsed = start.map_or(Duration::ZERO, |start| start.elapsed());
        let request = || format!("{} {}", self.place.method, self.place.uri.path());
        self.place.client.0.throttle_log.tell(elapsed, self.machine.reason(), request);
        self.observer.rate_limiter(elapsed);
        waited.map_err(|source| Error::RateLimiter {
            target: self.target(),
            source,
            previous: self.machine.previous(None),
        })?;
        self.machine.throttled();
        Ok(())
    }

    async fn pause(&mut self) {
        let backoff = self
            .backoff
            .as_ref()
            .map_or(Duration::ZERO, |backoff| backoff.delay(&self.place.client.0.base.host));
        let delay = self.machine.pause(backoff);
        if !delay.is_zero() {
            tracing::debug!(?delay, reason = self.machine.reason(), "pausing before the next attempt");
            tokio::time::sleep(delay).await;
        }
        self.machine.paused();
    }

    async fn attempt(&mut self) -> Result<Response<Body>, transport::Error> {
        self.machine.begin_attempt();
        self.place.attempts = self.machine.attempts();
        let request = self.next_request();
        let size = http_body::Body::size_hint(request.body()).exact();
        let start = self.observer.start();
        let answer = self.place.client.0.service.execute(request);
        let outcome = match self.silence {
            Some(bound) => tokio::time::timeout(bound, answer).await.unwrap_or_else(|_| Err(silent(bound))),
            None => answer.await,
        };
        let code = outcome.as_ref().ok().map(|response| response.status().as_u16());
        record_attempt(self.place.attempts, code);
        if self.machine.end().reads_whole() {
            self.observer.request_size(size);
        }
        self.observer.attempt(code, start, self.machine.cause());
        if let Some(backoff) = &self.backoff {
            backoff.update(&self.place.client.0.base.host, code);
        }
        outcome
    }

    fn next_request(&mut self) -> http::Request<Body> {
        let mut request = http::Request::new(self.body.for_attempt());
        request.method_mut().clone_from(&self.place.method);
        request.uri_mut().clone_from(&self.place.uri);
        let headers = request.headers_mut();
        headers.reserve(self.headers.len() + FURTHER_HEADERS);
        if let Some(accept) = &self.accept {
            headers.insert(ACCEPT, accept.clone());
        }
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        if let Some(propagate) = &self.place.client.0.propagate {
            propagate.propagate(request.headers_mut());
        }
        if matches!(self.machine.end(), End::Stream | End::Watch) {
            request.extensions_mut().insert(RequestKind::LongLived);
        }
        request
    }

    /// What the request is about, for errors.
    pub(crate) fn target(&self) -> Box<Target> {
        Box::new(self.place.target())
    }

    /// What a Status made of a code says that the request was about.
    pub(crate) fn about(&self) -> About<'_> {
        About {
            method: &self.place.method,
            group: &self.place.client.0.group_version.group,
            resource: self.location.resource(),
            name: self.location.name(),
        }
    }

    /// The error of a failed attempt that stands.
    pub(crate) fn failed(&self, error: transport::Error, stage: Stage) -> Error {
        Error::Transport {
            target: self.target(),
            previous: self.machine.previous(Some(&error)),
            source: Box::new(error),
            stage,
        }
    }

    pub(crate) fn timed_out(&self) -> Error {
        Error::Timeout {
            target: self.target(),
            after: self.limits.exceeded(),
            previous: self.machine.previous(None),
        }
    }
}

/// The failure of an exchange in which nothing came for so long.
pub(crate) fn silent(bound: Duration) -> transport::Error {
    let error = transport::Error::new(ErrorKind::Timeout, "the request's idle timeout has passed");
    error.context(format!("nothing came for {bound:?}"))
}

/// Lets other tasks have a turn before an answer is decoded, if this one has had many answers since they had theirs. A task
/// with many requests under way would decode all answers that have come before its connection's task sends the next
/// requests, and the server would wait meanwhile.
async fn give_way(bytes: usize) {
    for _ in 0..(bytes / UNIT_BYTES).min(MOST_UNITS) {
        consume_budget().await;
    }
}

/// Runs `future` until the limits end. It is pinned by the caller, since there would be room for it twice here: alone,
/// and beside a timer.
async fn within<F: Future>(limits: Limits, future: Pin<&mut F>) -> Result<F::Output, Elapsed> {
    match limits.end() {
        Some(end) => tokio::time::timeout_at(end, future).await,
        None => Ok(future.await),
    }
}
