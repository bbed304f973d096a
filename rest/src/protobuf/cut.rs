//! Fields are left out of messages by their lengths.

use prost::encoding::WireType;

use super::meta::{self, object};
use super::wire::{Fields, Malformed};
use crate::FieldPathError;
use crate::scan::{FieldPath, Segment};

const UNNAMED: &str = "fields of protobuf have no names, so that only `metadata`, its fields, and single labels and \
                       annotations can be left out";

/// Memory for an object that is put together, and for its metadata.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    object: Vec<u8>,
    metadata: Vec<u8>,
}

/// What is left out of objects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cut {
    all_metadata: bool,
    /// Whole fields of the metadata.
    fields: Vec<u32>,
    /// Entries of the maps in it.
    entries: Vec<(u32, Box<str>)>,
}

impl Cut {
    pub(crate) fn new(paths: &[FieldPath]) -> Result<Self, FieldPathError> {
        let mut cut = Self::default();
        for path in paths {
            cut.add(path)?;
        }
        Ok(cut)
    }

    /// Leaves `path` out as well.
    pub(crate) fn add(&mut self, path: &FieldPath) -> Result<(), FieldPathError> {
        let refused = || path.refuse(UNNAMED);
        let [Segment::Key(first), rest @ ..] = path.segments() else { return Err(refused()) };
        if &**first != "metadata" {
            return Err(refused());
        }
        match rest {
            [] => self.all_metadata = true,
            [Segment::Key(field)] => self.fields.push(object::number(field).ok_or_else(refused)?),
            [Segment::Key(field), Segment::Key(key)] => match object::number(field) {
                Some(number @ (object::LABELS | object::ANNOTATIONS)) => {
                    self.entries.push((number, key.clone()));
                }
                _ => return Err(refused()),
            },
            _ => return Err(refused()),
        }
        Ok(())
    }

    /// The object without what is left out, which is put together in `scratch`.
    pub(super) fn apply<'a>(
        &self,
        object: &'a [u8],
        scratch: &'a mut Scratch,
    ) -> Result<&'a [u8], Malformed> {
        if !self.all_metadata && self.fields.is_empty() && self.entries.is_empty() {
            return Ok(object);
        }
        let Scratch { object: kept, metadata } = scratch;
        kept.clear();
        for field in Fields::new(object) {
            let field = field?;
            if field.number != object::METADATA {
                kept.extend_from_slice(&object[field.start..field.end]);
                continue;
            }
            let whole = field.value.bytes()?;
            if self.all_metadata {
                continue;
            }
            metadata.clear();
            self.keep(whole, metadata)?;
            // Not the key as it came, which may be longer than it has to be.
            prost::encoding::encode_key(object::METADATA, WireType::LengthDelimited, kept);
            prost::encode_length_delimiter(metadata.len(), kept)
                .map_err(|_| Malformed("a length beyond what memory holds"))?;
            kept.extend_from_slice(metadata);
        }
        Ok(kept)
    }

    /// Copies what stays of the metadata.
    fn keep(&self, metadata: &[u8], kept: &mut Vec<u8>) -> Result<(), Malformed> {
        for field in Fields::new(metadata) {
            let field = field?;
            let is_cut = self.fields.contains(&field.number)
                || self.entries.iter().any(|(number, _)| *number == field.number) && {
                    let (found, _) = meta::entry(field.value.bytes()?)?;
                    self.entries.iter().any(|(number, key)| *number == field.number && **key == *found)
                };
            if !is_cut {
                kept.extend_from_slice(&metadata[field.start..field.end]);
            }
        }
        Ok(())
    }
}
