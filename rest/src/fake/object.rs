//! What the server sees to in every object: names, system fields, the line between specification and status.

use serde_json::{Map, Value, json};

use super::kinds::Resource;
use super::request::Route;
use super::state::State;
use super::status::{ApiError, FieldError};
use super::validate::bad_name;

/// The body's kind and version are the route's, or absent.
pub(super) fn check_kind(state: &State, route: &Route, object: &Value) -> Result<(), ApiError> {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let (kind, version) = (text("kind"), text("apiVersion"));
    let wanted = &route.resource.kind;
    if (kind.is_empty() || kind == wanted) && (version.is_empty() || version == route.group_version()) {
        return Ok(());
    }
    if !state.knows_kind(version, kind) {
        return Err(ApiError::bad_request(format!(
            "{kind} in version {version:?} cannot be handled as a {wanted}: no kind {kind:?} is registered for version {version:?}"
        )));
    }
    Err(ApiError::bad_request(format!(
        "{kind} in version {version:?} cannot be handled as a {wanted}: it is of another kind"
    )))
}

/// Puts the object in the route's namespace, unless it says that it belongs in another.
pub(super) fn place(route: &Route, object: &mut Value) -> Result<(), ApiError> {
    let metadata = metadata(object)?;
    match (&route.namespace, metadata.get("namespace").and_then(Value::as_str)) {
        (Some(namespace), Some(given)) if !given.is_empty() && given != namespace => {
            Err(ApiError::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ))
        }
        (Some(namespace), _) => {
            metadata.insert("namespace".to_owned(), namespace.clone().into());
            Ok(())
        }
        (None, _) => {
            metadata.remove("namespace");
            Ok(())
        }
    }
}

fn metadata(object: &mut Value) -> Result<&mut Map<String, Value>, ApiError> {
    let metadata = &mut object["metadata"];
    if metadata.is_null() {
        *metadata = json!({});
    }
    metadata.as_object_mut().ok_or_else(|| ApiError::bad_request("metadata is no object"))
}

/// The body's name is the route's.
pub(super) fn check_name(route: &Route, object: &Value) -> Result<(), ApiError> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    if name == route.name() {
        return Ok(());
    }
    Err(ApiError::bad_request(if name.is_empty() {
        "name must be provided".to_owned()
    } else {
        format!("the name of the object ({name}) does not match the name on the URL ({})", route.name())
    }))
}

/// The name of an object to be created: its own, or one made from generateName.
pub(super) fn name_for_create(state: &State, route: &Route, object: &mut Value) -> Result<String, ApiError> {
    let metadata = metadata(object)?;
    let text = |key: &str| metadata.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    if !text("resourceVersion").is_empty() {
        return Err(ApiError::internal("resourceVersion should not be set on objects to be created"));
    }
    let mut name = text("name");
    let prefix = text("generateName");
    if name.is_empty() && !prefix.is_empty() {
        name = format!("{prefix}{}", state.random.suffix());
        metadata.insert("name".to_owned(), name.clone().into());
    }
    if name.is_empty() {
        let cause = FieldError::required("metadata.name", "name or generateName is required");
        return Err(ApiError::invalid(&route.resource, "", &[cause]));
    }
    check_new_name(&route.resource, &name)?;
    Ok(name)
}

/// What a new object is called has to be a name.
pub(super) fn check_new_name(resource: &Resource, name: &str) -> Result<(), ApiError> {
    bad_name(resource, name).map_or(Ok(()), |cause| Err(ApiError::invalid(resource, name, &[cause])))
}

/// What a new object gets from the server.
pub(super) fn set_system_fields(state: &State, route: &Route, object: &mut Value) -> Result<(), ApiError> {
    let resource = &route.resource;
    let metadata = metadata(object)?;
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "managedFields"] {
        metadata.remove(field);
    }
    metadata.insert("uid".to_owned(), state.random.uid().into());
    metadata.insert("creationTimestamp".to_owned(), state.clock.stamp().into());
    if resource.generation {
        metadata.insert("generation".to_owned(), 1.into());
    } else {
        metadata.remove("generation");
    }
    drop_empty_maps(metadata);
    if resource.has("status")
        && let Some(map) = object.as_object_mut()
    {
        map.remove("status");
    }
    Ok(())
}

/// What an update can't change: the server's own fields, and the status or all but the status, whichever the
/// route is not about.
pub(super) fn keep_system_fields(route: &Route, old: &Value, new: &mut Value, with_status: bool) {
    let status_route = matches!(route.subresource.as_deref(), Some("status" | "approval"));
    if let (Some(old), Some(new)) = (old.as_object(), new.as_object_mut()) {
        if status_route {
            let status = new.remove("status");
            let version = new.get("metadata").and_then(|m| m.get("resourceVersion")).cloned();
            new.clone_from(old);
            if let (Some(version), Some(metadata)) = (version, new.get_mut("metadata")) {
                metadata["resourceVersion"] = version;
            }
            match status {
                Some(status) => new.insert("status".to_owned(), status),
                None => new.remove("status"),
            };
        } else if route.resource.has("status") && !with_status {
            match old.get("status") {
                Some(status) => new.insert("status".to_owned(), status.clone()),
                None => new.remove("status"),
            };
        }
    }
    let old = &old["metadata"];
    if let Some(new) = new["metadata"].as_object_mut() {
        for field in [
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "generation",
            "generateName",
        ] {
            match old.get(field) {
                Some(value) => new.insert(field.to_owned(), value.clone()),
                None => new.remove(field),
            };
        }
        new.remove("selfLink");
        drop_empty_maps(new);
    }
}

/// The real server's types write no empty labels, annotations, owners or finalizers.
fn drop_empty_maps(metadata: &mut Map<String, Value>) {
    for field in ["labels", "annotations", "ownerReferences", "finalizers"] {
        let empty = match metadata.get(field) {
            Some(Value::Null) => true,
            Some(Value::Object(map)) => map.is_empty(),
            Some(Value::Array(list)) => list.is_empty(),
            _ => false,
        };
        if empty {
            metadata.remove(field);
        }
    }
}

/// metadata.generation goes up when anything but metadata and status has changed.
pub(super) fn count_generation(resource: &Resource, old: &Value, new: &mut Value) {
    let (Some(old), Some(map)) = (old.as_object(), new.as_object()) else { return };
    let apart = |k: &str| matches!(k, "metadata" | "status" | "apiVersion" | "kind");
    let rest = |m: &Map<String, Value>| -> Map<String, Value> {
        m.iter().filter(|(k, _)| !apart(k)).map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    let deleting =
        |m: &Map<String, Value>| m.get("metadata").is_some_and(|m| m.get("deletionTimestamp").is_some());
    if resource.generation && (rest(old) != rest(map) || deleting(old) != deleting(map)) {
        let generation = old["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
        new["metadata"]["generation"] = generation.into();
    }
}

/// Kind and version are not kept with the object.
pub(super) fn strip_type(object: &mut Value) {
    if let Some(map) = object.as_object_mut() {
        map.remove("apiVersion");
        map.remove("kind");
    }
}

/// Whether a deletion waited for this write alone.
pub(super) fn is_finished(object: &Value) -> bool {
    let metadata = &object["metadata"];
    let free = |list: &Value| list.as_array().is_none_or(Vec::is_empty);
    metadata.get("deletionTimestamp").is_some()
        && free(&metadata["finalizers"])
        && free(&object["spec"]["finalizers"])
        && metadata["deletionGracePeriodSeconds"].as_u64().unwrap_or(0) == 0
}
