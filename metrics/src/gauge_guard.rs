use std::fmt;

use prometheus::IntGauge;

/// Counts one in a gauge until it is dropped: a request in flight, an open watch, a place in a queue.
#[must_use = "dropping the guard takes the one away again"]
pub struct GaugeGuard(Option<IntGauge>);

impl fmt::Debug for GaugeGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GaugeGuard").finish_non_exhaustive()
    }
}

impl GaugeGuard {
    pub(crate) fn new(gauge: Option<&IntGauge>) -> Self {
        if let Some(gauge) = gauge {
            gauge.inc();
        }
        Self(gauge.cloned())
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        if let Some(gauge) = &self.0 {
            gauge.dec();
        }
    }
}
