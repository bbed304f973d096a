//! Who owns which field: the sets behind `managedFields`, and server-side apply.
//!
//! A set is kept as the API writes it: `f:NAME` a field, `k:{...}` the item of a list with these keys, `v:VALUE` a
//! member of a set, `.` the container itself; an empty map is a leaf.

pub(super) mod apply;
pub(super) mod managed;

use serde_json::{Map, Value};

use super::schema::{self, Count, Field, Kind};

/// How a value is merged and owned.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape<'a> {
    /// Known fields.
    Struct(&'static str),
    /// Any keys; what is below them has this shape.
    Map(&'a Shape<'a>),
    /// A list whose items are told apart by these fields.
    Keyed(&'a [&'static str], &'static str),
    /// A list without order of plain values.
    Set,
    /// One whole.
    Atomic,
    /// Of no known type: maps are maps, everything else is atomic.
    Free,
}

impl Shape<'static> {
    /// The shape of a whole object.
    pub(super) fn of(root: Option<&'static str>) -> Self {
        root.map_or(Shape::Free, Shape::Struct)
    }

    fn of_field(field: &'static Field) -> Self {
        match (field.count, field.kind, &field.keys) {
            (Count::Map, Kind::Type(name), _) => {
                // Maps of objects are few; what is in them is owned whole.
                let _ = name;
                Shape::Map(&Shape::Atomic)
            }
            (Count::Map, ..) => Shape::Map(&Shape::Atomic),
            (Count::List, Kind::Type(name), Some(keys)) if !keys.is_empty() => Shape::Keyed(keys, name),
            (Count::List, _, Some(keys)) if keys.is_empty() => Shape::Set,
            (Count::One, Kind::Type(name), _) => Shape::Struct(name),
            _ => Shape::Atomic,
        }
    }
}

impl<'a> Shape<'a> {
    fn child(self, key: &str) -> Shape<'a> {
        match self {
            // A field that the type does not have is kept, but owned whole.
            Shape::Struct(name) => schema::field(name, key).map_or(Shape::Free, Shape::of_field),
            Shape::Map(inner) => *inner,
            Shape::Free => Shape::Free,
            _ => Shape::Atomic,
        }
    }

    fn is_map(self) -> bool {
        matches!(self, Shape::Struct(_) | Shape::Map(_) | Shape::Free)
    }
}

/// Fields of the metadata that the server owns, which no manager does.
const SYSTEM: &[&str] = &[
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// An object without what nobody owns.
pub(super) fn ownable(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.remove("apiVersion");
        map.remove("kind");
        if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|key, _| !SYSTEM.contains(&&**key));
            if metadata.is_empty() {
                map.remove("metadata");
            }
        }
    }
    object
}

fn leaf() -> Value {
    Value::Object(Map::new())
}

fn is_leaf(set: &Value) -> bool {
    set.as_object().is_none_or(Map::is_empty)
}

/// `k:{...}` of a list's item; `None` when it lacks one of the keys that matter.
fn item_key(item: &Value, keys: &[&str]) -> Option<String> {
    let mut found = Map::new();
    for (at, key) in keys.iter().enumerate() {
        match (item.get(key), *key) {
            (Some(value), _) => {
                found.insert((*key).to_owned(), value.clone());
            }
            (None, "protocol") => {
                found.insert("protocol".to_owned(), "TCP".into());
            }
            (None, _) if at > 0 => {}
            (None, _) => return None,
        }
    }
    Some(format!("k:{}", Value::Object(found)))
}

fn find_item<'v>(list: &'v [Value], key: &str, keys: &[&str]) -> Option<(usize, &'v Value)> {
    list.iter().enumerate().find(|(_, item)| item_key(item, keys).as_deref() == Some(key))
}

/// Everything in `value` as a set; `top` for the object itself.
pub(super) fn set_of(value: &Value, shape: Shape<'_>) -> Value {
    match (shape, value) {
        (shape, Value::Object(map)) if shape.is_map() && !map.is_empty() => {
            let mut set = Map::new();
            if matches!(shape, Shape::Map(_)) {
                set.insert(".".to_owned(), leaf());
            }
            for (key, value) in map {
                set.insert(format!("f:{key}"), set_of(value, shape.child(key)));
            }
            Value::Object(set)
        }
        (Shape::Keyed(keys, inner), Value::Array(items)) if !items.is_empty() => {
            let mut set = Map::new();
            set.insert(".".to_owned(), leaf());
            for item in items {
                let Some(key) = item_key(item, keys) else { return leaf() };
                let mut below = set_of(item, Shape::Struct(inner));
                below["."] = leaf();
                set.insert(key, below);
            }
            Value::Object(set)
        }
        (Shape::Set, Value::Array(items)) if !items.is_empty() => {
            let mut set = Map::new();
            set.insert(".".to_owned(), leaf());
            for item in items {
                set.insert(format!("v:{item}"), leaf());
            }
            Value::Object(set)
        }
        _ => leaf(),
    }
}

/// What of `new` differs from `old`, or was not there.
pub(super) fn changed(old: &Value, new: &Value, shape: Shape<'_>) -> Option<Value> {
    if old == new {
        return None;
    }
    let mut set = Map::new();
    match (shape, old, new) {
        (shape, Value::Object(before), Value::Object(now)) if shape.is_map() && !now.is_empty() => {
            for (key, value) in now {
                let below = match before.get(key) {
                    Some(old) => changed(old, value, shape.child(key)),
                    None => Some(set_of(value, shape.child(key))),
                };
                if let Some(below) = below {
                    set.insert(format!("f:{key}"), below);
                }
            }
        }
        (Shape::Keyed(keys, inner), Value::Array(before), Value::Array(now)) if !now.is_empty() => {
            for item in now {
                let Some(key) = item_key(item, keys) else { return Some(leaf()) };
                let below = match find_item(before, &key, keys) {
                    Some((_, old)) => changed(old, item, Shape::Struct(inner)),
                    None => {
                        let mut below = set_of(item, Shape::Struct(inner));
                        below["."] = leaf();
                        Some(below)
                    }
                };
                if let Some(below) = below {
                    set.insert(key, below);
                }
            }
        }
        (Shape::Set, Value::Array(before), Value::Array(now)) if !now.is_empty() => {
            for item in now.iter().filter(|i| !before.contains(i)) {
                set.insert(format!("v:{item}"), leaf());
            }
        }
        (shape, _, _) => return Some(set_of(new, shape)),
    }
    (!set.is_empty()).then_some(Value::Object(set))
}

/// Puts all of `other` into `set`.
pub(super) fn add(set: &mut Value, other: &Value) {
    let (Some(set), Some(other)) = (set.as_object_mut(), other.as_object()) else { return };
    for (key, below) in other {
        match set.get_mut(key) {
            Some(mine) => add(mine, below),
            None => {
                set.insert(key.clone(), below.clone());
            }
        }
    }
}

/// Takes all of `other` out of `set`; says whether nothing is left.
pub(super) fn subtract(set: &mut Value, other: &Value) -> bool {
    let (Some(mine), Some(theirs)) = (set.as_object_mut(), other.as_object()) else { return true };
    for (key, below) in theirs {
        if let Some(own) = mine.get_mut(key) {
            // A leaf that is an empty map is something else than what may stand below it.
            if is_leaf(own) == is_leaf(below) && subtract(own, below) {
                mine.remove(key);
            }
        }
    }
    mine.is_empty()
}

/// What both have.
pub(super) fn intersect(a: &Value, b: &Value) -> Option<Value> {
    let (mine, theirs) = (a.as_object()?, b.as_object()?);
    let mut set = Map::new();
    for (key, below) in mine {
        let Some(other) = theirs.get(key) else { continue };
        if is_leaf(below) && is_leaf(other) {
            set.insert(key.clone(), leaf());
        } else if let Some(both) = intersect(below, other) {
            set.insert(key.clone(), both);
        }
    }
    (!set.is_empty()).then_some(Value::Object(set))
}

/// The leaves as people read them: `.spec.containers[name="a"].image`.
pub(super) fn paths(set: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(set, String::new(), &mut found);
    found
}

fn collect(set: &Value, path: String, found: &mut Vec<String>) {
    let Some(map) = set.as_object().filter(|m| !m.is_empty()) else {
        found.push(path);
        return;
    };
    for (key, below) in map {
        let step = if let Some(name) = key.strip_prefix("f:") {
            format!(".{name}")
        } else if let Some(keys) = key.strip_prefix("k:") {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            let parts: Vec<String> = keys.iter().map(|(k, v)| format!("{k}={v}")).collect();
            format!("[{}]", parts.join(","))
        } else if let Some(value) = key.strip_prefix("v:") {
            format!("[={value}]")
        } else {
            // The container itself.
            if map.len() == 1 {
                found.push(path.clone());
            }
            continue;
        };
        collect(below, format!("{path}{step}"), found);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sets_add_subtract_and_read_well() {
        let pod = json!({"metadata": {"labels": {"a": "b"}, "finalizers": ["f"]},
            "spec": {"containers": [{"name": "c", "image": "i", "args": ["x"]}], "restartPolicy": "Never"}});
        let shape = Shape::of(Some("core.v1.Pod"));
        let set = set_of(&pod, shape);
        assert_eq!(
            set,
            json!({
            "f:metadata": {"f:labels": {".": {}, "f:a": {}}, "f:finalizers": {".": {}, "v:\"f\"": {}}},
            "f:spec": {"f:containers": {".": {}, "k:{\"name\":\"c\"}": {".": {}, "f:name": {}, "f:image": {}, "f:args": {}}},
                "f:restartPolicy": {}}})
        );
        let mut other = pod.clone();
        other["spec"]["containers"][0]["image"] = json!("j");
        let diff = changed(&pod, &other, shape).unwrap();
        assert_eq!(paths(&diff), [".spec.containers[name=\"c\"].image"]);
        let mut left = set.clone();
        assert!(!subtract(&mut left, &diff));
        assert!(intersect(&left, &diff).is_none());
        add(&mut left, &diff);
        assert_eq!(left, set);
        assert!(subtract(&mut left, &set));
    }
}
