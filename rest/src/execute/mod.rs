//! A request on its way: throttled, sent, judged, sent again.

mod backoff;
mod exchange;
#[cfg(feature = "cbor")]
mod fallback;
mod machine;
mod policy;
mod retry_after;
mod settings;
mod throttle;

pub(crate) use backoff::BackoffSource;
pub use backoff::{BackoffManager, HostBackoff};
pub(crate) use exchange::{Exchange, Limits, silent};
pub(crate) use machine::{Cause, Machine};
pub(crate) use policy::breaks_watch;
pub use policy::{Attempt, Decision, End, Outcome, RetryPolicy, StandardRetry};
pub(crate) use retry_after::retry_after_seconds;
pub(crate) use settings::Settings;
pub(crate) use throttle::ThrottleLog;
