//! Lists, objects and watches of protobuf in any pieces: what is accepted is what prost makes of the same bytes, and what
//! prost writes is accepted.
#![no_main]

use std::collections::BTreeMap;
use std::sync::Arc;

use kubewire_rest::http::{Request, Response};
use kubewire_rest::transport::{Body, BoxError, BoxFuture, Error, HttpService};
use kubewire_rest::{
    Bytes, Config, DecodeOptions, Encoded, GroupVersion, ItemError, ListDecoder, Protobuf, RestClient, WatchEvent,
    decode_object,
};
use libfuzzer_sys::fuzz_target;
use prost::Message;

#[derive(Clone, PartialEq, Message)]
struct Unknown {
    #[prost(message, optional, tag = "1")]
    types: Option<TypeMeta>,
    #[prost(bytes = "vec", optional, tag = "2")]
    raw: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct TypeMeta {
    #[prost(string, tag = "1")]
    api_version: String,
    #[prost(string, tag = "2")]
    kind: String,
}

#[derive(Clone, PartialEq, Message)]
struct PodList {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ListMeta>,
    #[prost(message, repeated, tag = "2")]
    items: Vec<Pod>,
}

#[derive(Clone, PartialEq, Message)]
struct ListMeta {
    #[prost(string, tag = "2")]
    resource_version: String,
    #[prost(string, tag = "3")]
    continue_token: String,
}

#[derive(Clone, PartialEq, Message)]
struct Pod {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ObjectMeta>,
    #[prost(message, optional, tag = "3")]
    status: Option<Status>,
}

#[derive(Clone, PartialEq, Message)]
struct ObjectMeta {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "6")]
    resource_version: String,
    #[prost(btree_map = "string, string", tag = "11")]
    labels: BTreeMap<String, String>,
    #[prost(bytes = "vec", repeated, tag = "17")]
    managed: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(string, tag = "1")]
    phase: String,
    #[prost(int64, tag = "2")]
    count: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(message, optional, tag = "2")]
    object: Option<Raw>,
}

#[derive(Clone, PartialEq, Message)]
struct Raw {
    #[prost(bytes = "vec", tag = "1")]
    raw: Vec<u8>,
}

fuzz_target!(|input: (u8, u16, &[u8])| {
    let (what, piece, bytes) = input;
    let piece = usize::from(piece % 300).max(1);
    match what % 6 {
        0 => list(piece, bytes),
        1 => list(piece, &wrapped("PodList", bytes)),
        2 => object(bytes),
        3 => object(&wrapped("Pod", bytes)),
        4 => watch(piece, bytes),
        _ => watch(piece, &frame("ADDED", wrapped("Pod", bytes))),
    }
});

/// A message in the wrapper that every body has.
fn wrapped(kind: &str, message: &[u8]) -> Vec<u8> {
    let types = TypeMeta { api_version: "v1".to_owned(), kind: kind.to_owned() };
    let unknown = Unknown { types: Some(types), raw: Some(message.to_vec()) };
    [b"k8s\0", &unknown.encode_to_vec()[..]].concat()
}

fn frame(kind: &str, object: Vec<u8>) -> Vec<u8> {
    let event = Event { kind: kind.to_owned(), object: Some(Raw { raw: object }) }.encode_to_vec();
    [&(event.len() as u32).to_be_bytes()[..], &event].concat()
}

/// What prost finds in the wrapper.
fn opened<M: Message + Default>(bytes: &[u8]) -> Option<M> {
    let unknown = Unknown::decode(bytes.strip_prefix(b"k8s\0")?).ok()?;
    M::decode(&unknown.raw.unwrap_or_default()[..]).ok()
}

type Items = (Vec<Protobuf<Pod>>, kubewire_rest::ListMeta);

fn decode(piece: usize, bytes: &[u8]) -> Result<Items, ItemError> {
    let mut decoder = ListDecoder::new(&DecodeOptions::default());
    let mut items = Vec::new();
    for chunk in bytes.chunks(piece) {
        decoder.push(Bytes::copy_from_slice(chunk));
        while let Some(item) = decoder.next_item() {
            items.push(item?);
        }
    }
    decoder.finish();
    while let Some(item) = decoder.next_item() {
        items.push(item?);
    }
    Ok((items, decoder.metadata()?))
}

fn list(piece: usize, bytes: &[u8]) {
    let whole = decode(bytes.len().max(1), bytes);
    match (&whole, decode(piece, bytes)) {
        (Ok(whole), Ok(pieces)) => assert_eq!(*whole, pieces),
        (Err(whole), Err(pieces)) => assert_eq!(whole.to_string(), pieces.to_string()),
        (whole, pieces) => panic!("{whole:?} and {pieces:?}"),
    }
    let theirs = opened::<PodList>(bytes);
    if let Ok((items, metadata)) = whole {
        let theirs = theirs.as_ref().expect("prost refuses it");
        assert!(items.iter().map(|item| &item.0).eq(&theirs.items));
        let expected = theirs.metadata.clone().unwrap_or_default();
        assert_eq!(metadata.resource_version, expected.resource_version);
        assert_eq!(metadata.continue_token, expected.continue_token);
    }
    if let Some(theirs) = theirs {
        let (items, _) = decode(piece, &wrapped("PodList", &theirs.encode_to_vec())).unwrap();
        assert!(items.iter().map(|item| &item.0).eq(&theirs.items));
    }
}

fn object(bytes: &[u8]) {
    let options = DecodeOptions::default();
    let message: Result<Protobuf<Pod>, _> = decode_object(bytes, &options);
    let encoded: Result<Encoded<Protobuf<Pod>>, _> = decode_object(bytes, &options);
    let theirs = opened::<Pod>(bytes);
    if let Ok(message) = message {
        assert_eq!(Some(&message.0), theirs.as_ref());
    }
    if let (Ok(encoded), Some(mut pod)) = (encoded, theirs.clone()) {
        if let Some(metadata) = &mut pod.metadata {
            metadata.managed.clear();
        }
        assert_eq!(encoded.decode().unwrap(), pod);
        let metadata = pod.metadata.unwrap_or_default();
        assert_eq!(encoded.name(), metadata.name);
        assert_eq!(encoded.resource_version().unwrap_or_default(), metadata.resource_version);
        let labels = encoded.labels();
        assert!(labels.iter().map(|(k, v)| (&**k, &**v)).eq(metadata.labels.iter().map(|(k, v)| (&**k, &**v))));
        assert_eq!(encoded.str_at(&[3, 1]).is_some(), encoded.bytes_at(&[3, 1]).is_some());
    }
    if let Some(pod) = theirs {
        let again: Protobuf<Pod> = decode_object(&wrapped("Pod", &pod.encode_to_vec()), &options).unwrap();
        assert_eq!(again.0, pod);
    }
}

/// Answers with a watch in pieces.
#[derive(Debug)]
struct Pieces(usize, Vec<u8>);

impl HttpService for Pieces {
    fn execute(&self, _: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, Error>> {
        let chunks: Vec<Result<Bytes, BoxError>> =
            self.1.chunks(self.0).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let mut response = Response::new(Body::stream(futures_util::stream::iter(chunks)));
        let media_type = "application/vnd.kubernetes.protobuf;stream=watch";
        response.headers_mut().insert("content-type", media_type.parse().unwrap());
        Box::pin(std::future::ready(Ok(response)))
    }
}

fn events(piece: usize, bytes: &[u8]) -> Vec<WatchEvent<Protobuf<Pod>>> {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    }
    let client = RestClient::builder(&Config::new("http://pods"))
        .group_version(GroupVersion::V1)
        .http_service(Arc::new(Pieces(piece, bytes.to_vec())))
        .build()
        .unwrap();
    RUNTIME.with(|runtime| {
        runtime.block_on(async {
            let mut watch = client.get().resource("pods").watch().await.unwrap();
            let mut events = Vec::new();
            while let Some(event) = watch.next().await {
                events.push(event);
            }
            events
        })
    })
}

fn watch(piece: usize, bytes: &[u8]) {
    let whole = events(bytes.len().max(1), bytes);
    assert_eq!(whole, events(piece, bytes));
    let mut rest = bytes;
    for event in whole {
        let Some((kind, pod)) = theirs(&mut rest) else { break };
        match (&*kind, event) {
            ("ADDED", WatchEvent::Added(ours))
            | ("MODIFIED", WatchEvent::Modified(ours))
            | ("DELETED", WatchEvent::Deleted(ours)) => assert_eq!(Some(ours.0), pod),
            // What is no pod, or in a wrapper that Kubernetes does not write.
            (_, WatchEvent::Error(_)) => break,
            ("BOOKMARK", WatchEvent::Bookmark(_)) => {}
            (kind, event) => panic!("{kind}: {event:?}"),
        }
    }
}

/// The next frame as prost reads it.
fn theirs(rest: &mut &[u8]) -> Option<(String, Option<Pod>)> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (event, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *rest = after;
    let event = Event::decode(event).ok()?;
    Some((event.kind, opened(&event.object.unwrap_or_default().raw)))
}
