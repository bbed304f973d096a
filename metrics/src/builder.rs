use std::collections::HashMap;

use crate::families::{Families, Naming};
use crate::{Buckets, ClientMetrics, MetricsError};

/// How many distinct hosts, looked-up names, and pairs of resource and host get label values of their own by default.
const MAX_LABEL_VALUES: usize = 200;

/// Sets up a [`ClientMetrics`] that differs from the default.
///
/// ```
/// use kubewire_metrics::ClientMetrics;
///
/// let metrics = ClientMetrics::builder()
///     .constant_label("controller", "gardener")
///     .native_names(true)
///     .build()?;
/// metrics.request("GET", "10.0.0.1:6443").count_request(Some(200));
/// assert!(metrics.gather_text().contains(r#"rest_client_requests_total{code="200",controller="gardener","#));
/// # Ok::<(), kubewire_metrics::MetricsError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build is called"]
pub struct ClientMetricsBuilder {
    naming: Naming,
    buckets: Buckets,
    native: bool,
    max_label_values: usize,
}

impl ClientMetricsBuilder {
    pub(crate) fn new() -> Self {
        Self {
            naming: Naming::default(),
            buckets: Buckets::default(),
            native: false,
            max_label_values: MAX_LABEL_VALUES,
        }
    }

    /// Puts `prefix` and an underscore before every name. Dashboards made for the usual names do not find such
    /// metrics any more: constant labels are the better way to tell clients apart.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.naming.prefix = prefix.into();
        self
    }

    /// Puts a label with always the same value on every series.
    pub fn constant_label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.naming.labels.insert(name.into(), value.into());
        self
    }

    /// Constant labels, in place of those given before.
    pub fn constant_labels(mut self, labels: HashMap<String, String>) -> Self {
        self.naming.labels = labels;
        self
    }

    /// Other buckets.
    pub fn buckets(mut self, buckets: Buckets) -> Self {
        self.buckets = buckets;
        self
    }

    /// Whether to have the `kubewire_client_*` metrics too. Without them (the default) observing them costs nothing;
    /// with them a request makes about eight more observations than the usual five, none of which locks or allocates.
    pub fn native_names(mut self, native: bool) -> Self {
        self.native = native;
        self
    }

    /// How many distinct hosts, looked-up names, and pairs of resource and host get label values of their own (each
    /// kind counted for itself; 200 by default). Those that come later share the value `<other>`.
    pub fn max_label_values(mut self, max: usize) -> Self {
        self.max_label_values = max;
        self
    }

    /// Makes the metrics, registered nowhere.
    ///
    /// # Errors
    /// [`MetricsError::Invalid`] when prefix or labels are no legal names or labels collide with the metrics' own, or
    /// when a bucket list is empty or not in increasing order.
    pub fn build(self) -> Result<ClientMetrics, MetricsError> {
        let Self { naming, buckets, native, max_label_values } = self;
        buckets.check()?;
        let families = Families::new(&naming, &buckets, native)
            .map_err(|error| MetricsError::Invalid { reason: error.to_string() })?;
        families.check_labels(&naming)?;
        Ok(ClientMetrics::with(families, max_label_values))
    }
}
