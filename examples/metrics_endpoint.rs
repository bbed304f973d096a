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
use std::time::{Duration, SystemTime};

use clap::Parser;
use kubewire_config::{Credentials, ExecConfig, InteractiveMode};
use kubewire_examples::cluster::{self, Cluster, ClusterArgs};
use kubewire_examples::pods::Pod;
use kubewire_examples::report;
use kubewire_metrics::ClientMetrics;
use kubewire_rest::fake::{ApiServer, Fault};
use kubewire_rest::{GroupVersion, List, ListOptions, Object, Request, RestClient, WatchEvent};
use serde_json::{Value, json};

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
    /// Be the credential program: print a credential
    #[arg(long, hide = true)]
    credential: bool,
}

/// What the guarded server wants of its clients.
const TOKEN: &str = "printed-by-a-program";

/// How long a certificate that the credential program hands out is good for.
const CERTIFICATE_LIFE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    report::exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    if args.credential {
        println!("{}", credential()?);
        return Ok(());
    }
    // The usual names, rest_client_*, and kubewire's own.
    let metrics = Arc::new(ClientMetrics::builder().native_names(true).build()?);
    let exporter = metrics
        .serve(&args.listen)
        .await
        .map_err(|error| format!("{}: {error}: choose another address with --listen", args.listen))?;
    println!("The metrics are at {}", exporter.url());

    let cluster = cluster::connect(&args.cluster).await?;
    let client = RestClient::builder(&cluster.config)
        .group_version(GroupVersion::V1)
        .metrics(Arc::clone(&metrics))
        .build()?;
    // Pods come and go by themselves elsewhere; on the embedded server nothing changes but what this program writes.
    let watched = if cluster.embedded.is_some() { "configmaps" } else { "pods" };
    tokio::select! {
        worked = work(&client, &cluster, &metrics, Duration::from_millis(args.pause)) => worked,
        ended = watch(|| client.get().namespace(&cluster.config.namespace).resource(watched)) => ended,
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}

/// Does what programs do, round after round.
async fn work(
    client: &RestClient,
    cluster: &Cluster,
    metrics: &Arc<ClientMetrics>,
    pause: Duration,
) -> Result<(), Box<dyn Error>> {
    let namespace = &cluster.config.namespace;
    let guarded = if cluster.embedded.is_some() { Some(guarded(metrics).await?) } else { None };
    loop {
        let options = ListOptions { limit: Some(50), ..ListOptions::default() };
        let pods: List<Pod> = client.get().resource("pods").versioned_params(&options).list().await?;
        // Errors are a part of life: this one is 404.
        let missing = client.get().namespace(namespace).resource("pods").name("no-such-pod").send().await;
        tracing::debug!(pods = pods.items.len(), missing = ?missing.error());

        // Writes, and a server in trouble, only where nobody minds.
        if let Some(server) = &cluster.embedded {
            let configmaps = |request: Request| request.namespace(namespace).resource("configmaps");
            let object =
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "metrics-endpoint"}});
            configmaps(client.post()).body(&object).send().await.into_object::<Object>()?;
            // Answered 503 at first: the client sends it again when the server says so.
            server.faults().once(Fault::retry_after(503, 0));
            configmaps(client.get()).name("metrics-endpoint").send().await.into_object::<Object>()?;
            configmaps(client.delete()).name("metrics-endpoint").send().await.check()?;
        }
        if let Some((_server, client)) = &guarded {
            client.get().resource("pods").list::<Pod>().await?;
        }
        tokio::time::sleep(pause).await;
    }
}

/// Reads all objects and their changes, again and again. The server ends the watch every few seconds.
async fn watch(request: impl Fn() -> Request) -> Result<(), Box<dyn Error>> {
    let options = ListOptions { timeout_seconds: Some(3), ..ListOptions::default() };
    loop {
        let list: List<Object> = request().list().await?;
        let version = list.metadata.resource_version;
        let mut watch = request().versioned_params(&options).retry_watch::<Object>(version)?;
        while let Some(event) = watch.next().await {
            if let WatchEvent::Error(status) = event {
                tracing::debug!(status.message, "listing again");
                break;
            }
        }
    }
}

/// A second embedded server that is guarded as clusters are, and a client that reaches it: by name, with TLS, and with a
/// credential program. Whenever the certificate is replaced, the client connects anew.
async fn guarded(metrics: &Arc<ClientMetrics>) -> Result<(ApiServer, RestClient), Box<dyn Error>> {
    let server = ApiServer::builder().pods(8).tls(true).token(TOKEN).start().await?;
    let mut config = server.config();
    config.host = config.host.replace("127.0.0.1", "localhost");
    config.credentials = Credentials::Exec(Box::new(ExecConfig {
        command: std::env::current_exe()?,
        args: vec!["--credential".into()],
        api_version: "client.authentication.k8s.io/v1".to_owned(),
        interactive_mode: InteractiveMode::Never,
        ..ExecConfig::default()
    }));
    let client =
        RestClient::builder(&config).group_version(GroupVersion::V1).metrics(Arc::clone(metrics)).build()?;
    Ok((server, client))
}

/// What a credential program prints: here a token, and a certificate that is soon to be replaced.
fn credential() -> Result<Value, Box<dyn Error>> {
    let now = SystemTime::now();
    let mut certificate = rcgen::CertificateParams::new(Vec::new())?;
    certificate.not_before = now.into();
    certificate.not_after = (now + CERTIFICATE_LIFE).into();
    let key = rcgen::KeyPair::generate()?;
    Ok(json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {
            "token": TOKEN,
            "clientCertificateData": certificate.self_signed(&key)?.pem(),
            "clientKeyData": key.serialize_pem(),
        },
    }))
}
