//! Fields that a type does not have.

use serde_json::Value;

use super::{Count, Kind, field};

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
}
