//! What the transport tells its metrics: nothing where they are not built in or not given.

use std::time::Duration;

/// Where observations go. Equal when they go to the same place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observer {
    #[cfg(feature = "metrics")]
    metrics: Option<std::sync::Arc<kubewire_metrics::ClientMetrics>>,
}

/// How a request for a transport was answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Made {
    Hit,
    Miss,
    MissGone,
    Unshared,
}

/// What a look at a CA file found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CaLook {
    Updated,
    Unchanged,
    ReadError,
    Empty,
    ParseError,
}

#[cfg(feature = "metrics")]
mod on {
    use std::sync::Arc;

    use kubewire_metrics::{CaReload, CacheGc, CacheResult, ClientMetrics, ExecPluginMetrics};

    use super::{CaLook, Duration, Made, Observer};

    impl Observer {
        pub(crate) fn new(metrics: Arc<ClientMetrics>) -> Self {
            Self { metrics: Some(metrics) }
        }

        pub(crate) fn is_same(&self, other: &Self) -> bool {
            match (&self.metrics, &other.metrics) {
                (None, None) => true,
                (Some(one), Some(other)) => Arc::ptr_eq(one, other),
                _ => false,
            }
        }

        pub(crate) fn exec_plugins(&self) -> Option<ExecPluginMetrics> {
            self.metrics.as_ref().map(|metrics| metrics.exec_plugins().clone())
        }

        pub(crate) fn dns_lookup(&self, name: &str, time: Duration) {
            if let Some(metrics) = &self.metrics {
                metrics.dns(name).observe(time);
            }
        }

        pub(crate) fn transport_made(&self, how: Made) {
            let Some(metrics) = &self.metrics else { return };
            metrics.transport().count_create_call(match how {
                Made::Hit => CacheResult::Hit,
                Made::Miss => CacheResult::Miss,
                Made::MissGone => CacheResult::MissGc,
                Made::Unshared => CacheResult::Uncacheable,
            });
        }

        pub(crate) fn transports_shared(&self, count: usize) {
            if let Some(metrics) = &self.metrics {
                metrics.transport().set_cache_entries(count);
            }
        }

        pub(crate) fn transport_freed(&self) {
            if let Some(metrics) = &self.metrics {
                metrics.transport().count_cache_gc(CacheGc::Deleted);
            }
        }

        pub(crate) fn file_watch_ended(&self) {
            if let Some(metrics) = &self.metrics {
                metrics.transport().count_cert_rotation_gc();
            }
        }

        pub(crate) fn ca_looked_at(&self, look: CaLook) {
            let Some(metrics) = &self.metrics else { return };
            metrics.transport().count_ca_reload(match look {
                CaLook::Updated => CaReload::Updated,
                CaLook::Unchanged => CaReload::Unchanged,
                CaLook::ReadError => CaReload::ReadError,
                CaLook::Empty => CaReload::Empty,
                CaLook::ParseError => CaReload::ParseError,
            });
        }
    }
}

#[cfg(not(feature = "metrics"))]
#[expect(clippy::unused_self, reason = "the same calls as with metrics, of no effect")]
impl Observer {
    pub(crate) fn is_same(&self, _other: &Self) -> bool {
        true
    }

    pub(crate) fn dns_lookup(&self, _name: &str, _time: Duration) {}

    pub(crate) fn transport_made(&self, _how: Made) {}

    pub(crate) fn transports_shared(&self, _count: usize) {}

    pub(crate) fn transport_freed(&self) {}

    pub(crate) fn file_watch_ended(&self) {}

    pub(crate) fn ca_looked_at(&self, _look: CaLook) {}
}
