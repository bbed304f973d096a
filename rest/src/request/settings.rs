//! How a request is carried out, where that is not as the client does it.

use std::sync::Arc;
use std::time::Duration;

use kubewire_flowcontrol::RateLimiter;
use tokio::time::Instant;

use super::Request;
use crate::execute::BackoffSource;
use crate::{BackoffManager, RetryPolicy, WarningHandler};

impl Request {
    /// The time for all attempts, the waits between them and reading the answer; waiting for the client's own rate
    /// limiter comes before. The server is told, by the parameter `timeout`. Zero means none. It begins as the client's.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set(|this| {
            this.settings.timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
            this.location.remove_param("timeout");
            Ok(())
        })
    }

    /// The end of everything, waiting for the client's own rate limiter and reading a stream included. The server is not
    /// told. There is none unless set.
    pub fn deadline(self, deadline: Instant) -> Self {
        self.set(|this| {
            this.deadline = Some(deadline);
            Ok(())
        })
    }

    /// The longest time in which nothing may come: each attempt's answer has to begin within it, and the next piece of a
    /// body that is read as it comes (of [`list`](Self::list), [`items`](Self::items), [`watch`](Self::watch),
    /// [`stream`](Self::stream) and what is made of them) has to follow within it. Zero means none.
    ///
    /// Unless set there is none, but for a watch with the parameter `timeoutSeconds`: the server ends it by then, so
    /// that one which is silent for half a minute longer is dead. With bookmarks (`allowWatchBookmarks`) most servers
    /// send something every minute or so, though none promises it.
    pub fn idle_timeout(self, timeout: Duration) -> Self {
        self.set(|this| {
            this.idle_timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
            Ok(())
        })
    }

    /// How often the request may be sent again, in place of the client's number; 0 turns retries off.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.settings.max_retries = retries;
        self
    }

    /// What decides whether the request is sent again, in place of the client's policy.
    pub fn retry_policy(mut self, policy: Arc<dyn RetryPolicy>) -> Self {
        self.settings.retry = policy;
        self
    }

    /// The rate limiter, in place of the client's.
    pub fn throttle(mut self, limiter: Arc<dyn RateLimiter>) -> Self {
        self.settings.limiter = limiter;
        self
    }

    /// The backoff, in place of the client's.
    pub fn backoff(mut self, backoff: Arc<dyn BackoffManager>) -> Self {
        self.settings.backoff = BackoffSource::Shared(backoff);
        self
    }

    /// What becomes of warnings, in place of the client's handler.
    pub fn warning_handler(mut self, handler: Arc<dyn WarningHandler>) -> Self {
        self.settings.warnings = handler;
        self
    }
}
