//! Keeps a map of the pods up to date and prints what happens to it: what an informer does.
//!
//! ```sh
//! cargo run --example list_watch                       # your cluster, or else the embedded API server
//! cargo run --example list_watch -- -A --count 10      # ends after 10 changes; else Ctrl-C ends it
//! ```

use std::collections::HashMap;
use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use kubewire_examples::cluster::{Pods, WatchArgs};
use kubewire_examples::{report, say};
use kubewire_rest::{Change, Encoded, Object};

/// Keeps a map of the pods up to date.
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
    let source = Pods::connect(&args.watch.pods).await?;
    source.cluster.invite_visitors();

    // By namespace and name, in the form in which they came: an object is decoded when somebody looks into it.
    let mut pods: HashMap<String, Encoded<Object>> = HashMap::new();
    // Those of a list that is still coming.
    let mut fresh = None;
    let mut left = args.watch.count;
    let mut changes = source.get().list_watch::<Encoded<Object>>();
    while left != Some(0) {
        let Some(change) = changes.next().await else { break };
        let key = |pod: &Encoded<Object>| format!("{}/{}", pod.namespace().unwrap_or_default(), pod.name());
        match change {
            Ok(Change::Init) => fresh = Some(HashMap::new()),
            Ok(Change::InitDone) => {
                // What was known before and did not come again is gone.
                pods = fresh.take().unwrap_or_default();
                say!("{} pods at version {}", pods.len(), changes.resource_version());
                continue;
            }
            Ok(Change::Applied(pod)) => match &mut fresh {
                Some(fresh) => drop(fresh.insert(key(&pod), pod)),
                None => {
                    let key = key(&pod);
                    let is_new = pods.insert(key.clone(), pod).is_none();
                    say!("{}  {key}", if is_new { "new    " } else { "changed" });
                }
            },
            Ok(Change::Deleted(pod)) => {
                let key = key(&pod);
                fresh.as_mut().unwrap_or(&mut pods).remove(&key);
                say!("gone     {key}, {} left", pods.len());
            }
            Err(error) => {
                eprintln!("{error}; it is tried again");
                continue;
            }
        }
        if fresh.is_none() {
            left = left.map(|left| left - 1);
        }
    }
    Ok(())
}
