use futures_util::TryStreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use k8s_pb::api::core::v1 as protobuf;
use kube::api::{Api, WatchParams};
use kubewire_rest::{Decode, Encoded, Protobuf, Request, WatchEvent};

use super::list::{cut, only_read, whole};
use super::{Bench, Group, KUBE, Work, peers};
use crate::Failure;
use crate::measure::Sample;

const TYPED: &str = "watch typed";

pub(super) fn groups() -> Vec<Group> {
    let works = vec![
        Work::kube(TYPED, |bench| Box::pin(kube_watch(bench))),
        Work::kubewire(TYPED, |bench| Box::pin(watch::<Pod>(bench, whole))).against(KUBE, TYPED),
        Work::kubewire("watch typed, managedFields cut", |bench| Box::pin(watch::<Pod>(bench, cut)))
            .against(KUBE, TYPED),
        Work::kubewire("watch encoded", |bench| Box::pin(watch::<Encoded<Pod>>(bench, whole)))
            .against(KUBE, TYPED),
        Work::kubewire("watch protobuf", |bench| Box::pin(watch::<Protobuf<protobuf::Pod>>(bench, whole)))
            .against(KUBE, TYPED),
        Work::kubewire("watch protobuf encoded", |bench| {
            Box::pin(watch::<Encoded<Protobuf<protobuf::Pod>>>(bench, whole))
        })
        .against(KUBE, TYPED),
        Work::kubewire("watch read, not decoded", |bench| Box::pin(only_read(bench, as_watch)))
            .against(KUBE, TYPED),
        Work::kubewire("watch protobuf read, not decoded", |bench| {
            Box::pin(only_read(bench, as_protobuf_watch))
        })
        .against(KUBE, TYPED),
        Work::kubewire("watch CBOR", |bench| Box::pin(watch::<Pod>(bench, cbor))).against(KUBE, TYPED),
    ];
    vec![Group { unit: "events", works }]
}

fn cbor(request: Request) -> Request {
    request.accept("application/cbor-seq")
}

fn as_watch(request: Request) -> Request {
    request.param("watch", "true")
}

fn as_protobuf_watch(request: Request) -> Request {
    as_watch(request).accept("application/vnd.kubernetes.protobuf;stream=watch")
}

async fn watch<T: Decode>(bench: Bench, options: fn(Request) -> Request) -> Result<Sample, Failure> {
    let client = peers::kubewire(&bench).await?;
    let watch = async || -> Result<u64, Failure> {
        let mut events = options(client.get().resource("pods")).watch::<T>().await?;
        let mut came = 0;
        while let Some(event) = events.next().await {
            came += usize::from(matches!(event, WatchEvent::Modified(_)));
        }
        bench.all(came)
    };
    bench.meter.measure(watch).await
}

async fn kube_watch(bench: Bench) -> Result<Sample, Failure> {
    let client = peers::kube(&bench).await?;
    let pods: Api<Pod> = Api::all(client);
    let watch = async || -> Result<u64, Failure> {
        let mut events = std::pin::pin!(pods.watch(&WatchParams::default(), "0").await?);
        let mut came = 0;
        while let Some(event) = events.try_next().await? {
            came += usize::from(matches!(event, kube::api::WatchEvent::Modified(_)));
        }
        bench.all(came)
    };
    bench.meter.measure(watch).await
}
