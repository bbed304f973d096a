use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A wait above this is told in the debug log.
const LONG: Duration = Duration::from_millis(50);
/// A wait above this is told at info, ...
const VERY_LONG: Duration = Duration::from_secs(1);
/// ... but no more often than this.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Tells of long waits for the client's own rate limiter, without filling the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct ThrottleLog(Arc<Mutex<Option<Instant>>>);

impl ThrottleLog {
    /// Tells that a request waited. `reason` is why it was sent again, if it was.
    pub(crate) fn tell(&self, waited: Duration, reason: Option<&str>, request: impl FnOnce() -> String) {
        if waited <= LONG {
            return;
        }
        let reason = reason.unwrap_or("client-side throttling, not the server's priority and fairness");
        if waited > VERY_LONG && self.may_tell() {
            tracing::info!(?waited, reason, request = request(), "a request was held back");
        } else {
            tracing::debug!(?waited, reason, request = request(), "a request was held back");
        }
    }

    fn may_tell(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let due = last.is_none_or(|last| now.duration_since(last) >= TELL_EVERY);
        if due {
            *last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::ThrottleLog;

    // BH-X7
    #[tokio::test(start_paused = true)]
    async fn tells_at_most_once_in_ten_seconds() {
        let log = ThrottleLog::default();
        assert!(log.may_tell());
        assert!(!log.may_tell());
        tokio::time::advance(Duration::from_secs(9)).await;
        assert!(!log.may_tell());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(log.clone().may_tell() && !log.may_tell());
    }
}
