use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use prometheus::{Registry, TextEncoder};

use crate::bounded::{Bounded, Budget};
use crate::collector::{SetCollector, already_shows};
use crate::families::Families;
use crate::{
    ClientMetricsBuilder, DnsMetrics, ExecPluginMetrics, HostMetrics, MetricsError, RequestMetrics,
    TransportMetrics,
};

/// The metrics of one or more clients: cheap to clone, and every clone is the same set.
///
/// Handles come from it: [`request`](Self::request) and [`host`](Self::host) for requests, [`dns`](Self::dns),
/// [`transport`](Self::transport) and [`exec_plugins`](Self::exec_plugins) for what lies below them.
#[derive(Clone)]
pub struct ClientMetrics(Arc<Inner>);

struct Inner {
    families: Arc<Families>,
    hosts: Bounded<HostMetrics>,
    names: Bounded<DnsMetrics>,
    resources: Budget,
    exec_plugins: ExecPluginMetrics,
    transport: TransportMetrics,
}

impl fmt::Debug for ClientMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientMetrics")
            .field("native_names", &self.has_native_names())
            .finish_non_exhaustive()
    }
}

impl Default for ClientMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl ClientMetrics {
    /// A fresh set with the usual names and buckets, registered nowhere.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "the default names, labels and buckets are constants that a test makes"
    )]
    pub fn new() -> Self {
        Self::builder().build().expect("the default metrics are well-formed")
    }

    /// Sets up metrics with a prefix, constant labels, other buckets, or the native names.
    pub fn builder() -> ClientMetricsBuilder {
        ClientMetricsBuilder::new()
    }

    /// The set that belongs to the whole process, made with [`new`](Self::new) when it is first asked for. Nothing
    /// here uses it unasked, and it is registered nowhere until you register it.
    pub fn global() -> &'static Self {
        static GLOBAL: OnceLock<ClientMetrics> = OnceLock::new();
        GLOBAL.get_or_init(Self::new)
    }

    pub(crate) fn with(families: Families, max_label_values: usize) -> Self {
        let families = Arc::new(families);
        Self(Arc::new(Inner {
            hosts: Bounded::new(Budget::new(max_label_values)),
            names: Bounded::new(Budget::new(max_label_values)),
            resources: Budget::new(max_label_values),
            exec_plugins: ExecPluginMetrics::new(Arc::clone(&families)),
            transport: TransportMetrics::new(Arc::clone(&families)),
            families,
        }))
    }

    /// Makes the metrics visible in `registry`. They can be registered in several, and again in the same one, which
    /// changes nothing.
    ///
    /// # Errors
    /// [`MetricsError::NameTaken`] when other metrics of the same names are there, such as another `ClientMetrics`:
    /// clients that report to one registry share one set, or use sets with constant labels of their own.
    pub fn register(&self, registry: &Registry) -> Result<(), MetricsError> {
        let collector = SetCollector(self.clone());
        let Err(error) = registry.register(Box::new(collector.clone())) else { return Ok(()) };
        match error {
            prometheus::Error::AlreadyReg if already_shows(registry, &collector) => Ok(()),
            prometheus::Error::AlreadyReg => Err(MetricsError::NameTaken { name: collector.a_name() }),
            error => Err(MetricsError::Registry(error)),
        }
    }

    /// The metrics in Prometheus' text form, for programs that have an HTTP server. Answer with
    /// `Content-Type: text/plain; version=0.0.4`.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "the registry leaves out empty families, and writing to a String cannot fail"
    )]
    pub fn gather_text(&self) -> String {
        TextEncoder::new().encode_to_string(&self.gather()).expect("metric families are well-formed")
    }

    /// The metrics as Prometheus' own type, for encoders of your own.
    #[must_use]
    #[expect(clippy::expect_used, reason = "nothing else is in the registry")]
    pub fn gather(&self) -> Vec<prometheus::proto::MetricFamily> {
        let registry = Registry::new();
        self.register(&registry).expect("an empty registry takes any set");
        registry.gather()
    }

    /// The handles for one host, `host:port` of the server's URL. Takes a lock: get them once for each client.
    pub fn host(&self, host: &str) -> HostMetrics {
        let Inner { families, resources, .. } = &*self.0;
        self.0.hosts.get(host, |shown| HostMetrics::new(Arc::clone(families), shown, resources.clone()))
    }

    /// The handles for requests with `verb` (an HTTP method) to `host` (`host:port`). Takes a lock: get them once, or
    /// use [`host`](Self::host).
    pub fn request(&self, verb: &str, host: &str) -> RequestMetrics {
        self.host(host).requests(verb).clone()
    }

    /// The handle for lookups of `name`, a host name without a port. Takes a lock.
    pub fn dns(&self, name: &str) -> DnsMetrics {
        self.0.names.get(name, |shown| DnsMetrics(self.0.families.reference.dns.with_label_values(&[shown])))
    }

    /// The handles for exec plugins.
    #[must_use]
    pub fn exec_plugins(&self) -> &ExecPluginMetrics {
        &self.0.exec_plugins
    }

    /// The handles for shared transports, CA files and certificate files.
    #[must_use]
    pub fn transport(&self) -> &TransportMetrics {
        &self.0.transport
    }

    /// Whether the `kubewire_client_*` metrics are on: where they are not, callers need not measure for them.
    #[must_use]
    pub fn has_native_names(&self) -> bool {
        self.0.families.native.is_some()
    }

    pub(crate) fn families(&self) -> &Families {
        &self.0.families
    }

    /// Brings the families up to date that run with the clock.
    pub(crate) fn refresh(&self) {
        self.0.exec_plugins.refresh(SystemTime::now());
    }
}

/// Two are equal when they are the same set.
impl PartialEq for ClientMetrics {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ClientMetrics {}
