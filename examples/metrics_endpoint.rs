//! Shows a client's metrics to Prometheus while the client works.
//!
//! ```sh
//! cargo run --example metrics_endpoint      # reads pods of your cluster, or works on the embedded API server
//! curl http://127.0.0.1:8080/metrics        # what Prometheus will see
//! ```
//!
//! Prometheus scrapes it with this in its configuration:
//!
//! ```yaml
//! scrape_configs:
//!   - job_name: metrics_endpoint
//!     scrape_interval: 5s
//!     static_configs:
//!       - targets: ["127.0.0.1:8080"]
//! ```
//!
//! `metrics/dashboards/` has a dashboard for Grafana, and rules for Prometheus.
#![allow(clippy::print_stdout, reason = "a command-line tool")]

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use kubewire_examples::cluster::{self, Cluster, ClusterArgs};
use kubewire_examples::pods::Pod;
use kubewire_examples::report;
use kubewire_metrics::ClientMetrics;
use kubewire_rest::fake::Fault;
use kubewire_rest::{GroupVersion, List, ListOptions, Object, RestClient};
use serde_json::json;

/// Shows a client's metrics to Prometheus while the client works.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Where to show the metrics
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: String,
    /// The pause between two rounds of requests, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    pause: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    report::exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    // The usual names, rest_client_*, and kubewire's own.
    let metrics = ClientMetrics::builder().native_names(true).build()?;
    let exporter = metrics
        .serve(&args.listen)
        .await
        .map_err(|error| format!("{}: {error}: choose another address with --listen", args.listen))?;
    println!("The metrics are at {}", exporter.url());

    let cluster = cluster::connect(&args.cluster).await?;
    let client = RestClient::builder(&cluster.config)
        .group_version(GroupVersion::V1)
        .metrics(Arc::new(metrics))
        .build()?;
    tokio::select! {
        worked = work(&client, &cluster, Duration::from_millis(args.pause)) => worked,
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}

/// Does what programs do, round after round.
async fn work(client: &RestClient, cluster: &Cluster, pause: Duration) -> Result<(), Box<dyn Error>> {
    let namespace = &cluster.config.namespace;
    loop {
        let options = ListOptions { limit: Some(50), ..ListOptions::default() };
        let pods: List<Pod> =
            client.get().resource("pods").versioned_params(&options).send().await.into_object()?;
        // Errors are a part of life: this one is 404.
        let missing = client.get().namespace(namespace).resource("pods").name("no-such-pod").send().await;
        tracing::debug!(pods = pods.items.len(), missing = ?missing.error());

        // Writes, and a server in trouble, only where nobody minds.
        if let Some(server) = &cluster.embedded {
            let configmaps =
                |request: kubewire_rest::Request| request.namespace(namespace).resource("configmaps");
            let object =
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "metrics-endpoint"}});
            configmaps(client.post()).body(&object).send().await.into_object::<Object>()?;
            // Answered 503 at first: the client sends it again when the server says so.
            server.faults().once(Fault::retry_after(503, 0));
            configmaps(client.get()).name("metrics-endpoint").send().await.into_object::<Object>()?;
            configmaps(client.delete()).name("metrics-endpoint").send().await.check()?;
        }
        tokio::time::sleep(pause).await;
    }
}
