//! Prometheus metrics of an HTTP client that talks to Kubernetes, under the names, labels and buckets that the
//! ecosystem's dashboards and alerts know.
//!
//! ```
//! use std::time::Duration;
//!
//! use kubewire_metrics::ClientMetrics;
//!
//! let metrics = ClientMetrics::new();
//! metrics.register(prometheus::default_registry())?; // or any other, or none
//!
//! // A client asks for its handles once ...
//! let get = metrics.request("GET", "10.0.0.1:6443");
//! // ... and observing through them takes no lock and allocates nothing.
//! get.count_request(Some(200));
//! get.observe_duration(Duration::from_millis(12));
//!
//! let text = metrics.gather_text();
//! assert!(text.contains(r#"rest_client_requests_total{code="200",host="10.0.0.1:6443",method="GET"} 1"#));
//! # Ok::<(), kubewire_metrics::MetricsError>(())
//! ```

mod bounded;
mod buckets;
mod builder;
mod client;
mod codes;
mod collector;
mod dns;
mod error;
mod exec;
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
