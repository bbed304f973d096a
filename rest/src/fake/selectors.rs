//! labelSelector and fieldSelector.

use serde_json::Value;

use super::kinds::Resource;
use super::status::ApiError;

/// Which objects a list or a watch is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Selector {
    labels: Vec<Requirement>,
    /// Path, equal or not, value.
    fields: Vec<(String, bool, String)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Requirement {
    Exists(String),
    Absent(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
}

impl Selector {
    pub(super) fn parse(resource: &Resource, labels: &str, fields: &str) -> Result<Self, ApiError> {
        Ok(Self { labels: parse_labels(labels)?, fields: parse_fields(resource, fields)? })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        let label = |key: &str| labels.get(key).and_then(Value::as_str);
        self.labels.iter().all(|requirement| match requirement {
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Absent(key) => label(key).is_none(),
            Requirement::In(key, values) => label(key).is_some_and(|v| values.iter().any(|w| w == v)),
            Requirement::NotIn(key, values) => label(key).is_none_or(|v| values.iter().all(|w| w != v)),
        }) && self.fields.iter().all(|(path, equal, value)| (field(object, path) == *value) == *equal)
    }
}

/// Whether a `LabelSelector` of the API matches these labels; one that is absent matches nothing.
pub(super) fn label_selector_matches(selector: &Value, labels: &Value) -> bool {
    let Some(selector) = selector.as_object() else { return false };
    let label = |key: &str| labels.get(key).and_then(Value::as_str);
    let plain = selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
    let expressions = selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten();
    plain.into_iter().all(|(key, value)| label(key) == value.as_str())
        && expressions.into_iter().all(|e| {
            let found = label(e["key"].as_str().unwrap_or_default());
            let among = e["values"].as_array().is_some_and(|v| v.iter().any(|v| v.as_str() == found));
            match e["operator"].as_str() {
                Some("In") => found.is_some() && among,
                Some("NotIn") => !(found.is_some() && among),
                Some("Exists") => found.is_some(),
                _ => found.is_none(),
            }
        })
}

fn field(object: &Value, path: &str) -> String {
    let mut at = object;
    for step in path.split('.') {
        at = &at[step];
    }
    match at {
        Value::String(text) => text.clone(),
        Value::Null if path == "spec.unschedulable" || path == "spec.hostNetwork" => "false".to_owned(),
        Value::Null if path == "status.successful" => "0".to_owned(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn known_fields(resource: &Resource) -> &'static [&'static str] {
    match (&*resource.group, &*resource.plural) {
        ("", "pods") => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        ("", "events") => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        ("events.k8s.io", "events") => {
            &["regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid", "reason", "type"]
        }
        ("", "nodes") => &["spec.unschedulable"],
        ("", "namespaces") => &["status.phase"],
        ("", "secrets") => &["type"],
        ("", "replicationcontrollers") | ("apps", "replicasets") => &["status.replicas"],
        ("batch", "jobs") => &["status.successful"],
        ("certificates.k8s.io", "certificatesigningrequests") => &["spec.signerName"],
        _ => &[],
    }
}

fn parse_fields(resource: &Resource, text: &str) -> Result<Vec<(String, bool, String)>, ApiError> {
    let mut fields = Vec::new();
    for term in split_unescaped(text).into_iter().filter(|t| !t.is_empty()) {
        let (path, equal, value) = if let Some((p, v)) = term.split_once("!=") {
            (p, false, v)
        } else if let Some((p, v)) = term.split_once("==") {
            (p, true, v)
        } else if let Some((p, v)) = term.split_once('=') {
            (p, true, v)
        } else {
            return Err(ApiError::bad_request(format!(
                "unable to parse field selector \"{text}\": invalid selector: '{term}'; can't understand '{term}'"
            )));
        };
        let common = path == "metadata.name" || (path == "metadata.namespace" && resource.namespaced);
        if !common && !known_fields(resource).contains(&path) {
            return Err(ApiError::bad_request(format!(
                "\"{path}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
            )));
        }
        fields.push((
            path.to_owned(),
            equal,
            value.replace("\\,", ",").replace("\\=", "=").replace("\\\\", "\\"),
        ));
    }
    Ok(fields)
}

fn split_unescaped(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b',' => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// `a=b,c!=d,e in (x,y),f notin (z),g,!h`.
fn parse_labels(text: &str) -> Result<Vec<Requirement>, ApiError> {
    let mut requirements = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (requirement, after) = parse_requirement(rest).ok_or_else(|| {
            ApiError::bad_request(format!("unable to parse requirement: {rest:?} in {text:?}"))
        })?;
        requirements.push(requirement);
        rest = after.trim_start();
        if let Some(after_comma) = rest.strip_prefix(',') {
            rest = after_comma.trim_start();
            if rest.is_empty() || rest.starts_with(',') {
                let found = rest.get(..1).unwrap_or_default();
                return Err(ApiError::bad_request(format!(
                    "found '{found}', expected: identifier after ','"
                )));
            }
        } else if !rest.is_empty() {
            return Err(ApiError::bad_request(format!("found '{rest}', expected: ',' or 'end of string'")));
        }
    }
    Ok(requirements)
}

fn parse_requirement(text: &str) -> Option<(Requirement, &str)> {
    let word = |s: &str| s.find(|c: char| ",=!<>() \t".contains(c)).unwrap_or(s.len());
    if let Some(negated) = text.strip_prefix('!') {
        let negated = negated.trim_start();
        let end = word(negated);
        return (end > 0).then(|| (Requirement::Absent(negated[..end].to_owned()), &negated[end..]));
    }
    let end = word(text);
    if end == 0 {
        return None;
    }
    let key = text[..end].to_owned();
    let rest = text[end..].trim_start();
    let single = |rest: &str| {
        let rest_trimmed = rest.trim_start();
        let end = word(rest_trimmed);
        (vec![rest_trimmed[..end].to_owned()], rest.len() - rest_trimmed.len() + end)
    };
    if rest.is_empty() || rest.starts_with(',') {
        return Some((Requirement::Exists(key), rest));
    }
    for (operator, negative) in [("==", false), ("!=", true), ("=", false)] {
        if let Some(after) = rest.strip_prefix(operator) {
            let (values, used) = single(after);
            let requirement =
                if negative { Requirement::NotIn(key, values) } else { Requirement::In(key, values) };
            return Some((requirement, &after[used..]));
        }
    }
    for (operator, negative) in [("notin", true), ("in", false)] {
        if let Some(after) = rest.strip_prefix(operator) {
            let inside = after.trim_start().strip_prefix('(')?;
            let (list, after) = inside.split_once(')')?;
            let values = list.split(',').map(|v| v.trim().to_owned()).collect();
            let requirement =
                if negative { Requirement::NotIn(key, values) } else { Requirement::In(key, values) };
            return Some((requirement, after));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pods() -> Resource {
        Resource::namespaced("", "v1", "pods", "Pod")
    }

    #[test]
    fn labels() {
        let object = json!({"metadata": {"labels": {"app": "web", "tier": "front"}}});
        for (selector, expected) in [
            ("", true),
            ("app=web", true),
            ("app==web,tier=front", true),
            ("app = web , tier = front", true),
            ("app!=web", false),
            ("other!=x", true),
            ("app in (db,web)", true),
            ("app in (db)", false),
            ("app notin (db, cache)", true),
            ("other notin (db)", true),
            ("app", true),
            ("!app", false),
            ("!other,tier", true),
            ("app=", false),
        ] {
            assert_eq!(
                Selector::parse(&pods(), selector, "").unwrap().matches(&object),
                expected,
                "{selector}"
            );
        }
        for selector in ["a=b,,", "=b", "a in b", "a b", "a=b,", "!"] {
            assert_eq!(Selector::parse(&pods(), selector, "").unwrap_err().code, 400, "{selector}");
        }
    }

    #[test]
    fn fields() {
        let object = json!({"metadata": {"name": "a", "namespace": "ns"}, "status": {"phase": "Running"}});
        for (selector, expected) in [
            ("metadata.name=a", true),
            ("metadata.name==a,status.phase!=Pending", true),
            ("status.phase=Pending", false),
            ("spec.nodeName=", true),
        ] {
            assert_eq!(
                Selector::parse(&pods(), "", selector).unwrap().matches(&object),
                expected,
                "{selector}"
            );
        }
        assert_eq!(Selector::parse(&pods(), "", "spec.foo=1").unwrap_err().code, 400);
        assert_eq!(Selector::parse(&pods(), "", "metadata.name").unwrap_err().code, 400);
    }
}
