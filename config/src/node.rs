//! A parsed document before it becomes types: borrowed from the input where that is possible, in the order of the
//! file, with YAML 1.1's reading of plain scalars (as kubectl reads them) and a bound on what it may grow to.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

/// One value of the document.
#[derive(Debug)]
pub(crate) enum Node<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(Cow<'a, str>),
    Seq(Vec<Node<'a>>),
    Map(Map<'a>),
}

/// Keys in the order of the file, each once.
pub(crate) type Map<'a> = Vec<(Cow<'a, str>, Node<'a>)>;

impl Node<'_> {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Uint(_) | Self::Float(_) => "a number",
            Self::Str(_) => "a string",
            Self::Seq(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// What stands in an error's text when the budget is spent, so that the caller can tell it.
pub(crate) const OVER_BUDGET: &str = "kubewire: over budget";

/// The text being parsed, and how many bytes may still be made of it.
pub(crate) struct Source<'a> {
    text: &'a str,
    budget: Cell<usize>,
}

/// The budget is spent.
#[derive(Debug)]
pub(crate) struct OverBudget;

impl<'a> Source<'a> {
    pub(crate) fn new(text: &'a str, budget: usize) -> Self {
        Self { text, budget: Cell::new(budget) }
    }

    /// Takes what `bytes` of memory cost from the budget.
    pub(crate) fn spend(&self, bytes: usize) -> Result<(), OverBudget> {
        let rest = self.budget.get().checked_sub(bytes).ok_or(OverBudget)?;
        self.budget.set(rest);
        Ok(())
    }

    /// Adds to the budget.
    pub(crate) fn grant(&self, bytes: usize) {
        self.budget.set(self.budget.get().saturating_add(bytes));
    }

    fn spend_in_visitor<E: de::Error>(&self, bytes: usize) -> Result<(), E> {
        self.spend(bytes).map_err(|_| E::custom(OVER_BUDGET))
    }

    /// Where `part` stands in the text, if it was borrowed from it.
    fn offset(&self, part: &str) -> Option<usize> {
        let offset = (part.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize)?;
        (offset + part.len() <= self.text.len()).then_some(offset)
    }

    /// The line, counted from 1, on which `part` stands, if it was borrowed from the text.
    pub(crate) fn line(&self, part: &str) -> Option<usize> {
        let before = self.text.as_bytes().get(..self.offset(part)?)?;
        Some(before.iter().filter(|byte| **byte == b'\n').count() + 1)
    }

    /// Whether `part` stands in the text without quotes around it and without a tag before it.
    fn is_plain(&self, part: &str) -> bool {
        let Some(before) = self.offset(part).and_then(|offset| self.text.get(..offset)) else { return false };
        if before.ends_with(['"', '\'']) {
            return false;
        }
        let word = before.trim_end_matches([' ', '\t']).rsplit([' ', '\t', '\n', ',', '[', '{']).next();
        !word.is_some_and(|word| word.starts_with('!'))
    }

    fn string<E: de::Error>(&self, text: &'a str) -> Result<Node<'a>, E> {
        Ok(match plain(text) {
            Some(node) if self.is_plain(text) => node,
            _ => Node::Str(Cow::Borrowed(text)),
        })
    }
}

/// What a plain scalar means in YAML 1.1 where 1.2 takes it for a string.
fn plain<'a>(text: &str) -> Option<Node<'a>> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Some(Node::Bool(true)),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Some(Node::Bool(false)),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || text.len() > 40 {
        return None;
    }
    let compact: String = text.chars().filter(|c| *c != '_').collect();
    let digits = compact.strip_prefix(['-', '+']).unwrap_or(&compact);
    let value = match digits.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => i64::from_str_radix(octal, 8).ok(),
        _ => digits.parse::<i64>().ok(),
    };
    match value {
        Some(value) if compact.starts_with('-') => Some(Node::Int(-value)),
        Some(value) => Some(Node::Int(value)),
        None if digits
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-')) =>
        {
            compact.parse::<f64>().ok().map(Node::Float)
        }
        None => None,
    }
}

/// Reads one value of any type.
pub(crate) struct NodeSeed<'s, 'a>(pub(crate) &'s Source<'a>);

/// What a value takes in a list or a map that grows by doubling.
const VALUE_COST: usize = 2 * size_of::<Node<'static>>();
/// What a list or a map takes at the least.
const COLLECTION_COST: usize = 2 * size_of::<(Cow<'static, str>, Node<'static>)>();

impl<'de> DeserializeSeed<'de> for NodeSeed<'_, 'de> {
    type Value = Node<'de>;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.spend_in_visitor(VALUE_COST)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_, 'de> {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Node::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Node::Uint(value))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Self::Value, E> {
        Ok(Node::Float(value as f64))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Self::Value, E> {
        Ok(Node::Float(value as f64))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        if value.is_finite() {
            Ok(Node::Float(value))
        } else {
            Err(E::custom("infinity and NaN have no place in a kubeconfig"))
        }
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Self::Value, E> {
        self.0.spend_in_visitor(value.len())?;
        self.0.string(value)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
        self.0.spend_in_visitor(value.len())?;
        Ok(Node::Str(Cow::Owned(value.to_owned())))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Self::Value, E> {
        self.0.spend_in_visitor(value.len())?;
        Ok(Node::Str(Cow::Owned(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        self.0.spend_in_visitor(COLLECTION_COST)?;
        let mut items = Vec::with_capacity(2);
        while let Some(item) = access.next_element_seed(NodeSeed(self.0))? {
            items.push(item);
        }
        Ok(Node::Seq(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        self.0.spend_in_visitor(COLLECTION_COST)?;
        let mut map = Vec::with_capacity(2);
        while let Some(key) = access.next_key_seed(NodeSeed(self.0))? {
            let merge = matches!(&key, Node::Str(key) if key == "<<" && self.0.is_plain(key));
            let value = access.next_value_seed(NodeSeed(self.0))?;
            if merge { merge_into(&mut map, value)? } else { map.push((key_text(key)?, value)) }
        }
        Ok(Node::Map(last_of_each(map)))
    }

    /// A tag of the file's own: it is ignored.
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Self::Value, A::Error> {
        let (_tag, variant) = access.variant::<de::IgnoredAny>()?;
        variant.newtype_variant_seed(self)
    }
}

/// Spreads the map, or the maps, that a `<<` key names. Of several maps the first has the last word.
fn merge_into<'a, E: de::Error>(map: &mut Map<'a>, value: Node<'a>) -> Result<(), E> {
    match value {
        Node::Map(entries) => map.extend(entries),
        Node::Seq(maps) => {
            for value in maps.into_iter().rev() {
                match value {
                    Node::Map(entries) => map.extend(entries),
                    _ => return Err(E::custom("a merge key (<<) needs a map or a list of maps")),
                }
            }
        }
        _ => return Err(E::custom("a merge key (<<) needs a map or a list of maps")),
    }
    Ok(())
}

fn key_text<'a, E: de::Error>(key: Node<'a>) -> Result<Cow<'a, str>, E> {
    Ok(match key {
        Node::Str(key) => key,
        Node::Null => Cow::Borrowed("null"),
        Node::Bool(value) => Cow::Borrowed(if value { "true" } else { "false" }),
        Node::Int(value) => value.to_string().into(),
        Node::Uint(value) => value.to_string().into(),
        Node::Float(value) => value.to_string().into(),
        Node::Seq(_) | Node::Map(_) => return Err(E::custom("a key must be a string")),
    })
}

/// Of several entries with the same key the last one counts, as kubectl has it.
fn last_of_each(mut map: Map<'_>) -> Map<'_> {
    const SMALL: usize = 16;
    let keep: Vec<bool> = if map.len() <= SMALL {
        (0..map.len()).map(|at| !map[at + 1..].iter().any(|(key, _)| *key == map[at].0)).collect()
    } else {
        let last: HashMap<&str, usize> =
            map.iter().enumerate().map(|(at, (key, _))| (key.as_ref(), at)).collect();
        map.iter().enumerate().map(|(at, (key, _))| last[key.as_ref()] == at).collect()
    };
    if keep.contains(&false) {
        let mut at = keep.iter();
        map.retain(|_| at.next().copied().unwrap_or(true));
    }
    map
}
