use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::scan::model::{remove, value};
use crate::{DecodeOptions, FieldPath, decode_object};

fn encode(text: &str) -> Encoded<Value> {
    Encoded::from_json(text.as_bytes()).unwrap()
}

#[test]
fn keys_are_at_hand() {
    let pod = kubewire_sample::pod(7);
    let encoded = encode(&pod.to_string());
    let meta = &pod["metadata"];
    assert_eq!(encoded.name(), meta["name"]);
    assert_eq!(encoded.namespace(), meta["namespace"].as_str());
    assert_eq!(encoded.uid(), meta["uid"].as_str());
    assert_eq!(encoded.resource_version(), meta["resourceVersion"].as_str());
    assert_eq!(encoded.deletion_timestamp(), None);
    assert_eq!(encoded.label("tier").as_deref(), meta["labels"]["tier"].as_str());
    assert_eq!(encoded.label("none"), None);
    assert_eq!(
        encoded.annotation("example.com/owner").as_deref(),
        meta["annotations"]["example.com/owner"].as_str()
    );
    assert_eq!(serde_json::to_value(encoded.labels()).unwrap(), meta["labels"]);
    assert_eq!(serde_json::to_value(encoded.annotations()).unwrap(), meta["annotations"]);
    assert_eq!(encoded.owner_references()[0].kind, "ReplicaSet");
    assert_eq!(encoded.i64_at("spec.priority").unwrap(), Some(0));
    assert_eq!(encoded.f64_at("spec.priority").unwrap(), Some(0.0));
    assert_eq!(encoded.bool_at("spec.enableServiceLinks").unwrap(), Some(true));
    assert_eq!(encoded.str_at("spec.containers[1].name").unwrap().as_deref(), Some("proxy"));
    assert_eq!(encoded.str_at("spec.containers").unwrap(), None);
    assert_eq!(encoded.str_at("spec.nothing.here").unwrap(), None);
    assert_eq!(encoded.decode_at::<Value>("status").unwrap().unwrap(), pod["status"]);
    assert!(encoded.str_at("spec..x").is_err());
    assert!(encoded.str_at("nothing.here..x").is_err());
}

#[test]
fn parts_may_borrow() {
    #[derive(Deserialize)]
    struct Condition<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
    }
    let encoded = encode(&kubewire_sample::pod(1).to_string());
    let conditions: Vec<Condition<'_>> = encoded.decode_at("status.conditions").unwrap().unwrap();
    assert_eq!(conditions[1].kind, "Ready");
    let whole: std::collections::BTreeMap<&str, Value> = encoded.decode_as().unwrap();
    assert!(whole.contains_key("spec"));
}

#[test]
fn strings_with_escapes_and_blanks_are_read() {
    let encoded = encode(
        r#" { "metadata" : { "n\u0061me" : "a\u0062\"c" , "namespace": "n\ts", "uid":7,
            "labels":{"k\u0031":"v\n","k2":"old", "k2":"new"}, "annotations":[1] } } "#,
    );
    assert_eq!(encoded.name(), "ab\"c");
    assert_eq!(encoded.namespace(), Some("n\ts"));
    assert_eq!(encoded.uid(), None);
    assert_eq!(encoded.label("k1").as_deref(), Some("v\n"));
    assert_eq!(encoded.label("k2").as_deref(), Some("new"));
    assert_eq!(encoded.labels().len(), 2);
    assert!(encoded.annotations().is_empty());
    assert!(encoded.to_json().starts_with('{') && encoded.to_json().ends_with('}'));
    assert_eq!(encoded.decode().unwrap()["metadata"]["name"], "ab\"c");
}

#[test]
fn the_last_of_two_metadata_counts() {
    let encoded = encode(r#"{"metadata":{"name":"a","uid":"u"},"metadata":{"name":"b"}}"#);
    assert_eq!((encoded.name(), encoded.uid()), ("b", None));
    assert_eq!(encode(r#"{"metadata":{"name":"a"},"metadata":null}"#).name(), "");
}

#[test]
fn the_last_of_two_phases_counts() {
    for (text, phase) in [
        (r#"{"status":{"phase":"a","ph\u0061se":"\u0062"}}"#, Some("b")),
        (r#"{"status":{"phase":"a"},"status":{"phase":"b","x":{"phase":"c"}},"phase":"d"}"#, Some("b")),
        (r#"{"status":{"phase":"a"},"st\u0061tus":{}}"#, None),
        (r#"{"status":{"phase":"a","phase":7}}"#, None),
        (r#"{"status":[{"phase":"a"}]}"#, None),
    ] {
        assert_eq!(encode(text).str_at("status.phase").unwrap().as_deref(), phase, "{text}");
        assert_eq!(encode(text).str_at(r#"["status"].phase"#).unwrap().as_deref(), phase, "{text}");
    }
}

#[test]
fn managed_fields_stay_only_when_asked_for() {
    let text = kubewire_sample::pod(2).to_string();
    let without = encode(&text);
    let with: Encoded<Value> =
        decode_object(text.as_bytes(), &DecodeOptions::default().keep_managed_fields()).unwrap();
    assert!(!without.to_json().contains("managedFields"));
    assert_eq!(with.to_json(), text);
    assert!(with.size() > without.size() + 2000);
    assert_ne!(with, without);
}

#[test]
fn equal_content_is_equal() {
    let text = kubewire_sample::pod(2).to_string();
    let (a, b, c) = (encode(&text), encode(&text), encode(&kubewire_sample::pod(3).to_string()));
    assert_eq!(a, b);
    assert_eq!(a.content_hash(), b.content_hash());
    assert_ne!(a, c);
    assert_ne!(a.content_hash(), c.content_hash());
    assert_eq!(a.clone().cast::<u8>().cast::<Value>(), a);
}

#[test]
fn an_object_of_another_type_names_itself() {
    let encoded = encode(r#"{"metadata":{"name":"a","namespace":"n"},"spec":{"x":"y"}}"#).cast::<Vec<u8>>();
    let error = encoded.decode().unwrap_err().to_string();
    assert!(error.starts_with("n/a: not of the type asked for"), "{error}");
    let error = encoded.decode_at::<u8>("spec.x").unwrap_err().to_string();
    assert!(error.starts_with("n/a: `spec.x` is not of the type asked for"), "{error}");
}

#[test]
fn debug_tells_no_content() {
    let secret =
        encode(r#"{"metadata":{"name":"a","annotations":{"x":"hunter2"}},"data":{"p":"aHVudGVyMg=="}}"#);
    let debug = format!("{secret:?}");
    assert!(debug.contains("\"a\"") && !debug.contains("hunter2") && !debug.contains("aHVu"), "{debug}");
}

fn apply(target: &mut Value, patch: &Value) {
    match patch {
        Value::Object(patch) => {
            if !target.is_object() {
                *target = json!({});
            }
            let map = target.as_object_mut().unwrap();
            for (key, value) in patch {
                if value.is_null() {
                    map.remove(key);
                } else {
                    apply(map.entry(key.clone()).or_insert(Value::Null), value);
                }
            }
        }
        other => *target = other.clone(),
    }
}

/// Nulls in objects are nothing to a merge patch.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), without_nulls(v))).collect(),
        ),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_merge_patch_turns_one_state_into_the_other(before in value(), after in value()) {
        let before = json!({"a": 1, "b": serde_json::from_str::<Value>(&before).unwrap()});
        let after = json!({"b": serde_json::from_str::<Value>(&after).unwrap(), "c": [null]});
        let (before, after) = (without_nulls(&before), without_nulls(&after));
        let patch = merge_patch(&before, &after).unwrap().unwrap();
        let mut patched = before.clone();
        apply(&mut patched, &patch);
        prop_assert_eq!(patched, after);
        prop_assert_eq!(merge_patch(&before, &before).unwrap(), None);
    }

    #[test]
    fn getters_agree_with_the_whole_document(text in value()) {
        let encoded = encode(&text);
        let mut whole: Value = serde_json::from_str(&text).unwrap();
        remove(&mut whole, &FieldPath::managed_fields());
        prop_assert_eq!(&encoded.decode().unwrap(), &whole);
        let meta = whole.get("metadata");
        prop_assert_eq!(encoded.name(), meta.and_then(|m| m.get("name")?.as_str()).unwrap_or_default());
        let found = encoded.annotation("a.b/c");
        let annotation = meta.and_then(|m| m.get("annotations")?.get("a.b/c")?.as_str());
        prop_assert_eq!(found.as_deref(), annotation);
        for (path, keys) in [
            ("spec", &["spec"][..]),
            (r#"["status"]"#, &["status"]),
            ("status.name", &["status", "name"]),
            ("status.phase", &["status", "phase"]),
            ("metadata.spec", &["metadata", "spec"]),
            ("metadata.name", &["metadata", "name"]),
            ("metadata.labels", &["metadata", "labels"]),
            (r#"metadata.annotations["a.b/c"]"#, &["metadata", "annotations", "a.b/c"]),
            ("specification", &["specification"]),
            ("items.status", &["items", "status"]),
        ] {
            let found = encoded.decode_at::<Value>(path).unwrap();
            let expected = keys.iter().try_fold(&whole, |value, key| value.as_object()?.get(*key));
            prop_assert_eq!(found.as_ref(), expected, "{} in {}", path, text);
            let string = encoded.str_at(path).unwrap();
            prop_assert_eq!(string.as_deref(), expected.and_then(Value::as_str));
            prop_assert_eq!(encoded.i64_at(path).unwrap(), expected.and_then(Value::as_i64));
            prop_assert_eq!(encoded.f64_at(path).unwrap(), expected.and_then(Value::as_f64));
            prop_assert_eq!(encoded.bool_at(path).unwrap(), expected.and_then(Value::as_bool));
        }
        let at = encoded.decode_at::<Value>("spec.list[1].name").unwrap();
        let expected = whole.pointer("/spec/list/1/name").filter(|_| whole["spec"]["list"].is_array());
        prop_assert_eq!(at.as_ref(), expected);
    }
}
