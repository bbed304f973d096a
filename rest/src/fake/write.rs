//! create, update, patch: everything that makes a new version of an object.

use std::sync::Arc;

use http::{Response, header};
use kubewire_transport::Body;
use serde_json::{Value, json};

use super::admission::{Operation, Review};
use super::object;
use super::patch;
use super::render::Form;
use super::request::{Call, Route, yaml};
use super::state::{State, warning_header};
use super::status::{ApiError, FieldError};
use super::store::{Stored, Write};

/// What a write brings beside its object.
pub(super) struct Options {
    dry_run: bool,
    manager: String,
    form: Form,
    warnings: Vec<String>,
}

impl Options {
    pub(super) fn of(call: &Call, kind: &str) -> Result<Self, ApiError> {
        Ok(Self {
            dry_run: call.dry_run(kind)?,
            manager: call.manager(),
            form: Form::negotiate(call)?,
            warnings: Vec::new(),
        })
    }
}

pub(super) fn create(state: &State, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let mut options = Options::of(call, "CreateOptions")?;
    let mut new = call.object(route)?;
    object::check_kind(state, route, &new)?;
    object::place(route, &mut new)?;
    let mut route = route.clone();
    route.name = Some(object::name_for_create(state, &route, &mut new)?);
    state.check_namespace(&route)?;
    let stored = put(state, &route, &mut options, call, |current| match current {
        Some(_) => Err(ApiError::already_exists(&route.resource, route.name())),
        None => Ok(new),
    })?;
    respond(state, &route, &options, 201, &stored)
}

pub(super) fn update(state: &State, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let mut options = Options::of(call, "UpdateOptions")?;
    let mut new = call.object(route)?;
    object::check_kind(state, route, &new)?;
    object::place(route, &mut new)?;
    object::check_name(route, &new)?;
    let mut created = false;
    let stored = put(state, route, &mut options, call, |current| {
        if current.is_none() {
            if !route.resource.create_on_update || route.subresource.is_some() {
                return Err(ApiError::not_found(&route.resource, route.name()));
            }
            created = true;
        }
        Ok(new)
    })?;
    respond(state, route, &options, if created { 201 } else { 200 }, &stored)
}

pub(super) fn patch(state: &State, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let mut options = Options::of(call, "PatchOptions")?;
    let mut patcher = Patch::parse(call, route)?;
    let mut created = false;
    let stored = put(state, route, &mut options, call, |current| {
        let Some(current) = current else {
            if let Patch::Apply(applied) = &mut patcher {
                created = true;
                return Ok(applied.take());
            }
            return Err(ApiError::not_found(&route.resource, route.name()));
        };
        let mut new = current.value.clone();
        new["apiVersion"] = route.group_version().into();
        new["kind"] = route.resource.kind.clone().into();
        patcher.apply(&mut new, route)?;
        object::check_kind(state, route, &new)?;
        object::check_name(route, &new)?;
        Ok(new)
    })?;
    respond(state, route, &options, if created { 201 } else { 200 }, &stored)
}

/// A patch whose body has been understood.
pub(super) enum Patch {
    Json(Vec<Value>),
    Merge(Value),
    Strategic(Value),
    Apply(Value),
}

impl Patch {
    pub(super) fn parse(call: &Call, route: &Route) -> Result<Self, ApiError> {
        let json = || -> Result<Value, ApiError> {
            serde_json::from_slice(&call.body)
                .map_err(|e| ApiError::bad_request(format!("invalid patch: {e}")))
        };
        let object = |value: Value| match value {
            Value::Object(_) => Ok(value),
            _ => Err(ApiError::bad_request("the patch is no JSON object")),
        };
        match call.content_type() {
            "application/json-patch+json" => match json()? {
                Value::Array(operations) => Ok(Self::Json(operations)),
                other => Err(ApiError::bad_request(format!(
                    "json: cannot unmarshal {} into Go value of type jsonpatch.Patch",
                    super::request::type_name(&other)
                ))),
            },
            "application/merge-patch+json" => Ok(Self::Merge(object(json()?)?)),
            "application/strategic-merge-patch+json" if !route.resource.custom => {
                Ok(Self::Strategic(object(json()?)?))
            }
            "application/apply-patch+yaml" => Ok(Self::Apply(object(yaml(&call.body)?)?)),
            _ => Err(ApiError::unsupported_patch()),
        }
    }

    pub(super) fn apply(&mut self, object: &mut Value, _route: &Route) -> Result<(), ApiError> {
        match self {
            Self::Json(operations) => {
                patch::json_patch(object, operations).map_err(|_| ApiError::patch_failed())
            }
            Self::Merge(patch) => {
                patch::merge_patch(object, patch.take());
                Ok(())
            }
            Self::Strategic(patch) => {
                patch::strategic_merge(object, patch.take()).map_err(ApiError::internal)
            }
            Self::Apply(applied) => {
                patch::strategic_merge(object, applied.take()).map_err(ApiError::internal)
            }
        }
    }
}

fn respond(
    state: &State,
    route: &Route,
    options: &Options,
    code: u16,
    stored: &Stored,
) -> Result<Response<Body>, ApiError> {
    let mut response = options.form.object(code, route, stored, state.clock.now())?;
    for warning in &options.warnings {
        if let Some(value) = warning_header(warning) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
    Ok(response)
}

/// One write: `make` gives the object that is wanted, everything the server sees to itself is done here.
pub(super) fn put(
    state: &State,
    route: &Route,
    options: &mut Options,
    call: &Call,
    make: impl FnOnce(Option<&Arc<Stored>>) -> Result<Value, ApiError>,
) -> Result<Arc<Stored>, ApiError> {
    let stored = state.store.write(&route.resource.key(), &route.key(), |current| {
        let mut new = make(current)?;
        let old = current.map(|c| &c.value);
        if let Some(old) = old {
            check_versions(route, old, &new)?;
            object::keep_system_fields(route, old, &mut new);
        } else {
            object::set_system_fields(state, route, &mut new)?;
        }
        object::set_defaults(&route.resource, &mut new);
        let operation = if old.is_some() { Operation::Update } else { Operation::Create };
        state.admit(Review {
            operation,
            route,
            user: &call.user,
            old,
            object: &mut new,
            warnings: &mut options.warnings,
        })?;
        object::validate(&route.resource, route.name(), &new)?;
        if let Some(old) = old {
            object::count_generation(&route.resource, old, &mut new);
        }
        object::strip_type(&mut new);
        if options.dry_run {
            return Ok(Write::Keep(new));
        }
        if let Some(old) = old {
            if object::is_finished(&new) {
                return Ok(Write::Remove(new));
            }
            new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"].clone();
            if new == *old {
                return Ok(Write::Keep(new));
            }
        }
        Ok(Write::Put(new))
    })?;
    state.wrote(route, &stored);
    Ok(stored)
}

/// The optimistic lock, and the check that it is still the same object.
fn check_versions(route: &Route, old: &Value, new: &Value) -> Result<(), ApiError> {
    let (old, new) = (&old["metadata"], &new["metadata"]);
    let text = |v: &Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
    let uid = text(new, "uid");
    if !uid.is_empty() && uid != text(old, "uid") {
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            text(old, "uid")
        );
        return Err(ApiError::conflict(&route.resource, route.name(), &why));
    }
    let version = text(new, "resourceVersion");
    if version.is_empty() {
        if route.resource.custom {
            let cause =
                FieldError::bad("metadata.resourceVersion", &json!(0), "must be specified for an update");
            return Err(ApiError::invalid(&route.resource, route.name(), &[cause]));
        }
    } else if version != text(old, "resourceVersion") {
        return Err(ApiError::modified(&route.resource, route.name()));
    }
    Ok(())
}
