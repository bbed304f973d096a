//! Objects kept as JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::object::Wire;
use super::{Encoded, EncodedError, keys};
use crate::json::{self, Tokens, string};
use crate::list::sealed::{FromItem, FromJson, Parts, Text};
use crate::scan::{FieldPath, Plan, Segments, each_member, find, same};
use crate::{DecodeOptions, ItemError};

impl<T: DeserializeOwned> Encoded<T> {
    /// Reads an object of JSON, without its managedFields.
    ///
    /// # Errors
    /// It is no JSON, or larger than 64 MiB.
    pub fn from_json(json: &[u8]) -> Result<Self, ItemError>
    where
        T: 'static,
    {
        crate::decode_object(json, &DecodeOptions::default())
    }

    /// The whole object.
    ///
    /// # Errors
    /// It is no `T`.
    pub fn decode(&self) -> Result<T, EncodedError> {
        self.decode_as()
    }

    /// The whole object as any type, which may borrow from it.
    ///
    /// # Errors
    /// It is no `U`.
    pub fn decode_as<'a, U: Deserialize<'a>>(&'a self) -> Result<U, EncodedError> {
        self.read("", self.to_json())
    }

    /// The part at a path, such as `status.containerStatuses` or `spec.containers[0].image`, as any type, which
    /// may borrow from it; `None` where there is nothing. Of a key that comes twice the last counts.
    ///
    /// All but the part is skipped without being decoded: a pod's `status` takes an eighth of the time of the
    /// pod.
    ///
    /// # Errors
    /// The path can't be read, or what stands there is no `U`.
    pub fn decode_at<'a, U: Deserialize<'a>>(&'a self, path: &str) -> Result<Option<U>, EncodedError> {
        match self.json_at(path)? {
            Some(text) => self.read(path, text).map(Some),
            None => Ok(None),
        }
    }

    /// The string at a path; `None` where there is none. Copied only where it holds escapes.
    ///
    /// # Errors
    /// The path can't be read.
    pub fn str_at(&self, path: &str) -> Result<Option<Cow<'_, str>>, EncodedError> {
        Ok(self.json_at(path)?.and_then(string))
    }

    /// The integer at a path; `None` where there is none.
    ///
    /// # Errors
    /// The path can't be read.
    pub fn i64_at(&self, path: &str) -> Result<Option<i64>, EncodedError> {
        Ok(self.json_at(path)?.and_then(|text| serde_json::from_str(text).ok()))
    }

    /// The number at a path; `None` where there is none.
    ///
    /// # Errors
    /// The path can't be read.
    pub fn f64_at(&self, path: &str) -> Result<Option<f64>, EncodedError> {
        Ok(self.json_at(path)?.and_then(|text| serde_json::from_str(text).ok()))
    }

    /// The truth value at a path; `None` where there is none.
    ///
    /// # Errors
    /// The path can't be read.
    pub fn bool_at(&self, path: &str) -> Result<Option<bool>, EncodedError> {
        Ok(self.json_at(path)?.and_then(|text| serde_json::from_str(text).ok()))
    }

    /// The JSON at a path. Where `spec`, `status`, `status.phase`, `metadata.labels`, `metadata.annotations` and
    /// `metadata.ownerReferences` stand is known, so that nothing before them has to be skipped.
    ///
    /// # Errors
    /// The path can't be read.
    pub fn json_at(&self, path: &str) -> Result<Option<&str>, EncodedError> {
        let (mut value, read) = match keys::on_the_way(path) {
            Some((slot, read)) => (self.text_at(slot), read),
            None => (Some(self.to_json()), 0),
        };
        for segment in Segments::after(path, read) {
            let segment = segment?;
            value = value.and_then(|value| find(value, &segment));
        }
        Ok(value)
    }

    /// The whole JSON, as it came but for what was left out.
    pub fn to_json(&self) -> &str {
        match self.wire() {
            Wire::Json(text) => &text[..self.len()],
            #[cfg(feature = "protobuf")]
            Wire::Protobuf(_) => unreachable!("a type of serde's is encoded as JSON"),
        }
    }

    /// The same object, to be decoded as another type.
    pub fn cast<U: DeserializeOwned>(self) -> Encoded<U> {
        self.retyped()
    }

    fn read<'a, U: Deserialize<'a>>(&self, path: &str, text: &'a str) -> Result<U, EncodedError> {
        json::from_checked(text, &mut Tokens::default()).map_err(|source| EncodedError::Type {
            object: self.title(),
            path: path.to_owned(),
            source,
        })
    }
}

/// The value of an entry of an object.
pub(super) fn entry<'a>(object: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut found = None;
    each_member(object, |key, value| {
        if same(key, name) {
            found = Some(value);
        }
    });
    string(found?)
}

/// The entries of an object that are strings by strings.
pub(super) fn map(object: &str) -> BTreeMap<Cow<'_, str>, Cow<'_, str>> {
    let mut map = BTreeMap::new();
    each_member(object, |key, value| {
        if let (Some(key), Some(value)) = (string(key), string(value)) {
            map.insert(key, value);
        }
    });
    map
}

impl<T: DeserializeOwned + 'static> FromJson for Encoded<T> {}

impl<T: DeserializeOwned + 'static> FromItem for Encoded<T> {
    const IS_LIGHT: bool = true;

    fn plan(options: &DecodeOptions) -> Parts {
        let mut plan = Plan::everything();
        if !options.keep_managed_fields {
            plan.cut(&FieldPath::managed_fields());
        }
        keys::mark(&mut plan);
        Parts(plan)
    }

    fn from_item(Text { item, .. }: Text<'_>) -> Result<Self, serde_json::Error> {
        let mut extra = String::new();
        let places = keys::places(&item, &mut extra);
        let text = if extra.is_empty() { item.text.into() } else { (item.text.to_owned() + &extra).into() };
        Ok(Self::from_parts(Wire::Json(text), item.text.len(), places))
    }
}
