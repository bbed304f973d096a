//! Errors as the API server words and codes them.

use http::{HeaderValue, Response, header};
use kubewire_transport::Body;
use serde_json::{Map, Value, json};

use super::kinds::Resource;

/// A failure that becomes a `Status`.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    pub(super) code: u16,
    reason: &'static str,
    pub(super) message: String,
    details: Option<Value>,
}

impl ApiError {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None }
    }

    fn with(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// What the real server answers where it did not foresee the mistake.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub(super) fn unknown_resource() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource").with(json!({}))
    }

    pub(super) fn not_found(resource: &Resource, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} \"{name}\" not found", resource.qualified())).with(details(
            resource,
            name,
            &resource.plural,
        ))
    }

    pub(super) fn namespace_not_found(name: &str) -> Self {
        Self::new(404, "NotFound", format!("namespaces \"{name}\" not found"))
            .with(json!({"name": name, "kind": "namespaces"}))
    }

    pub(super) fn already_exists(resource: &Resource, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{} \"{name}\" already exists", resource.qualified()))
            .with(details(resource, name, &resource.plural))
    }

    pub(super) fn conflict(resource: &Resource, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified());
        Self::new(409, "Conflict", message).with(details(resource, name, &resource.plural))
    }

    pub(super) fn modified(resource: &Resource, name: &str) -> Self {
        Self::conflict(
            resource,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    pub(super) fn precondition(resource: &Resource, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.kind);
        Self::new(409, "Conflict", message).with(details(resource, name, &resource.kind))
    }

    /// Conflicts of server-side apply: `(manager, field)` pairs.
    pub(super) fn apply_conflict(conflicts: &[(String, String)]) -> Self {
        let causes: Vec<Value> = conflicts
            .iter()
            .map(|(manager, field)| {
                json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": field})
            })
            .collect();
        let listed = match conflicts {
            [(manager, field)] => format!("Apply failed with 1 conflict: conflict with {manager}: {field}"),
            many => {
                let mut by_manager: Vec<(&str, Vec<&str>)> = Vec::new();
                for (manager, field) in many {
                    match by_manager.iter_mut().find(|(m, _)| m == manager) {
                        Some((_, fields)) => fields.push(field),
                        None => by_manager.push((manager, vec![field])),
                    }
                }
                let parts: Vec<String> = by_manager
                    .iter()
                    .map(|(m, fields)| format!("conflicts with {m}:\n- {}", fields.join("\n- ")))
                    .collect();
                let text = parts.join("\n");
                format!("Apply failed with {} conflicts: {text}", many.len())
            }
        };
        Self::new(409, "Conflict", listed).with(json!({"causes": causes}))
    }

    /// A 422 with its causes.
    pub(super) fn invalid(resource: &Resource, name: &str, causes: &[FieldError]) -> Self {
        let kind = if resource.group.is_empty() {
            resource.kind.clone()
        } else {
            format!("{}.{}", resource.kind, resource.group)
        };
        Self::invalid_kind(&kind, &resource.group, &resource.kind, name, causes)
    }

    /// The same for a kind that is no resource of its own.
    pub(super) fn invalid_kind(
        qualified: &str,
        group: &str,
        kind: &str,
        name: &str,
        causes: &[FieldError],
    ) -> Self {
        let texts: Vec<String> = causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect();
        let text = match &texts[..] {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let mut details = details_of(group, name, kind);
        details["causes"] = causes
            .iter()
            .map(|c| json!({"reason": c.reason, "message": c.message, "field": c.field}))
            .collect();
        Self::new(422, "Invalid", format!("{qualified} \"{name}\" is invalid: {text}")).with(details)
    }

    /// A 422 for an option of the request itself.
    pub(super) fn invalid_option(kind: &str, field: &str, reason: &str, message: &str) -> Self {
        Self::new(422, "Invalid", format!("{kind}.meta.k8s.io \"\" is invalid: {field}: {message}")).with(
            json!({
                "group": "meta.k8s.io", "kind": kind,
                "causes": [{"reason": reason, "message": message, "field": field}],
            }),
        )
    }

    pub(super) fn patch_failed() -> Self {
        Self::new(422, "Invalid", "the server rejected our request due to an error in our request")
            .with(json!({}))
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
            .with(json!({}))
    }

    pub(super) fn not_acceptable() -> Self {
        Self::new(
            406,
            "NotAcceptable",
            "only the following media types are accepted: application/json, application/yaml",
        )
        .with(json!({}))
    }

    pub(super) fn unsupported_body() -> Self {
        Self::new(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
        )
    }

    pub(super) fn unsupported_patch(resource: &Resource) -> Self {
        let strategic = if resource.custom { "" } else { "application/strategic-merge-patch+json, " };
        Self::new(
            415,
            "UnsupportedMediaType",
            format!(
                "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, {strategic}application/apply-patch+yaml"
            ),
        )
    }

    /// A patch that makes something of an object that its type can't hold.
    pub(super) fn invalid_patch(patch: &Value, why: &str) -> Self {
        let cause = FieldError::bad("patch", patch, why);
        Self::invalid_kind("", "", "", "", &[cause])
    }

    pub(super) fn too_large(limit: usize) -> Self {
        Self::new(413, "RequestEntityTooLarge", format!("Request entity too large: limit is {limit}"))
            .with(json!({}))
    }

    pub(super) fn forbidden(resource: &Resource, name: &str, why: &str) -> Self {
        let subject = if name.is_empty() {
            resource.qualified()
        } else {
            format!("{} \"{name}\"", resource.qualified())
        };
        Self::new(403, "Forbidden", format!("{subject} is forbidden: {why}")).with(details(
            resource,
            name,
            &resource.plural,
        ))
    }

    /// An admission hook said no.
    pub(super) fn denied(message: String) -> Self {
        Self::new(403, "Forbidden", message)
    }

    pub(super) fn forbidden_path(why: &str) -> Self {
        Self::new(403, "Forbidden", format!("forbidden: {why}")).with(json!({}))
    }

    /// An eviction that a disruption budget forbids.
    pub(super) fn would_disrupt(why: &str) -> Self {
        Self::new(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.")
            .with(json!({"causes": [{"reason": "DisruptionBudget", "message": why}]}))
    }

    /// An apply without the name of a manager.
    pub(super) fn no_manager() -> Self {
        Self::invalid_option(
            "PatchOptions",
            "fieldManager",
            "FieldValueRequired",
            "Required value: is required for apply patch",
        )
    }

    /// A watch or an exact version below what history still holds.
    pub(super) fn too_old(asked: u64, oldest: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {asked} ({oldest})"))
    }

    pub(super) fn continue_expired() -> Self {
        Self::new(
            410,
            "Expired",
            "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.",
        )
    }

    pub(super) fn version_too_large(asked: u64, current: u64) -> Self {
        Self::new(504, "Timeout", format!("Timeout: Too large resource version: {asked}, current: {current}"))
            .with(json!({
                "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
                "retryAfterSeconds": 1,
            }))
    }

    pub(super) fn to_status(&self) -> Value {
        let mut status = Map::new();
        status.insert("kind".into(), "Status".into());
        status.insert("apiVersion".into(), "v1".into());
        status.insert("metadata".into(), json!({}));
        status.insert("status".into(), "Failure".into());
        status.insert("message".into(), self.message.clone().into());
        if !self.reason.is_empty() {
            status.insert("reason".into(), self.reason.into());
        }
        if let Some(details) = &self.details {
            status.insert("details".into(), details.clone());
        }
        status.insert("code".into(), self.code.into());
        Value::Object(status)
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = json_response(self.code, &self.to_status());
        if let Some(seconds) =
            self.details.as_ref().and_then(|d| d.get("retryAfterSeconds")).and_then(Value::as_u64)
        {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// One cause of a 422.
#[derive(Clone, Debug)]
pub(super) struct FieldError {
    pub(super) reason: &'static str,
    pub(super) field: String,
    pub(super) message: String,
}

impl FieldError {
    pub(super) fn required(field: impl Into<String>, message: &str) -> Self {
        let message = if message.is_empty() {
            "Required value".to_owned()
        } else {
            format!("Required value: {message}")
        };
        Self { reason: "FieldValueRequired", field: field.into(), message }
    }

    pub(super) fn unsupported(field: impl Into<String>, value: &Value, supported: &str) -> Self {
        Self {
            reason: "FieldValueNotSupported",
            field: field.into(),
            message: format!("Unsupported value: {value}: supported values: {supported}"),
        }
    }

    pub(super) fn bad(field: impl Into<String>, value: &Value, message: &str) -> Self {
        Self {
            reason: "FieldValueInvalid",
            field: field.into(),
            message: format!("Invalid value: {value}: {message}"),
        }
    }
}

fn details(resource: &Resource, name: &str, kind: &str) -> Value {
    details_of(&resource.group, name, kind)
}

fn details_of(group: &str, name: &str, kind: &str) -> Value {
    let mut details = Map::new();
    if !name.is_empty() {
        details.insert("name".into(), name.into());
    }
    if !group.is_empty() {
        details.insert("group".into(), group.into());
    }
    details.insert("kind".into(), kind.into());
    Value::Object(details)
}

/// The `Status` that says that an object is gone.
pub(super) fn deleted(resource: &Resource, name: &str, uid: &str) -> Value {
    let mut details = details(resource, name, &resource.plural);
    details["uid"] = uid.into();
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

/// An answer with a JSON body.
pub(super) fn json_response(code: u16, value: &Value) -> Response<Body> {
    bytes_response(code, "application/json", value.to_string())
}

pub(super) fn bytes_response(code: u16, content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() =
        http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
