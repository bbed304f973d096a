use std::sync::Arc;
use std::time::Duration;

use kubewire_flowcontrol::{RateLimiter, Unlimited};

use super::{BackoffSource, RetryPolicy, StandardRetry};
use crate::{LogWarnings, RestClientBuilder, WarningHandler};

/// How requests are carried out: a client has such settings, and each of its requests begins with a copy of them.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) limiter: Arc<dyn RateLimiter>,
    pub(crate) retry: Arc<dyn RetryPolicy>,
    pub(crate) max_retries: u32,
    pub(crate) backoff: BackoffSource,
    pub(crate) warnings: Arc<dyn WarningHandler>,
    /// For the attempts, the waits between them and the answer's body.
    pub(crate) timeout: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limiter: Arc::new(Unlimited),
            retry: Arc::new(StandardRetry::default()),
            max_retries: RestClientBuilder::DEFAULT_MAX_RETRIES,
            backoff: BackoffSource::None,
            warnings: Arc::new(LogWarnings),
            timeout: None,
        }
    }
}
