//! The rules that objects must keep, those whose breach a test is likely to try.

use serde_json::{Value, json};

use super::kinds::Resource;
use super::schema::custom::violations;
use super::status::{ApiError, FieldError};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// What is wrong with an object's name.
pub(super) fn bad_name(resource: &Resource, name: &str) -> Option<FieldError> {
    let value = json!(name);
    match (&*resource.group, &*resource.plural) {
        // Their names are path segments, nothing more.
        ("rbac.authorization.k8s.io", _) => (name == "." || name == ".." || name.contains(['/', '%']))
            .then(|| FieldError::bad("metadata.name", &value, "may not be a path or contain '/' or '%'")),
        ("", "namespaces" | "services") => (name.len() > 63 || !is_dns_label(name)).then(|| {
            FieldError::bad("metadata.name", &value, "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')")
        }),
        _ => (!is_subdomain(name)).then(|| {
            FieldError::bad("metadata.name", &value, SUBDOMAIN)
        }),
    }
}

fn is_dns_label(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

/// Letters, digits, and in between `-`, `_` and `.`.
fn is_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// What is wrong with the key of a label or an annotation: `[PREFIX/]NAME`.
fn bad_key(key: &str) -> Vec<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((_, name)) if name.contains('/') => {
            return vec![format!(
                "a qualified name {QUALIFIED} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let mut wrong = Vec::new();
    match prefix {
        Some("") => wrong.push("prefix part must be non-empty".to_owned()),
        Some(prefix) if !is_subdomain(prefix) => wrong.push(format!("prefix part {SUBDOMAIN}")),
        _ => {}
    }
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        wrong.push("name part must be no more than 63 characters".to_owned());
    }
    if !is_word(name) {
        wrong.push(format!("name part {QUALIFIED}"));
    }
    wrong
}

fn check_labels(field: &str, labels: &Value, causes: &mut Vec<FieldError>) {
    for (key, value) in labels.as_object().into_iter().flatten() {
        causes.extend(bad_key(key).iter().map(|wrong| FieldError::bad(field, &json!(key), wrong)));
        let text = value.as_str().unwrap_or_default();
        if text.len() > 63 {
            causes.push(FieldError::bad(field, value, "must be no more than 63 characters"));
        } else if !text.is_empty() && !is_word(text) {
            causes.push(FieldError::bad(field, value, LABEL_VALUE));
        }
    }
}

fn check_annotations(annotations: &Value, causes: &mut Vec<FieldError>) {
    for key in annotations.as_object().into_iter().flat_map(|map| map.keys()) {
        let wrong = bad_key(&key.to_lowercase());
        causes.extend(wrong.iter().map(|wrong| FieldError::bad("metadata.annotations", &json!(key), wrong)));
    }
}

/// The few rules whose breach a test is likely to try.
pub(super) fn validate(
    resource: &Resource,
    name: &str,
    old: Option<&Value>,
    object: &Value,
) -> Result<(), ApiError> {
    let mut causes = Vec::new();
    // A definition's versions nearly always agree; the one that is stored rules.
    if let Some((_, schema)) = resource.schemas.first() {
        causes = violations(schema, object);
    }
    if (&*resource.group, &*resource.plural) == ("", "pods") {
        match object["spec"]["containers"].as_array() {
            Some(containers) if !containers.is_empty() => {
                for (at, container) in containers.iter().enumerate() {
                    for field in ["name", "image"] {
                        if container[field].as_str().unwrap_or_default().is_empty() {
                            causes.push(FieldError::required(format!("spec.containers[{at}].{field}"), ""));
                        }
                    }
                }
            }
            _ => causes.push(FieldError::required("spec.containers", "")),
        }
    }
    if resource.group == "apps"
        && object["spec"].is_object()
        && let Some(selector) = object["spec"]["selector"]["matchLabels"].as_object()
    {
        let labels = &object["spec"]["template"]["metadata"]["labels"];
        if selector.iter().any(|(k, v)| labels.get(k) != Some(v)) {
            let message = "`selector` does not match template `labels`";
            causes.push(FieldError::bad("spec.template.metadata.labels", labels, message));
        }
    }
    if let Some(old) = old.filter(|_| resource.group == "apps" && resource.plural != "controllerrevisions")
        && old["spec"]["selector"] != object["spec"]["selector"]
    {
        causes.push(FieldError::bad("spec.selector", &object["spec"]["selector"], "field is immutable"));
    }
    check_labels("metadata.labels", &object["metadata"]["labels"], &mut causes);
    check_annotations(&object["metadata"]["annotations"], &mut causes);
    if causes.is_empty() { Ok(()) } else { Err(ApiError::invalid(resource, name, &causes)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_labels() {
        for key in ["a", "A.b_c-9", "example.com/part", "x.y-z/Name"] {
            assert!(bad_key(key).is_empty(), "{key}");
        }
        for (key, wrong) in [
            ("", "must be non-empty"),
            ("-a", "name part must consist"),
            ("/a", "prefix part must be non-empty"),
            ("Example.com/a", "prefix part a lowercase"),
            ("a/b/c", "a qualified name must"),
            ("example.com/", "name part must be non-empty"),
            (&"a".repeat(64), "no more than 63"),
        ] {
            assert!(bad_key(key)[0].contains(wrong), "{key}: {:?}", bad_key(key));
        }
    }
}
