use serde::Serialize;
use serde_json::{Map, Value};

/// The JSON merge patch (RFC 7386) that turns `before` into `after`: for writing back what was changed in a decoded
/// object, and nothing else.
///
/// Fields that are in `before` and not in `after` are removed; what neither has, such as managedFields that were
/// left out, is not touched. Arrays are replaced whole. `None` when nothing changed.
///
/// ```
/// use kubewire_rest::{Object, merge_patch};
///
/// let before: Object = serde_json::from_str(r#"{"metadata":{"name":"a","labels":{"x":"1","y":"2"}}}"#)?;
/// let mut after = before.clone();
/// after.metadata.labels.remove("x");
/// after.metadata.labels.insert("z".into(), "3".into());
/// let patch = merge_patch(&before, &after)?.unwrap();
/// assert_eq!(patch.to_string(), r#"{"metadata":{"labels":{"x":null,"z":"3"}}}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// A null in an object counts as nothing there: a merge patch has no other way to say it.
///
/// # Errors
/// The type can't be written as JSON.
pub fn merge_patch<T: Serialize + ?Sized>(before: &T, after: &T) -> Result<Option<Value>, serde_json::Error> {
    let (before, after) = (serde_json::to_value(before)?, serde_json::to_value(after)?);
    Ok(difference(&before, &after))
}

fn difference(before: &Value, after: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return (before != after).then(|| after.clone());
    };
    let mut patch = Map::new();
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in new {
        let changed = match old.get(key) {
            Some(before) => difference(before, value),
            None => Some(value.clone()),
        };
        if let Some(changed) = changed {
            patch.insert(key.clone(), changed);
        }
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}
