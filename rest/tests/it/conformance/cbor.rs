//! JSON and CBOR of the same objects agree on every field.

use futures_util::{StreamExt as _, stream};
use kubewire_rest::{List, Object, PatchType, WatchEvent};
use serde_json::{Value, json};

use super::{Context, server};

/// How many objects are listed; `KUBEWIRE_CBOR_OBJECTS` asks for another number.
fn count() -> usize {
    std::env::var("KUBEWIRE_CBOR_OBJECTS").map_or(500, |count| count.parse().unwrap())
}

/// Everything that makes JSON and CBOR differ: escapes, long texts, integers at the edges.
fn note(index: usize) -> String {
    let notes = ["plain", "größe €😀", "a \"quoted\"\\\n\ttext\u{1}", "<html>&\u{2028}", ""];
    notes[index % notes.len()].repeat(1 + index % 40)
}

#[tokio::test]
async fn many_objects_agree_in_both() {
    let Some(config) = server::custom() else { return };
    let context = Context::in_cbor(&config, "many").await;
    let plain = Context::new(&config, "many").await;
    let count = count();
    let sizes = [0, 23, 24, 255, 256, 65_536, 4_294_967_296, i64::MAX];
    stream::iter(0..count)
        .for_each_concurrent(32, |index| {
            let context = &context;
            async move {
                let size = sizes[index % sizes.len()];
                let spec = json!({"note": note(index), "size": size, "replicas": index});
                context.create(&format!("{}-{index}", context.unique), spec).await;
            }
        })
        .await;
    // Both lists are at one version.
    let selector = format!("test={}", context.unique);
    let get = |context: &Context| {
        context.widgets.get().namespace("default").resource("widgets").param("labelSelector", &selector)
    };
    let cbor: List<Object> = get(&context).list().await.unwrap();
    let at = |request: kubewire_rest::Request| {
        request
            .param("resourceVersion", &cbor.metadata.resource_version)
            .param("resourceVersionMatch", "Exact")
    };
    let json: List<Object> = at(get(&plain)).list().await.unwrap();
    assert_eq!(cbor.items.len(), count);
    assert_eq!(cbor, json);
    let all: List<Object> = get(&context).param("limit", "170").all().await.unwrap();
    assert_eq!(all.items, json.items);
    let mut items = get(&context).items::<Object>().await.unwrap();
    for expected in &json.items {
        assert_eq!(items.next().await.unwrap().unwrap(), *expected);
    }
    // What a watch begins with are the same objects.
    let mut watch = get(&context).param("resourceVersion", "0").watch::<Object>().await.unwrap();
    let mut watched = Vec::new();
    while watched.len() < count {
        match watch.next().await {
            Some(WatchEvent::Added(object)) => watched.push(object),
            other => panic!("{other:?}"),
        }
    }
    watched.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    assert_eq!(watched, json.items);

    let bytes = async |context: &Context| at(get(context)).send().await.raw().unwrap().len();
    let (in_cbor, in_json) = (bytes(&context).await, bytes(&plain).await);
    println!("{count} objects: {in_json} bytes of JSON, {in_cbor} of CBOR");
    assert!(in_cbor < in_json);
    let all = context.widgets.delete().namespace("default").resource("widgets");
    all.param("labelSelector", &selector).send().await.check().unwrap();
}

/// What the server writes of the values that only CBOR can say is the JSON that it is read as here.
#[tokio::test]
async fn values_that_json_has_not_agree() {
    let Some(config) = server::custom() else { return };
    let context = Context::in_cbor(&config, "values").await;
    let plain = Context::new(&config, "values").await;
    let name = &context.unique;
    let text = |text: &[u8]| [&[0x58, text.len() as u8], text].concat();
    for bytes in [
        &b"\xd6\x43abc"[..],
        b"\xd5\x43ab\xff",
        b"\xd7\x43ab\xff",
        b"\x44\xe2\x82a\xff",
        b"\xc1\x1a\x51\x4b\x67\xb0",
        b"\xc1\xfb\x41\xd4\x52\xd9\xec\x20\x00\x00",
        b"\x5f\x41a\x41b\xff",
        b"\x7f\x61a\x61b\xff",
        b"\xd9\xd9\xf7\x41a",
    ] {
        // {"apiVersion": ..., "kind": "Widget", "metadata": {"name": ...}, "spec": {"note": BYTES}}
        let mut body = b"\xd9\xd9\xf7\xa4\x4aapiVersion".to_vec();
        body.extend(text(super::API_VERSION.as_bytes()));
        body.extend(b"\x44kind\x46Widget\x48metadata\xa1\x44name");
        body.extend(text(name.as_bytes()));
        body.extend(b"\x44spec\xa1\x44note");
        body.extend(bytes);
        let applied = context.patch(PatchType::ApplyCbor, name).field_manager("m").body_bytes(body);
        let applied: Object = applied.send().await.into_object().unwrap();
        let json: Object = plain.get(name).send().await.into_object().unwrap();
        assert_eq!(applied, json, "{bytes:x?}");
        assert!(json.pointer("/spec/note").is_some_and(Value::is_string), "{bytes:x?}");
    }
}

/// A server of before CBOR is sent JSON in its place.
#[tokio::test]
async fn a_server_without_cbor() {
    let Some(config) = server::core() else { return };
    let context = Context::in_cbor(&config, "without").await;
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": context.unique}, "data": {"a": "b"}});
    let maps = || context.core.post().namespace("default").resource("configmaps").body(&map);
    let created = maps().send().await;
    assert!(created.was_created() && created.content_type() == "application/json", "{created:?}");
    let again = maps().send().await.check().unwrap_err();
    assert!(again.is_already_exists(), "{again}");
    let applied = context.core.apply("m").namespace("default").resource("configmaps").name(&context.unique);
    let applied: Object = applied.body(&map).force(true).send().await.into_object().unwrap();
    assert_eq!(applied.pointer("/data/a"), Some(&json!("b")));
}
