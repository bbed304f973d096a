use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder};

use crate::{MetricsError, RequestMetrics};

const DURATION: &[f64] = &[0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0];
const SIZE: &[f64] = &[
    64.0,
    256.0,
    512.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
];

/// The metrics of one or more clients.
#[derive(Clone, Debug)]
pub struct ClientMetrics {
    duration: HistogramVec,
    request_size: HistogramVec,
    response_size: HistogramVec,
    rate_limiter: HistogramVec,
    requests: IntCounterVec,
    retries: IntCounterVec,
}

impl ClientMetrics {
    /// A fresh set, registered nowhere.
    pub fn new() -> Result<Self, MetricsError> {
        let histogram = |name: &str, help: &str, buckets: &[f64]| {
            HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), &["verb", "host"])
        };
        Ok(Self {
            duration: histogram(
                "rest_client_request_duration_seconds",
                "Whole requests, in seconds.",
                DURATION,
            )?,
            request_size: histogram("rest_client_request_size_bytes", "Request bodies, in bytes.", SIZE)?,
            response_size: histogram("rest_client_response_size_bytes", "Answers' bodies, in bytes.", SIZE)?,
            rate_limiter: histogram(
                "rest_client_rate_limiter_duration_seconds",
                "Time spent waiting for the client's own rate limiter, in seconds.",
                DURATION,
            )?,
            requests: IntCounterVec::new(
                Opts::new("rest_client_requests_total", "Attempts by status code, method and host."),
                &["code", "method", "host"],
            )?,
            retries: IntCounterVec::new(
                Opts::new("rest_client_request_retries_total", "Attempts after the first."),
                &["code", "verb", "host"],
            )?,
        })
    }

    /// Makes the metrics visible in `registry`.
    pub fn register(&self, registry: &Registry) -> Result<(), MetricsError> {
        registry.register(Box::new(self.duration.clone()))?;
        registry.register(Box::new(self.request_size.clone()))?;
        registry.register(Box::new(self.response_size.clone()))?;
        registry.register(Box::new(self.rate_limiter.clone()))?;
        registry.register(Box::new(self.requests.clone()))?;
        registry.register(Box::new(self.retries.clone()))?;
        Ok(())
    }

    /// The metrics in Prometheus' text form.
    pub fn gather_text(&self) -> Result<String, MetricsError> {
        let registry = Registry::new();
        self.register(&registry)?;
        Ok(TextEncoder::new().encode_to_string(&registry.gather())?)
    }

    /// The handles for requests with `verb` (an HTTP method) to `host` (`host:port`).
    pub fn request(&self, verb: &str, host: &str) -> RequestMetrics {
        let labels = &[verb, host];
        RequestMetrics {
            verb: verb.to_owned(),
            host: host.to_owned(),
            duration: self.duration.with_label_values(labels),
            request_size: self.request_size.with_label_values(labels),
            response_size: self.response_size.with_label_values(labels),
            rate_limiter: self.rate_limiter.with_label_values(labels),
            requests: self.requests.clone(),
            retries: self.retries.clone(),
        }
    }
}
