//! create, update, patch: everything that makes a new version of an object.

use std::sync::Arc;

use http::{Response, header};
use kubewire_transport::Body;
use serde_json::{Value, json};

use super::admission::{Operation, Review};
use super::defaults::set_defaults;
use super::fields::managed::{Writer, book_update};
use super::fields::{Shape, apply};
use super::object;
use super::patch;
use super::render::Form;
use super::request::{Call, Route, yaml};
use super::schema;
use super::schema::custom;
use super::schema::strict::{mistyped, unknown_fields};
use super::state::{State, warning_header};
use super::status::{ApiError, FieldError};
use super::store::{Stored, Write};
use super::validate::validate;

/// What a write brings beside its object.
pub(super) struct Options {
    dry_run: bool,
    form: Form,
    validation: Validation,
    warnings: Vec<String>,
}

/// What is done about fields that the type does not have.
#[derive(Clone, Copy, PartialEq)]
enum Validation {
    Ignore,
    Warn,
    Strict,
}

impl Options {
    pub(super) fn of(call: &Call, route: &Route, kind: &str) -> Result<Self, ApiError> {
        let validation = match call.param("fieldValidation") {
            "Ignore" => Validation::Ignore,
            "" | "Warn" => Validation::Warn,
            "Strict" => Validation::Strict,
            other => {
                let message = format!(
                    "Unsupported value: \"{other}\": supported values: \"Ignore\", \"Strict\", \"Warn\""
                );
                return Err(ApiError::invalid_option(
                    kind,
                    "fieldValidation",
                    "FieldValueNotSupported",
                    &message,
                ));
            }
        };
        Ok(Self {
            dry_run: call.dry_run(kind)?,
            form: Form::negotiate(call, route)?,
            validation,
            warnings: Vec::new(),
        })
    }

    /// Refuses or warns of fields that the type does not have, and drops them.
    fn check_fields(&mut self, route: &Route, object: &mut Value) -> Result<(), ApiError> {
        let (kind, version) = (&route.resource.kind, &route.version);
        let unknown = match schema::root(&route.resource, version) {
            Some(root) => {
                if let Some(wrong) = mistyped(root, kind, object) {
                    return Err(ApiError::bad_request(format!(
                        "{kind} in version \"{version}\" cannot be handled as a {kind}: json: {wrong}"
                    )));
                }
                unknown_fields(root, object)
            }
            None => match route.resource.schema(version) {
                Some(schema) => custom::unknown_fields(schema, object),
                None => return Ok(()),
            },
        };
        if unknown.is_empty() {
            return Ok(());
        }
        match self.validation {
            Validation::Strict => {
                let listed: Vec<String> = unknown.iter().map(|f| format!("unknown field \"{f}\"")).collect();
                return Err(ApiError::bad_request(format!(
                    "{kind} in version \"{version}\" cannot be handled as a {kind}: strict decoding error: {}",
                    listed.join(", ")
                )));
            }
            Validation::Warn => {
                self.warnings.extend(unknown.iter().map(|f| format!("unknown field \"{f}\"")));
            }
            Validation::Ignore => {}
        }
        for path in &unknown {
            schema::strict::remove(object, path);
        }
        Ok(())
    }
}

/// What a write makes of an object.
pub(super) enum Made {
    /// The object as its writer wants it.
    Updated(Value),
    /// The same, with a status that counts though the route is not about it.
    UpdatedWithStatus(Value),
    /// By server-side apply: with its owners booked already, unless it is new.
    Applied { object: Value, wanted: Value },
}

pub(super) fn create(state: &State, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let mut options = Options::of(call, route, "CreateOptions")?;
    let mut new = call.object(route)?;
    object::check_kind(state, route, &new)?;
    options.check_fields(route, &mut new)?;
    object::place(route, &mut new)?;
    let mut route = route.clone();
    route.name = Some(object::name_for_create(state, &route, &mut new)?);
    state.check_namespace(&route)?;
    let stored = put(state, &route, &mut options, call, |current| match current {
        Some(_) => Err(ApiError::already_exists(&route.resource, route.name())),
        None => Ok(Made::Updated(new)),
    })?;
    respond(state, &route, &options, 201, &stored)
}

pub(super) fn update(state: &State, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let mut options = Options::of(call, route, "UpdateOptions")?;
    let mut new = call.object(route)?;
    object::check_kind(state, route, &new)?;
    options.check_fields(route, &mut new)?;
    object::place(route, &mut new)?;
    object::check_name(route, &new)?;
    let mut created = false;
    let stored = put(state, route, &mut options, call, |current| {
        if current.is_none() {
            if !route.resource.create_on_update || route.subresource.is_some() {
                return Err(ApiError::not_found(&route.resource, route.name()));
            }
            object::check_new_name(&route.resource, route.name())?;
            created = true;
        }
        Ok(Made::Updated(new))
    })?;
    respond(state, route, &options, if created { 201 } else { 200 }, &stored)
}

pub(super) fn patch(state: &State, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let mut options = Options::of(call, route, "PatchOptions")?;
    let mut patcher = Patch::parse(call, route)?;
    if let Patch::Apply(wanted) = &mut patcher {
        return server_side_apply(state, call, route, &mut options, wanted.take());
    }
    let root = schema::root(&route.resource, &route.version);
    let mut unknown = Vec::new();
    let validation = options.validation;
    let stored = put(state, route, &mut options, call, |current| {
        let Some(current) = current else { return Err(ApiError::not_found(&route.resource, route.name())) };
        let mut new = current.value.clone();
        new["apiVersion"] = route.group_version().into();
        new["kind"] = route.resource.kind.clone().into();
        patcher.apply(&mut new, root)?;
        if let Some(wrong) = root.and_then(|root| mistyped(root, &route.resource.kind, &new)) {
            let body = json!(String::from_utf8_lossy(&call.body));
            return Err(ApiError::invalid_patch(&body, &wrong));
        }
        object::check_kind(state, route, &new)?;
        object::check_name(route, &new)?;
        let mut checks = Options { dry_run: false, form: Form::default(), validation, warnings: Vec::new() };
        checks.check_fields(route, &mut new)?;
        unknown = checks.warnings;
        Ok(Made::Updated(new))
    })?;
    options.warnings.append(&mut unknown);
    respond(state, route, &options, 200, &stored)
}

fn server_side_apply(
    state: &State,
    call: &Call,
    route: &Route,
    options: &mut Options,
    mut wanted: Value,
) -> Result<Response<Body>, ApiError> {
    if call.param("fieldManager").is_empty() {
        return Err(ApiError::no_manager());
    }
    object::check_kind(state, route, &wanted)?;
    if wanted["metadata"].get("managedFields").is_some_and(|m| m.as_array().is_some_and(|a| !a.is_empty())) {
        return Err(ApiError::bad_request("metadata.managedFields must be nil"));
    }
    options.check_fields(route, &mut wanted)?;
    object::place(route, &mut wanted)?;
    if wanted["metadata"]["name"].is_null() {
        wanted["metadata"]["name"] = route.name().into();
    }
    object::check_name(route, &wanted)?;
    let shape = Shape::of(schema::root(&route.resource, &route.version));
    let writer = writer(state, call, route);
    let mut created = false;
    // Looked up here: inside, the store is locked.
    let namespace = state.check_namespace(route);
    let stored = put(state, route, options, call, |current| {
        let Some(current) = current else {
            namespace?;
            object::check_new_name(&route.resource, route.name())?;
            created = true;
            return Ok(Made::Applied { object: wanted.clone(), wanted });
        };
        let object = apply::apply(&current.value, &wanted, shape, &writer, call.flag("force"))
            .map_err(|conflicts| ApiError::apply_conflict(&conflicts))?;
        Ok(Made::Applied { object, wanted })
    })?;
    respond(state, route, options, if created { 201 } else { 200 }, &stored)
}

fn writer(state: &State, call: &Call, route: &Route) -> Writer {
    Writer {
        manager: call.manager(),
        api_version: route.group_version(),
        subresource: route.subresource.clone().unwrap_or_default(),
        now: state.clock.stamp(),
    }
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
                .map_err(|e| ApiError::bad_request(format!("error decoding patch: {e}")))
        };
        let object = |value: Value| match value {
            Value::Object(_) => Ok(value),
            _ => Err(ApiError::bad_request("error decoding patch: it is no JSON object")),
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
            _ => Err(ApiError::unsupported_patch(&route.resource)),
        }
    }

    /// Patches an object of a type. An apply is merged without regard to owners: only what is no stored object
    /// comes here with one.
    pub(super) fn apply(&mut self, object: &mut Value, root: Option<&'static str>) -> Result<(), ApiError> {
        match self {
            Self::Json(operations) => {
                patch::json_patch(object, operations).map_err(|_| ApiError::patch_failed())
            }
            Self::Merge(patch) => {
                patch::merge_patch(object, patch.take());
                Ok(())
            }
            Self::Strategic(patch) | Self::Apply(patch) => {
                patch::strategic_merge(object, patch.take(), root).map_err(ApiError::internal)
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
    for value in options.warnings.iter().filter_map(|w| warning_header(w)) {
        response.headers_mut().append(header::WARNING, value);
    }
    Ok(response)
}

/// One write: `make` gives the object that is wanted, everything the server sees to itself is done here.
pub(super) fn put(
    state: &State,
    route: &Route,
    options: &mut Options,
    call: &Call,
    make: impl FnOnce(Option<&Arc<Stored>>) -> Result<Made, ApiError>,
) -> Result<Arc<Stored>, ApiError> {
    let stored = state.store.write(&route.resource.key(), &route.key(), |current| {
        let (mut new, applied, with_status) = match make(current)? {
            Made::Updated(new) => (new, None, false),
            Made::UpdatedWithStatus(new) => (new, None, true),
            Made::Applied { object, wanted } => (object, Some(wanted), false),
        };
        let old = current.map(|c| &c.value);
        if let Some(old) = old {
            check_versions(route, old, &new)?;
            object::keep_system_fields(route, old, &mut new, with_status);
        } else {
            object::set_system_fields(state, route, &mut new)?;
        }
        set_defaults(state, &route.resource, &mut new);
        let operation = if old.is_some() { Operation::Update } else { Operation::Create };
        let warnings = &mut options.warnings;
        state.admit(Review { operation, route, user: &call.user, old, object: &mut new, warnings })?;
        validate(&route.resource, route.name(), old, &new)?;
        let shape = Shape::of(schema::root(&route.resource, &route.version));
        match (&applied, old) {
            (Some(wanted), None) => apply::create(wanted, &mut new, shape, &writer(state, call, route)),
            (Some(_), Some(_)) => {}
            (None, _) => book_update(old, &mut new, shape, &writer(state, call, route)),
        }
        if let Some(old) = old {
            object::count_generation(&route.resource, old, &mut new);
        }
        object::strip_type(&mut new);
        if let Some(old) = old {
            new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"].clone();
            if new == *old {
                return Ok(Write::Keep(new));
            }
            if object::is_finished(&new) && !options.dry_run {
                return Ok(Write::Remove(new));
            }
        }
        Ok(if options.dry_run { Write::Keep(new) } else { Write::Put(new) })
    })?;
    if !options.dry_run {
        state.wrote(route, &stored);
    }
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
