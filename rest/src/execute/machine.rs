//! The states of a request, without any of the work: what comes next, and why.
//!
//! ```text
//!   Throttle ─► Pause ─► Attempt ─► finished
//!                           │  ▲
//!                 again     ▼  │
//!                       Pause ─► Throttle
//! ```
//!
//! The first attempt waits for the rate limiter, then for the backoff. A further one first waits as long as the server or
//! the backoff asks, then for the rate limiter again. A watch skips the first throttling.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, Method};
use kubewire_transport::{Error, ErrorKind};

use super::policy::{Attempt, Decision, End, Outcome, RetryPolicy};

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Take a token of the rate limiter.
    Throttle,
    /// Wait for the backoff, and for what the server asked.
    Pause,
    /// Send the request.
    Attempt,
}

/// What becomes of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// What came of it stands.
    Finish,
    /// There is to be another.
    Again,
}

/// What made a further attempt necessary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The server asked to come back.
    RetryAfter,
    /// There was no answer.
    Failed(ErrorKind),
    /// The policy wants something else of the answer.
    Other,
}

/// A request's way through its attempts.
#[derive(Debug)]
pub(crate) struct Machine {
    state: State,
    end: End,
    retries_left: u32,
    attempts: u32,
    retry_after: Duration,
    cause: Option<Cause>,
    reason: Option<String>,
    /// The latest failure of an attempt that was followed by another.
    previous: Option<Box<str>>,
}

impl Machine {
    /// `retries` is how often the request may be sent again: none when its body can't be.
    pub(crate) fn new(end: End, retries: u32) -> Self {
        Self {
            state: if end == End::Watch { State::Pause } else { State::Throttle },
            end,
            retries_left: retries,
            attempts: 0,
            retry_after: Duration::ZERO,
            cause: None,
            reason: None,
            previous: None,
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn end(&self) -> End {
        self.end
    }

    /// How many attempts were begun.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// What made the latest attempt necessary; `None` for the first.
    pub(crate) fn cause(&self) -> Option<Cause> {
        self.cause
    }

    /// Why the request is sent again; `None` before the first attempt.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    pub(crate) fn throttled(&mut self) {
        self.state = if self.attempts == 0 { State::Pause } else { State::Attempt };
    }

    /// How long to pause, given the backoff's delay.
    pub(crate) fn pause(&self, backoff: Duration) -> Duration {
        backoff.max(self.retry_after)
    }

    pub(crate) fn paused(&mut self) {
        self.state = if self.attempts == 0 { State::Attempt } else { State::Throttle };
    }

    pub(crate) fn begin_attempt(&mut self) {
        self.attempts += 1;
    }

    /// Judges what came of the attempt.
    pub(crate) fn attempted(
        &mut self,
        policy: &dyn RetryPolicy,
        method: &Method,
        outcome: Outcome<'_>,
    ) -> Verdict {
        if self.retries_left == 0 {
            return Verdict::Finish;
        }
        let attempt = Attempt { method, end: self.end, number: self.attempts, outcome };
        let Decision::Retry { after } = policy.decide(&attempt) else { return Verdict::Finish };
        self.state = State::Pause;
        self.retries_left -= 1;
        self.retry_after = after;
        self.cause = Some(match outcome {
            Outcome::Failed(error) => Cause::Failed(error.kind()),
            Outcome::Answer { headers, .. } if headers.contains_key(RETRY_AFTER) => Cause::RetryAfter,
            Outcome::Answer { .. } => Cause::Other,
        });
        self.reason = Some(reason(&attempt, after));
        if let Outcome::Failed(error) = outcome {
            self.previous = Some(failure(error).into());
        }
        Verdict::Again
    }

    /// Makes ready for another attempt, at once, of what is another request now. It is none of the retries.
    #[cfg(feature = "cbor")]
    pub(crate) fn begin_anew(&mut self, why: &str) {
        self.state = State::Pause;
        self.retry_after = Duration::ZERO;
        self.cause = Some(Cause::Other);
        self.reason = Some(why.to_owned());
    }

    /// What an earlier attempt failed with, unless it is the same as `current`.
    pub(crate) fn previous(&self, current: Option<&Error>) -> Option<Box<str>> {
        let previous = self.previous.as_deref()?;
        let is_same = current.is_some_and(|current| failure(current) == previous);
        (!is_same).then(|| previous.into())
    }
}

fn failure(error: &Error) -> String {
    error.to_string()
}

fn reason(attempt: &Attempt<'_>, after: Duration) -> String {
    let number = attempt.number;
    match attempt.outcome {
        Outcome::Failed(error) => format!("retry {number} after {after:?}: {error}"),
        Outcome::Answer { status, headers } => match flow_schema(headers) {
            Some(uid) => format!("retry {number} after {after:?}: status {status}, FlowSchema UID {uid:?}"),
            None => format!("retry {number} after {after:?}: status {status}"),
        },
    }
}

/// The UID of the FlowSchema by which the server's priority and fairness held the request back.
fn flow_schema(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-kubernetes-pf-flowschema-uid")?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;
    use kubewire_transport::{Error, ErrorKind};

    use super::super::policy::{End, Outcome, StandardRetry};
    use super::{Machine, State, Verdict};

    /// Walks through attempts that all fail, and gives the states on the way.
    fn walk(end: End, retries: u32) -> (Vec<State>, Machine) {
        let mut machine = Machine::new(end, retries);
        let mut states = Vec::new();
        loop {
            states.push(machine.state());
            match machine.state() {
                State::Throttle => machine.throttled(),
                State::Pause => machine.paused(),
                State::Attempt => {
                    machine.begin_attempt();
                    let error = Error::new(ErrorKind::UnexpectedEof, "scripted");
                    let outcome = Outcome::Failed(&error);
                    if machine.attempted(&StandardRetry::default(), &Method::GET, outcome) == Verdict::Finish
                    {
                        return (states, machine);
                    }
                }
            }
        }
    }

    // BH-X1, BH-X2, BH-X8, BH-X11
    #[test]
    fn the_order_of_things() {
        use State::{Attempt, Pause, Throttle};
        for (end, retries, states) in [
            (End::Send, 0, &[Throttle, Pause, Attempt][..]),
            (End::Send, 1, &[Throttle, Pause, Attempt, Pause, Throttle, Attempt]),
            (End::Raw, 1, &[Throttle, Pause, Attempt, Pause, Throttle, Attempt]),
            (End::Stream, 1, &[Throttle, Pause, Attempt]),
            (End::Watch, 0, &[Pause, Attempt]),
            (End::Watch, 2, &[Pause, Attempt, Pause, Throttle, Attempt, Pause, Throttle, Attempt]),
        ] {
            let (walked, machine) = walk(end, retries);
            assert_eq!(walked, states, "{end:?} {retries}");
            let attempts = states.iter().filter(|state| **state == Attempt).count();
            assert_eq!(machine.attempts() as usize, attempts);
        }
        let (_, machine) = walk(End::Watch, 1);
        assert_eq!(machine.pause(Duration::from_secs(5)), Duration::from_secs(5));
        assert_eq!(machine.pause(Duration::ZERO), Duration::from_secs(1));
    }
}
