//! What the schema of a CustomResourceDefinition demands.

use serde_json::Value;

use super::super::status::FieldError;

/// Where an object breaks its schema: types, required fields, enumerations, bounds.
pub(in crate::fake) fn violations(schema: &Value, object: &Value) -> Vec<FieldError> {
    let mut found = Vec::new();
    walk(schema, object, "", &mut found);
    found
}

fn walk(schema: &Value, value: &Value, path: &str, found: &mut Vec<FieldError>) {
    if value.is_null() {
        return;
    }
    let wanted = schema["type"].as_str().unwrap_or_default();
    let fits = match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => true,
    };
    if !fits && schema["x-kubernetes-int-or-string"] != true {
        let kind = super::super::request::type_name(value);
        let message = format!("{path} in body must be of type {wanted}: \"{kind}\"");
        found.push(FieldError::bad(path, &kind.into(), &message));
        return;
    }
    if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
        let listed: Vec<String> = allowed.iter().map(Value::to_string).collect();
        found.push(FieldError::unsupported(path, value, &listed.join(", ")));
    }
    if let Some(number) = value.as_f64() {
        if let Some(least) = schema["minimum"].as_f64().filter(|least| number < *least) {
            let message = format!("{path} in body should be greater than or equal to {least}");
            found.push(FieldError::bad(path, value, &message));
        }
        if let Some(most) = schema["maximum"].as_f64().filter(|most| number > *most) {
            let message = format!("{path} in body should be less than or equal to {most}");
            found.push(FieldError::bad(path, value, &message));
        }
    }
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(map) => {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !map.contains_key(name) {
                    found.push(FieldError::required(below(name), ""));
                }
            }
            for (key, value) in map {
                if let Some(schema) = schema["properties"].get(key) {
                    walk(schema, value, &below(key), found);
                } else if schema["additionalProperties"].is_object() {
                    walk(&schema["additionalProperties"], value, &below(key), found);
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                walk(&schema["items"], item, &format!("{path}[{at}]"), found);
            }
        }
        _ => {}
    }
}

/// The paths of fields that the schema does not name: they are not kept.
pub(in crate::fake) fn unknown_fields(schema: &Value, object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let own = |key: &str| matches!(key, "apiVersion" | "kind" | "metadata");
    for (key, value) in object.as_object().into_iter().flatten().filter(|(key, _)| !own(key)) {
        find_unknown(schema, key, value, key, &mut found);
    }
    found
}

fn find_unknown(parent: &Value, key: &str, value: &Value, path: &str, found: &mut Vec<String>) {
    let flag = |schema: &Value, name: &str| schema[name] == true;
    let schema = match (parent["properties"].get(key), &parent["additionalProperties"]) {
        (Some(schema), _) => schema,
        (None, schema @ Value::Object(_)) => schema,
        (None, Value::Bool(true)) => return,
        (None, _) => {
            if !flag(parent, "x-kubernetes-preserve-unknown-fields") {
                found.push(path.to_owned());
            }
            return;
        }
    };
    below(schema, value, path, found);
}

fn below(schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let is_resource = schema["x-kubernetes-embedded-resource"] == true;
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if !(is_resource && matches!(&**key, "apiVersion" | "kind" | "metadata")) {
                    find_unknown(schema, key, value, &format!("{path}.{key}"), found);
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                below(&schema["items"], item, &format!("{path}[{at}]"), found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_breach_is_named() {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "required": ["a"], "properties": {
            "size": {"type": "integer", "minimum": 0, "maximum": 9}, "colour": {"type": "string", "enum": ["red"]},
            "list": {"type": "array", "items": {"type": "string"}}}}}});
        let fields =
            |object: Value| violations(&schema, &object).into_iter().map(|e| e.field).collect::<Vec<_>>();
        assert!(
            fields(json!({"spec": {"a": 1, "size": 3, "colour": "red", "list": ["x"], "more": 1}}))
                .is_empty()
        );
        assert_eq!(
            fields(json!({"spec": {"a": 1, "size": -1, "colour": "x"}})),
            ["spec.colour", "spec.size"]
        );
        assert_eq!(
            fields(json!({"spec": {"size": 10, "list": [1]}})),
            ["spec.a", "spec.list[0]", "spec.size"]
        );
        assert_eq!(fields(json!({"spec": 1})), ["spec"]);
    }

    #[test]
    fn fields_outside_the_schema_are_named() {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "size": {"type": "integer"}, "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "pod": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": {"type": "object"}}},
            "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}}}}}});
        let object = json!({"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "n"}, "extra": 1, "spec": {"size": 1,
            "labels": {"x": "y"}, "any": {"thing": {"goes": 1}}, "pod": {"kind": "Pod", "spec": {}, "more": 1},
            "list": [{"a": "b"}, {"b": "a"}], "sise": 1}});
        let mut found = unknown_fields(&schema, &object);
        found.sort();
        assert_eq!(found, ["extra", "spec.list[1].b", "spec.pod.more", "spec.sise"]);
    }
}
