use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::null_as_default;

/// The metadata of an object. What the server has not set is empty or `None`, and is left out when written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectMeta {
    /// The name, unique in its namespace among objects of its resource.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub name: String,
    /// The start of a name that the server completes, when no name is given.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub generate_name: String,
    /// The namespace; empty for objects that stand in none.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub namespace: String,
    /// The object's own URL; servers no longer fill it in.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub self_link: String,
    /// Unique over time and space: an object deleted and made again has another.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub uid: String,
    /// The version that an update must name; opaque to clients.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub resource_version: String,
    /// How often the wanted state was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// When the server made the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<Timestamp>,
    /// When the object goes, once its deletion was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<Timestamp>,
    /// How many seconds it has to end by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_grace_period_seconds: Option<i64>,
    /// What selectors look at.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null_as_default")]
    pub labels: BTreeMap<String, String>,
    /// What tools keep with the object.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null_as_default")]
    pub annotations: BTreeMap<String, String>,
    /// The objects that this one goes with.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_as_default")]
    pub owner_references: Vec<OwnerReference>,
    /// What must be done before the object can go.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_as_default")]
    pub finalizers: Vec<String>,
    /// Who manages which field. An update that leaves it out keeps what the server has.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_as_default")]
    pub managed_fields: Vec<ManagedFieldsEntry>,
}

/// An object that another one belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnerReference {
    /// The owner's group and version.
    pub api_version: String,
    /// The owner's kind.
    pub kind: String,
    /// The owner's name.
    pub name: String,
    /// The owner's uid.
    pub uid: String,
    /// Whether the owner is the one that controls the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller: Option<bool>,
    /// Whether the owner can't be deleted in the foreground before the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_owner_deletion: Option<bool>,
}

/// The fields that one manager has set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ManagedFieldsEntry {
    /// The manager's name.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub manager: String,
    /// `Apply` or `Update`.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub operation: String,
    /// The group and version in which the fields are named.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub api_version: String,
    /// When it last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// The form of the fields: `FieldsV1`.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub fields_type: String,
    /// The fields, as a tree of keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields_v1: Option<serde_json::Value>,
    /// The subresource through which they were set.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub subresource: String,
}

#[cfg(test)]
mod tests {
    use super::ObjectMeta;

    #[test]
    fn reads_nulls_and_writes_only_what_is_set() {
        let text = r#"{"name":"a","creationTimestamp":"2026-11-24T20:30:00Z","labels":{"app":"x"},
            "ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"u","controller":true}],
            "managedFields":[{"manager":"m","operation":"Apply","fieldsV1":{"f:data":{}}}]}"#;
        let meta: ObjectMeta = serde_json::from_str(text).unwrap();
        let written = serde_json::to_value(&meta).unwrap();
        assert_eq!(written, serde_json::from_str::<serde_json::Value>(text).unwrap());

        let nulls = r#"{"name":"a","creationTimestamp":null,"labels":null,"finalizers":null,"uid":null}"#;
        let meta: ObjectMeta = serde_json::from_str(nulls).unwrap();
        assert_eq!(serde_json::to_string(&meta).unwrap(), r#"{"name":"a"}"#);
    }
}
