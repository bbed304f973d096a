//! Fields that a type does not have, and values that a field can't hold.

use serde_json::Value;

use super::{Count, Kind, field};
use crate::fake::request::type_name;

/// The paths of fields that the type does not know, as the real server names them: `spec.containers[0].imgae`.
pub(in crate::fake) fn unknown_fields(name: &str, object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if let Value::Object(map) = object {
        for (key, value) in map.iter().filter(|(k, _)| !matches!(k.as_str(), "apiVersion" | "kind")) {
            walk_field(name, key, value, key, &mut found);
        }
    }
    found
}

/// Takes away what one of these paths names.
pub(in crate::fake) fn remove(object: &mut Value, path: &str) {
    let (parent, last) = path.rsplit_once('.').map_or(("", path), |(parent, last)| (parent, last));
    let mut at = object;
    for step in parent.split('.').filter(|s| !s.is_empty()) {
        let (name, index) = step
            .split_once('[')
            .map_or((step, None), |(name, rest)| (name, rest.trim_end_matches(']').parse::<usize>().ok()));
        let Some(below) = at.get_mut(name) else { return };
        at = match index {
            Some(index) => match below.get_mut(index) {
                Some(item) => item,
                None => return,
            },
            None => below,
        };
    }
    if let Some(map) = at.as_object_mut() {
        map.remove(last);
    }
}

fn walk_field(name: &str, key: &str, value: &Value, path: &str, found: &mut Vec<String>) {
    let Some(field) = field(name, key) else {
        found.push(path.to_owned());
        return;
    };
    let Kind::Type(inner) = field.kind else { return };
    match (field.count, value) {
        (Count::One, value) => walk(inner, value, path, found),
        (Count::List, Value::Array(items)) => {
            for (at, item) in items.iter().enumerate() {
                walk(inner, item, &format!("{path}[{at}]"), found);
            }
        }
        (Count::Map, Value::Object(map)) => {
            for (key, item) in map {
                walk(inner, item, &format!("{path}.{key}"), found);
            }
        }
        _ => {}
    }
}

/// The first value that its field can't hold, as the real server says it; `kind` begins the path.
pub(in crate::fake) fn mistyped(name: &str, kind: &str, object: &Value) -> Option<String> {
    object.as_object()?.iter().find_map(|(key, value)| {
        let field = field(name, key)?;
        let path = format!("{kind}.{key}");
        let of = |go: &str| {
            format!("cannot unmarshal {} into Go struct field {path} of type {go}", type_name(value))
        };
        match (field.count, value) {
            (_, Value::Null) => None,
            (Count::One, value) => mistyped_value(field.kind, value, &path),
            (Count::List, Value::Array(items)) => {
                items.iter().find_map(|item| mistyped_value(field.kind, item, &path))
            }
            (Count::Map, Value::Object(map)) => {
                map.values().find_map(|item| mistyped_value(field.kind, item, &path))
            }
            (Count::List, _) => Some(of(&format!("[]{}", go_type(field.kind)))),
            (Count::Map, _) => Some(of(&format!("map[string]{}", go_type(field.kind)))),
        }
    })
}

fn mistyped_value(kind: Kind, value: &Value, path: &str) -> Option<String> {
    let fits = match kind {
        Kind::Type(inner) if value.is_object() => return mistyped(inner, path, value),
        Kind::Type(_) => false,
        Kind::String | Kind::Bytes | Kind::Time | Kind::MicroTime => value.is_string(),
        Kind::Int32 => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
        Kind::Int64 => value.is_i64(),
        Kind::Bool => value.is_boolean(),
        Kind::Double => value.is_number(),
        Kind::Quantity | Kind::IntOrString => value.is_string() || value.is_number(),
        Kind::Json => true,
    };
    let found = match value {
        Value::Number(n) if matches!(kind, Kind::Int32 | Kind::Int64) => format!("number {n}"),
        value => type_name(value).to_owned(),
    };
    (!fits && !value.is_null())
        .then(|| format!("cannot unmarshal {found} into Go struct field {path} of type {}", go_type(kind)))
}

fn go_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Type(name) => name.rsplit('.').next().unwrap_or(name),
        Kind::String => "string",
        Kind::Int32 => "int32",
        Kind::Int64 => "int64",
        Kind::Bool => "bool",
        Kind::Double => "float64",
        Kind::Bytes => "[]uint8",
        Kind::Quantity => "Quantity",
        Kind::IntOrString => "IntOrString",
        Kind::Time => "Time",
        Kind::MicroTime => "MicroTime",
        Kind::Json => "interface {}",
    }
}

fn walk(name: &str, value: &Value, path: &str, found: &mut Vec<String>) {
    let Value::Object(map) = value else { return };
    for (key, value) in map {
        walk_field(name, key, value, &format!("{path}.{key}"), found);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_is_named_with_its_path() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {"any": "x"}}, "foo": 1,
            "spec": {"containers": [{"name": "c"}, {"imgae": "x"}], "volumes": [{"name": "v", "emptyDir": {}}]}});
        let found = unknown_fields("core.v1.Pod", &pod);
        assert_eq!(found, ["foo", "spec.containers[1].imgae"]);
        let mut pod = pod;
        for path in found {
            remove(&mut pod, &path);
        }
        assert_eq!(unknown_fields("core.v1.Pod", &pod), Vec::<String>::new());
    }

    #[test]
    fn values_of_another_type_are_told() {
        for (object, told) in [
            (json!({"data": {"a": "b"}, "immutable": null}), None),
            (
                json!({"data": {"a": 7}}),
                Some("cannot unmarshal number into Go struct field ConfigMap.data of type string"),
            ),
            (
                json!({"data": []}),
                Some("cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string"),
            ),
            (
                json!({"immutable": "yes"}),
                Some("cannot unmarshal string into Go struct field ConfigMap.immutable of type bool"),
            ),
            (
                json!({"metadata": {"ownerReferences": [{"controller": 1}]}}),
                Some(
                    "cannot unmarshal number into Go struct field ConfigMap.metadata.ownerReferences.controller of type bool",
                ),
            ),
        ] {
            assert_eq!(mistyped("core.v1.ConfigMap", "ConfigMap", &object).as_deref(), told);
        }
        let deployment = json!({"spec": {"replicas": 1.5}});
        let told = mistyped("apps.v1.Deployment", "Deployment", &deployment).unwrap();
        assert_eq!(
            told,
            "cannot unmarshal number 1.5 into Go struct field Deployment.spec.replicas of type int32"
        );
    }
}
