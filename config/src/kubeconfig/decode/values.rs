//! The types that fields have: strings, flags, base64, lists, maps. What is of another type than it must be is reported and
//! counts as absent.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;
use zeroize::Zeroize;

use super::{Decoder, Step, TREE_NODE, TREE_NODE_FILL};
use crate::kubeconfig::UnknownFields;
use crate::node::{Map, Node};
use crate::{ConfigError, Secret};

/// As strict as the reference: padding is needed, spare bits of the last character are ignored.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

impl<'a> Decoder<'a> {
    /// A list of entries with a name each, such as `[{name: a, cluster: {...}}]`.
    pub(super) fn named<T: Default>(
        &mut self,
        node: Node<'a>,
        field: &str,
        read: fn(&mut Self, Node<'a>) -> T,
        unknown: fn(&mut T) -> &mut UnknownFields,
    ) -> BTreeMap<String, T> {
        let items = self.items(node);
        let mut entries: Vec<(String, T)> = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            self.spend(2 * size_of::<(String, T)>());
            if self.over_budget {
                break;
            }
            self.path.push(name_of(&item).map_or(Step::Index(index), Step::Name));
            let (mut name, mut entry, mut rest) = (String::new(), None, UnknownFields::default());
            self.each_field(item, |d, key, value| match key {
                "name" => name = d.string(value),
                key if key == field => entry = Some(read(d, value)),
                other => d.keep(&mut rest, other, value),
            });
            self.path.pop();
            // An entry without its own map is one that says nothing.
            let mut entry = entry.unwrap_or_else(|| read(self, Node::Null));
            *unknown(&mut entry) = rest;
            entries.push((name, entry));
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        let mut repeated: Vec<_> =
            entries.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].0.clone()).collect();
        repeated.dedup();
        for name in repeated {
            let at = self.place();
            self.report(ConfigError::DuplicateName { at, name });
        }
        entries.into_iter().collect()
    }

    pub(super) fn each_field(&mut self, node: Node<'a>, mut read: impl FnMut(&mut Self, &str, Node<'a>)) {
        for (key, value) in self.map(node) {
            if self.over_budget {
                return;
            }
            self.path.push(Step::Key(key.clone()));
            read(self, &key, value);
            self.path.pop();
        }
    }

    pub(super) fn map(&mut self, node: Node<'a>) -> Map<'a> {
        match node {
            Node::Map(map) => map,
            Node::Null => Map::new(),
            other => {
                self.wrong_type(&other, "a map");
                Map::new()
            }
        }
    }

    pub(super) fn items(&mut self, node: Node<'a>) -> Vec<Node<'a>> {
        match node {
            Node::Seq(items) => items,
            Node::Null => Vec::new(),
            other => {
                self.wrong_type(&other, "a list");
                Vec::new()
            }
        }
    }

    pub(super) fn list<T>(&mut self, node: Node<'a>, read: fn(&mut Self, Node<'a>) -> T) -> Vec<T> {
        let items = self.items(node);
        self.spend(items.len() * size_of::<T>());
        let mut out = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            if self.over_budget {
                break;
            }
            self.path.push(Step::Index(index));
            out.push(read(self, item));
            self.path.pop();
        }
        out
    }

    pub(super) fn dictionary<T>(
        &mut self,
        node: Node<'a>,
        read: fn(&mut Self, Node<'a>) -> T,
    ) -> BTreeMap<String, T> {
        let mut out = BTreeMap::new();
        self.each_field(node, |d, key, value| {
            d.spend(2 * size_of::<(String, T)>());
            out.insert(key.to_owned(), read(d, value));
        });
        out
    }

    pub(super) fn optional<T>(
        &mut self,
        node: Node<'a>,
        read: fn(&mut Self, Node<'a>) -> T,
    ) -> Option<Box<T>> {
        match node {
            Node::Null => None,
            node => Some(Box::new(read(self, node))),
        }
    }

    pub(super) fn string(&mut self, node: Node<'a>) -> String {
        match node {
            Node::Str(text) => text.into_owned(),
            Node::Null => String::new(),
            other => {
                self.wrong_type(&other, "a string");
                String::new()
            }
        }
    }

    /// A string; an empty one counts as absent.
    pub(super) fn text(&mut self, node: Node<'a>) -> Option<String> {
        Some(self.string(node)).filter(|text| !text.is_empty())
    }

    pub(super) fn path(&mut self, node: Node<'a>) -> Option<PathBuf> {
        self.text(node).map(PathBuf::from)
    }

    pub(super) fn secret(&mut self, node: Node<'a>) -> Option<Secret> {
        self.text(node).map(Secret::new)
    }

    pub(super) fn boolean(&mut self, node: Node<'a>) -> bool {
        match node {
            Node::Bool(value) => value,
            Node::Null => false,
            other => {
                self.wrong_type(&other, "true or false");
                false
            }
        }
    }

    pub(super) fn data(&mut self, node: Node<'a>) -> Option<Vec<u8>> {
        let mut text = self.text(node)?;
        let decoded = if text.contains(['\r', '\n']) {
            let mut joined: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
            let decoded = BASE64.decode(&joined);
            joined.zeroize();
            decoded
        } else {
            BASE64.decode(&text)
        };
        text.zeroize();
        match decoded {
            Ok(data) => Some(data).filter(|data| !data.is_empty()),
            Err(error) => {
                let problem = match error {
                    base64::DecodeError::InvalidByte(..) => "a character that is none of its alphabet",
                    base64::DecodeError::InvalidLength(_) => {
                        "its length is wrong: is something missing at its end?"
                    }
                    base64::DecodeError::InvalidLastSymbol { .. } => "its end is wrong",
                    base64::DecodeError::InvalidPadding => "its padding is wrong",
                };
                let at = self.place();
                self.report(ConfigError::Base64 { at, problem });
                None
            }
        }
    }

    pub(super) fn keep(&mut self, unknown: &mut UnknownFields, key: &str, node: Node<'a>) {
        // A map of one field is a whole node of a tree.
        self.spend(TREE_NODE);
        let value = self.json(node);
        unknown.insert(key, value);
    }

    pub(super) fn json(&mut self, node: Node<'a>) -> Value {
        if self.over_budget {
            return Value::Null;
        }
        match node {
            Node::Null => Value::Null,
            Node::Bool(value) => value.into(),
            Node::Int(value) => value.into(),
            Node::Uint(value) => value.into(),
            Node::Float(value) => value.into(),
            Node::Str(text) => {
                self.spend(text.len());
                Value::String(text.into_owned())
            }
            Node::Seq(items) => {
                self.spend(items.len() * size_of::<Value>());
                Value::Array(items.into_iter().map(|item| self.json(item)).collect())
            }
            Node::Map(map) => {
                self.spend(TREE_NODE * map.len().div_ceil(TREE_NODE_FILL));
                Value::Object(
                    map.into_iter().map(|(key, value)| (key.into_owned(), self.json(value))).collect(),
                )
            }
        }
    }
}

fn name_of(item: &Node<'_>) -> Option<String> {
    let Node::Map(map) = item else { return None };
    match map.iter().find(|(key, _)| key == "name") {
        Some((_, Node::Str(name))) if !name.is_empty() => Some(name.to_string()),
        _ => None,
    }
}
