use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use prometheus::{Histogram, IntCounter, IntGauge};

use crate::GaugeGuard;
use crate::families::Families;
use crate::request::as_f64;

/// The type of a watch's event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// An object came.
    Added,
    /// An object changed.
    Modified,
    /// An object went.
    Deleted,
    /// Only the version moved on.
    Bookmark,
    /// The server reported an error.
    Error,
}

impl EventType {
    const LABELS: [&'static str; 5] = ["added", "modified", "deleted", "bookmark", "error"];
}

/// Why a watch was started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestartReason {
    /// The server or the connection ended it, as happens every few minutes.
    Closed,
    /// It ended with an error.
    Error,
    /// The version that it started from is gone: everything is listed again.
    Expired,
    /// Nothing came for too long.
    Idle,
}

impl RestartReason {
    const LABELS: [&'static str; 4] = ["closed", "error", "expired", "idle"];
}

/// What is observed of watches and lists of one resource of one host: native names only, else nothing.
///
/// Cheap to clone; observing takes no lock.
#[derive(Clone)]
pub struct ResourceMetrics(Option<Arc<Inner>>);

impl fmt::Debug for ResourceMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ResourceMetrics");
        if let Some(inner) = &self.0 {
            shown.field("resource", &inner.resource).field("host", &inner.host);
        }
        shown.finish_non_exhaustive()
    }
}

struct Inner {
    families: Arc<Families>,
    resource: Box<str>,
    host: Arc<str>,
    open: OnceLock<IntGauge>,
    events: [OnceLock<IntCounter>; EventType::LABELS.len()],
    restarts: [OnceLock<IntCounter>; RestartReason::LABELS.len()],
    age: OnceLock<Histogram>,
    last_event: OnceLock<IntGauge>,
    list_items: OnceLock<Histogram>,
}

impl ResourceMetrics {
    pub(crate) fn new(families: &Arc<Families>, resource: &str, host: &Arc<str>) -> Self {
        Self(families.native.as_ref().map(|_| {
            Arc::new(Inner {
                families: Arc::clone(families),
                resource: resource.into(),
                host: Arc::clone(host),
                open: OnceLock::new(),
                events: [const { OnceLock::new() }; EventType::LABELS.len()],
                restarts: [const { OnceLock::new() }; RestartReason::LABELS.len()],
                age: OnceLock::new(),
                last_event: OnceLock::new(),
                list_items: OnceLock::new(),
            })
        }))
    }

    /// Counts a watch as open until the value is dropped; then its age is observed.
    pub fn watch_opened(&self) -> OpenWatch {
        let open = self.with(|inner, families| {
            inner.open.get_or_init(|| families.watches_open.with_label_values(&inner.labels())).clone()
        });
        OpenWatch { metrics: self.clone(), opened: Instant::now(), _open: GaugeGuard::new(open.as_ref()) }
    }

    /// Counts a watch that was started again.
    pub fn count_watch_restart(&self, reason: RestartReason) {
        self.with(|inner, families| {
            let slot = reason as usize;
            let labels = [RestartReason::LABELS[slot], &inner.resource, &inner.host];
            inner.restarts[slot].get_or_init(|| families.watch_restarts.with_label_values(&labels)).inc();
        });
    }

    /// The number of items in a list that was read.
    pub fn observe_list_items(&self, items: u64) {
        self.with(|inner, families| {
            inner
                .list_items
                .get_or_init(|| families.list_items.with_label_values(&inner.labels()))
                .observe(as_f64(items));
        });
    }

    fn with<T>(&self, observe: impl FnOnce(&Inner, &crate::families::Native) -> T) -> Option<T> {
        let inner = self.0.as_deref()?;
        Some(observe(inner, inner.families.native.as_ref()?))
    }
}

impl Inner {
    fn labels(&self) -> [&str; 2] {
        [&self.resource, &self.host]
    }
}

/// A watch that is open: counts its events, and itself until it is dropped.
#[derive(Debug)]
#[must_use = "the watch counts as open until this is dropped"]
pub struct OpenWatch {
    metrics: ResourceMetrics,
    opened: Instant,
    _open: GaugeGuard,
}

impl OpenWatch {
    /// Counts an event that came just now.
    pub fn count_event(&self, event: EventType) {
        self.metrics.with(|inner, families| {
            let slot = event as usize;
            let labels = [EventType::LABELS[slot], &inner.resource, &inner.host];
            inner.events[slot].get_or_init(|| families.watch_events.with_label_values(&labels)).inc();
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
            inner
                .last_event
                .get_or_init(|| families.watch_last_event.with_label_values(&inner.labels()))
                .set(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        });
    }
}

impl Drop for OpenWatch {
    fn drop(&mut self) {
        let age = self.opened.elapsed();
        self.metrics.with(|inner, families| {
            inner
                .age
                .get_or_init(|| families.watch_age.with_label_values(&inner.labels()))
                .observe(age.as_secs_f64());
        });
    }
}
