//! Creates a ConfigMap, reads it back, and deletes it again unless it is to be kept.
//!
//! ```sh
//! cargo run --example create_configmap -- --name settings colour=blue size=3
//! ```
#![allow(clippy::print_stdout, reason = "a command-line tool")]

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use kubewire_examples::cluster::{self, ClusterArgs};
use kubewire_examples::report;
use kubewire_rest::{CreateOptions, FieldValidation, GroupVersion, Object, RestClient};
use serde_json::{Map, Value};

/// Creates a ConfigMap.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    cluster: ClusterArgs,
    /// The ConfigMap's name
    #[arg(long, default_value = "kubewire-example")]
    name: String,
    /// Keep it
    #[arg(long)]
    keep: bool,
    /// Its data, as KEY=VALUE
    #[arg(default_value = "greeting=hello")]
    data: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    report::exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let cluster = cluster::connect(&args.cluster).await?;
    let client = RestClient::for_config(&cluster.config, GroupVersion::V1)?;
    let namespace = &cluster.config.namespace;

    let mut data = Map::new();
    for pair in &args.data {
        let (key, value) = pair.split_once('=').ok_or(format!("{pair:?} is not KEY=VALUE"))?;
        data.insert(key.to_owned(), Value::from(value));
    }
    let mut wanted = Object::new("v1", "ConfigMap", &args.name);
    wanted.fields.insert("data".to_owned(), data.into());

    let created: Object = client
        .post()
        .namespace(namespace)
        .resource("configmaps")
        .versioned_params(&CreateOptions {
            field_manager: Some("kubewire-example".to_owned()),
            field_validation: Some(FieldValidation::Strict),
            ..CreateOptions::default()
        })
        .body(&wanted)
        .send()
        .await
        .into_object()?;
    println!("configmap/{} created, version {}", created.metadata.name, created.metadata.resource_version);

    let read: Object = client
        .get()
        .namespace(namespace)
        .resource("configmaps")
        .name(&args.name)
        .send()
        .await
        .into_object()?;
    println!("data: {}", read.pointer("/data").unwrap_or(&Value::Null));

    if !args.keep {
        client.delete().namespace(namespace).resource("configmaps").name(&args.name).send().await.check()?;
        println!("configmap/{} deleted", args.name);
    }
    Ok(())
}
