//! Prints a line for each pod while the list is still on its way: no more than one is ever in memory.
//!
//! ```sh
//! cargo run --example stream_pods            # your cluster, or else the embedded API server
//! cargo run --example stream_pods -- -A      # of all namespaces, in pages of the server's choice
//! ```

use std::error::Error;
use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

use clap::Parser;
use kubewire_examples::cluster::{Pods, PodsArgs};
use kubewire_examples::pods::Pod;
use kubewire_examples::report;

/// Prints pods as they come.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    pods: PodsArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    report::exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let source = Pods::connect(&args.pods).await?;
    let mut pods = source
        .get()
        // Any version that the server has in memory will do: it need not ask its store.
        .param("resourceVersion", "0")
        .skip_fields(["metadata.managedFields"])
        .items::<Pod>()
        .await?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut count = 0_u64;
    while let Some(pod) = pods.next().await {
        let pod = pod?;
        count += 1;
        writeln!(out, "{}/{}  {}", pod.metadata.namespace, pod.metadata.name, pod.status.phase)?;
    }
    writeln!(out, "{count} pods at version {}", pods.metadata()?.resource_version)?;
    out.flush()?;
    Ok(())
}
