//! Kinds that are asked and not kept: who am I, and what may I do.

use std::sync::PoisonError;

use http::Response;
use kubewire_transport::Body;
use serde_json::{Value, json};

use super::auth::{Access, User, allowed, describe, path_allowed, rules};
use super::object;
use super::render::Form;
use super::request::{Call, Route};
use super::state::State;
use super::status::ApiError;

pub(super) fn create(state: &State, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let mut review = call.object(route)?;
    object::check_kind(state, route, &review)?;
    let spec = review["spec"].clone();
    let status = match &*route.resource.kind {
        "SelfSubjectReview" => json!({"userInfo": describe(&call.user)}),
        "TokenReview" => token(state, spec["token"].as_str().unwrap_or_default()),
        "SelfSubjectRulesReview" => my_rules(state, call, spec["namespace"].as_str().unwrap_or_default()),
        "SelfSubjectAccessReview" => access(state, &call.user, &spec),
        "SubjectAccessReview" | "LocalSubjectAccessReview" => {
            let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
            let groups = spec["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
            let user = User {
                name: text(&spec["user"]),
                uid: text(&spec["uid"]),
                groups: groups.iter().map(text).collect(),
            };
            access(state, &user, &spec)
        }
        // A binding, sent to the namespace instead of to its pod.
        _ => return Err(ApiError::method_not_allowed()),
    };
    review["status"] = status;
    review["kind"] = route.resource.kind.clone().into();
    review["apiVersion"] = route.group_version().into();
    if review["metadata"].is_null() {
        review["metadata"] = json!({});
    }
    review["metadata"]["creationTimestamp"] = Value::Null;
    Form::negotiate(call, route)?.value(201, &review)
}

fn token(state: &State, token: &str) -> Value {
    let now = state.clock.now();
    let user = state.tokens.lock().unwrap_or_else(PoisonError::into_inner).user_of(token, now);
    match user {
        Some(user) => json!({"authenticated": true, "user": describe(&user)}),
        None => json!({"user": {}, "error": "[invalid bearer token]"}),
    }
}

fn access(state: &State, user: &User, spec: &Value) -> Value {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let may = if spec["resourceAttributes"].is_object() {
        let asked = &spec["resourceAttributes"];
        let (verb, group) = (text(&asked["verb"]), text(&asked["group"]));
        let (namespace, name) = (text(&asked["namespace"]), text(&asked["name"]));
        let (resource, subresource) = (text(&asked["resource"]), text(&asked["subresource"]));
        let resource = if subresource.is_empty() { resource } else { format!("{resource}/{subresource}") };
        allowed(
            &state.store,
            user,
            &Access { verb: &verb, group: &group, resource, namespace: &namespace, name: &name },
        )
    } else {
        let asked = &spec["nonResourceAttributes"];
        path_allowed(&state.store, user, &text(&asked["verb"]), &text(&asked["path"]))
    };
    if may { json!({"allowed": true}) } else { json!({"allowed": false}) }
}

fn my_rules(state: &State, call: &Call, namespace: &str) -> Value {
    let mut found = rules(&state.store, &call.user, namespace);
    if call.user.is_master() {
        found.insert(0, json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}));
        found.insert(1, json!({"verbs": ["*"], "nonResourceURLs": ["*"]}));
    }
    let (paths, resources): (Vec<Value>, Vec<Value>) =
        found.into_iter().partition(|rule| rule.get("nonResourceURLs").is_some());
    json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": false})
}
