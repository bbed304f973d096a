use std::fmt;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use kubewire_transport::{Error, ErrorKind};

use super::retry_after::retry_after;

/// How a request was ended, and so what is made of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// [`send`](crate::Request::send), and all that reads one whole answer.
    Send,
    /// [`send_raw`](crate::Request::send_raw).
    Raw,
    /// [`stream`](crate::Request::stream).
    Stream,
    /// A watch.
    Watch,
}

impl End {
    /// Whether the request reads one whole answer.
    pub(crate) fn reads_whole(self) -> bool {
        matches!(self, Self::Send | Self::Raw)
    }
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// An answer, whatever its code.
    Answer {
        /// The status code.
        status: StatusCode,
        /// The headers.
        headers: &'a HeaderMap,
    },
    /// No answer.
    Failed(&'a Error),
}

/// One attempt, as a [`RetryPolicy`] sees it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// The HTTP method.
    pub method: &'a Method,
    /// How the request was ended.
    pub end: End,
    /// The attempt's number: 1 for the first.
    pub number: u32,
    /// What came of it.
    pub outcome: Outcome<'a>,
}

/// What to do after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Take what came of it.
    Finish,
    /// Try again.
    Retry {
        /// No sooner than after this time.
        after: Duration,
    },
}

/// Decides whether a request is sent again. It is not asked when the request has no retries left, nor when its body is a
/// stream, which can't be sent twice.
///
/// ```
/// use kubewire_rest::{Attempt, Decision, RetryPolicy, StandardRetry};
///
/// /// Writes are never sent twice, whatever the server says.
/// #[derive(Debug, Default)]
/// struct ReadsOnly(StandardRetry);
///
/// impl RetryPolicy for ReadsOnly {
///     fn decide(&self, attempt: &Attempt<'_>) -> Decision {
///         if attempt.method.is_safe() { self.0.decide(attempt) } else { Decision::Finish }
///     }
/// }
/// ```
pub trait RetryPolicy: fmt::Debug + Send + Sync + 'static {
    /// Decides.
    fn decide(&self, attempt: &Attempt<'_>) -> Decision;
}

/// The usual policy.
///
/// - An answer is asked for again when it is 429 or 5xx and has a `Retry-After` header, whatever the method: the server
///   says that it did not do it, and when to come back.
/// - A GET whose connection broke is sent again after a second.
/// - Any other request whose connection broke is sent again only when it is certain that the server did not process it.
/// - A watch is sent again whatever broke its connection, after timeouts too; a raw stream only when the server asks.
#[derive(Clone, Debug)]
pub struct StandardRetry {
    /// The longest wait that is taken from a server, 10 minutes by default. One that is asked for longer is cut.
    pub max_retry_after: Duration,
    /// Whether to try again, after a second, when no connection could be made: the name was not found, nobody
    /// listens, no answer in time. Off by default.
    pub retry_connect: bool,
}

impl Default for StandardRetry {
    fn default() -> Self {
        Self { max_retry_after: Duration::from_secs(600), retry_connect: false }
    }
}

/// The wait after a broken connection.
const BROKEN: Duration = Duration::from_secs(1);

impl RetryPolicy for StandardRetry {
    fn decide(&self, attempt: &Attempt<'_>) -> Decision {
        match attempt.outcome {
            Outcome::Answer { status, headers } => {
                if !(status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()) {
                    return Decision::Finish;
                }
                match retry_after(headers) {
                    Some(after) => Decision::Retry { after: after.min(self.max_retry_after) },
                    None => Decision::Finish,
                }
            }
            Outcome::Failed(error) if self.is_retryable(attempt, error) => Decision::Retry { after: BROKEN },
            Outcome::Failed(_) => Decision::Finish,
        }
    }
}

/// Whether such a failure is what happens to every watch sooner or later.
pub(crate) fn breaks_watch(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionReset
            | ErrorKind::UnexpectedEof
            | ErrorKind::GoAway
            | ErrorKind::StreamRefused
            | ErrorKind::Timeout
            | ErrorKind::ConnectTimeout
    )
}

impl StandardRetry {
    fn is_retryable(&self, attempt: &Attempt<'_>, error: &Error) -> bool {
        let broken = matches!(
            error.kind(),
            ErrorKind::ConnectionReset
                | ErrorKind::UnexpectedEof
                | ErrorKind::GoAway
                | ErrorKind::StreamRefused
        );
        let lost = error.kind() == ErrorKind::ConnectionLost;
        let unconnected = matches!(
            error.kind(),
            ErrorKind::Dns | ErrorKind::ConnectionRefused | ErrorKind::Connect | ErrorKind::ConnectTimeout
        );
        if unconnected && self.retry_connect {
            return true;
        }
        match attempt.end {
            End::Stream => false,
            End::Watch => breaks_watch(error.kind()),
            End::Send | End::Raw => {
                (broken || lost) && (attempt.method == Method::GET || error.is_not_processed())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method, StatusCode};
    use kubewire_transport::{Error, ErrorKind};

    use super::{Attempt, Decision, End, Outcome, RetryPolicy as _, StandardRetry};

    // BH-X3
    #[test]
    fn what_a_watch_tries_again() {
        for (kind, again) in [
            (ErrorKind::ConnectionReset, true),
            (ErrorKind::UnexpectedEof, true),
            (ErrorKind::GoAway, true),
            (ErrorKind::StreamRefused, true),
            (ErrorKind::Timeout, true),
            (ErrorKind::ConnectTimeout, true),
            (ErrorKind::ConnectionLost, false),
            (ErrorKind::ConnectionRefused, false),
            (ErrorKind::Dns, false),
            (ErrorKind::Tls, false),
            (ErrorKind::StreamReset, false),
        ] {
            for method in [Method::GET, Method::POST] {
                let error = Error::new(kind, "scripted");
                let outcome = Outcome::Failed(&error);
                let attempt = Attempt { method: &method, end: End::Watch, number: 1, outcome };
                let decision = StandardRetry::default().decide(&attempt);
                assert_eq!(decision != Decision::Finish, again, "{kind:?} {method}");
            }
        }
        let headers = HeaderMap::new();
        let outcome = Outcome::Answer { status: StatusCode::TOO_MANY_REQUESTS, headers: &headers };
        let attempt = Attempt { method: &Method::GET, end: End::Watch, number: 1, outcome };
        assert_eq!(StandardRetry::default().decide(&attempt), Decision::Finish);
    }
}
