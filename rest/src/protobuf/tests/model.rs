//! Kubernetes' messages, a few fields of each, and arbitrary ones.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message;

use crate::{Decode, DecodeOptions, ItemError, ListDecoder, ListMeta};

#[derive(Clone, PartialEq, Message)]
pub(super) struct Unknown {
    #[prost(message, optional, tag = "1")]
    pub(super) types: Option<TypeMeta>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(super) raw: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub(super) content_encoding: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub(super) content_type: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TypeMeta {
    #[prost(string, optional, tag = "1")]
    pub(super) api_version: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(super) kind: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PodList {
    #[prost(message, optional, tag = "1")]
    pub(super) metadata: Option<Meta>,
    #[prost(message, repeated, tag = "2")]
    pub(super) items: Vec<Pod>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Meta {
    #[prost(string, optional, tag = "1")]
    pub(super) self_link: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(super) resource_version: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(super) continue_token: Option<String>,
    #[prost(int64, optional, tag = "4")]
    pub(super) remaining: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Pod {
    #[prost(message, optional, tag = "1")]
    pub(super) metadata: Option<ObjectMeta>,
    #[prost(message, optional, tag = "3")]
    pub(super) status: Option<PodStatus>,
    #[prost(fixed64, optional, tag = "90")]
    pub(super) odd: Option<u64>,
    #[prost(fixed32, optional, tag = "91")]
    pub(super) odder: Option<u32>,
    #[prost(bytes = "vec", repeated, tag = "9000")]
    pub(super) oddest: Vec<Vec<u8>>,
}

/// A pod of one field, to which all others are unknown.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Narrow {
    #[prost(message, optional, tag = "3")]
    pub(super) status: Option<PodStatus>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PodStatus {
    #[prost(string, optional, tag = "1")]
    pub(super) phase: Option<String>,
    #[prost(int64, optional, tag = "2")]
    pub(super) count: Option<i64>,
    #[prost(bool, optional, tag = "3")]
    pub(super) ready: Option<bool>,
    #[prost(message, repeated, tag = "8")]
    pub(super) owners: Vec<Owner>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ObjectMeta {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(super) namespace: Option<String>,
    #[prost(string, optional, tag = "5")]
    pub(super) uid: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub(super) resource_version: Option<String>,
    #[prost(int64, optional, tag = "7")]
    pub(super) generation: Option<i64>,
    #[prost(message, optional, tag = "9")]
    pub(super) deletion: Option<Time>,
    #[prost(btree_map = "string, string", tag = "11")]
    pub(super) labels: BTreeMap<String, String>,
    #[prost(btree_map = "string, string", tag = "12")]
    pub(super) annotations: BTreeMap<String, String>,
    #[prost(message, repeated, tag = "13")]
    pub(super) owners: Vec<Owner>,
    #[prost(bytes = "vec", repeated, tag = "17")]
    pub(super) managed: Vec<Vec<u8>>,
    #[prost(string, optional, tag = "99")]
    pub(super) later: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Time {
    #[prost(int64, optional, tag = "1")]
    pub(super) seconds: Option<i64>,
    #[prost(int32, optional, tag = "2")]
    pub(super) nanos: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Owner {
    #[prost(string, optional, tag = "1")]
    pub(super) kind: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(super) name: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(super) uid: Option<String>,
    #[prost(string, optional, tag = "5")]
    pub(super) api_version: Option<String>,
    #[prost(bool, optional, tag = "6")]
    pub(super) controller: Option<bool>,
    #[prost(bool, optional, tag = "7")]
    pub(super) block: Option<bool>,
}

/// A message as a server sends it.
pub(super) fn wrapped(kind: &str, message: &impl Message) -> Vec<u8> {
    let types = TypeMeta { api_version: Some("v1".to_owned()), kind: Some(kind.to_owned()) };
    let unknown = Unknown {
        types: Some(types),
        raw: Some(message.encode_to_vec()),
        content_encoding: Some(Vec::new()),
        content_type: Some(Vec::new()),
    };
    [b"k8s\0", &unknown.encode_to_vec()[..]].concat()
}

fn text() -> BoxedStrategy<Option<String>> {
    prop_oneof![Just(None), Just(Some(String::new())), "[a-z0-9äß✓\"]{1,12}".prop_map(Some)].boxed()
}

fn map() -> BoxedStrategy<BTreeMap<String, String>> {
    prop::collection::btree_map("[a-c./]{0,3}", "[a-zé]{0,8}", 0..4).boxed()
}

fn blobs() -> BoxedStrategy<Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..3).boxed()
}

fn owners() -> BoxedStrategy<Vec<Owner>> {
    let owner = (text(), text(), text(), text(), any::<Option<bool>>(), any::<Option<bool>>()).prop_map(
        |(kind, name, uid, api_version, controller, block)| Owner {
            kind,
            name,
            uid,
            api_version,
            controller,
            block,
        },
    );
    prop::collection::vec(owner, 0..3).boxed()
}

fn object_meta() -> BoxedStrategy<ObjectMeta> {
    let time = (0..253_000_000_000_i64, any::<Option<i32>>())
        .prop_map(|(seconds, nanos)| Time { seconds: Some(seconds), nanos });
    let texts = (text(), text(), text(), text(), text());
    let rest = (any::<Option<i64>>(), prop::option::of(time), map(), map(), owners(), blobs());
    (texts, rest)
        .prop_map(|(texts, rest)| {
            let (name, namespace, uid, resource_version, later) = texts;
            let (generation, deletion, labels, annotations, owners, managed) = rest;
            ObjectMeta {
                name,
                namespace,
                uid,
                resource_version,
                generation,
                deletion,
                labels,
                annotations,
                owners,
                managed,
                later,
            }
        })
        .boxed()
}

pub(super) fn pod() -> BoxedStrategy<Pod> {
    let status = (text(), any::<Option<i64>>(), any::<Option<bool>>(), owners())
        .prop_map(|(phase, count, ready, owners)| PodStatus { phase, count, ready, owners });
    let odd = (any::<Option<u64>>(), any::<Option<u32>>(), blobs());
    (prop::option::of(object_meta()), prop::option::of(status), odd)
        .prop_map(|(metadata, status, (odd, odder, oddest))| Pod { metadata, status, odd, odder, oddest })
        .boxed()
}

pub(super) fn pod_list() -> BoxedStrategy<PodList> {
    let meta = (text(), text(), text(), any::<Option<i64>>()).prop_map(
        |(self_link, resource_version, continue_token, remaining)| Meta {
            self_link,
            resource_version,
            continue_token,
            remaining,
        },
    );
    (prop::option::of(meta), prop::collection::vec(pod(), 0..5))
        .prop_map(|(metadata, items)| PodList { metadata, items })
        .boxed()
}

/// What a decoder makes of bytes that come in pieces of these sizes, again and again.
pub(super) fn decode<T: Decode>(
    body: &[u8],
    pieces: &[usize],
    options: &DecodeOptions,
) -> Result<(Vec<T>, ListMeta), ItemError> {
    let mut decoder = ListDecoder::<T>::new(options);
    let mut items = Vec::new();
    let (mut rest, mut sizes) = (body, pieces.iter().cycle());
    while !rest.is_empty() {
        let (piece, after) = rest.split_at((*sizes.next().unwrap()).clamp(1, rest.len()));
        decoder.push(Bytes::copy_from_slice(piece));
        rest = after;
        while let Some(item) = decoder.next_item() {
            items.push(item?);
        }
        assert!(decoder.memory() <= body.len() + 64 * 1024, "it holds more than came");
    }
    decoder.finish();
    while let Some(item) = decoder.next_item() {
        items.push(item?);
    }
    Ok((items, decoder.metadata()?))
}
