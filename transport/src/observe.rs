//! What the transport tells its metrics: nothing where they are not built in or not given.

use std::time::Duration;

/// Where observations go. Equal when they go to the same place.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Observer {
    #[cfg(feature = "metrics")]
    metrics: Option<std::sync::Arc<kubewire_metrics::ClientMetrics>>,
}

/// Where observations of one host's connections and answers go.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostObserver {
    #[cfg(feature = "metrics")]
    metrics: Option<kubewire_metrics::HostMetrics>,
}

/// Counts the bytes of one answer's body.
#[derive(Clone, Debug)]
pub(crate) struct ByteObserver {
    #[cfg(feature = "metrics")]
    metrics: Option<kubewire_metrics::RequestMetrics>,
    #[cfg(feature = "metrics")]
    compressed: bool,
}

/// A connection that an attempt begins to open.
pub(crate) struct Opening {
    #[cfg(feature = "metrics")]
    attempt: Option<std::sync::Arc<on::Attempt>>,
    /// The attempt's own task. The pool moves a connect elsewhere when the attempt has found another connection.
    #[cfg(feature = "metrics")]
    home: Option<tokio::task::Id>,
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
    use std::future::Future;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use http::Method;
    use kubewire_metrics::{CaReload, CacheGc, CacheResult, ClientMetrics, ExecPluginMetrics, HostMetrics};

    use super::{ByteObserver, CaLook, Duration, HostObserver, Made, Observer, Opening};

    /// One attempt to send a request.
    pub(crate) struct Attempt {
        host: HostMetrics,
        /// Whether it went over a connection of its own making.
        opened: AtomicBool,
    }

    tokio::task_local! {
        /// The attempt that is being polled: connectors are called from within.
        static ATTEMPT: Arc<Attempt>;
    }

    impl HostObserver {
        /// Sends, and counts the connection that this opens, or that an answer came over one that was there.
        pub(crate) async fn attempt<T, E>(&self, send: impl Future<Output = Result<T, E>>) -> Result<T, E> {
            let Some(host) = self.metrics.clone() else { return send.await };
            let attempt = Arc::new(Attempt { host, opened: AtomicBool::new(false) });
            let sent = ATTEMPT.scope(Arc::clone(&attempt), send).await;
            if sent.is_ok() && !attempt.opened.load(Ordering::Relaxed) {
                attempt.host.count_connection_reused();
            }
            sent
        }

        pub(crate) fn bytes(&self, method: &Method, compressed: bool) -> ByteObserver {
            let metrics = self.metrics.as_ref().map(|host| host.requests(method.as_str()).clone());
            ByteObserver { metrics, compressed }
        }
    }

    impl ByteObserver {
        /// Bytes came over the wire.
        pub(crate) fn arrived(&self, bytes: usize) {
            if let Some(metrics) = &self.metrics {
                metrics.add_wire_bytes(bytes as u64);
                if !self.compressed {
                    metrics.add_decoded_bytes(bytes as u64);
                }
            }
        }

        /// Compressed bytes became so many.
        pub(crate) fn decoded(&self, bytes: usize) {
            if let Some(metrics) = &self.metrics {
                metrics.add_decoded_bytes(bytes as u64);
            }
        }
    }

    impl Opening {
        /// To be made where the attempt is polled that wants the connection.
        pub(crate) fn new() -> Self {
            let attempt = ATTEMPT.try_with(Arc::clone).ok();
            Self { attempt, home: tokio::task::try_id() }
        }

        /// The connection is there, after a handshake of this time.
        pub(crate) fn opened(&self, handshake: Option<Duration>) {
            let Some(attempt) = &self.attempt else { return };
            attempt.host.count_connection_opened();
            if let Some(handshake) = handshake {
                attempt.host.observe_tls_handshake(handshake);
            }
            if tokio::task::try_id() == self.home {
                attempt.opened.store(true, Ordering::Relaxed);
            }
        }
    }

    impl Observer {
        pub(crate) fn new(metrics: Arc<ClientMetrics>) -> Self {
            Self { metrics: Some(metrics) }
        }

        /// Nothing is observed of a host under the usual names.
        pub(crate) fn host(&self, host: &str) -> HostObserver {
            let metrics = self.metrics.as_ref().filter(|metrics| metrics.has_native_names());
            HostObserver { metrics: metrics.map(|metrics| metrics.host(host)) }
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
    pub(crate) fn host(&self, _host: &str) -> HostObserver {
        HostObserver::default()
    }

    pub(crate) fn dns_lookup(&self, _name: &str, _time: Duration) {}

    pub(crate) fn transport_made(&self, _how: Made) {}

    pub(crate) fn transports_shared(&self, _count: usize) {}

    pub(crate) fn transport_freed(&self) {}

    pub(crate) fn file_watch_ended(&self) {}

    pub(crate) fn ca_looked_at(&self, _look: CaLook) {}
}

#[cfg(not(feature = "metrics"))]
#[expect(clippy::unused_self, reason = "the same calls as with metrics, of no effect")]
impl HostObserver {
    pub(crate) fn attempt<F>(&self, send: F) -> F {
        send
    }

    pub(crate) fn bytes(&self, _method: &http::Method, _compressed: bool) -> ByteObserver {
        ByteObserver {}
    }
}

#[cfg(not(feature = "metrics"))]
#[expect(clippy::unused_self, reason = "the same calls as with metrics, of no effect")]
impl ByteObserver {
    pub(crate) fn arrived(&self, _bytes: usize) {}

    pub(crate) fn decoded(&self, _bytes: usize) {}
}

#[cfg(not(feature = "metrics"))]
#[expect(clippy::unused_self, reason = "the same calls as with metrics, of no effect")]
impl Opening {
    pub(crate) fn new() -> Self {
        Self {}
    }

    pub(crate) fn opened(&self, _handshake: Option<Duration>) {}
}
