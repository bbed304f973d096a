use std::fmt::Debug;

use k8s_openapi::api::core::v1::Pod;
use k8s_pb::api::core::v1 as protobuf;
use kube::api::{ListParams, ObjectList};
use kubewire_rest::{Decode, Encoded, Project, Projected, Protobuf, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::peers;
use super::{Bench, Group, KUBE, Work};
use crate::Failure;
use crate::measure::Sample;

const KEPT: &str = "list typed kept";
const TWO_CORES: &str = "list typed kept, two cores";
const NARROW: &str = "list narrow projected";

pub(super) fn groups() -> Vec<Group> {
    let lists = vec![
        Work::kube(KEPT, |bench| Box::pin(kube_kept::<Pod>(bench))),
        Work::kubewire(KEPT, |bench| Box::pin(kept::<Pod>(bench, whole))).against(KUBE, KEPT),
        Work::kubewire("list typed kept, managedFields cut", |bench| Box::pin(kept::<Pod>(bench, cut)))
            .against(KUBE, KEPT),
        Work::kubewire("list typed streamed", |bench| Box::pin(streamed::<Pod>(bench, whole)))
            .against(KUBE, KEPT),
        Work::kubewire("list typed streamed, managedFields cut", |bench| {
            Box::pin(streamed::<Pod>(bench, cut))
        })
        .against(KUBE, KEPT),
        Work::kubewire("list encoded", |bench| Box::pin(kept::<Encoded<Pod>>(bench, whole)))
            .against(KUBE, KEPT),
        Work::kubewire("list protobuf kept", |bench| Box::pin(kept::<Protobuf<protobuf::Pod>>(bench, whole)))
            .against(KUBE, KEPT),
        Work::kubewire("list protobuf kept, managedFields cut", |bench| {
            Box::pin(kept::<Protobuf<protobuf::Pod>>(bench, cut))
        })
        .against(KUBE, KEPT),
        Work::kubewire("list protobuf encoded", |bench| {
            Box::pin(kept::<Encoded<Protobuf<protobuf::Pod>>>(bench, whole))
        })
        .against(KUBE, KEPT),
        Work::kubewire("list CBOR kept", |bench| Box::pin(kept::<Pod>(bench, cbor))).against(KUBE, KEPT),
        Work::kubewire("list CBOR encoded", |bench| Box::pin(kept::<Encoded<Pod>>(bench, cbor)))
            .against(KUBE, KEPT),
        Work::kubewire("list read, not decoded", |bench| Box::pin(only_read(bench, whole)))
            .against(KUBE, KEPT),
    ];
    let two_cores = vec![
        Work::kube(TWO_CORES, |bench| Box::pin(kube_kept::<Pod>(bench))).spread(),
        Work::kubewire(TWO_CORES, |bench| Box::pin(kept::<Pod>(bench, whole)))
            .against(KUBE, TWO_CORES)
            .spread(),
        Work::kubewire("list typed kept, managedFields cut, two cores", |bench| {
            Box::pin(kept::<Pod>(bench, cut))
        })
        .against(KUBE, TWO_CORES)
        .spread(),
    ];
    let narrow = vec![
        Work::kube(NARROW, |bench| Box::pin(kube_kept::<Narrow>(bench))),
        Work::kubewire(NARROW, |bench| Box::pin(kept::<Projected<Narrow>>(bench, whole)))
            .against(KUBE, NARROW),
    ];
    [lists, two_cores, narrow].into_iter().map(|works| Group { unit: "pods", works }).collect()
}

/// What a table of pods shows.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "to be decoded is what it is for")]
struct Narrow {
    metadata: Names,
    spec: Spec,
    status: Status,
}

#[derive(Clone, Debug, Deserialize)]
#[expect(dead_code, reason = "see Narrow")]
struct Names {
    name: String,
    namespace: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "see Narrow")]
struct Spec {
    node_name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "see Narrow")]
struct Status {
    phase: String,
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
}

impl Project for Narrow {
    const PATHS: &'static [&'static str] =
        &["metadata.name", "metadata.namespace", "spec.nodeName", "status.phase", "status.podIP"];
}

pub(super) fn whole(request: Request) -> Request {
    request
}

pub(super) fn cut(request: Request) -> Request {
    request.skip_fields(["metadata.managedFields"])
}

pub(super) fn cbor(request: Request) -> Request {
    request.accept("application/cbor")
}

/// All objects of a list, held at once.
async fn kept<T: Decode>(bench: Bench, options: fn(Request) -> Request) -> Result<Sample, Failure> {
    let client = peers::kubewire(&bench).await?;
    let list = async || -> Result<u64, Failure> {
        let list = options(client.get().resource("pods")).list::<T>().await?;
        bench.all(list.items.len())
    };
    bench.meter.measure(list).await
}

/// The same, each object dropped before the next.
async fn streamed<T: Decode>(bench: Bench, options: fn(Request) -> Request) -> Result<Sample, Failure> {
    let client = peers::kubewire(&bench).await?;
    let stream = async || -> Result<u64, Failure> {
        let mut items = options(client.get().resource("pods")).items::<T>().await?;
        let mut came = 0;
        while let Some(item) = items.next().await {
            drop(item?);
            came += 1;
        }
        bench.all(came)
    };
    bench.meter.measure(stream).await
}

/// The bytes alone, of a list or of a watch: what the connection allows at the most.
pub(super) async fn only_read(bench: Bench, options: fn(Request) -> Request) -> Result<Sample, Failure> {
    let client = peers::kubewire(&bench).await?;
    let read = async || -> Result<u64, Failure> {
        let mut chunks = options(client.get().resource("pods")).stream().await?;
        while let Some(chunk) = chunks.chunk().await {
            drop(chunk?);
        }
        Ok(bench.pods)
    };
    bench.meter.measure(read).await
}

/// What kube's `Api::list` does, for any type.
async fn kube_kept<T: Clone + Debug + DeserializeOwned>(bench: Bench) -> Result<Sample, Failure> {
    let client = peers::kube(&bench).await?;
    let list = async || -> Result<u64, Failure> {
        let request = kube::core::Request::new("/api/v1/pods").list(&ListParams::default())?;
        let list: ObjectList<T> = client.request(request).await?;
        bench.all(list.items.len())
    };
    bench.meter.measure(list).await
}
