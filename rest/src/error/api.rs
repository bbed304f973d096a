use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

use super::Target;
use crate::execute::retry_after_seconds;
use crate::{Status, Warning};

/// An answer with an error code, as the API told it or, where it did not, as the code alone tells it.
#[derive(Clone)]
#[non_exhaustive]
pub struct ApiError {
    /// What was asked.
    pub target: Target,
    /// The HTTP status code of the answer.
    pub code: u16,
    /// The API's account. Where the answer's body held none it is made from the code, with the cause
    /// [`UNEXPECTED_SERVER_RESPONSE`](crate::CauseType::UNEXPECTED_SERVER_RESPONSE).
    pub status: Status,
    /// The answer's headers.
    pub headers: HeaderMap,
    /// The answer's body, as it came.
    pub body: Bytes,
    /// The warnings that came with it.
    pub warnings: Vec<Warning>,
}

impl ApiError {
    /// How long the server asked to wait, by the Status: one that was made of a code holds the Retry-After header's
    /// seconds, one that the server wrote only what it wrote.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let seconds = self.status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
        if seconds > 0 {
            return Some(Duration::from_secs(seconds.into()));
        }
        (self.status.reason == crate::StatusReason::SERVER_TIMEOUT).then_some(Duration::ZERO)
    }

    /// How long to wait before the request is made again: by the Status or by the header, whichever says more.
    pub(crate) fn wait(&self) -> Duration {
        let header = Duration::from_secs(retry_after_seconds(&self.headers).into());
        self.retry_after().unwrap_or_default().max(header)
    }
}

// The body may hold anything, and so may headers: they are there to be asked for, not to land in a log.
impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("target", &self.target)
            .field("code", &self.code)
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.target)?;
        if self.status.message.is_empty() {
            f.write_str("the server gave no message")?;
        } else {
            f.write_str(&self.status.message)?;
        }
        let code = if self.status.code == 0 { self.code } else { self.status.code };
        if self.status.reason.is_unknown() {
            write!(f, " ({code})")
        } else {
            write!(f, " ({} {code})", self.status.reason)
        }
    }
}
