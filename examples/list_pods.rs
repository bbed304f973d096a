//! Lists pods page by page and prints them as kubectl does.
//!
//! ```sh
//! cargo run --example list_pods                              # your cluster, or else the embedded API server
//! cargo run --example list_pods -- -A --limit 500 --metrics
//! ```

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use jiff::Timestamp;
use kubewire_examples::cluster::{self, PodsArgs};
use kubewire_examples::pods::{Pod, table};
use kubewire_examples::{report, say};
use kubewire_metrics::ClientMetrics;
use kubewire_rest::{GroupVersion, List, ListOptions, RestClient};

/// Lists pods page by page.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    pods: PodsArgs,
    /// How many pods to ask for at a time; 0 asks for all at once
    #[arg(long, default_value_t = 500)]
    limit: u32,
    /// Print the client's own metrics afterwards, as Prometheus reads them
    #[arg(long)]
    metrics: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    report::exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let cluster = cluster::connect(&args.pods.cluster).await?;
    let metrics = Arc::new(ClientMetrics::new());
    let client = RestClient::builder(&cluster.config)
        .group_version(GroupVersion::V1)
        .metrics(Arc::clone(&metrics))
        .build()?;

    let now = Timestamp::now();
    let mut rows = Vec::new();
    let mut options = ListOptions { limit: Some(i64::from(args.limit)), ..ListOptions::default() };
    loop {
        let page: List<Pod> = client
            .get()
            .namespace_if(!args.pods.all_namespaces, &cluster.config.namespace)
            .resource("pods")
            .versioned_params(&options)
            .send()
            .await
            .into_object()?;
        rows.extend(page.items.iter().map(|pod| pod.row(now)));
        if page.metadata.continue_token.is_empty() {
            break;
        }
        options.continue_token = Some(page.metadata.continue_token);
    }

    let mut text = table(&rows);
    if args.metrics {
        text.push('\n');
        text.push_str(&metrics.gather_text());
    }
    say!("{}", text.trim_end());
    Ok(())
}
