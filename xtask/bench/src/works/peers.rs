//! The clients that do the works, made as a program would make them.

use kube::config::{KubeConfigOptions, Kubeconfig};
use kubewire_rest::{GroupVersion, RestClient, Unlimited};

use super::Bench;
use crate::Failure;

/// A client that has its connection.
pub(super) async fn kubewire(bench: &Bench) -> Result<RestClient, Failure> {
    let client = RestClient::builder(&bench.config)
        .group_version(GroupVersion::V1)
        .rate_limiter(std::sync::Arc::new(Unlimited))
        .build()?;
    get(&client).await?;
    Ok(client)
}

async fn get(client: &RestClient) -> Result<(), Failure> {
    Ok(client.get().namespace("bench").resource("pods").name("pod-0").send().await.check()?)
}

/// kube's settings for the server.
pub(super) async fn kube_config(bench: &Bench) -> Result<kube::Config, Failure> {
    let kubeconfig = Kubeconfig::read_from(&bench.kubeconfig)?;
    Ok(kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?)
}

/// A client that has its connection.
pub(super) async fn kube(bench: &Bench) -> Result<kube::Client, Failure> {
    let client = kube::Client::try_from(kube_config(bench).await?)?;
    let request = http::Request::get("/api/v1/namespaces/bench/pods/pod-0").body(Vec::new())?;
    client.request_text(request).await?;
    Ok(client)
}
