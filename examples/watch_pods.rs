//! Lists pods, then prints a line for each that comes, changes or goes, whatever happens to the connection.
//!
//! ```sh
//! cargo run --example watch_pods                       # your cluster, or else the embedded API server
//! cargo run --example watch_pods -- -A --count 10      # ends after 10 events; else Ctrl-C ends it
//! ```

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use kubewire_examples::cluster::{Pods, WatchArgs};
use kubewire_examples::pods::Pod;
use kubewire_examples::{report, say};
use kubewire_rest::{List, WatchEvent};

/// Lists pods, then prints what happens to them.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    watch: WatchArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    report::exit(report::until_interrupted(run(Args::parse())).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let pods = Pods::connect(&args.watch.pods).await?;
    pods.cluster.invite_visitors();
    let mut left = args.watch.count;
    while left != Some(0) {
        // From here on nothing is missed: the watch begins at the list's version.
        let list: List<Pod> = pods.get().skip_fields(["metadata.managedFields"]).list().await?;
        say!("{} pods at version {}", list.items.len(), list.metadata.resource_version);
        let mut watch = pods
            .get()
            .skip_fields(["metadata.managedFields"])
            .retry_watch::<Pod>(list.metadata.resource_version)?;
        while left != Some(0) {
            let Some(event) = watch.next().await else { break };
            match event {
                WatchEvent::Added(pod) => print("ADDED", &pod),
                WatchEvent::Modified(pod) => print("MODIFIED", &pod),
                WatchEvent::Deleted(pod) => print("DELETED", &pod),
                WatchEvent::Bookmark(_) => continue,
                // The version is too old: list again.
                WatchEvent::Error(status) if status.code == 410 => break,
                WatchEvent::Error(status) => return Err(status.message.into()),
            }
            left = left.map(|left| left - 1);
        }
    }
    Ok(())
}

fn print(event: &str, pod: &Pod) {
    say!("{event:<8}  {}/{}  {}", pod.metadata.namespace, pod.metadata.name, pod.status.phase);
}
