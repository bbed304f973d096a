/// Why metrics could not be made or registered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// The registry already shows metrics of these names and constant labels, and they are not this set's:
    /// what this set observes would never be seen.
    #[error(
        "metric names of this set (such as {name:?}) are already taken in the registry by other metrics: \
         share one ClientMetrics between the clients, or give this one a prefix or constant labels of its own"
    )]
    NameTaken {
        /// One of the names.
        name: String,
    },
    /// A prefix, constant label or bucket list that cannot be used.
    #[error("the metrics cannot be set up this way: {reason}")]
    Invalid {
        /// What is wrong.
        reason: String,
    },
    /// The registry refused for a reason of its own.
    #[error("the registry refused the metrics")]
    Registry(#[source] prometheus::Error),
}
