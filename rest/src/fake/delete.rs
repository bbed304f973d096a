//! delete and delete collection.

use std::sync::Arc;

use http::Response;
use kubewire_transport::Body;
use serde_json::{Value, json};

use super::admission::{Operation, Review};
use super::object::is_finished;
use super::render::Form;
use super::request::{Call, Route, check_dry_run, yaml};
use super::schema::proto;
use super::selectors::Selector;
use super::state::State;
use super::status::{ApiError, deleted, json_response};
use super::store::{Stored, Write};

/// How to delete.
#[derive(Debug, Default)]
struct Options {
    grace: Option<u64>,
    propagation: Option<String>,
    uid: Option<String>,
    version: Option<String>,
    dry_run: bool,
}

impl Options {
    /// From the body, where there is one, and from the query.
    fn parse(call: &Call) -> Result<Self, ApiError> {
        let body: Value = match call.content_type() {
            _ if call.body.is_empty() => Value::Null,
            "" | "application/json" => serde_json::from_slice(&call.body).map_err(|e| {
                ApiError::bad_request(format!("couldn't get version/kind; json parse error: {e}"))
            })?,
            "application/yaml" => yaml(&call.body)?,
            "application/vnd.kubernetes.protobuf" => {
                proto::decode(&call.body).map_err(ApiError::bad_request)?
            }
            _ => return Err(ApiError::unsupported_body()),
        };
        let text = |v: &Value| v.as_str().map(str::to_owned);
        let mut dry: Vec<&str> = body["dryRun"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        dry.extend(call.query.iter().filter(|(k, _)| k == "dryRun").map(|(_, v)| &**v));
        let asked = Some(call.param("propagationPolicy")).filter(|p| !p.is_empty()).map(str::to_owned);
        let orphan = body["orphanDependents"].as_bool() == Some(true) || call.flag("orphanDependents");
        let propagation = text(&body["propagationPolicy"]).or(asked).or(orphan.then(|| "Orphan".to_owned()));
        if let Some(policy) = &propagation
            && !matches!(&**policy, "Foreground" | "Background" | "Orphan")
        {
            let message = format!(
                "Unsupported value: \"{policy}\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
            );
            return Err(ApiError::invalid_option(
                "DeleteOptions",
                "propagationPolicy",
                "FieldValueNotSupported",
                &message,
            ));
        }
        Ok(Self {
            grace: body["gracePeriodSeconds"].as_u64().or(call.number("gracePeriodSeconds")?),
            propagation,
            uid: text(&body["preconditions"]["uid"]),
            version: text(&body["preconditions"]["resourceVersion"]),
            dry_run: check_dry_run(&dry, "DeleteOptions")?,
        })
    }
}

pub(super) fn delete(state: &State, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let form = Form::negotiate(call, route)?;
    let options = Options::parse(call)?;
    let (object, gone) = delete_one(state, call, route, &options)?;
    if gone && !answers_with_object(route) {
        return Ok(json_response(200, &deleted(&route.resource, route.name(), object.meta("uid"))));
    }
    form.object(200, route, &object, state.clock.now())
}

/// The kinds whose deletion answers with the object that was deleted.
fn answers_with_object(route: &Route) -> bool {
    route.resource.group.is_empty()
        && matches!(
            &*route.resource.plural,
            "pods"
                | "persistentvolumes"
                | "persistentvolumeclaims"
                | "podtemplates"
                | "resourcequotas"
                | "serviceaccounts"
        )
}

/// Deletes, or begins to. Gives the object as it is after that, and whether it is gone.
fn delete_one(
    state: &State,
    call: &Call,
    route: &Route,
    options: &Options,
) -> Result<(Arc<Stored>, bool), ApiError> {
    let mut gone = false;
    let resource = &route.resource;
    let object = state.store.write(&resource.key(), &route.key(), |current| {
        let Some(current) = current else { return Err(ApiError::not_found(resource, route.name())) };
        check_preconditions(route, &current.value, options)?;
        let mut object = current.value.clone();
        let (mut shown, mut warnings) = (object.clone(), Vec::new());
        state.admit(Review {
            operation: Operation::Delete,
            route,
            user: &call.user,
            old: Some(&current.value),
            object: &mut shown,
            warnings: &mut warnings,
        })?;
        let grace = grace_period(state, route, &object, options);
        mark_deleted(state, &mut object, grace, options);
        gone = is_finished(&object);
        if resource.group.is_empty() && resource.plural == "namespaces" {
            object["status"]["phase"] = "Terminating".into();
        }
        if options.dry_run {
            return Ok(Write::Keep(object));
        }
        if gone {
            return Ok(Write::Remove(object));
        }
        Ok(if object == current.value { Write::Keep(object) } else { Write::Put(object) })
    })?;
    if gone && !options.dry_run {
        state.removed(route);
    }
    Ok((object, gone))
}

fn check_preconditions(route: &Route, object: &Value, options: &Options) -> Result<(), ApiError> {
    let metadata = &object["metadata"];
    let differs = |wanted: &Option<String>, field: &str| match wanted {
        Some(wanted) => metadata[field].as_str() != Some(wanted),
        None => false,
    };
    let (what, field, wanted) = if differs(&options.uid, "uid") {
        ("UID", "uid", &options.uid)
    } else if differs(&options.version, "resourceVersion") {
        ("ResourceVersion", "resourceVersion", &options.version)
    } else {
        return Ok(());
    };
    let (wanted, found) =
        (wanted.as_deref().unwrap_or_default(), metadata[field].as_str().unwrap_or_default());
    let why = format!(
        "the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). The object might have been {}",
        if field == "uid" { "deleted and then recreated" } else { "modified" }
    );
    Err(ApiError::precondition(&route.resource, route.name(), &why))
}

/// Only pods that run somewhere get time to end, and only where the test plays the kubelet.
fn grace_period(state: &State, route: &Route, object: &Value, options: &Options) -> u64 {
    let pod = route.resource.group.is_empty() && route.resource.plural == "pods";
    let scheduled = !object["spec"]["nodeName"].as_str().unwrap_or_default().is_empty();
    let ended = matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    if !pod || !state.graceful_pods || !scheduled || ended {
        return 0;
    }
    options.grace.or(object["spec"]["terminationGracePeriodSeconds"].as_u64()).unwrap_or(30)
}

fn mark_deleted(state: &State, object: &mut Value, grace: u64, options: &Options) {
    let finalizer = match options.propagation.as_deref() {
        Some("Foreground") => Some("foregroundDeletion"),
        Some("Orphan") => Some("orphan"),
        _ => None,
    };
    let metadata = &mut object["metadata"];
    if metadata.get("deletionTimestamp").is_none() {
        let at = state
            .clock
            .now()
            .saturating_add(std::time::Duration::from_secs(grace))
            .unwrap_or(jiff::Timestamp::MAX);
        metadata["deletionTimestamp"] = super::clock::stamp(at).into();
        metadata["deletionGracePeriodSeconds"] = grace.into();
        if let Some(finalizer) = finalizer {
            match metadata["finalizers"].as_array_mut() {
                Some(list) => list.push(finalizer.into()),
                None => metadata["finalizers"] = json!([finalizer]),
            }
        }
        if let Some(generation) = metadata["generation"].as_u64() {
            metadata["generation"] = (generation + 1).into();
        }
    } else if metadata["deletionGracePeriodSeconds"].as_u64().is_some_and(|before| grace < before) {
        metadata["deletionGracePeriodSeconds"] = grace.into();
    }
}

pub(super) fn delete_collection(
    state: &State,
    call: &Call,
    route: &Route,
) -> Result<Response<Body>, ApiError> {
    let form = Form::negotiate(call, route)?;
    let options = Options::parse(call)?;
    let selector =
        Selector::parse(&route.resource, call.param("labelSelector"), call.param("fieldSelector"))?;
    let (version, objects) = state.store.list(&route.resource.key(), route.namespace.as_deref(), None)?;
    let mut deleted = Vec::new();
    for object in objects.into_iter().filter(|o| selector.matches(&o.value)) {
        let mut one = route.clone();
        one.name = Some(object.meta("name").to_owned());
        if route.resource.namespaced {
            one.namespace = Some(object.meta("namespace").to_owned());
        }
        match delete_one(state, call, &one, &options) {
            Ok(_) => deleted.push(object),
            // Somebody else was faster.
            Err(e) if e.code == 404 => {}
            Err(e) => return Err(e),
        }
    }
    let metadata = json!({"resourceVersion": version.to_string()});
    form.list(route, deleted.iter().map(|o| &**o), &metadata, state.clock.now())
}
