use std::hint::black_box;
use std::pin::pin;

use futures_util::TryStreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::Api;
use kube::runtime::{WatchStreamExt as _, reflector, watcher};
use kubewire_rest::{RestClient, Store};

use super::{Bench, Group, KUBE, Work, peers};
use crate::Failure;
use crate::measure::Sample;

const FILLED: &str = "store filled";
const READ: &str = "store read: name, labels, phase";

pub(super) fn groups() -> Vec<Group> {
    let works = vec![
        Work::kube(FILLED, |bench| Box::pin(kube_filled(bench))),
        Work::kubewire(FILLED, |bench| Box::pin(filled(bench))).against(KUBE, FILLED),
        Work::kube(READ, |bench| Box::pin(kube_read(bench))),
        Work::kubewire(READ, |bench| Box::pin(read(bench))).against(KUBE, READ),
    ];
    vec![Group { unit: "pods", works }]
}

/// A store is made, and filled.
async fn filled(bench: Bench) -> Result<Sample, Failure> {
    let client = peers::kubewire(&bench).await?;
    bench.meter.measure(async || bench.all(fill(&client).await?.len())).await
}

/// As a program does it: what there is comes with a watch, and the store says when it is all there.
async fn fill(client: &RestClient) -> Result<Store<Pod>, Failure> {
    let store = Store::new();
    let mut failure = None;
    let feeding = store.feed(client.get().resource("pods").list_watch(), |error| failure = Some(error));
    let synced = tokio::select! {
        biased;
        synced = store.synced() => synced,
        () = feeding => false,
    };
    match failure {
        Some(error) => Err(error.into()),
        None if synced => Ok(store),
        None => Err("the list-watch ended".into()),
    }
}

async fn kube_filled(bench: Bench) -> Result<Sample, Failure> {
    let client = peers::kube(&bench).await?;
    bench.meter.measure(async || bench.all(kube_fill(&client).await?.len())).await
}

/// kube's watcher lists pages of 500 unless told otherwise.
async fn kube_fill(client: &kube::Client) -> Result<reflector::Store<Pod>, Failure> {
    let (store, writer) = reflector::store();
    let pods = Api::<Pod>::all(client.clone());
    let mut feeding = pin!(watcher(pods, watcher::Config::default()).reflect(writer));
    while let Some(event) = feeding.try_next().await? {
        if matches!(event, watcher::Event::InitDone) {
            return Ok(store);
        }
    }
    Err("kube's watcher ended".into())
}

/// What a controller looks at, of every pod of a store that is filled already.
async fn read(bench: Bench) -> Result<Sample, Failure> {
    let store = fill(&peers::kubewire(&bench).await?).await?;
    let look = async || -> Result<u64, Failure> {
        let (mut came, mut failure) = (0, None);
        store.for_each(|pod| match pod.str_at("status.phase") {
            Ok(phase) => {
                came += usize::from(phase.is_some());
                black_box((pod.name(), pod.labels(), phase));
            }
            Err(error) => failure = Some(error),
        });
        failure.map_or_else(|| bench.all(came), |error| Err(error.into()))
    };
    bench.meter.measure(look).await
}

async fn kube_read(bench: Bench) -> Result<Sample, Failure> {
    let store = kube_fill(&peers::kube(&bench).await?).await?;
    let look = async || -> Result<u64, Failure> {
        let mut came = 0;
        for pod in store.state() {
            let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
            came += usize::from(phase.is_some());
            black_box((pod.name_any(), pod.labels(), phase));
        }
        bench.all(came)
    };
    bench.meter.measure(look).await
}
