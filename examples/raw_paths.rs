//! Paths that belong to no group: /version, /healthz, or any other that is given.
//!
//! ```sh
//! cargo run --example raw_paths
//! cargo run --example raw_paths -- '/api/v1/namespaces?limit=2'
//! ```

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use kubewire_examples::cluster::{self, ClusterArgs};
use kubewire_examples::{report, say};
use kubewire_rest::RestClient;

/// Gets raw paths of the API server.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Paths, with queries
    #[arg(default_values = ["/healthz", "/version"])]
    paths: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    report::exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let cluster = cluster::connect(&args.cluster).await?;
    let client = RestClient::builder(&cluster.config).unversioned().build()?;
    for path in &args.paths {
        say!("GET {path}");
        // Chunk by chunk: the answer may be large.
        let mut answer = client.get().request_uri(path).stream().await?;
        while let Some(chunk) = answer.chunk().await {
            std::io::stdout().write_all(&chunk?)?;
        }
        say!("");
    }
    Ok(())
}
