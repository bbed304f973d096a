//! Server-side apply.

use serde_json::{Map, Value, json};

use super::managed::{Writer, entries, removed, set_entries};
use super::{Shape, add, changed, find_item, intersect, is_leaf, item_key, ownable, paths, set_of, subtract};

/// Applies `wanted` to `old` and gives the new object with its owners; a conflict is `(manager, field)`.
pub(in crate::fake) fn apply(
    old: &Value,
    wanted: &Value,
    shape: Shape<'_>,
    writer: &Writer,
    force: bool,
) -> Result<Value, Vec<(String, String)>> {
    let mut owners = entries(old);
    let mine = set_of(&ownable(wanted), shape);

    let mut new = old.clone();
    merge(&mut new, wanted, shape);
    // Who else has fields whose values we change?
    let difference = changed(&ownable(old), &ownable(&new), shape).and_then(|d| intersect(&d, &mine));
    let mut conflicts = Vec::new();
    for entry in owners.iter_mut().filter(|e| !writer.owns(e, "Apply")) {
        let Some(both) = difference.as_ref().and_then(|d| intersect(&entry["fieldsV1"], d)) else { continue };
        if force || is_own_past(entry, writer, old) {
            subtract(&mut entry["fieldsV1"], &both);
        } else {
            conflicts.extend(paths(&both).into_iter().map(|path| (describe(entry), path)));
        }
    }
    if !conflicts.is_empty() {
        return Err(conflicts);
    }

    let before = owners.iter().position(|e| writer.owns(e, "Apply"));
    let mut dropped = before.map_or_else(|| json!({}), |at| owners[at]["fieldsV1"].clone());
    subtract(&mut dropped, &mine);
    for (_, entry) in owners.iter().enumerate().filter(|(at, _)| Some(*at) != before) {
        subtract(&mut dropped, &entry["fieldsV1"]);
    }
    prune(&mut new, &dropped, shape);

    match before {
        Some(at) if owners[at]["fieldsV1"] == mine => {}
        Some(at) => owners[at] = writer.entry("Apply", &mine),
        None => owners.push(writer.entry("Apply", &mine)),
    }
    // What vanished is nobody's.
    if let Some(gone) = removed(&ownable(old), &ownable(&new), shape) {
        for entry in &mut owners {
            subtract(&mut entry["fieldsV1"], &gone);
        }
    }
    set_entries(&mut new, owners);
    note_last_applied(&mut new, wanted, writer);
    Ok(new)
}

/// `kubectl apply` keeps what it applied on the client's side here.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Whether fields are kubectl's from when it applied on the client's side: its apply on the server's takes them over.
fn is_own_past(entry: &Value, writer: &Writer, old: &Value) -> bool {
    writer.manager == "kubectl"
        && entry["manager"] == "kubectl-client-side-apply"
        && entry["subresource"].is_null()
        && old["metadata"]["annotations"][LAST_APPLIED].is_string()
}

/// Keeps the annotation up with an apply of kubectl, so that both sides can be taken in turn.
fn note_last_applied(new: &mut Value, wanted: &Value, writer: &Writer) {
    let note =
        new.pointer_mut("/metadata/annotations").and_then(|annotations| annotations.get_mut(LAST_APPLIED));
    if let Some(note) = note.filter(|_| writer.manager == "kubectl") {
        *note = format!("{wanted}\n").into();
    }
}

/// The owners of an object that an apply creates: the applier has what it named, defaults are nobody's.
pub(in crate::fake) fn create(wanted: &Value, new: &mut Value, shape: Shape<'_>, writer: &Writer) {
    let mut mine = json!({});
    add(&mut mine, &set_of(&ownable(wanted), shape));
    set_entries(new, vec![writer.entry("Apply", &mine)]);
}

fn describe(entry: &Value) -> String {
    let text = |key: &str| entry[key].as_str().unwrap_or_default();
    let mut described = format!("\"{}\"", text("manager"));
    if !text("subresource").is_empty() {
        described.push_str(&format!(" with subresource \"{}\"", text("subresource")));
    }
    if text("operation") == "Update" {
        described.push_str(&format!(" using {}", text("apiVersion")));
    }
    described
}

fn merge(target: &mut Value, wanted: &Value, shape: Shape<'_>) {
    match (shape, wanted) {
        (shape, Value::Object(wanted)) if shape.is_map() => {
            if !target.is_object() {
                *target = Value::Object(Map::new());
            }
            for (key, value) in wanted {
                merge(&mut target[key], value, shape.child(key));
            }
        }
        (Shape::Keyed(keys, inner), Value::Array(items)) => {
            if !target.is_array() {
                *target = json!([]);
            }
            let Value::Array(list) = target else { return };
            for item in items {
                let at = item_key(item, keys).and_then(|key| find_item(list, &key, keys)).map(|(at, _)| at);
                match at {
                    Some(at) => merge(&mut list[at], item, Shape::Struct(inner)),
                    None => list.push(item.clone()),
                }
            }
        }
        (Shape::Set, Value::Array(items)) => match target {
            Value::Array(list) => {
                for item in items {
                    if !list.contains(item) {
                        list.push(item.clone());
                    }
                }
            }
            _ => target.clone_from(wanted),
        },
        _ => target.clone_from(wanted),
    }
}

/// Removes from an object what a set names.
fn prune(object: &mut Value, set: &Value, shape: Shape<'_>) {
    let Some(set) = set.as_object() else { return };
    for (key, below) in set {
        if let (Some(name), Some(map)) = (key.strip_prefix("f:"), object.as_object_mut()) {
            let Some(child) = map.get_mut(name) else { continue };
            if is_leaf(below) {
                map.remove(name);
                continue;
            }
            prune(child, below, shape.child(name));
            let emptied =
                child.as_object().is_some_and(Map::is_empty) || child.as_array().is_some_and(Vec::is_empty);
            if emptied && below.get(".").is_some() {
                map.remove(name);
            }
        } else if let (true, Some(list)) = (key.starts_with("k:"), object.as_array_mut()) {
            let Shape::Keyed(keys, inner) = shape else { continue };
            let Some(at) = find_item(list, key, keys).map(|(at, _)| at) else { continue };
            if is_leaf(below) || below.get(".").is_some() {
                list.remove(at);
            } else {
                prune(&mut list[at], below, Shape::Struct(inner));
            }
        } else if let (Some(value), Some(list)) = (key.strip_prefix("v:"), object.as_array_mut())
            && let Ok(value) = serde_json::from_str::<Value>(value)
        {
            list.retain(|item| *item != value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::managed::book_update;
    use super::*;

    fn writer(manager: &str) -> Writer {
        let now = "2026-01-01T00:00:00Z".to_owned();
        Writer {
            manager: manager.to_owned(),
            api_version: "apps/v1".to_owned(),
            subresource: String::new(),
            now,
        }
    }

    #[test]
    fn what_is_no_longer_applied_goes_unless_somebody_else_has_it() {
        let shape = Shape::of(Some("core.v1.ConfigMap"));
        let first = json!({"metadata": {"name": "x"}, "data": {"a": "1", "b": "1"}});
        let mut object = first.clone();
        create(&first, &mut object, shape, &writer("m"));
        let shared = apply(&object, &json!({"data": {"b": "1"}}), shape, &writer("n"), false).unwrap();
        let second = apply(&shared, &json!({"data": {"c": "1"}}), shape, &writer("m"), false).unwrap();
        assert_eq!(second["data"], json!({"b": "1", "c": "1"}));
    }

    #[test]
    fn another_owners_value_is_a_conflict_unless_forced() {
        let shape = Shape::of(Some("apps.v1.Deployment"));
        let mut object = json!({"metadata": {"name": "d"}, "spec": {"replicas": 1,
            "template": {"spec": {"containers": [{"name": "c", "image": "1"}]}}}});
        book_update(None, &mut object, shape, &writer("kubectl"));
        let wanted = json!({"spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "c", "image": "1"}]}}}});
        let conflicts = apply(&object, &wanted, shape, &writer("m"), false).unwrap_err();
        assert_eq!(conflicts, [("\"kubectl\" using apps/v1".to_owned(), ".spec.replicas".to_owned())]);
        let forced = apply(&object, &wanted, shape, &writer("m"), true).unwrap();
        assert_eq!(forced["spec"]["replicas"], 2);
        let kubectl = &entries(&forced)[0]["fieldsV1"];
        assert!(
            kubectl.pointer("/f:spec/f:replicas").is_none()
                && kubectl.pointer("/f:spec/f:template").is_some()
        );
        // A container that is applied no longer goes as a whole.
        let mine = json!({"spec": {"template": {"spec": {"containers": [{"name": "x", "image": "1"}]}}}});
        let with = apply(&forced, &mine, shape, &writer("y"), false).unwrap();
        assert_eq!(with["spec"]["template"]["spec"]["containers"].as_array().unwrap().len(), 2);
        let without = apply(&with, &json!({"spec": {}}), shape, &writer("y"), false).unwrap();
        assert_eq!(without["spec"]["template"]["spec"]["containers"].as_array().unwrap().len(), 1);
    }
}
