//! Protobuf, which servers have for the core API: it says what JSON says.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kubewire_rest::{
    Change, Encoded, List, Object, Protobuf, Request, Status, Store, StoreChange, TypeMeta, WatchEvent,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::Context;
use crate::protobuf::messages::{ConfigMap, ObjectMeta, Pod};

const WAIT: Duration = Duration::from_secs(30);

fn maps(request: Request) -> Request {
    request.namespace("default").resource("configmaps")
}

/// The maps of one test, listed or watched.
fn own(context: &Context) -> Request {
    maps(context.core.get()).label_selector(&format!("test={}", context.unique))
}

fn types() -> TypeMeta {
    TypeMeta::new("v1", "ConfigMap")
}

fn new_map(context: &Context, n: usize) -> ConfigMap {
    let metadata = ObjectMeta {
        name: format!("{}-{n}", context.unique),
        labels: BTreeMap::from([("test".to_owned(), context.unique.clone())]),
        annotations: BTreeMap::from([("example.com/note".to_owned(), "größer \"✓\"\n".to_owned())]),
        ..ObjectMeta::default()
    };
    ConfigMap {
        metadata: Some(metadata),
        data: BTreeMap::from([("n".to_owned(), n.to_string()), ("empty".to_owned(), String::new())]),
        binary_data: BTreeMap::from([("raw".to_owned(), vec![0, 255, n as u8])]),
        immutable: Some(false),
    }
}

/// What the message says, as JSON would: no managedFields, and of the metadata what the message knows.
fn as_json(map: &ConfigMap) -> Value {
    let meta = map.metadata.clone().unwrap();
    let created = kubewire_rest::Timestamp::from_second(meta.created.unwrap().seconds).unwrap();
    let binary: BTreeMap<_, _> = map.binary_data.iter().map(|(k, v)| (k, STANDARD.encode(v))).collect();
    json!({
        "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid,
            "resourceVersion": meta.resource_version, "creationTimestamp": created.to_string(),
            "labels": meta.labels, "annotations": meta.annotations},
        "data": map.data, "binaryData": binary, "immutable": map.immutable,
    })
}

fn without_the_rest(mut object: Value) -> Value {
    let object_fields = object.as_object_mut().unwrap();
    object_fields.remove("kind");
    object_fields.remove("apiVersion");
    let metadata = object["metadata"].as_object_mut().unwrap();
    for unknown in ["managedFields", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        metadata.remove(unknown);
    }
    object
}

async fn create(context: &Context, n: usize) -> ConfigMap {
    let created = maps(context.core.post())
        .body_protobuf(&types(), &new_map(context, n))
        .accept_protobuf()
        .send()
        .await;
    assert!(created.was_created(), "{created:?}");
    assert!(created.content_type().contains("protobuf"), "{created:?}");
    created.into_object::<Protobuf<ConfigMap>>().unwrap().into_inner()
}

pub async fn objects(context: &Context) {
    let created = create(context, 1).await;
    let name = created.metadata.clone().unwrap().name;
    let get = || maps(context.core.get()).name(&name);
    let got: Protobuf<ConfigMap> = get().accept_protobuf().send().await.into_object().unwrap();
    let json: Value = get().send().await.into_object().unwrap();
    assert_eq!(as_json(&got), without_the_rest(json));
    assert_eq!(got.data, new_map(context, 1).data);
    assert!(!got.metadata.as_ref().unwrap().managed.is_empty(), "servers track the fields");

    let encoded: Encoded<Protobuf<ConfigMap>> = get().accept_protobuf().send().await.into_object().unwrap();
    assert_eq!((encoded.name(), encoded.namespace()), (&*name, Some("default")));
    assert_eq!(encoded.label("test").as_deref(), Some(&*context.unique));
    let kept = encoded.decode().unwrap();
    assert!(kept.metadata.as_ref().unwrap().managed.is_empty());
    assert_eq!(as_json(&kept), as_json(&got));

    // An update without managedFields leaves the server's alone.
    let mut changed = kept;
    changed.data.insert("n".to_owned(), "2".to_owned());
    let put = || maps(context.core.put()).name(&name).accept_protobuf();
    let updated: Protobuf<ConfigMap> =
        put().body_protobuf(&types(), &changed).send().await.into_object().unwrap();
    assert_eq!(updated.data["n"], "2");
    assert!(!updated.metadata.as_ref().unwrap().managed.is_empty());
    // The version that was changed is gone.
    let error = put().body_protobuf(&types(), &changed).send().await.check().unwrap_err();
    assert!(error.is_conflict(), "{error}");
    let again = maps(context.core.post()).body_protobuf(&types(), &changed).accept_protobuf();
    let error = again.send().await.check().unwrap_err();
    assert!(error.code().is_some_and(|code| code >= 400), "{error}");
    maps(context.core.delete()).name(&name).accept_protobuf().send().await.check().unwrap();
    let error = get().accept_protobuf().send().await.into_object::<Protobuf<ConfigMap>>().unwrap_err();
    assert!(error.is_not_found(), "{error}");
    let details = error.status().unwrap().details.as_ref().unwrap();
    assert_eq!((details.name.as_str(), details.kind.as_str()), (&*name, "configmaps"));
}

pub async fn lists(context: &Context) {
    for n in 0..7 {
        create(context, n).await;
    }
    let json: List<Value> = own(context).list().await.unwrap();
    let expected: Vec<Value> = json.items.into_iter().map(without_the_rest).collect();
    assert_eq!(expected.len(), 7);
    let list: List<Protobuf<ConfigMap>> = own(context).list().await.unwrap();
    assert_eq!(list.items.iter().map(|map| as_json(map)).collect::<Vec<_>>(), expected);
    assert!(!list.metadata.resource_version.is_empty());
    let all: List<Protobuf<ConfigMap>> =
        own(context).skip_fields(["metadata.managedFields"]).param("limit", "3").all().await.unwrap();
    assert_eq!(all.items.iter().map(|map| as_json(map)).collect::<Vec<_>>(), expected);
    assert!(all.items.iter().all(|map| map.metadata.as_ref().unwrap().managed.is_empty()));
    let mut pages = own(context).param("limit", "3").pages::<Encoded<Protobuf<ConfigMap>>>();
    let first = pages.next().await.unwrap().unwrap();
    assert_eq!((first.items.len(), first.metadata.remaining_item_count), (3, None));
    assert!(!first.metadata.continue_token.is_empty());
    let mut items = own(context).items::<Encoded<Protobuf<ConfigMap>>>().await.unwrap();
    let mut seen = Vec::new();
    while let Some(item) = items.next().await {
        seen.push(as_json(&item.unwrap().decode().unwrap()));
    }
    assert_eq!(seen, expected);
}

pub async fn watches(context: &Context) {
    let list: List<Protobuf<ConfigMap>> = own(context).list().await.unwrap();
    let version = list.metadata.resource_version;
    let mut watch =
        own(context).param("resourceVersion", &version).watch::<Protobuf<ConfigMap>>().await.unwrap();
    let mut json = own(context).param("resourceVersion", &version).watch::<Value>().await.unwrap();
    let mut map = create(context, 1).await;
    map.data.insert("more".to_owned(), "x".repeat(100));
    let name = map.metadata.clone().unwrap().name;
    maps(context.core.put()).name(&name).body_protobuf(&types(), &map).send().await.check().unwrap();
    maps(context.core.delete()).name(&name).send().await.check().unwrap();
    for kind in ["added", "modified", "deleted"] {
        let event = timeout(WAIT, watch.next()).await.unwrap().unwrap();
        let same = timeout(WAIT, json.next()).await.unwrap().unwrap();
        match (kind, event, same) {
            ("added", WatchEvent::Added(map), WatchEvent::Added(object))
            | ("modified", WatchEvent::Modified(map), WatchEvent::Modified(object))
            | ("deleted", WatchEvent::Deleted(map), WatchEvent::Deleted(object)) => {
                assert_eq!(as_json(&map), without_the_rest(object));
            }
            (kind, event, same) => panic!("{kind}: {event:?} {same:?}"),
        }
    }
}

/// What there is and what becomes of it, and a store of it: the same for messages as for JSON.
pub async fn stores(context: &Context) {
    type Map = Encoded<Protobuf<ConfigMap>>;
    let first = create(context, 0).await;
    let first_name = first.metadata.unwrap().name;
    let mut changes = own(context).skip_fields(["metadata.managedFields"]).list_watch::<Map>();
    let mut next = async || timeout(WAIT, changes.next()).await.unwrap().unwrap().unwrap();
    assert!(matches!(next().await, Change::Init));
    let Change::Applied(there) = next().await else { panic!("the map that is there did not come") };
    assert_eq!(there.name(), first_name);
    assert!(there.decode().unwrap().metadata.unwrap().managed.is_empty());
    assert!(matches!(next().await, Change::InitDone));

    let store = Store::<Protobuf<ConfigMap>>::new();
    let feeding = tokio::spawn({
        let (store, changes) = (store.clone(), own(context).list_watch());
        async move { store.feed(changes, |error| panic!("{error}")).await }
    });
    assert!(timeout(WAIT, store.synced()).await.unwrap());
    assert_eq!(store.get("default", &first_name).unwrap().uid(), there.uid());
    let mut stored = store.subscribe();

    let mut map = create(context, 1).await;
    let name = map.metadata.clone().unwrap().name;
    map.data.insert("n".to_owned(), "changed".to_owned());
    maps(context.core.put()).name(&name).body_protobuf(&types(), &map).send().await.check().unwrap();
    maps(context.core.delete()).name(&first_name).send().await.check().unwrap();

    let n = |map: &Map| map.decode().unwrap().data["n"].clone();
    for expected in ["1", "changed"] {
        let Change::Applied(map) = next().await else { panic!("{expected} did not come") };
        assert_eq!((map.name(), n(&map).as_str()), (&*name, expected));
    }
    assert!(matches!(next().await, Change::Deleted(map) if map.name() == first_name));

    let mut next = async || timeout(WAIT, stored.next()).await.unwrap().unwrap();
    assert!(matches!(next().await, StoreChange::Added(map) if n(&map) == "1"));
    let StoreChange::Updated { before, now } = next().await else { panic!("no update") };
    assert_eq!((n(&before), n(&now)), ("1".to_owned(), "changed".to_owned()));
    assert!(matches!(next().await, StoreChange::Removed(map) if map.name() == first_name));
    assert_eq!(n(&store.get("default", &name).unwrap()), "changed");
    assert_eq!(store.select(&format!("test={}", context.unique).parse().unwrap()).len(), 1);
    feeding.abort();
}

pub async fn pods(context: &Context) {
    let pod = |n: usize| {
        let mut pod = Object::new("v1", "Pod", format!("{}-{n}", context.unique));
        pod.metadata.labels.insert("test".to_owned(), context.unique.clone());
        pod.fields
            .insert("spec".to_owned(), json!({"containers": [{"name": "c", "image": format!("image:{n}")}]}));
        pod
    };
    for n in 0..3 {
        let pods = context.core.post().namespace("default").resource("pods");
        pods.body(&pod(n)).send().await.check().unwrap();
    }
    let own = || {
        let pods = context.core.get().namespace("default").resource("pods");
        pods.label_selector(&format!("test={}", context.unique))
    };
    let json: List<Value> = own().list().await.unwrap();
    let list: List<Encoded<Protobuf<Pod>>> = own().list().await.unwrap();
    assert_eq!((list.items.len(), json.items.len()), (3, 3));
    for (pod, object) in list.items.iter().zip(&json.items) {
        assert_eq!(pod.str_at(&[3, 1]), object["status"]["phase"].as_str());
        let container = pod.each_at(&[2, 2])[0];
        assert!(container.windows(5).any(|text| text == b"image"));
        let decoded = pod.decode().unwrap();
        assert_eq!(decoded.spec.unwrap().containers[0].image, object["spec"]["containers"][0]["image"]);
        assert_eq!(pod.uid(), object["metadata"]["uid"].as_str());
    }
}

/// Custom resources have no protobuf: that is said, and JSON is to be had.
pub async fn custom_resources(context: &Context) {
    context.create(&context.unique, json!({"size": 1})).await;
    let error = context.list().list::<Protobuf<Pod>>().await.unwrap_err();
    assert!(error.is_not_acceptable(), "{error}");
    assert!(error.to_string().contains("custom resources have no protobuf"), "{error}");
    let list: List<Object> = context.list().list().await.unwrap();
    assert_eq!(list.items.len(), 1);
    let status = error.status().unwrap();
    assert_eq!(status.status, Status::FAILURE);
}
