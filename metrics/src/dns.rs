use std::fmt;
use std::time::Duration;

use prometheus::Histogram;

/// What is observed of the lookups of one name. Cheap to clone; observing takes no lock.
#[derive(Clone)]
pub struct DnsMetrics(pub(crate) Histogram);

impl fmt::Debug for DnsMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsMetrics").finish_non_exhaustive()
    }
}

impl DnsMetrics {
    /// Time of a lookup, failed ones included.
    pub fn observe(&self, duration: Duration) {
        self.0.observe(duration.as_secs_f64());
    }
}
