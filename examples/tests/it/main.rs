//! The example programs, run as a person runs them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod list_pods;
mod list_watch;
mod metrics_endpoint;
mod pod_cache;
mod program;
mod protobuf_list;

// The same as in the tests of kubewire-metrics.
#[path = "../../../metrics/tests/it/prometheus.rs"]
mod prometheus;
#[path = "../../../metrics/tests/it/queries.rs"]
mod queries;
mod watch_pods;
mod writes;
