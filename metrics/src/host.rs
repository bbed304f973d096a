use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntGauge};

use crate::bounded::{Bounded, Budget};
use crate::families::Families;
use crate::request::Verbs;
use crate::{GaugeGuard, RequestMetrics, ResourceMetrics};

/// What is observed of one host.
///
/// [`ClientMetrics::host`](crate::ClientMetrics::host) takes a lock to find it: get it once for each client and keep
/// it. Cheap to clone.
#[derive(Clone)]
pub struct HostMetrics(Arc<Inner>);

impl fmt::Debug for HostMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostMetrics").field("host", &self.0.host).finish_non_exhaustive()
    }
}

struct Inner {
    families: Arc<Families>,
    host: Arc<str>,
    verbs: Verbs,
    resources: Bounded<ResourceMetrics>,
    native: Option<Native>,
}

struct Native {
    limiter_queue: IntGauge,
    connections_opened: IntCounter,
    connections_reused: IntCounter,
    tls_handshake: OnceLock<Histogram>,
}

impl HostMetrics {
    pub(crate) fn new(families: Arc<Families>, host: &str, resources: Budget) -> Self {
        let native = families.native.as_ref().map(|native| Native {
            limiter_queue: native.limiter_queue.with_label_values(&[host]),
            connections_opened: native.connections_opened.with_label_values(&[host]),
            connections_reused: native.connections_reused.with_label_values(&[host]),
            tls_handshake: OnceLock::new(),
        });
        let (host, verbs, resources) = (host.into(), Verbs::new(), Bounded::new(resources));
        Self(Arc::new(Inner { families, host, verbs, resources, native }))
    }

    /// The handles for requests with `verb`, an HTTP method in capital letters. Methods beyond the nine of the
    /// standard share the label value `<other>`. Takes no lock.
    pub fn requests(&self, verb: &str) -> &RequestMetrics {
        self.0.verbs.get(verb, &self.0.families, &self.0.host)
    }

    /// The handles for watches and lists of `resource`, a short name such as `pods` or `apps/deployments`: never a
    /// name of an object. Takes a lock: get it once for each watch or list.
    pub fn resource(&self, resource: &str) -> ResourceMetrics {
        self.0.resources.get(resource, |shown| ResourceMetrics::new(&self.0.families, shown, &self.0.host))
    }

    /// Counts a request that waits for the client's own rate limiter until the guard is dropped. Native names only,
    /// else it does nothing.
    pub fn limiter_queue(&self) -> GaugeGuard {
        GaugeGuard::new(self.0.native.as_ref().map(|native| &native.limiter_queue))
    }

    /// Counts a connection that was opened. Native names only, else it does nothing.
    pub fn count_connection_opened(&self) {
        if let Some(native) = &self.0.native {
            native.connections_opened.inc();
        }
    }

    /// Counts an attempt that was answered over a connection that was already open. Native names only, else it does nothing.
    pub fn count_connection_reused(&self) {
        if let Some(native) = &self.0.native {
            native.connections_reused.inc();
        }
    }

    /// Time of a TLS handshake that went well. Native names only, else it does nothing.
    pub fn observe_tls_handshake(&self, duration: Duration) {
        if let (Some(native), Some(families)) = (&self.0.native, &self.0.families.native) {
            let resolve = || families.tls_handshake.with_label_values(&[&*self.0.host]);
            native.tls_handshake.get_or_init(resolve).observe(duration.as_secs_f64());
        }
    }
}
