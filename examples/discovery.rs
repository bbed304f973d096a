//! Shows what a server serves, and finds a resource as kubectl would.
//!
//! ```sh
//! cargo run --example discovery                # all resources, each in its preferred version
//! cargo run --example discovery -- deploy po   # which resources these words mean
//! ```

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use kubewire_examples::cluster::{self, ClusterArgs};
use kubewire_examples::{report, say};
use kubewire_rest::RestClient;
use kubewire_rest::discovery::{ApiResource, CachedDiscovery, Discovery, RestMapper};

/// Shows what a server serves.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Words that mean a resource: `pods`, `po`, `Pod`, `deployments.apps`
    words: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    report::exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let cluster = cluster::connect(&args.cluster).await?;
    let client = RestClient::builder(&cluster.config).unversioned().build()?;
    let discovery = Discovery::new(&client);
    say!("server version {}", discovery.server_version().await?.git_version);

    let cache = CachedDiscovery::new(discovery);
    if args.words.is_empty() {
        let all = cache.resources().await?;
        for (version, why) in &all.failures {
            eprintln!("warning: {version} is left out: {why}");
        }
        all.preferred().for_each(print);
    }
    let mapper = RestMapper::cached(cache);
    for word in &args.words {
        print(&mapper.for_word(word).await?);
    }
    Ok(())
}

fn print(resource: &ApiResource) {
    let scope = if resource.namespaced { "namespaced" } else { "cluster" };
    let below: Vec<&str> = resource.subresources.iter().map(|below| below.name.as_str()).collect();
    say!(
        "{:40} {:30} {:30} {scope:10} {}",
        resource.name,
        resource.group_version().to_string(),
        resource.kind,
        below.join(",")
    );
}
