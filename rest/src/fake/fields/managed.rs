//! `metadata.managedFields`.

use serde_json::{Map, Value, json};

use super::{Shape, add, changed, ownable, subtract};

/// Who writes, and how.
#[derive(Clone, Debug)]
pub(in crate::fake) struct Writer {
    pub(in crate::fake) manager: String,
    pub(in crate::fake) api_version: String,
    pub(in crate::fake) subresource: String,
    pub(in crate::fake) now: String,
}

impl Writer {
    /// Whether an entry is this writer's, for an operation.
    pub(super) fn owns(&self, entry: &Value, operation: &str) -> bool {
        entry["manager"] == *self.manager
            && entry["operation"] == operation
            && entry["apiVersion"] == *self.api_version
            && entry["subresource"].as_str().unwrap_or_default() == self.subresource
    }

    pub(super) fn entry(&self, operation: &str, fields: &Value) -> Value {
        let mut entry = json!({
            "manager": self.manager, "operation": operation, "apiVersion": self.api_version,
            "time": self.now, "fieldsType": "FieldsV1", "fieldsV1": fields,
        });
        if !self.subresource.is_empty() {
            entry["subresource"] = self.subresource.clone().into();
        }
        entry
    }
}

/// The entries of an object.
pub(super) fn entries(object: &Value) -> Vec<Value> {
    object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default()
}

pub(super) fn set_entries(object: &mut Value, entries: Vec<Value>) {
    let entries: Vec<Value> =
        entries.into_iter().filter(|e| e["fieldsV1"].as_object().is_some_and(|f| !f.is_empty())).collect();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        if entries.is_empty() {
            metadata.remove("managedFields");
        } else {
            metadata.insert("managedFields".to_owned(), entries.into());
        }
    }
}

/// Books a create, update or patch: what it changed is the writer's, and nobody else's any more.
pub(in crate::fake) fn book_update(old: Option<&Value>, new: &mut Value, shape: Shape<'_>, writer: &Writer) {
    let mut entries = old.map_or_else(Vec::new, |old| owners(old, new));
    let before = old.map_or_else(|| json!({}), ownable);
    let after = ownable(new);
    let taken = changed(&before, &after, shape);
    let gone = removed(&before, &after, shape);
    for entry in &mut entries {
        for set in [&taken, &gone].into_iter().flatten() {
            subtract(&mut entry["fieldsV1"], set);
        }
    }
    if let Some(taken) = taken {
        match entries.iter_mut().find(|e| writer.owns(e, "Update")) {
            Some(entry) => {
                add(&mut entry["fieldsV1"], &taken);
                entry["time"] = writer.now.clone().into();
            }
            None => entries.push(writer.entry("Update", &taken)),
        }
    }
    set_entries(new, entries);
}

/// The entries that an update goes by: those that it brings, else the old ones. A single empty one does away with all.
fn owners(old: &Value, new: &Value) -> Vec<Value> {
    let brought = entries(new);
    match &brought[..] {
        [] => entries(old),
        [one] if one.as_object().is_some_and(Map::is_empty) => Vec::new(),
        _ => brought,
    }
}

/// What is in `old` and not in `new`.
pub(super) fn removed(old: &Value, new: &Value, shape: Shape<'_>) -> Option<Value> {
    let mut gone = changed(new, old, shape)?;
    // Fields with another value are in both: they are not gone.
    if let Some(still) = changed(old, new, shape) {
        subtract(&mut gone, &still);
    }
    gone.as_object().is_some_and(|g| !g.is_empty()).then_some(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(manager: &str) -> Writer {
        let now = "2026-01-01T00:00:00Z".to_owned();
        Writer { manager: manager.to_owned(), api_version: "v1".to_owned(), subresource: String::new(), now }
    }

    #[test]
    fn a_change_takes_ownership_and_a_removal_ends_it() {
        let shape = Shape::of(Some("core.v1.ConfigMap"));
        let mut a = json!({"metadata": {"name": "x"}, "data": {"k": "1", "l": "1"}});
        book_update(None, &mut a, shape, &writer("one"));
        assert_eq!(entries(&a)[0]["fieldsV1"], json!({"f:data": {".": {}, "f:k": {}, "f:l": {}}}));
        let mut b = a.clone();
        b["data"] = json!({"k": "2"});
        book_update(Some(&a), &mut b, shape, &writer("two"));
        let entries = entries(&b);
        assert_eq!(entries[0]["fieldsV1"], json!({"f:data": {".": {}}}));
        assert_eq!(
            (&entries[1]["manager"], &entries[1]["fieldsV1"]),
            (&json!("two"), &json!({"f:data": {"f:k": {}}}))
        );
    }

    #[test]
    fn an_update_may_bring_the_owners_and_an_empty_one_resets_them() {
        let shape = Shape::of(Some("core.v1.ConfigMap"));
        let mut old = json!({"metadata": {"name": "x"}, "data": {"k": "1"}});
        book_update(None, &mut old, shape, &writer("one"));
        let managers = |managed_fields: Value| {
            let mut new = old.clone();
            new["metadata"]["managedFields"] = managed_fields;
            book_update(Some(&old), &mut new, shape, &writer("two"));
            entries(&new).iter().map(|e| e["manager"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(managers(json!(null)), ["one"]);
        assert_eq!(managers(json!([])), ["one"]);
        assert_eq!(managers(json!([{}])), [""; 0]);
        let mut other = entries(&old);
        other[0]["manager"] = "three".into();
        assert_eq!(managers(other.into()), ["three"]);
    }
}
