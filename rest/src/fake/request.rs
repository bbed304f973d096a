//! One request taken apart: who asks, which resource, with which options.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::auth::User;
use super::kinds::{Registry, Resource};
use super::schema::proto;
use super::status::ApiError;

/// A request whose body has been read.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) user: User,
}

impl Call {
    pub(super) fn param(&self, name: &str) -> &str {
        self.query.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.param(name), "1" | "t" | "T" | "true" | "TRUE" | "True")
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, ApiError> {
        match self.param(name) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                ApiError::bad_request(format!("strconv.ParseInt: parsing \"{text}\": invalid syntax"))
            }),
        }
    }

    pub(super) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// The same call with another body.
    pub(super) fn with_body(&self, body: &Value) -> Self {
        let mut headers = self.headers.clone();
        headers.remove(header::CONTENT_TYPE);
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        Self {
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers,
            body,
            user: self.user.clone(),
        }
    }

    /// The media type of the body, without parameters.
    pub(super) fn content_type(&self) -> &str {
        self.header(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim()
    }

    /// Who is to own the fields: the parameter, else the program's name out of the user agent.
    pub(super) fn manager(&self) -> String {
        match self.param("fieldManager") {
            "" => {
                let agent = self.header(header::USER_AGENT).split('/').next().unwrap_or_default();
                if agent.is_empty() { "unknown".to_owned() } else { agent.to_owned() }
            }
            manager => manager.to_owned(),
        }
    }

    /// Whether nothing is to be kept.
    pub(super) fn dry_run(&self, options_kind: &str) -> Result<bool, ApiError> {
        let asked: Vec<&str> = self.query.iter().filter(|(k, _)| k == "dryRun").map(|(_, v)| &**v).collect();
        check_dry_run(&asked, options_kind)
    }

    /// The body as an object, from JSON or YAML. What the body lacks of kind and version it gets from the route.
    pub(super) fn object(&self, route: &Route) -> Result<Value, ApiError> {
        let kind = route.body_kind();
        let value = match self.content_type() {
            "" | "application/json" => serde_json::from_slice(&self.body).map_err(|e| {
                let body = String::from_utf8_lossy(&self.body);
                ApiError::bad_request(format!(
                    "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: {e} ({})",
                    body.chars().take(100).collect::<String>()
                ))
            })?,
            "application/yaml" => yaml(&self.body)?,
            "application/vnd.kubernetes.protobuf" => proto::decode(&self.body).map_err(|e| {
                ApiError::bad_request(format!("the object provided is unrecognized (must be of type {kind}): {e}"))
            })?,
            _ => return Err(ApiError::unsupported_body()),
        };
        if !matches!(value, Value::Object(_)) {
            return Err(ApiError::bad_request(format!(
                "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go value of type struct",
                type_name(&value)
            )));
        }
        Ok(value)
    }
}

pub(super) fn check_dry_run(asked: &[&str], options_kind: &str) -> Result<bool, ApiError> {
    if asked.iter().any(|a| *a != "All") {
        let message = format!("Unsupported value: []string{asked:?}: supported values: \"All\"")
            .replace("[]string[", "[]string{")
            .replace("]: supp", "}: supp");
        return Err(ApiError::invalid_option(options_kind, "dryRun", "FieldValueNotSupported", &message));
    }
    Ok(!asked.is_empty())
}

pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

pub(super) fn yaml(body: &[u8]) -> Result<Value, ApiError> {
    serde_yaml::from_slice(body).map_err(|e| ApiError::bad_request(format!("error decoding YAML: {e}")))
}

/// What a path below `/api` or `/apis` is about.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) resource: Arc<Resource>,
    pub(super) version: String,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) subresource: Option<String>,
    /// The old form of a watch: `/watch/` in the path.
    pub(super) watch: bool,
}

impl Route {
    pub(super) fn group_version(&self) -> String {
        self.resource.group_version(&self.version)
    }

    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    pub(super) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }

    pub(super) fn key(&self) -> (String, String) {
        (self.namespace().to_owned(), self.name().to_owned())
    }

    /// The kind that a body of this route has.
    pub(super) fn body_kind(&self) -> &str {
        match self.subresource.as_deref() {
            Some("scale") => "Scale",
            Some("eviction") => "Eviction",
            Some("binding") => "Binding",
            Some("token") => "TokenRequest",
            _ => &self.resource.kind,
        }
    }
}

/// What became of finding a route.
pub(super) enum Found {
    Route(Route),
    /// The group and version are not served at all.
    NoVersion,
    NoResource,
}

pub(super) fn route(registry: &Registry, path: &str) -> Found {
    let parts: Vec<String> = path
        .split('/')
        .filter(|p| !p.is_empty())
        .map(|p| percent_decode_str(p).decode_utf8_lossy().into_owned())
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (group, version, mut rest) = match &parts[..] {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return Found::NoVersion,
    };
    if !registry.has_version(group, version) {
        return Found::NoVersion;
    }
    let watch = rest.first() == Some(&"watch");
    if watch {
        rest = &rest[1..];
    }
    // `namespaces/NAME/status` is about the namespace, `namespaces/NAME/pods` about pods in it.
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !matches!(rest, [] | ["status" | "finalize"]) => {
            (Some(*namespace), rest)
        }
        rest => (None, rest),
    };
    let (plural, name, subresource) = match rest {
        [plural] => (*plural, None, None),
        [plural, name] => (*plural, Some(*name), None),
        // A proxy's path goes on.
        [plural, name, "proxy", ..] => (*plural, Some(*name), Some("proxy")),
        [plural, name, subresource] => (*plural, Some(*name), Some(*subresource)),
        _ => return Found::NoResource,
    };
    let Some(resource) = registry.find(group, version, plural) else { return Found::NoResource };
    let misplaced = match (resource.namespaced, namespace, name) {
        (true, None, Some(_)) | (false, Some(_), _) => true,
        _ => subresource.is_some_and(|s| !resource.has(s)),
    };
    if misplaced {
        return Found::NoResource;
    }
    Found::Route(Route {
        resource: Arc::clone(resource),
        version: version.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.map(str::to_owned),
        subresource: subresource.map(str::to_owned),
        watch,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let registry = Registry::builtin();
        let find = |path: &str| match route(&registry, path) {
            Found::Route(r) => {
                format!(
                    "{} {} {} {}",
                    r.resource.plural,
                    r.namespace(),
                    r.name(),
                    r.subresource.as_deref().unwrap_or_default()
                )
            }
            Found::NoVersion => "no version".to_owned(),
            Found::NoResource => "no resource".to_owned(),
        };
        for (path, expected) in [
            ("/api/v1/pods", "pods   "),
            ("/api/v1/namespaces/a/pods/b/status", "pods a b status"),
            ("/api/v1/namespaces/a", "namespaces  a "),
            ("/api/v1/namespaces/a/status", "namespaces  a status"),
            ("/api/v1/namespaces/a/finalize", "namespaces  a finalize"),
            ("/apis/apps/v1/namespaces/a/deployments/b/scale", "deployments a b scale"),
            ("/api/v1/pods/b", "no resource"),
            ("/api/v1/namespaces/a/nodes", "no resource"),
            ("/api/v1/namespaces/a/pods/b/nonsense", "no resource"),
            ("/api/v1/foos", "no resource"),
            ("/apis/none/v1/foos", "no version"),
            ("/api/v1/watch/namespaces/a/pods", "pods a  "),
            ("/api/v1/namespaces/a/pods/b%2Fc", "pods a b/c "),
        ] {
            assert_eq!(find(path), expected, "{path}");
        }
    }
}
