#![doc = include_str!("../README.md")]

mod bounded;
mod buckets;
mod builder;
mod client;
mod codes;
mod collector;
mod dns;
mod error;
mod exec;
#[cfg(feature = "exporter")]
pub mod exporter;
mod families;
mod gauge_guard;
mod host;
mod request;
mod resource;
mod transport;

pub use buckets::Buckets;
pub use builder::ClientMetricsBuilder;
pub use client::ClientMetrics;
pub use dns::DnsMetrics;
pub use error::MetricsError;
pub use exec::{CertificateExpiry, ExecOutcome, ExecPluginMetrics};
pub use gauge_guard::GaugeGuard;
pub use host::HostMetrics;
pub use request::{RequestMetrics, RetryReason};
pub use resource::{EventType, OpenWatch, ResourceMetrics, RestartReason};
pub use transport::{CaReload, CacheGc, CacheResult, TransportMetrics};
