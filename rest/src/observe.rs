//! Metrics, where the feature is on and a client was given some; else nothing.

use std::time::Duration;

#[cfg(feature = "metrics")]
use kubewire_metrics::EventType;
#[cfg(feature = "metrics")]
use kubewire_transport::ErrorKind;
use tokio::time::Instant;

use crate::WatchEvent;
use crate::execute::Cause;

/// A client's metrics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observer {
    #[cfg(feature = "metrics")]
    host: Option<kubewire_metrics::HostMetrics>,
    /// Whether there is more to observe than what the usual names say.
    #[cfg(feature = "metrics")]
    has_native_names: bool,
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
        Self {
            host: metrics.map(|metrics| metrics.host(host)),
            has_native_names: metrics.is_some_and(kubewire_metrics::ClientMetrics::has_native_names),
        }
    }

    pub(crate) fn verb(&self, method: &http::Method) -> VerbObserver {
        VerbObserver { metrics: self.host.as_ref().map(|host| host.requests(method.as_str()).clone()) }
    }

    /// The metrics of watches and lists of a resource.
    pub(crate) fn resource(&self, group: &str, resource: &str) -> ResourceObserver {
        let metrics = self.host.as_ref().map(|host| match group {
            "" => host.resource(resource),
            group => host.resource(&format!("{group}/{resource}")),
        });
        ResourceObserver { metrics }
    }

    /// The metrics of one list, which nobody asks the time for where they would not be shown.
    pub(crate) fn list(&self, method: &http::Method, group: &str, resource: &str) -> ListObserver {
        let metrics = self.has_native_names.then(|| (self.verb(method), self.resource(group, resource)));
        ListObserver { metrics, items: 0, time: Duration::ZERO }
    }

    /// Counts a request that waits for the rate limiter until the guard is dropped.
    pub(crate) fn limiter_queue(&self) -> Counted {
        Counted { _gauge: self.host.as_ref().map(kubewire_metrics::HostMetrics::limiter_queue) }
    }
}

#[cfg(not(feature = "metrics"))]
impl Observer {
    pub(crate) fn verb(&self, _: &http::Method) -> VerbObserver {
        VerbObserver {}
    }

    pub(crate) fn resource(&self, _: &str, _: &str) -> ResourceObserver {
        ResourceObserver {}
    }

    pub(crate) fn list(&self, _: &http::Method, _: &str, _: &str) -> ListObserver {
        ListObserver {}
    }

    pub(crate) fn limiter_queue(&self) -> Counted {
        Counted {}
    }
}

/// Why a watch is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restart {
    /// It was ended, as happens every few minutes.
    Closed,
    /// Nothing came for too long.
    Idle,
    /// It failed.
    Error,
    /// Its version is gone.
    Expired,
}

/// The metrics of watches and lists of a resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResourceObserver {
    #[cfg(feature = "metrics")]
    metrics: Option<kubewire_metrics::ResourceMetrics>,
}

#[cfg_attr(not(feature = "metrics"), allow(unused_variables, clippy::unused_self))]
impl ResourceObserver {
    /// Counts a watch until it is dropped.
    pub(crate) fn watch(&self) -> WatchObserver {
        WatchObserver {
            #[cfg(feature = "metrics")]
            open: self.metrics.as_ref().map(kubewire_metrics::ResourceMetrics::watch_opened),
        }
    }

    /// A watch is to be started again.
    pub(crate) fn restart(&self, why: Restart) {
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            metrics.count_watch_restart(match why {
                Restart::Closed => kubewire_metrics::RestartReason::Closed,
                Restart::Idle => kubewire_metrics::RestartReason::Idle,
                Restart::Error => kubewire_metrics::RestartReason::Error,
                Restart::Expired => kubewire_metrics::RestartReason::Expired,
            });
        }
    }
}

/// Counts the items of a list and the time that decoding them takes. A list that is not read to its end is not observed.
#[derive(Debug)]
pub(crate) struct ListObserver {
    #[cfg(feature = "metrics")]
    metrics: Option<(VerbObserver, ResourceObserver)>,
    #[cfg(feature = "metrics")]
    items: u64,
    #[cfg(feature = "metrics")]
    time: Duration,
}

#[cfg_attr(not(feature = "metrics"), allow(clippy::unused_self))]
impl ListObserver {
    /// Runs the decoder for an item, if there is a whole one.
    pub(crate) fn item<T>(&mut self, decode: impl FnOnce() -> Option<T>) -> Option<T> {
        let item = self.decode(decode);
        #[cfg(feature = "metrics")]
        {
            self.items += u64::from(item.is_some());
        }
        item
    }

    /// Items were decoded elsewhere, which took so long.
    #[cfg_attr(not(feature = "metrics"), allow(unused_variables))]
    pub(crate) fn decoded_elsewhere(&mut self, time: Duration) {
        #[cfg(feature = "metrics")]
        {
            self.time += time;
        }
    }

    /// Decodes an item that was counted as ready.
    pub(crate) fn decode<T>(&mut self, decode: impl FnOnce() -> T) -> T {
        #[cfg(feature = "metrics")]
        if self.metrics.is_some() {
            let start = Instant::now();
            let item = decode();
            self.time += start.elapsed();
            return item;
        }
        decode()
    }

    /// All items have been read.
    pub(crate) fn finished(&self) {
        #[cfg(feature = "metrics")]
        if let Some((VerbObserver { metrics: Some(verb) }, ResourceObserver { metrics: Some(resource) })) =
            &self.metrics
        {
            verb.observe_decode(self.time);
            resource.observe_list_items(self.items);
        }
    }
}

/// A watch that is open, until it is dropped.
#[derive(Debug)]
pub(crate) struct WatchObserver {
    #[cfg(feature = "metrics")]
    open: Option<kubewire_metrics::OpenWatch>,
}

#[cfg_attr(not(feature = "metrics"), allow(unused_variables, clippy::unused_self))]
impl WatchObserver {
    pub(crate) fn event<T>(&self, event: &WatchEvent<T>) {
        #[cfg(feature = "metrics")]
        if let Some(open) = &self.open {
            open.count_event(match event {
                WatchEvent::Added(_) => EventType::Added,
                WatchEvent::Modified(_) => EventType::Modified,
                WatchEvent::Deleted(_) => EventType::Deleted,
                WatchEvent::Bookmark(_) => EventType::Bookmark,
                WatchEvent::Error(_) => EventType::Error,
            });
        }
    }
}

/// Counts one in a gauge until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    #[cfg(feature = "metrics")]
    _gauge: Option<kubewire_metrics::GaugeGuard>,
}

#[cfg(feature = "metrics")]
impl From<Cause> for kubewire_metrics::RetryReason {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::RetryAfter => Self::RetryAfter,
            Cause::Failed(kind) => match kind {
                ErrorKind::Dns | ErrorKind::ConnectionRefused | ErrorKind::Connect | ErrorKind::Tls => {
                    Self::Connect
                }
                ErrorKind::ConnectTimeout | ErrorKind::Timeout => Self::Timeout,
                ErrorKind::ConnectionReset | ErrorKind::ConnectionLost | ErrorKind::StreamReset => {
                    Self::ConnectionReset
                }
                ErrorKind::UnexpectedEof => Self::UnexpectedEof,
                ErrorKind::GoAway | ErrorKind::StreamRefused => Self::Goaway,
                _ => Self::Other,
            },
            Cause::Other => Self::Other,
        }
    }
}

#[cfg_attr(not(feature = "metrics"), allow(unused_variables, clippy::unused_self))]
impl VerbObserver {
    /// Counts a request in flight until the guard is dropped.
    pub(crate) fn in_flight(&self) -> Counted {
        Counted {
            #[cfg(feature = "metrics")]
            _gauge: self.metrics.as_ref().map(kubewire_metrics::RequestMetrics::in_flight),
        }
    }

    /// The time by which something begins; nobody asks the clock where nobody would be told.
    pub(crate) fn start(&self) -> Option<Instant> {
        #[cfg(feature = "metrics")]
        return self.metrics.is_some().then(Instant::now);
        #[cfg(not(feature = "metrics"))]
        None
    }

    /// One attempt, whose answer's head is there: its code, its start, and for one that was not the first what made it
    /// necessary.
    pub(crate) fn attempt(&self, code: Option<u16>, start: Option<Instant>, retry: Option<Cause>) {
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            metrics.count_request(code);
            if let (Some(_), Some(start)) = (code, start) {
                metrics.observe_first_byte(start.elapsed());
            }
            if let Some(cause) = retry {
                metrics.count_retry(code);
                metrics.count_retry_reason(cause.into());
            }
        }
    }

    /// A whole body was read since then.
    pub(crate) fn body(&self, start: Option<Instant>) {
        #[cfg(feature = "metrics")]
        if let (Some(metrics), Some(start)) = (&self.metrics, start) {
            metrics.observe_body(start.elapsed());
        }
    }

    /// Runs a decoder, and observes the time that it takes.
    pub(crate) fn decoding<T>(&self, decode: impl FnOnce() -> T) -> T {
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            let start = Instant::now();
            let decoded = decode();
            metrics.observe_decode(start.elapsed());
            return decoded;
        }
        decode()
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
        DurationGuard { observer: self.clone(), start: self.start() }
    }
}

/// See [`VerbObserver::duration`].
#[derive(Debug)]
pub(crate) struct DurationGuard {
    observer: VerbObserver,
    start: Option<Instant>,
}

impl Drop for DurationGuard {
    fn drop(&mut self) {
        #[cfg(feature = "metrics")]
        if let (Some(metrics), Some(start)) = (&self.observer.metrics, self.start) {
            metrics.observe_duration(start.elapsed());
        }
        #[cfg(not(feature = "metrics"))]
        let _ = (&self.observer, self.start);
    }
}
