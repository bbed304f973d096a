//! Prometheus metrics of a client.

mod client;
mod error;
mod request;

pub use client::ClientMetrics;
pub use error::MetricsError;
pub use request::RequestMetrics;
