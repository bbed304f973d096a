//! The three JSON patches.

use serde_json::{Map, Value};

use super::schema::{self, Kind};

/// RFC 6902. An error names the operation that could not be done.
pub(super) fn json_patch(target: &mut Value, patch: &[Value]) -> Result<(), String> {
    for (at, operation) in patch.iter().enumerate() {
        apply(target, operation).map_err(|e| format!("operation {at}: {e}"))?;
    }
    Ok(())
}

fn apply(target: &mut Value, operation: &Value) -> Result<(), String> {
    let text = |key: &str| operation.get(key).and_then(Value::as_str);
    let path = text("path").ok_or("no path")?;
    let value = || operation.get("value").cloned().ok_or("no value");
    let from = || text("from").ok_or("no from");
    match text("op") {
        Some("add") => add(target, path, value()?),
        Some("remove") => remove(target, path).map(drop),
        Some("replace") => {
            let place = target.pointer_mut(path).ok_or_else(|| missing(path))?;
            *place = value()?;
            Ok(())
        }
        Some("move") => {
            let from = from()?;
            if path.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
                return Err("cannot move a value into itself".to_owned());
            }
            let moved = remove(target, from)?;
            add(target, path, moved)
        }
        Some("copy") => {
            let from = from()?;
            let copied = target.pointer(from).cloned().ok_or_else(|| missing(from))?;
            add(target, path, copied)
        }
        Some("test") => {
            let found = target.pointer(path).ok_or_else(|| missing(path))?;
            if *found == value()? { Ok(()) } else { Err(format!("testing value {path} failed")) }
        }
        _ => Err("unknown op".to_owned()),
    }
}

fn missing(path: &str) -> String {
    format!("missing path: {path}")
}

fn split(path: &str) -> Option<(&str, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let Some((parent, last)) = split(path) else {
        if path.is_empty() {
            *target = value;
            return Ok(());
        }
        return Err(missing(path));
    };
    match target.pointer_mut(parent) {
        Some(Value::Object(map)) => {
            map.insert(last, value);
            Ok(())
        }
        Some(Value::Array(list)) => {
            let at = if last == "-" { Some(list.len()) } else { last.parse().ok() };
            let at = at.filter(|at| *at <= list.len()).ok_or_else(|| missing(path))?;
            list.insert(at, value);
            Ok(())
        }
        _ => Err(missing(path)),
    }
}

fn remove(target: &mut Value, path: &str) -> Result<Value, String> {
    let (parent, last) = split(path).ok_or_else(|| missing(path))?;
    match target.pointer_mut(parent) {
        Some(Value::Object(map)) => map.remove(&last).ok_or_else(|| missing(path)),
        Some(Value::Array(list)) => {
            let at = last.parse::<usize>().ok().filter(|at| *at < list.len());
            Ok(list.remove(at.ok_or_else(|| missing(path))?))
        }
        _ => Err(missing(path)),
    }
}

/// RFC 7386.
pub(super) fn merge_patch(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    let map = as_map(target);
    for (key, value) in patch {
        if value.is_null() {
            map.remove(&key);
        } else {
            merge_patch(map.entry(key).or_insert(Value::Null), value);
        }
    }
}

fn as_map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made an object just above"),
    }
}

/// Kubernetes' own merge: lists of the built-in types are merged by their keys, with directives
/// (`$patch`, `$deleteFromPrimitiveList`, `$setElementOrder`, `$retainKeys`).
pub(super) fn strategic_merge(
    target: &mut Value,
    patch: Value,
    of: Option<&'static str>,
) -> Result<(), String> {
    let Value::Object(mut patch) = patch else {
        *target = patch;
        return Ok(());
    };
    match patch.remove("$patch").as_ref().map(Value::as_str) {
        None => {}
        Some(Some("replace")) => {
            *target = Value::Object(patch);
            return Ok(());
        }
        Some(Some("delete")) => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
        Some(Some("merge")) => {}
        Some(other) => return Err(format!("unknown patch type found: {}", other.unwrap_or_default())),
    }
    let map = as_map(target);
    if let Some(Value::Array(keep)) = patch.remove("$retainKeys") {
        map.retain(|key, _| keep.iter().any(|k| k.as_str() == Some(key)));
    }
    let mut orders = Vec::new();
    for (key, value) in patch {
        if let Some(field) = key.strip_prefix("$setElementOrder/") {
            orders.push((field.to_owned(), value));
        } else if let Some(field) = key.strip_prefix("$deleteFromPrimitiveList/") {
            if let (Some(Value::Array(list)), Value::Array(gone)) = (map.get_mut(field), value) {
                list.retain(|item| !gone.contains(item));
            }
        } else if value.is_null() {
            map.remove(&key);
        } else {
            merge_field(map, &key, value, of)?;
        }
    }
    for (field, order) in orders {
        if let (Some(Value::Array(list)), Value::Array(order)) = (map.get_mut(&field), order) {
            let (key, _) = list_merge(of, &field).unwrap_or(("", None));
            reorder(key, list, &order);
        }
    }
    Ok(())
}

/// How the items of a list are told apart (by a field, or as plain values when its name is empty), and their type.
/// `None`: the list is replaced whole.
fn list_merge(of: Option<&'static str>, field: &str) -> Option<(&'static str, Option<&'static str>)> {
    let field = schema::field(of?, field)?;
    let keys = field.keys.as_ref()?;
    let inner = match field.kind {
        Kind::Type(inner) => Some(inner),
        _ => None,
    };
    Some((keys.first().copied().unwrap_or_default(), inner))
}

fn merge_field(
    map: &mut Map<String, Value>,
    key: &str,
    value: Value,
    of: Option<&'static str>,
) -> Result<(), String> {
    let Value::Array(items) = value else {
        let inner = match of.and_then(|of| schema::field(of, key)).map(|f| f.kind) {
            Some(Kind::Type(inner)) => Some(inner),
            _ => None,
        };
        return strategic_merge(map.entry(key).or_insert(Value::Null), value, inner);
    };
    let target = map.entry(key).or_insert(Value::Array(Vec::new()));
    let Some((merge_key, inner)) = list_merge(of, key) else {
        *target = Value::Array(items);
        return Ok(());
    };
    let Value::Array(list) = target else {
        *target = Value::Array(items);
        return Ok(());
    };
    if items.iter().any(|i| i.get("$patch").and_then(Value::as_str) == Some("replace")) {
        *list = items.into_iter().filter(|i| i.get("$patch").is_none()).collect();
        return Ok(());
    }
    for item in items {
        if merge_key.is_empty() {
            if !list.contains(&item) {
                list.push(item);
            }
            continue;
        }
        let id = item.get(merge_key).cloned();
        if id.is_none() {
            return Err(format!("map: {item} does not contain declared merge key: {merge_key}"));
        }
        let at = list.iter().position(|existing| existing.get(merge_key) == id.as_ref());
        if item.get("$patch").and_then(Value::as_str) == Some("delete") {
            if let Some(at) = at {
                list.remove(at);
            }
        } else if let Some(at) = at {
            strategic_merge(&mut list[at], item, inner)?;
        } else {
            let mut new = Value::Object(Map::new());
            strategic_merge(&mut new, item, inner)?;
            list.push(new);
        }
    }
    Ok(())
}

/// Puts a list in the order given; items that the order does not name keep their place behind the one before them.
fn reorder(key: &str, list: &mut Vec<Value>, order: &[Value]) {
    let rank = |item: &Value| {
        order.iter().position(|o| if key.is_empty() { o == item } else { o.get(key) == item.get(key) })
    };
    let mut last = 0;
    let mut ranked: Vec<(usize, Value)> = Vec::with_capacity(list.len());
    for item in list.drain(..) {
        last = rank(&item).unwrap_or(last);
        ranked.push((last, item));
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    list.extend(ranked.into_iter().map(|(_, item)| item));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_patches() {
        let mut v = json!({"a": [1, 2], "b": {"c~d/e": 1}});
        let patch = json!([
            {"op": "test", "path": "/a/0", "value": 1},
            {"op": "add", "path": "/a/-", "value": 3},
            {"op": "add", "path": "/a/0", "value": 0},
            {"op": "replace", "path": "/b/c~0d~1e", "value": 2},
            {"op": "copy", "from": "/b", "path": "/x"},
            {"op": "move", "from": "/b", "path": "/y"},
            {"op": "remove", "path": "/a/1"},
        ]);
        json_patch(&mut v, patch.as_array().unwrap()).unwrap();
        assert_eq!(v, json!({"a": [0, 2, 3], "x": {"c~d/e": 2}, "y": {"c~d/e": 2}}));
        for bad in [
            json!({"op": "test", "path": "/a/0", "value": 9}),
            json!({"op": "remove", "path": "/none"}),
            json!({"op": "add", "path": "/a/9", "value": 1}),
            json!({"op": "replace", "path": "/none", "value": 1}),
            json!({"op": "move", "from": "/x", "path": "/x/y"}),
            json!({"op": "what", "path": "/a"}),
            json!({"path": "/a"}),
            json!(1),
        ] {
            assert!(json_patch(&mut v.clone(), std::slice::from_ref(&bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn merge_patches() {
        let mut v = json!({"a": 1, "b": {"c": 2, "d": 3}, "e": [1]});
        merge_patch(&mut v, json!({"a": null, "b": {"c": null, "x": {"y": null}}, "e": [2], "f": {"g": 1}}));
        assert_eq!(v, json!({"b": {"d": 3, "x": {}}, "e": [2], "f": {"g": 1}}));
    }

    #[test]
    fn strategic_merges() {
        let mut v = json!({"spec": {"containers": [{"name": "a", "image": "1", "args": ["x"]}, {"name": "b"}]},
            "metadata": {"finalizers": ["f1", "f2"]}});
        let patch = json!({"spec": {"containers": [
                {"name": "a", "image": "2", "args": ["y"]}, {"name": "c"}, {"name": "b", "$patch": "delete"}],
            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}]},
            "metadata": {"finalizers": ["f3"], "$deleteFromPrimitiveList/finalizers": ["f1"]}});
        strategic_merge(&mut v, patch, Some("core.v1.Pod")).unwrap();
        assert_eq!(
            v,
            json!({"spec": {"containers": [{"name": "c"}, {"name": "a", "image": "2", "args": ["y"]}]},
            "metadata": {"finalizers": ["f2", "f3"]}})
        );
        let mut v = json!({"spec": {"ports": [{"port": 80, "name": "a"}]}});
        let patch = json!({"spec": {"ports": [{"port": 80, "targetPort": 8080}, {"port": 81}]}});
        strategic_merge(&mut v, patch, Some("core.v1.Service")).unwrap();
        assert_eq!(
            v,
            json!({"spec": {"ports": [{"port": 80, "name": "a", "targetPort": 8080}, {"port": 81}]}})
        );
        let mut v = json!({"spec": {"strategy": {"type": "x", "rollingUpdate": {}}}});
        let patch = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "z"}}});
        strategic_merge(&mut v, patch, Some("apps.v1.Deployment")).unwrap();
        assert_eq!(v, json!({"spec": {"strategy": {"type": "z"}}}));
        let pod = Some("core.v1.PodSpec");
        let mut v = json!({"volumes": [{"name": "a"}], "tolerations": [{"key": "a"}]});
        let patch = json!({"volumes": [{"$patch": "replace"}, {"name": "b"}], "tolerations": [{"key": "b"}]});
        strategic_merge(&mut v, patch, pod).unwrap();
        assert_eq!(v, json!({"volumes": [{"name": "b"}], "tolerations": [{"key": "b"}]}));
        assert!(strategic_merge(&mut v, json!({"volumes": [{"x": 1}]}), pod).is_err());
    }
}
