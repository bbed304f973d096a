//! Metrics, where the feature is on and a client was given some; else nothing.

use std::time::Duration;

use tokio::time::Instant;

/// A client's metrics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observer {
    #[cfg(feature = "metrics")]
    host: Option<kubewire_metrics::HostMetrics>,
}

/// The metrics of requests with one verb.
#[derive(Clone, Debug, Default)]
pub(crate) struct VerbObserver {
    #[cfg(feature = "metrics")]
    metrics: Option<kubewire_metrics::RequestMetrics>,
}

#[cfg(feature = "metrics")]
impl Observer {
    pub(crate) fn new(metrics: Option<&kubewire_metrics::ClientMetrics>, host: &str) -> Self {
        Self { host: metrics.map(|metrics| metrics.host(host)) }
    }

    pub(crate) fn verb(&self, method: &http::Method) -> VerbObserver {
        VerbObserver { metrics: self.host.as_ref().map(|host| host.requests(method.as_str()).clone()) }
    }
}

#[cfg(not(feature = "metrics"))]
impl Observer {
    pub(crate) fn verb(&self, _: &http::Method) -> VerbObserver {
        VerbObserver {}
    }
}

#[cfg_attr(not(feature = "metrics"), allow(unused_variables, clippy::unused_self))]
impl VerbObserver {
    /// One attempt: its code, and whether it was not the first.
    pub(crate) fn attempt(&self, code: Option<u16>, is_retry: bool) {
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            metrics.count_request(code);
            if is_retry {
                metrics.count_retry(code);
            }
        }
    }

    pub(crate) fn request_size(&self, bytes: Option<u64>) {
        #[cfg(feature = "metrics")]
        if let (Some(metrics), Some(bytes)) = (&self.metrics, bytes) {
            metrics.observe_request_size(bytes);
        }
    }

    pub(crate) fn response_size(&self, bytes: usize) {
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            metrics.observe_response_size(bytes as u64);
        }
    }

    pub(crate) fn rate_limiter(&self, waited: Duration) {
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            metrics.observe_rate_limiter(waited);
        }
    }

    /// Observes the time until the guard is dropped, whatever ends the request.
    pub(crate) fn duration(&self) -> DurationGuard {
        DurationGuard { observer: self.clone(), start: Instant::now() }
    }
}

/// See [`VerbObserver::duration`].
#[derive(Debug)]
pub(crate) struct DurationGuard {
    observer: VerbObserver,
    start: Instant,
}

impl Drop for DurationGuard {
    fn drop(&mut self) {
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.observer.metrics {
            metrics.observe_duration(self.start.elapsed());
        }
        #[cfg(not(feature = "metrics"))]
        let _ = (&self.observer, self.start);
    }
}
