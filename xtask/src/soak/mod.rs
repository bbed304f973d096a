//! `cargo xtask soak`: lists, watches and writes against a real API server whose parts crash again and again.

mod reader;
mod writer;

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kubewire_envtest::{Part, Server};
use kubewire_rest::{Config, Encoded, GroupVersion, Object, RestClient, TokenBucket};
use reader::{Seen, Watcher};
use tokio::task::JoinSet;
use writer::Writer;

use crate::step::Error;

const NAMESPACE: &str = "soak";
/// How long watches may need to see the last change.
const CATCH_UP: Duration = Duration::from_secs(90);

/// How long, and how rough.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Minutes of load.
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// How often kube-apiserver is killed and started again.
    #[arg(long, default_value_t = 10)]
    api_crashes: u32,
    /// How often etcd is.
    #[arg(long, default_value_t = 2)]
    etcd_crashes: u32,
    /// Tasks that write.
    #[arg(long, default_value_t = 8)]
    writers: usize,
}

/// What is counted, and whether it is time to stop.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    acknowledged: AtomicU64,
    unknown: AtomicU64,
    lists: AtomicU64,
    failed_lists: AtomicU64,
}

impl Shared {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let server = Server::own()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(soak(args, server))
}

async fn soak(args: &Args, server: Server) -> Result<(), Error> {
    let config = Config::from_kubeconfig(server.kubeconfig()).map_err(text)?;
    let client = RestClient::builder(&config)
        .group_version(GroupVersion::new("", "v1"))
        .rate_limiter(Arc::new(TokenBucket::new(400.0, 100).map_err(text)?))
        .build()
        .map_err(text)?;
    let namespace =
        serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    client.post().resource("namespaces").body(&namespace).send().await.raw().map_err(text)?;

    let shared = Arc::new(Shared::default());
    let mut writers = JoinSet::new();
    for n in 0..args.writers {
        writers.spawn(Writer::new(n, client.clone(), Arc::clone(&shared)).run());
    }
    let watchers = [
        Watcher::start::<Encoded<Object>>(&client, None),
        Watcher::start::<Object>(&client, None),
        Watcher::start::<Object>(&client, Some(100)),
    ];
    let mut listers = JoinSet::new();
    for in_pages in [false, true] {
        listers.spawn(reader::list(client.clone(), in_pages, Arc::clone(&shared)));
    }

    let length = Duration::from_secs_f64(args.minutes * 60.0);
    let plan = plan(args);
    let server = tokio::task::spawn_blocking(move || crash(server, &plan, length)).await.map_err(text)??;
    shared.stop.store(true, Ordering::Relaxed);
    let writers = writers.join_all().await;
    listers.join_all().await;

    // The end of all changes: everything is compared with one last list.
    let last = reader::last_list(&client).await?;
    for writer in &writers {
        writer.check(&last)?;
    }
    let mut report = format!(
        "{} writes acknowledged, {} of unknown outcome, {} lists read, {} failed, {} objects left\n",
        shared.acknowledged.load(Ordering::Relaxed),
        shared.unknown.load(Ordering::Relaxed),
        shared.lists.load(Ordering::Relaxed),
        shared.failed_lists.load(Ordering::Relaxed),
        last.len(),
    );
    for watcher in watchers {
        let Seen { changes, inits, errors, .. } = watcher.caught_up(&client, &last).await?;
        report
            .push_str(&format!("a watch saw {changes} changes, began {inits} times, told {errors} errors\n"));
    }
    print!("{report}");
    println!("no acknowledged write is lost, and every watch ends where the last list does");
    drop(server);
    Ok(())
}

/// The crashes, etcd's spread among those of the API server.
fn plan(args: &Args) -> Vec<Part> {
    let total = args.api_crashes + args.etcd_crashes;
    (0..total)
        .map(|n| {
            let etcd = |n: u32| n * args.etcd_crashes / total.max(1);
            if etcd(n + 1) > etcd(n) { Part::Etcd } else { Part::Api }
        })
        .collect()
}

/// Crashes one part after the other, evenly over the time.
fn crash(mut server: Server, plan: &[Part], length: Duration) -> Result<Server, Error> {
    let start = Instant::now();
    let steps = plan.len() as u32 + 1;
    for (n, part) in plan.iter().enumerate() {
        let due = length * (n as u32 + 1) / steps;
        std::thread::sleep(due.saturating_sub(start.elapsed()));
        server.crash(*part)?;
        let crashed = Instant::now();
        server.restart(*part)?;
        println!(
            "{:>6.1} s: {part:?} crashed, back after {:.1} s",
            start.elapsed().as_secs_f64(),
            crashed.elapsed().as_secs_f64()
        );
    }
    std::thread::sleep(length.saturating_sub(start.elapsed()));
    Ok(server)
}

fn text(error: impl Display) -> Error {
    error.to_string()
}
