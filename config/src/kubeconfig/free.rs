use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};
use zeroize::Zeroize;

/// Fields that this crate does not know, kept as they were read so that saving loses nothing.
///
/// `Debug` shows their names only, since their values may be secrets.
#[derive(Clone, Default, PartialEq)]
pub struct UnknownFields(BTreeMap<String, Value>);

impl UnknownFields {
    /// A field's value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Sets a field, and gives back what it held.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) -> Option<Value> {
        self.0.insert(name.into(), value)
    }

    /// Removes a field, and gives back what it held.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// All fields, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes over those of `other` whose names are not taken.
    pub(crate) fn fill_from(&mut self, other: &Self) {
        for (name, value) in other.iter() {
            self.0.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }

    pub(crate) fn copy_to(&self, out: &mut Map<String, Value>) {
        out.extend(self.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
}

impl fmt::Debug for UnknownFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, _)| (name, "[redacted]"))).finish()
    }
}

impl Drop for UnknownFields {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

/// The `extensions` of a kubeconfig or of one of its entries: data of other programs, by name.
///
/// `Debug` shows their names only, since their values may be secrets.
#[derive(Clone, Default, PartialEq)]
pub struct Extensions(BTreeMap<String, Extension>);

#[derive(Clone, Default, PartialEq)]
struct Extension {
    value: Value,
    unknown: UnknownFields,
}

impl Extensions {
    /// An extension's data.
    pub fn get(&self, name: &str) -> Option<&Value> {
        Some(&self.0.get(name)?.value)
    }

    /// Sets an extension, and gives back what it held.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) -> Option<Value> {
        let extension = self.0.entry(name.into());
        match extension {
            std::collections::btree_map::Entry::Occupied(mut old) => {
                Some(std::mem::replace(&mut old.get_mut().value, value))
            }
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(Extension { value, unknown: UnknownFields::default() });
                None
            }
        }
    }

    /// Removes an extension, and gives back what it held.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).map(|mut old| std::mem::take(&mut old.value))
    }

    /// All extensions, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter().map(|(name, extension)| (name, &extension.value))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes over those of `other` whose names are not taken.
    pub(crate) fn fill_from(&mut self, other: &Self) {
        for (name, extension) in other.0.iter() {
            self.0.entry(name.clone()).or_insert_with(|| extension.clone());
        }
    }

    /// Takes over all of `other`.
    pub(crate) fn replace_from(&mut self, other: &Self) {
        for (name, extension) in other.0.iter() {
            self.0.insert(name.clone(), extension.clone());
        }
    }

    /// Adds an entry as it was read. False when the name is taken, by more than a null.
    pub(crate) fn add(&mut self, name: String, value: Value, unknown: UnknownFields) -> bool {
        if self.get(&name).is_some_and(|value| !value.is_null()) {
            return false;
        }
        self.0.insert(name, Extension { value, unknown });
        true
    }

    /// The list as it stands in a file.
    pub(crate) fn to_list(&self) -> Value {
        let entry = |(name, extension): (&String, &Extension)| {
            let mut map = Map::new();
            extension.unknown.copy_to(&mut map);
            map.insert("name".to_owned(), Value::String(name.clone()));
            map.insert("extension".to_owned(), extension.value.clone());
            Value::Object(map)
        };
        Value::Array(self.0.iter().map(entry).collect())
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, _)| (name, "[redacted]"))).finish()
    }
}

impl Drop for Extension {
    fn drop(&mut self) {
        wipe(&mut self.value);
    }
}

/// Overwrites the strings of a value.
pub(crate) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
