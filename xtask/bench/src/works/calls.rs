use std::future::Future;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, PostParams};
use kubewire_metrics::ClientMetrics;
use kubewire_rest::{GroupVersion, Request, RestClient, Unlimited};

use super::list::{cbor, cut, whole};
use super::{Bench, Group, KUBE, KUBEWIRE, Work, peers};
use crate::Failure;
use crate::measure::Sample;

/// Calls between two looks at the clock.
const CALLS: u64 = 128;
const ONE: &str = "get, 1 at a time";
const MANY: &str = "get, 32 at a time";
const CREATE: &str = "create";
const FIRST: &str = "client made, first get";

pub(super) fn groups() -> Vec<Group> {
    let get = vec![
        Work::kube(ONE, |bench| Box::pin(kube_get(bench, 1))),
        Work::kubewire(ONE, |bench| Box::pin(get(bench, 1, whole))).against(KUBE, ONE),
        Work::kubewire("get, 1 at a time, with metrics", |bench| Box::pin(get_with_metrics(bench)))
            .against(KUBEWIRE, ONE),
        Work::kubewire("get, 1 at a time, CBOR", |bench| Box::pin(get(bench, 1, cbor))).against(KUBE, ONE),
        Work::kube(MANY, |bench| Box::pin(kube_get(bench, 32))),
        Work::kubewire(MANY, |bench| Box::pin(get(bench, 32, whole))).against(KUBE, MANY),
        Work::kubewire("get, 32 at a time, managedFields cut", |bench| Box::pin(get(bench, 32, cut)))
            .against(KUBE, MANY),
    ];
    let create = vec![
        Work::kube(CREATE, |bench| Box::pin(kube_create(bench))),
        Work::kubewire(CREATE, |bench| Box::pin(create(bench))).against(KUBE, CREATE),
    ];
    let first = vec![
        Work::kube(FIRST, |bench| Box::pin(kube_first(bench))),
        Work::kubewire(FIRST, |bench| Box::pin(first(bench))).against(KUBE, FIRST),
    ];
    [get, create, first].into_iter().map(|works| Group { unit: "calls", works }).collect()
}

/// So many calls, a number of them under way at any time.
async fn calls<F>(at_once: usize, call: impl Fn(u64) -> F) -> Result<u64, Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    stream::iter(0..CALLS).map(|n| Ok(call(n))).try_buffer_unordered(at_once).try_collect::<()>().await?;
    Ok(CALLS)
}

async fn get(bench: Bench, at_once: usize, options: fn(Request) -> Request) -> Result<Sample, Failure> {
    let client = peers::kubewire(&bench).await?;
    bench.meter.measure(async || calls(at_once, |n| get_one(&client, n, options)).await).await
}

async fn get_one(client: &RestClient, n: u64, options: fn(Request) -> Request) -> Result<(), Failure> {
    let request = client.get().namespace("bench").resource("pods").name(format!("pod-{n}"));
    drop(options(request).send().await.into_object::<Pod>()?);
    Ok(())
}

async fn get_with_metrics(bench: Bench) -> Result<Sample, Failure> {
    let metrics = Arc::new(ClientMetrics::builder().build()?);
    let client = RestClient::builder(&bench.config)
        .group_version(GroupVersion::V1)
        .rate_limiter(Arc::new(Unlimited))
        .metrics(metrics)
        .build()?;
    get_one(&client, 0, whole).await?;
    bench.meter.measure(async || calls(1, |n| get_one(&client, n, whole)).await).await
}

async fn kube_get(bench: Bench, at_once: usize) -> Result<Sample, Failure> {
    let pods: Api<Pod> = Api::namespaced(peers::kube(&bench).await?, "bench");
    let get = async |n| -> Result<(), Failure> {
        drop(pods.get(&format!("pod-{n}")).await?);
        Ok(())
    };
    bench.meter.measure(async || calls(at_once, &get).await).await
}

async fn create(bench: Bench) -> Result<Sample, Failure> {
    let client = peers::kubewire(&bench).await?;
    let pod: Pod =
        client.get().namespace("bench").resource("pods").name("pod-0").send().await.into_object()?;
    let create = async |_| -> Result<(), Failure> {
        let request = client.post().namespace("bench").resource("pods").body(&pod);
        drop(request.send().await.into_object::<Pod>()?);
        Ok(())
    };
    bench.meter.measure(async || calls(1, &create).await).await
}

async fn kube_create(bench: Bench) -> Result<Sample, Failure> {
    let pods: Api<Pod> = Api::namespaced(peers::kube(&bench).await?, "bench");
    let pod = pods.get("pod-0").await?;
    let create = async |_| -> Result<(), Failure> {
        drop(pods.create(&PostParams::default(), &pod).await?);
        Ok(())
    };
    bench.meter.measure(async || calls(1, &create).await).await
}

/// A client is made, gets one pod over a connection of its own, and is dropped.
async fn first(bench: Bench) -> Result<Sample, Failure> {
    let first = async || -> Result<u64, Failure> {
        let client = RestClient::for_config(&bench.config, GroupVersion::V1)?;
        get_one(&client, 0, whole).await?;
        Ok(1)
    };
    bench.meter.measure(first).await
}

async fn kube_first(bench: Bench) -> Result<Sample, Failure> {
    let config = peers::kube_config(&bench).await?;
    let first = async || -> Result<u64, Failure> {
        let client = kube::Client::try_from(config.clone())?;
        drop(Api::<Pod>::namespaced(client, "bench").get("pod-0").await?);
        Ok(1)
    };
    bench.meter.measure(first).await
}
