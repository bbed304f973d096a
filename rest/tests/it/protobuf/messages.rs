//! Kubernetes' messages, a few fields of each, as they go over the wire.

use std::collections::BTreeMap;

use kubewire_rest::Bytes;
use kubewire_rest::http::Response;
use kubewire_rest::transport::{Body, BoxError};
use prost::Message;

pub const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

#[derive(Clone, PartialEq, Message)]
pub struct Unknown {
    #[prost(message, optional, tag = "1")]
    pub types: Option<TypeMeta>,
    #[prost(bytes = "vec", tag = "2")]
    pub raw: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TypeMeta {
    #[prost(string, tag = "1")]
    pub api_version: String,
    #[prost(string, tag = "2")]
    pub kind: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct ObjectMeta {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub namespace: String,
    #[prost(string, tag = "5")]
    pub uid: String,
    #[prost(string, tag = "6")]
    pub resource_version: String,
    #[prost(message, optional, tag = "8")]
    pub created: Option<Time>,
    #[prost(btree_map = "string, string", tag = "11")]
    pub labels: BTreeMap<String, String>,
    #[prost(btree_map = "string, string", tag = "12")]
    pub annotations: BTreeMap<String, String>,
    #[prost(string, repeated, tag = "14")]
    pub finalizers: Vec<String>,
    #[prost(message, repeated, tag = "17")]
    pub managed: Vec<Managed>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Time {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
}

#[derive(Clone, PartialEq, Message)]
pub struct Managed {
    #[prost(string, tag = "1")]
    pub manager: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Pod {
    #[prost(message, optional, tag = "1")]
    pub metadata: Option<ObjectMeta>,
    #[prost(message, optional, tag = "2")]
    pub spec: Option<PodSpec>,
    #[prost(message, optional, tag = "3")]
    pub status: Option<PodStatus>,
}

#[derive(Clone, PartialEq, Message)]
pub struct PodSpec {
    #[prost(message, repeated, tag = "2")]
    pub containers: Vec<Container>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Container {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub image: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct PodStatus {
    #[prost(string, tag = "1")]
    pub phase: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct ConfigMap {
    #[prost(message, optional, tag = "1")]
    pub metadata: Option<ObjectMeta>,
    #[prost(btree_map = "string, string", tag = "2")]
    pub data: BTreeMap<String, String>,
    #[prost(btree_map = "string, bytes", tag = "3")]
    pub binary_data: BTreeMap<String, Vec<u8>>,
    #[prost(bool, optional, tag = "4")]
    pub immutable: Option<bool>,
}

#[derive(Clone, PartialEq, Message)]
pub struct PodList {
    #[prost(message, optional, tag = "1")]
    pub metadata: Option<ListMeta>,
    #[prost(message, repeated, tag = "2")]
    pub items: Vec<Pod>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ListMeta {
    #[prost(string, tag = "2")]
    pub resource_version: String,
    #[prost(string, tag = "3")]
    pub continue_token: String,
    #[prost(int64, optional, tag = "4")]
    pub remaining: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Status {
    #[prost(string, tag = "2")]
    pub status: String,
    #[prost(string, tag = "3")]
    pub message: String,
    #[prost(string, tag = "4")]
    pub reason: String,
    #[prost(message, optional, tag = "5")]
    pub details: Option<Details>,
    #[prost(int32, tag = "6")]
    pub code: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Details {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub kind: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct WatchEvent {
    #[prost(string, tag = "1")]
    pub event_type: String,
    #[prost(message, optional, tag = "2")]
    pub object: Option<RawExtension>,
}

#[derive(Clone, PartialEq, Message)]
pub struct RawExtension {
    #[prost(bytes = "vec", tag = "1")]
    pub raw: Vec<u8>,
}

/// A message in the wrapper that every body has.
pub fn wrapped(kind: &str, message: &impl Message) -> Vec<u8> {
    let types = TypeMeta { api_version: "v1".to_owned(), kind: kind.to_owned() };
    let unknown = Unknown { types: Some(types), raw: message.encode_to_vec() };
    [b"k8s\0", &unknown.encode_to_vec()[..]].concat()
}

/// An event of a watch, with its length before it.
pub fn frame(event_type: &str, object: Vec<u8>) -> Vec<u8> {
    let object = Some(RawExtension { raw: object });
    let event = WatchEvent { event_type: event_type.to_owned(), object }.encode_to_vec();
    [&u32::try_from(event.len()).unwrap().to_be_bytes()[..], &event].concat()
}

pub fn pod(n: usize) -> Pod {
    let metadata = ObjectMeta {
        name: format!("pod-{n}"),
        namespace: "default".to_owned(),
        resource_version: n.to_string(),
        labels: BTreeMap::from([("n".to_owned(), n.to_string())]),
        managed: vec![Managed { manager: "kubelet".to_owned() }],
        ..ObjectMeta::default()
    };
    let container = Container { name: "server".to_owned(), image: "x".repeat(150) };
    Pod {
        metadata: Some(metadata),
        spec: Some(PodSpec { containers: vec![container] }),
        status: Some(PodStatus { phase: "Running".to_owned() }),
    }
}

pub fn pod_list(numbers: std::ops::Range<usize>, token: &str) -> Vec<u8> {
    let metadata =
        ListMeta { resource_version: "42".to_owned(), continue_token: token.to_owned(), remaining: Some(7) };
    wrapped("PodList", &PodList { metadata: Some(metadata), items: numbers.map(pod).collect() })
}

pub fn failure(code: i32, reason: &str) -> Status {
    Status {
        status: "Failure".to_owned(),
        message: "scripted".to_owned(),
        reason: reason.to_owned(),
        details: Some(Details { name: "web".to_owned(), kind: "pods".to_owned() }),
        code,
    }
}

/// An answer in pieces of `size` bytes.
pub fn answer(code: u16, body: &[u8], size: usize) -> Response<Body> {
    let chunks: Vec<Result<Bytes, BoxError>> =
        body.chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    let mut response = Response::new(Body::stream(futures_util::stream::iter(chunks)));
    *response.status_mut() = code.try_into().unwrap();
    response.headers_mut().insert("content-type", PROTOBUF.parse().unwrap());
    response
}
