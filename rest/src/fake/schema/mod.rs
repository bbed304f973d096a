//! What the built-in types look like: for protobuf, merges, ownership, validation and openapi alike.

pub(super) mod custom;
pub(super) mod proto;
pub(super) mod strict;

use std::collections::HashMap;
use std::sync::OnceLock;

use super::kinds::Resource;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    String,
    Int32,
    Int64,
    Bool,
    Double,
    Bytes,
    Quantity,
    IntOrString,
    Time,
    MicroTime,
    Json,
    Type(&'static str),
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    One,
    List,
    Map,
}

/// One field of a type.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) count: Count,
    pub(super) required: bool,
    /// Of a list: the fields that tell its items apart. None at all means a set of plain values.
    pub(super) keys: Option<Vec<&'static str>>,
    /// Its own fields stand in its place.
    pub(super) inline: bool,
}

type Types = HashMap<&'static str, Vec<Field>>;

fn types() -> &'static Types {
    static TYPES: OnceLock<Types> = OnceLock::new();
    TYPES.get_or_init(|| {
        include_str!("fields.txt").lines().filter(|l| !l.starts_with('#')).filter_map(parse_type).collect()
    })
}

fn parse_type(line: &'static str) -> Option<(&'static str, Vec<Field>)> {
    let mut words = line.split(' ');
    let name = words.next()?;
    // `core.v1.` of `core.v1.Pod`.
    let prefix = &name[..=name.rfind('.')?];
    Some((name, words.map(|w| parse_field(prefix, w)).collect::<Option<_>>()?))
}

fn parse_field(prefix: &str, word: &'static str) -> Option<Field> {
    let (name, rest) = word.split_once('=')?;
    let (number, kind) = rest.split_once(':')?;
    let (kind, keys) = match kind.split_once('{') {
        Some((kind, keys)) => {
            let keys = keys.trim_end_matches('}').split(',').filter(|k| !k.is_empty());
            (kind, Some(keys.collect()))
        }
        None => (kind, None),
    };
    let required = kind.ends_with('!');
    let kind = kind.trim_end_matches('!');
    let count = match kind.as_bytes().first()? {
        b'*' => Count::List,
        b'%' => Count::Map,
        _ => Count::One,
    };
    let kind = match kind.trim_start_matches(['*', '%']) {
        "s" => Kind::String,
        "i" => Kind::Int32,
        "l" => Kind::Int64,
        "b" => Kind::Bool,
        "d" => Kind::Double,
        "y" => Kind::Bytes,
        "q" => Kind::Quantity,
        "x" => Kind::IntOrString,
        "t" => Kind::Time,
        "m" => Kind::MicroTime,
        "j" => Kind::Json,
        full if full.contains('.') => Kind::Type(full),
        // Names are looked up whole; the table holds them once, at the beginning of their line.
        short => Kind::Type(full_name(prefix, short)?),
    };
    let inline = name.starts_with('^');
    Some(Field {
        name: name.trim_start_matches('^'),
        number: number.parse().ok()?,
        kind,
        count,
        required,
        keys,
        inline,
    })
}

fn full_name(prefix: &str, short: &str) -> Option<&'static str> {
    static NAMES: OnceLock<HashMap<&'static str, ()>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        include_str!("fields.txt").lines().filter_map(|l| Some((l.split(' ').next()?, ()))).collect()
    });
    names.get_key_value(&*format!("{prefix}{short}")).map(|(name, ())| *name)
}

/// The fields of a type as they stand on the wire.
pub(super) fn fields(name: &str) -> Option<&'static [Field]> {
    types().get(name).map(Vec::as_slice)
}

/// The fields of a type as they stand in JSON.
pub(super) fn json_fields(name: &str) -> Vec<&'static Field> {
    let mut found = Vec::new();
    for field in fields(name).unwrap_or_default() {
        match field.kind {
            Kind::Type(inner) if field.inline => found.extend(json_fields(inner)),
            _ => found.push(field),
        }
    }
    found
}

/// A type's field by its name in JSON.
pub(super) fn field(name: &str, key: &str) -> Option<&'static Field> {
    json_fields(name).into_iter().find(|f| f.name == key)
}

/// The type of a resource's objects at a version, if it is a built-in one.
pub(super) fn root(resource: &Resource, version: &str) -> Option<&'static str> {
    if resource.custom {
        return None;
    }
    type_of(&resource.group, version, &resource.kind)
}

/// The type of a kind.
pub(super) fn type_of(group: &str, version: &str, kind: &str) -> Option<&'static str> {
    let group = if group.is_empty() { "core" } else { group.split('.').next()? };
    types().get_key_value(&*format!("{group}.{version}.{kind}")).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::kinds::Registry;

    #[test]
    fn the_table_is_whole() {
        let lines = include_str!("fields.txt").lines().filter(|l| !l.starts_with('#')).count();
        assert_eq!(types().len(), lines);
        for (name, fields) in types() {
            for field in fields {
                if let Kind::Type(inner) = field.kind {
                    assert!(
                        types().contains_key(inner),
                        "{name}.{} is of an unknown type {inner}",
                        field.name
                    );
                }
            }
        }
    }

    #[test]
    fn every_built_in_kind_has_a_type() {
        for resource in Registry::builtin().all() {
            for version in &resource.versions {
                assert!(root(resource, version).is_some(), "{} {version}", resource.kind);
            }
        }
    }

    #[test]
    fn inlined_fields_stand_in_their_place() {
        assert!(field("core.v1.Volume", "configMap").is_some());
        assert_eq!(field("core.v1.PodSpec", "containers").unwrap().keys.as_deref(), Some(&["name"][..]));
        assert!(field("core.v1.PodSpec", "nonsense").is_none());
    }
}
