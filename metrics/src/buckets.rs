//! The upper bounds of histograms' buckets.

use crate::MetricsError;

/// The upper bounds of the buckets of all histograms, each list in increasing order (`+Inf` is always added).
///
/// The defaults of the `rest_client_*` histograms are the ecosystem's: dashboards and recording rules count on them.
///
/// ```
/// use kubewire_metrics::{Buckets, ClientMetrics};
///
/// let mut buckets = Buckets::default();
/// buckets.duration.push(120.0);
/// let metrics = ClientMetrics::builder().buckets(buckets).build()?;
/// # Ok::<(), kubewire_metrics::MetricsError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Buckets {
    /// Requests and waits for the rate limiter, in seconds: 5 ms to 60 s.
    pub duration: Vec<f64>,
    /// Name resolution, in seconds: 5 ms to 30 s.
    pub dns: Vec<f64>,
    /// Bodies, in bytes: 64 B to 16 MiB.
    pub size: Vec<f64>,
    /// Age of exec plugins' certificates at rotation, in seconds: 10 min to 4 years.
    pub certificate_age: Vec<f64>,
    /// The parts of a request (TLS handshake, first byte, body, decoding), in seconds: 0.5 ms to 30 s. Native names only.
    pub parts: Vec<f64>,
    /// Age of watch connections at their end, in seconds: 1 s to 2 h. Native names only.
    pub watch_age: Vec<f64>,
    /// Items of lists: 1 to 100,000. Native names only.
    pub list_items: Vec<f64>,
}

impl Default for Buckets {
    fn default() -> Self {
        let duration = vec![0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0];
        Self {
            dns: duration[..duration.len() - 1].to_vec(),
            duration,
            size: vec![
                64.0,
                256.0,
                512.0,
                1024.0,
                4096.0,
                16384.0,
                65536.0,
                262_144.0,
                1_048_576.0,
                4_194_304.0,
                16_777_216.0,
            ],
            certificate_age: vec![
                600.0,
                1800.0,
                3600.0,
                14400.0,
                86400.0,
                604_800.0,
                2_592_000.0,
                7_776_000.0,
                15_552_000.0,
                31_104_000.0,
                124_416_000.0,
            ],
            parts: vec![
                0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
            ],
            watch_age: vec![1.0, 5.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0],
            list_items: vec![1.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 5000.0, 10_000.0, 50_000.0, 100_000.0],
        }
    }
}

impl Buckets {
    /// Checked here because the Prometheus library looks at them only when the first observation comes.
    pub(crate) fn check(&self) -> Result<(), MetricsError> {
        let Self { duration, dns, size, certificate_age, parts, watch_age, list_items } = self;
        for (name, bounds) in [
            ("duration", duration),
            ("dns", dns),
            ("size", size),
            ("certificate_age", certificate_age),
            ("parts", parts),
            ("watch_age", watch_age),
            ("list_items", list_items),
        ] {
            if bounds.is_empty() || bounds[0].is_nan() || !bounds.is_sorted_by(|lower, upper| lower < upper) {
                let reason = format!("the buckets {name} must be one or more numbers in increasing order");
                return Err(MetricsError::Invalid { reason });
            }
        }
        Ok(())
    }
}
