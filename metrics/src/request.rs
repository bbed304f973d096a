use std::time::Duration;

use prometheus::{Histogram, IntCounterVec};

/// What is observed of the requests with one verb to one host. Cheap to clone; get it once and keep it.
#[derive(Clone, Debug)]
pub struct RequestMetrics {
    pub(crate) verb: String,
    pub(crate) host: String,
    pub(crate) duration: Histogram,
    pub(crate) request_size: Histogram,
    pub(crate) response_size: Histogram,
    pub(crate) rate_limiter: Histogram,
    pub(crate) requests: IntCounterVec,
    pub(crate) retries: IntCounterVec,
}

impl RequestMetrics {
    /// One request from start to end: throttling, waits, retries and reading the body included.
    pub fn observe_duration(&self, duration: Duration) {
        self.duration.observe(duration.as_secs_f64());
    }

    /// The size of a request's body in bytes.
    #[allow(clippy::cast_precision_loss)]
    pub fn observe_request_size(&self, bytes: u64) {
        self.request_size.observe(bytes as f64);
    }

    /// The size of an answer's body in bytes.
    #[allow(clippy::cast_precision_loss)]
    pub fn observe_response_size(&self, bytes: u64) {
        self.response_size.observe(bytes as f64);
    }

    /// How long the client's own rate limiter held a request back.
    pub fn observe_rate_limiter(&self, duration: Duration) {
        self.rate_limiter.observe(duration.as_secs_f64());
    }

    /// Counts one attempt by its status code; `None` when there was no answer.
    pub fn count_request(&self, code: Option<u16>) {
        self.requests.with_label_values(&[code_text(code).as_str(), &self.verb, &self.host]).inc();
    }

    /// Counts one attempt that was not the first, by its status code; `None` when there was no answer.
    pub fn count_retry(&self, code: Option<u16>) {
        self.retries.with_label_values(&[code_text(code).as_str(), &self.verb, &self.host]).inc();
    }
}

fn code_text(code: Option<u16>) -> String {
    code.map_or_else(|| "<error>".to_owned(), |code| code.to_string())
}
