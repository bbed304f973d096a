//! Where the pods come from: an API server, be it a real one or the embedded one.

use std::borrow::Cow;
use std::path::Path;

use bytes::Bytes;
use k8s_pb::api::core::v1::PodList;
use k8s_pb::apimachinery::pkg::runtime::Unknown;
use kubewire_config::{Config, LoadingRules, Overrides};
use kubewire_rest::fake::ApiServer;
use kubewire_rest::{DecodeOptions, Encoded, GroupVersion, List, RestClient};
use prost::Message as _;
use serde_json::Value;

use super::cbor;
use crate::Failure;

/// Pods beyond this are the first ones over again, under other names.
const DIFFERENT: u64 = 2000;
/// What stands before every message of Kubernetes' protobuf.
pub(super) const MAGIC: &[u8] = b"k8s\0";

/// One pod, as a list holds it in each form.
pub(super) struct Recorded {
    name: String,
    pub(super) json: Bytes,
    pub(super) protobuf: Bytes,
    pub(super) cbor: Bytes,
    /// With its kind, as it stands by itself.
    pub(super) typed_cbor: Bytes,
}

impl Recorded {
    /// One of its forms for the `turn`th time: of another name, after the first, which takes as many bytes.
    pub(super) fn turn<'a>(&self, form: &'a [u8], turn: usize) -> Cow<'a, [u8]> {
        // No pod's own name ends like this: what controllers add to one holds no `y`.
        let number = format!("y{turn:03}");
        let kept = self.name.len().saturating_sub(number.len());
        if turn == 0 || kept == 0 {
            return form.into();
        }
        let mut copy = form.to_vec();
        for at in memchr::memmem::find_iter(form, self.name.as_bytes()) {
            copy[at + kept..at + self.name.len()].copy_from_slice(number.as_bytes());
        }
        copy.into()
    }
}

/// Pods that are made up, stored in an embedded API server and read from there.
pub(super) async fn made_up(count: u64) -> Result<Vec<Recorded>, Failure> {
    let server = ApiServer::start().await?;
    for n in 0..count.min(DIFFERENT) {
        server.objects().put(kubewire_sample::pod(n))?;
    }
    from_server(&server.config()).await
}

/// The pods of the cluster that a kubeconfig names.
pub(super) async fn from_cluster(kubeconfig: &Path) -> Result<Vec<Recorded>, Failure> {
    let config = LoadingRules::explicit(kubeconfig).load()?.resolve(&Overrides::default())?;
    let recorded = from_server(&config).await?;
    if recorded.is_empty() {
        return Err(format!("the cluster of {} has no pods to record", kubeconfig.display()).into());
    }
    Ok(recorded)
}

async fn from_server(config: &Config) -> Result<Vec<Recorded>, Failure> {
    let client = RestClient::for_config(config, GroupVersion::V1)?;
    let pods = || client.get().resource("pods");
    let json: List<Encoded<Value>> =
        pods().decode_options(DecodeOptions::default().keep_managed_fields()).list().await?;
    let list = pods().accept("application/vnd.kubernetes.protobuf").send_raw().await?;
    let wrapped = list.strip_prefix(MAGIC).ok_or("the API server's list of pods is no protobuf")?;
    let list = PodList::decode(Unknown::decode(wrapped)?.raw.unwrap_or_default().as_slice())?;
    if list.items.len() != json.items.len() {
        return Err("the cluster's pods changed while they were read: try again".into());
    }
    json.items
        .iter()
        .zip(&list.items)
        .map(|(json, protobuf)| {
            let mut value: Value = serde_json::from_str(json.to_json())?;
            let cbor = cbor::encode(&value).into();
            value["kind"] = "Pod".into();
            value["apiVersion"] = "v1".into();
            Ok(Recorded {
                name: json.name().to_owned(),
                cbor,
                typed_cbor: cbor::encode(&value).into(),
                json: Bytes::copy_from_slice(json.to_json().as_bytes()),
                protobuf: protobuf.encode_to_vec().into(),
            })
        })
        .collect()
}
