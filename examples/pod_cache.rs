//! Keeps all pods at hand, in a fraction of the memory that decoded ones would take: prints how many there are by phase,
//! what they take, and then each change.
//!
//! ```sh
//! cargo run --example pod_cache                       # your cluster, or else the embedded API server
//! cargo run --example pod_cache -- -A --count 10      # ends after 10 changes; else Ctrl-C ends it
//! ```
#![allow(clippy::print_stdout, reason = "a command-line tool")]

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use kubewire_examples::cluster::{self, ClusterArgs};
use kubewire_examples::pods::Pod;
use kubewire_examples::{report, visitors};
use kubewire_rest::{Encoded, GroupVersion, RestClient, Store, StoreChange};

/// Keeps all pods at hand, and prints how many there are and what changes.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Keep the pods of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// End after so many changes
    #[arg(long, value_name = "N")]
    count: Option<usize>,
}

#[tokio::main]
async fn main() -> ExitCode {
    report::exit(report::until_interrupted(run(Args::parse())).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let cluster = cluster::connect(&args.cluster).await?;
    let client = RestClient::for_config(&cluster.config, GroupVersion::V1)?;
    let namespace = &cluster.config.namespace;
    let pods = client.get().namespace_if(!args.all_namespaces, namespace).resource("pods");

    let store = Store::<Pod>::new();
    tokio::select! {
        // It works as long as it is polled, and ends only when nothing can come any more.
        () = store.feed(pods.list_watch(), |error| eprintln!("{error}")) => Err("the pods can't be read".into()),
        result = follow(&store, args.count) => result,
        Some(stopped) = visit(&cluster) => stopped,
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
            Some(StoreChange::Missed(changes)) => println!("{changes} changes came too fast to be printed"),
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
    println!("{pods} pods in {bytes} bytes: {}", phases.join(", "));
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
    let containers = decoded.spec.containers.len();
    let namespace = pod.namespace().unwrap_or_default();
    println!("{change:<8}  {namespace}/{}  {}  {containers} containers", pod.name(), phase(pod));
    Ok(())
}

/// Makes something happen on the embedded server; on any other it is the cluster's business.
async fn visit(cluster: &cluster::Cluster) -> Option<Result<(), Box<dyn Error>>> {
    let server = cluster.embedded.as_ref()?;
    visitors::come_and_go(server.objects(), cluster.config.namespace.clone()).await;
    Some(Err("no more pods could be made".into()))
}
