//! get and list.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Response;
use kubewire_transport::Body;
use serde_json::{Map, Value, json};

use super::render::Form;
use super::request::{Call, Route};
use super::selectors::Selector;
use super::state::State;
use super::status::ApiError;
use super::store::Stored;

pub(super) fn get(state: &State, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let form = Form::negotiate(call, route)?;
    let object = find(state, route)?;
    form.object(200, route, &object, state.clock.now())
}

/// The route's object, or the 404.
pub(super) fn find(state: &State, route: &Route) -> Result<Arc<Stored>, ApiError> {
    state
        .store
        .get(&route.resource.key(), &route.key())
        .ok_or_else(|| ApiError::not_found(&route.resource, route.name()))
}

pub(super) fn list(state: &State, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let form = Form::negotiate(call, route)?;
    let selector =
        Selector::parse(&route.resource, call.param("labelSelector"), call.param("fieldSelector"))?;
    let limit = call.number("limit")?.filter(|l| *l > 0);
    let (at, after) = place(state, call)?;
    let (version, mut objects) = state
        .store
        .list(&route.resource.key(), route.namespace.as_deref(), at)
        .map_err(|e| if after.is_some() { ApiError::continue_expired() } else { e })?;
    if let Some((namespace, name)) = &after {
        let key = (&**namespace, &**name);
        objects.retain(|o| (o.meta("namespace"), o.meta("name")) > key);
    }
    let filtered = !selector.is_empty();
    if filtered {
        objects.retain(|o| selector.matches(&o.value));
    }
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".into(), version.to_string().into());
    if let Some(limit) = limit.and_then(|l| usize::try_from(l).ok()).filter(|l| *l < objects.len()) {
        let remaining = objects.len() - limit;
        objects.truncate(limit);
        if let Some(last) = objects.last() {
            metadata.insert("continue".into(), continue_token(version, last).into());
        }
        // With a selector the real server does not know how many are left.
        if !filtered {
            metadata.insert("remainingItemCount".into(), remaining.into());
        }
    }
    form.list(route, objects.iter().map(|o| &**o), &Value::Object(metadata), state.clock.now())
}

fn continue_token(version: u64, last: &Stored) -> String {
    let place = json!({"v": "meta.k8s.io/v1", "rv": version, "ns": last.meta("namespace"), "name": last.meta("name")});
    URL_SAFE_NO_PAD.encode(place.to_string())
}

/// At which version to list, and after which object.
#[expect(clippy::type_complexity, reason = "two optional places, taken apart at once")]
fn place(state: &State, call: &Call) -> Result<(Option<u64>, Option<(String, String)>), ApiError> {
    let token = call.param("continue");
    let version = call.param("resourceVersion");
    let matching = call.param("resourceVersionMatch");
    if !token.is_empty() {
        if !version.is_empty() && version != "0" {
            return Err(ApiError::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        let bad = |what: &str| {
            ApiError::bad_request(format!("invalid continue token: continue key is not valid: {what}"))
        };
        let bytes = URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).map_err(|e| bad(&e.to_string()))?;
        let place: Value = serde_json::from_slice(&bytes).map_err(|e| bad(&e.to_string()))?;
        let text = |key: &str| place[key].as_str().unwrap_or_default().to_owned();
        let at = place["rv"].as_u64().ok_or_else(|| bad("no resource version"))?;
        return Ok((Some(at), Some((text("ns"), text("name")))));
    }
    if version.is_empty() {
        if !matching.is_empty() {
            return Err(ApiError::invalid_option(
                "ListOptions",
                "resourceVersionMatch",
                "FieldValueForbidden",
                "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
            ));
        }
        return Ok((None, None));
    }
    let asked = parse_version(version)?;
    let current = state.store.version();
    if asked > current {
        return Err(ApiError::version_too_large(asked, current));
    }
    // With a limit, a version alone means exactly that one.
    let is_exact = match matching {
        "" => asked > 0 && !matches!(call.param("limit"), "" | "0"),
        matching => matching == "Exact",
    };
    Ok((is_exact.then_some(asked), None))
}

pub(super) fn parse_version(text: &str) -> Result<u64, ApiError> {
    text.parse().map_err(|_| {
        ApiError::internal(format!(
            "resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"
        ))
    })
}
