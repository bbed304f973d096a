//! scale, eviction, binding, token, finalize.

use std::sync::PoisonError;
use std::time::Duration;

use http::{Method, Response};
use kubewire_transport::Body;
use serde_json::{Map, Value, json};

use super::auth::User;
use super::clock::stamp;
use super::read::find;
use super::render::Form;
use super::request::{Call, Route};
use super::selectors::label_selector_matches;
use super::state::State;
use super::status::{ApiError, FieldError, json_response};
use super::store::Stored;
use super::write::{Made, Options, Patch, put};
use super::{delete, object, table};

/// Answers a request for one of these, or says that it is another.
pub(super) fn answer(state: &State, call: &Call, route: &Route) -> Option<Result<Response<Body>, ApiError>> {
    Some(match (&call.method, route.subresource.as_deref()?) {
        (&Method::GET, "scale") => find(state, route).and_then(|object| {
            Form::negotiate(call, route)?.value(200, &Scale::of(route).read(&object.value))
        }),
        (&Method::PUT | &Method::PATCH, "scale") => set_scale(state, call, route),
        (&Method::POST, "eviction") => evict(state, call, route),
        (&Method::POST, "binding") => bind(state, call, route),
        (&Method::POST, "token") => token(state, call, route),
        (&Method::PUT, "finalize") => finalize(state, call, route),
        _ => return None,
    })
}

/// Where a resource keeps what its scale shows.
struct Scale {
    wanted: String,
    current: String,
    selector: Option<String>,
}

impl Scale {
    fn of(route: &Route) -> Self {
        let path = |key: &str, default: &str| {
            let own = route.resource.scale.as_ref().and_then(|s| s[key].as_str());
            own.map_or_else(|| default.to_owned(), |path| path.replace('.', "/"))
        };
        let custom = route.resource.scale.is_some();
        Self {
            wanted: path("specReplicasPath", "/spec/replicas"),
            current: path("statusReplicasPath", "/status/replicas"),
            selector: custom.then(|| path("labelSelectorPath", "")).filter(|p| !p.is_empty()),
        }
    }

    fn read(&self, object: &Value) -> Value {
        let mut metadata = Map::new();
        for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
            if let Some(value) = object["metadata"].get(field) {
                metadata.insert(field.to_owned(), value.clone());
            }
        }
        let number = |path: &str| object.pointer(path).and_then(Value::as_i64).unwrap_or(0);
        let selector = match &self.selector {
            Some(path) => object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned(),
            None => table::selector_text(&object["spec"]["selector"]),
        };
        let mut scale = json!({
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
            "spec": {}, "status": {"replicas": number(&self.current)},
        });
        if number(&self.wanted) != 0 {
            scale["spec"]["replicas"] = number(&self.wanted).into();
        }
        if !selector.is_empty() {
            scale["status"]["selector"] = selector.into();
        }
        scale
    }

    fn write(&self, object: &mut Value, replicas: i64) {
        let mut place = object;
        for step in self.wanted.split('/').filter(|s| !s.is_empty()) {
            place = &mut place[step];
        }
        *place = replicas.into();
    }
}

fn set_scale(state: &State, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let patching = call.method == Method::PATCH;
    let mut options = Options::of(call, route, if patching { "PatchOptions" } else { "UpdateOptions" })?;
    let scale = Scale::of(route);
    let sent = if patching { Value::Null } else { call.object(route)? };
    let mut patch = if patching { Some(Patch::parse(call, route)?) } else { None };
    let stored = put(state, route, &mut options, call, |current| {
        let Some(current) = current else { return Err(ApiError::not_found(&route.resource, route.name())) };
        let mut wanted = sent;
        if let Some(patch) = &mut patch {
            wanted = scale.read(&current.value);
            patch.apply(&mut wanted, None)?;
        }
        let replicas = wanted["spec"]["replicas"].as_i64().unwrap_or(0);
        if replicas < 0 {
            let why = "must be greater than or equal to 0";
            let cause = FieldError::bad("spec.replicas", &replicas.into(), why);
            return Err(ApiError::invalid_kind(
                "Scale.autoscaling",
                "autoscaling",
                "Scale",
                route.name(),
                &[cause],
            ));
        }
        let mut new = current.value.clone();
        scale.write(&mut new, replicas);
        let version = wanted["metadata"]["resourceVersion"].clone();
        if version.as_str().is_some_and(|v| !v.is_empty()) {
            new["metadata"]["resourceVersion"] = version;
        }
        Ok(Made::Updated(new))
    })?;
    Form::negotiate(call, route)?.value(200, &scale.read(&stored.value))
}

fn success(code: u16) -> Response<Body> {
    json_response(
        code,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": code}),
    )
}

fn evict(state: &State, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let eviction = call.object(route)?;
    let pod = find(state, route)?;
    for budget in budgets(state, route, &pod) {
        let status = &budget.value["status"];
        if status["disruptionsAllowed"].as_u64().unwrap_or(0) == 0 {
            let number = |key: &str| status[key].as_u64().unwrap_or(0);
            return Err(ApiError::would_disrupt(&format!(
                "The disruption budget {} needs {} healthy pods and has {} currently",
                budget.meta("name"),
                number("desiredHealthy"),
                number("currentHealthy")
            )));
        }
    }
    let mut call = call.with_body(&eviction["deleteOptions"]);
    call.query.retain(|(key, _)| key == "dryRun");
    let mut route = route.clone();
    route.subresource = None;
    delete::delete(state, &call, &route)?;
    Ok(success(201))
}

fn budgets(state: &State, route: &Route, pod: &Stored) -> Vec<std::sync::Arc<Stored>> {
    let mut budgets = state
        .store
        .list("policy/poddisruptionbudgets", route.namespace.as_deref(), None)
        .map(|(_, o)| o)
        .unwrap_or_default();
    budgets
        .retain(|b| label_selector_matches(&b.value["spec"]["selector"], &pod.value["metadata"]["labels"]));
    budgets
}

fn bind(state: &State, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let binding = call.object(route)?;
    let node = binding["target"]["name"].as_str().unwrap_or_default().to_owned();
    let mut options = Options::of(call, route, "CreateOptions")?;
    let now = state.clock.stamp();
    put(state, route, &mut options, call, |current| {
        let Some(current) = current else { return Err(ApiError::not_found(&route.resource, route.name())) };
        let bound = current.value["spec"]["nodeName"].as_str().unwrap_or_default();
        if !bound.is_empty() {
            let why = format!("pod {} is already assigned to node \"{bound}\"", route.name());
            return Err(ApiError::conflict(&route.resource, route.name(), &why));
        }
        let mut new = current.value.clone();
        new["spec"]["nodeName"] = node.into();
        let condition = json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now});
        match new["status"]["conditions"].as_array_mut() {
            Some(list) => list.push(condition),
            None => new["status"]["conditions"] = json!([condition]),
        }
        Ok(Made::UpdatedWithStatus(new))
    })?;
    Ok(success(201))
}

fn token(state: &State, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let mut request = call.object(route)?;
    let account = find(state, route)?;
    let seconds = request["spec"]["expirationSeconds"].as_u64().unwrap_or(3600);
    if seconds < 600 {
        let cause = FieldError::bad(
            "spec.expirationSeconds",
            &seconds.into(),
            "may not specify a duration less than 10 minutes",
        );
        let kind = "TokenRequest.authentication.k8s.io";
        return Err(ApiError::invalid_kind(kind, "authentication.k8s.io", "TokenRequest", "", &[cause]));
    }
    let until =
        state.clock.now().saturating_add(Duration::from_secs(seconds)).unwrap_or(jiff::Timestamp::MAX);
    let token = format!("sa-{}{}", state.random.uid(), state.random.suffix());
    let namespace = route.namespace();
    let mut user = User::new(
        &format!("system:serviceaccount:{namespace}:{}", route.name()),
        &["system:serviceaccounts", &format!("system:serviceaccounts:{namespace}")],
    );
    user.uid = account.meta("uid").to_owned();
    state.tokens.lock().unwrap_or_else(PoisonError::into_inner).add(token.clone(), user, Some(until));
    request["kind"] = "TokenRequest".into();
    request["apiVersion"] = "authentication.k8s.io/v1".into();
    request["metadata"] =
        json!({"name": route.name(), "namespace": namespace, "creationTimestamp": state.clock.stamp()});
    request["spec"]["expirationSeconds"] = seconds.into();
    request["status"] = json!({"token": token, "expirationTimestamp": stamp(until)});
    Form::negotiate(call, route)?.value(201, &request)
}

fn finalize(state: &State, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let mut options = Options::of(call, route, "UpdateOptions")?;
    let sent = call.object(route)?;
    object::check_name(route, &sent)?;
    let stored = put(state, route, &mut options, call, |current| {
        let Some(current) = current else { return Err(ApiError::not_found(&route.resource, route.name())) };
        let mut new = current.value.clone();
        new["spec"]["finalizers"] = match &sent["spec"]["finalizers"] {
            Value::Null => json!([]),
            list => list.clone(),
        };
        Ok(Made::Updated(new))
    })?;
    Form::negotiate(call, route)?.object(200, route, &stored, state.clock.now())
}
