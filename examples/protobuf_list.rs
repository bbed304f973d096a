//! Lists pods in protobuf, by three fields of each: less to send and to decode than JSON. Where the server has no
//! protobuf it says so, and takes JSON.
//!
//! ```sh
//! cargo run --example protobuf_list                    # your cluster, or else the embedded API server
//! cargo run --example protobuf_list -- -A --sizes      # and how large the answer is in either form
//! ```

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use kubewire_examples::cluster::{Pods, PodsArgs};
use kubewire_examples::pods;
use kubewire_examples::{report, say};
use kubewire_rest::{DecodeFault, Protobuf, Request};

/// A pod, as far as it is printed; the numbers are those of Kubernetes' `generated.proto`. Types of k8s-pb would do
/// as well.
#[derive(Clone, PartialEq, prost::Message)]
struct Pod {
    #[prost(message, optional, tag = "1")]
    metadata: Option<Metadata>,
    #[prost(message, optional, tag = "3")]
    status: Option<Status>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Metadata {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "3")]
    namespace: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(string, tag = "1")]
    phase: String,
}

/// Lists pods in protobuf.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    pods: PodsArgs,
    /// Print how many bytes the list has in protobuf and in JSON
    #[arg(long)]
    sizes: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    report::exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let pods = Pods::connect(&args.pods).await?;

    match list(pods.get()).await {
        Err(error) if has_no_protobuf(&error) => {
            eprintln!("This server has no protobuf for pods, so here is its JSON: {error}");
            let mut list = pods.get().skip_fields(["metadata.managedFields"]).items::<pods::Pod>().await?;
            while let Some(pod) = list.next().await.transpose()? {
                say!("{}/{}  {}", pod.metadata.namespace, pod.metadata.name, pod.status.phase);
            }
        }
        listed => listed?,
    }
    if args.sizes {
        let protobuf = pods.get().accept_protobuf().send_raw().await?.len();
        let json = pods.get().send_raw().await?.len();
        say!("{protobuf} bytes of protobuf, {json} bytes of JSON");
    }
    Ok(())
}

/// Prints pods as they come.
async fn list(pods: Request) -> Result<(), kubewire_rest::Error> {
    // Such a type asks for protobuf by itself.
    let mut list = pods.skip_fields(["metadata.managedFields"]).items::<Protobuf<Pod>>().await?;
    while let Some(pod) = list.next().await.transpose()? {
        let Pod { metadata, status } = pod.into_inner();
        let (metadata, status) = (metadata.unwrap_or_default(), status.unwrap_or_default());
        say!("{}/{}  {}", metadata.namespace, metadata.name, status.phase);
    }
    Ok(())
}

/// Servers refuse (406) or answer in JSON.
fn has_no_protobuf(error: &kubewire_rest::Error) -> bool {
    match error {
        kubewire_rest::Error::Decode(error) => matches!(error.source, DecodeFault::NotProtobuf),
        error => error.is_not_acceptable(),
    }
}
