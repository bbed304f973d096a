//! Keeps all pods at hand, in a fraction of the memory that decoded ones would take: prints how many there are by phase,
//! what they take, and then each change.
//!
//! ```sh
//! cargo run --example pod_cache                       # your cluster, or else the embedded API server
//! cargo run --example pod_cache -- -A --count 10      # ends after 10 changes; else Ctrl-C ends it
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use kubewire_examples::cluster::{Pods, WatchArgs};
use kubewire_examples::pods::Pod;
use kubewire_examples::{report, say};
use kubewire_rest::{Encoded, Store, StoreChange};

/// Keeps all pods at hand, and prints how many there are and what changes.
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

    let store = Store::<Pod>::new();
    tokio::select! {
        // It works as long as it is polled, and ends only when nothing can come any more.
        () = store.feed(pods.get().list_watch(), |error| eprintln!("{error}")) => Err("the pods can't be read".into()),
        result = follow(&store, args.watch.count) => result,
    }
}

/// Prints what there is, and then what changes.
async fn follow(store: &Store<Pod>, count: Option<usize>) -> Result<(), Box<dyn Error>> {
    store.synced().await;
    let mut changes = store.subscribe();
    summary(store);
    let mut left = count;
    while left != Some(0) {
        match changes.next().await {
            Some(StoreChange::Added(pod)) => print("ADDED", &pod)?,
            Some(StoreChange::Updated { now, .. }) => print("UPDATED", &now)?,
            Some(StoreChange::Removed(pod)) => print("REMOVED", &pod)?,
            Some(StoreChange::Missed(changes)) => say!("{changes} changes came too fast to be printed"),
            None => break,
        }
        left = left.map(|left| left - 1);
    }
    summary(store);
    Ok(())
}

fn summary(store: &Store<Pod>) {
    let mut phases: BTreeMap<String, usize> = BTreeMap::new();
    store.for_each(|pod| *phases.entry(phase(pod)).or_default() += 1);
    let phases: Vec<String> = phases.iter().map(|(phase, count)| format!("{count} {phase}")).collect();
    let (pods, bytes) = (store.len(), store.memory());
    say!("{pods} pods in {bytes} bytes: {}", phases.join(", "));
}

/// Read from the encoded pod: nothing else of it is decoded.
fn phase(pod: &Encoded<Pod>) -> String {
    match pod.str_at("status.phase") {
        Ok(Some(phase)) => phase.into_owned(),
        _ => "Unknown".to_owned(),
    }
}

fn print(change: &str, pod: &Encoded<Pod>) -> Result<(), Box<dyn Error>> {
    // Decoded only now, and only as far as the type goes.
    let decoded = pod.decode()?;
    let containers = match decoded.spec.containers.len() {
        1 => "1 container".to_owned(),
        more => format!("{more} containers"),
    };
    let namespace = pod.namespace().unwrap_or_default();
    say!("{change:<8}  {namespace}/{}  {}  {containers}", pod.name(), phase(pod));
    Ok(())
}
