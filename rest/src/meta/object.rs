use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::ObjectMeta;

/// What an object says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TypeMeta {
    /// The group and version, as in `apps/v1`, or `v1`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// The kind, as in `Deployment`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

impl TypeMeta {
    /// The `kind` of `api_version`.
    pub fn new(api_version: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { api_version: api_version.into(), kind: kind.into() }
    }
}

/// An object of any kind: what it is, its metadata, and everything else as JSON.
///
/// ```
/// use kubewire_rest::Object;
///
/// let mut object = Object::new("v1", "ConfigMap", "settings");
/// object.fields.insert("data".into(), serde_json::json!({"colour": "blue"}));
/// assert_eq!(
///     serde_json::to_string(&object)?,
///     r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"},"data":{"colour":"blue"}}"#
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object {
    /// What it is.
    pub types: TypeMeta,
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// All other fields: `spec`, `status`, `data` and so on.
    pub fields: Map<String, Value>,
}

impl Object {
    /// An object with a name and nothing else.
    pub fn new(api_version: impl Into<String>, kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            types: TypeMeta::new(api_version, kind),
            metadata: ObjectMeta { name: name.into(), ..ObjectMeta::default() },
            fields: Map::new(),
        }
    }

    /// The value at a JSON pointer below the other fields, such as `/spec/replicas`; `None` where there is none. `~1`
    /// stands for `/` in a name, and `~0` for `~`. What is in [`types`](Self::types) and [`metadata`](Self::metadata) is
    /// not found.
    ///
    /// Indexing the fields, as in `object.fields["spec"]`, panics where there is no such field.
    pub fn pointer(&self, pointer: &str) -> Option<&Value> {
        let (first, rest) = split(pointer)?;
        self.fields.get(&first)?.pointer(rest)
    }

    /// The value at a JSON pointer, as [`pointer`](Self::pointer) finds it, to be changed. What is not there is not made.
    ///
    /// ```
    /// use kubewire_rest::Object;
    ///
    /// let mut object: Object = serde_json::from_str(r#"{"spec": {"replicas": 1}}"#)?;
    /// if let Some(replicas) = object.pointer_mut("/spec/replicas") {
    ///     *replicas = 3.into();
    /// }
    /// assert_eq!(object.pointer("/spec/replicas"), Some(&3.into()));
    /// assert_eq!(object.pointer_mut("/status/replicas"), None);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn pointer_mut(&mut self, pointer: &str) -> Option<&mut Value> {
        let (first, rest) = split(pointer)?;
        self.fields.get_mut(&first)?.pointer_mut(rest)
    }
}

/// The first name of a JSON pointer, and the pointer below it.
fn split(pointer: &str) -> Option<(String, &str)> {
    let names = pointer.strip_prefix('/')?;
    let (first, rest) = names.split_at(names.find('/').unwrap_or(names.len()));
    Some((first.replace("~1", "/").replace("~0", "~"), rest))
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.types.api_version.is_empty() {
            map.serialize_entry("apiVersion", &self.types.api_version)?;
        }
        if !self.types.kind.is_empty() {
            map.serialize_entry("kind", &self.types.kind)?;
        }
        map.serialize_entry("metadata", &self.metadata)?;
        for (key, value) in &self.fields {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

// By hand, since serde's `flatten` would build every value twice.
impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a Kubernetes object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut object = Object::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "apiVersion" => object.types.api_version = or_default(&mut map)?,
                        "kind" => object.types.kind = or_default(&mut map)?,
                        "metadata" => object.metadata = or_default(&mut map)?,
                        _ => drop(object.fields.insert(key, map.next_value()?)),
                    };
                }
                Ok(object)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

fn or_default<'de, A: MapAccess<'de>, T: Deserialize<'de> + Default>(map: &mut A) -> Result<T, A::Error> {
    Ok(map.next_value::<Option<T>>()?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::Object;

    #[test]
    fn keeps_every_field() {
        let text = r#"{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"web"},
            "spec":{"replicas":2,"a/b":[1]},"status":null}"#;
        let mut object: Object = serde_json::from_str(text).unwrap();
        assert_eq!(object.types.kind, "Deployment");
        assert_eq!(object.metadata.name, "web");
        assert_eq!(object.pointer("/spec/replicas"), Some(&2.into()));
        assert_eq!(object.pointer("/spec/a~1b/0"), Some(&1.into()));
        assert_eq!(object.pointer("/spec/none"), None);
        let written = serde_json::to_value(&object).unwrap();
        assert_eq!(written, serde_json::from_str::<serde_json::Value>(text).unwrap());
        for (pointer, found) in
            [("/spec/a~1b/0", true), ("/status", true), ("spec", false), ("", false), ("/kind", false)]
        {
            assert_eq!(object.pointer(pointer).is_some(), found, "{pointer}");
            assert_eq!(object.pointer_mut(pointer).is_some(), found, "{pointer}");
        }
        *object.pointer_mut("/spec/a~1b/0").unwrap() = 7.into();
        assert_eq!(object.fields["spec"]["a/b"], serde_json::json!([7]));
        assert!(serde_json::from_str::<Object>("[]").unwrap_err().to_string().contains("Kubernetes object"));
    }
}
