/// Why metrics could not be made, registered or gathered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// The Prometheus library refused.
    #[error(transparent)]
    Prometheus(#[from] prometheus::Error),
}
