//! Server-side apply: two managers, a conflict, and taking a field over.
//!
//! ```sh
//! cargo run --example apply
//! ```
#![allow(clippy::print_stdout, reason = "a command-line tool")]

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use kubewire_examples::cluster::{self, ClusterArgs};
use kubewire_examples::report;
use kubewire_rest::{GroupVersion, Object, Request, RestClient};
use serde_json::{Value, json};

/// Applies a ConfigMap as two managers.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    cluster: ClusterArgs,
    /// The ConfigMap's name; it is deleted in the end
    #[arg(long, default_value = "kubewire-apply-example")]
    name: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    report::exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let cluster = cluster::connect(&args.cluster).await?;
    let client = RestClient::for_config(&cluster.config, GroupVersion::V1)?;
    let named = |request: Request| {
        request.namespace(&cluster.config.namespace).resource("configmaps").name(&args.name)
    };
    let apply = |manager: &str, data: Value| {
        let intent = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": args.name}, "data": data,
        });
        named(client.apply(manager)).body(&intent)
    };

    let first = apply("alice", json!({"colour": "red", "size": "3"})).send().await;
    let verb = if first.was_created() { "created" } else { "changed" };
    println!("alice {verb} {}", data(&first.into_object()?));

    match apply("bob", json!({"colour": "blue"})).send().await.check() {
        Err(error) if error.is_conflict() => println!("bob is refused: {error}"),
        other => other?,
    }
    let forced = apply("bob", json!({"colour": "blue"})).force(true).send().await;
    println!("bob takes the field over: {}", data(&forced.into_object()?));

    named(client.delete()).send().await.check()?;
    Ok(())
}

fn data(object: &Object) -> &Value {
    object.pointer("/data").unwrap_or(&Value::Null)
}
