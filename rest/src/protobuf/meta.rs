//! What every object, list and Status has, by field numbers (apimachinery's `meta/v1/generated.proto`).

use super::wire::{Fields, Malformed, Value};
use super::{ProtobufErrorKind, envelope};
use crate::{ListMeta, OwnerReference, Status, StatusCause, StatusDetails, TypeMeta};

/// Numbers of ObjectMeta's fields.
pub(crate) mod object {
    /// The metadata itself, in an object.
    pub(crate) const METADATA: u32 = 1;
    pub(crate) const NAME: u32 = 1;
    pub(crate) const NAMESPACE: u32 = 3;
    pub(crate) const UID: u32 = 5;
    pub(crate) const RESOURCE_VERSION: u32 = 6;
    pub(crate) const DELETION_TIMESTAMP: u32 = 9;
    pub(crate) const LABELS: u32 = 11;
    pub(crate) const ANNOTATIONS: u32 = 12;
    pub(crate) const OWNER_REFERENCES: u32 = 13;

    /// The number of a field, by its name in JSON.
    pub(crate) fn number(field: &str) -> Option<u32> {
        Some(match field {
            "name" => NAME,
            "generateName" => 2,
            "namespace" => NAMESPACE,
            "selfLink" => 4,
            "uid" => UID,
            "resourceVersion" => RESOURCE_VERSION,
            "generation" => 7,
            "creationTimestamp" => 8,
            "deletionTimestamp" => DELETION_TIMESTAMP,
            "deletionGracePeriodSeconds" => 10,
            "labels" => LABELS,
            "annotations" => ANNOTATIONS,
            "ownerReferences" => OWNER_REFERENCES,
            "finalizers" => 14,
            "managedFields" => 17,
            _ => return None,
        })
    }
}

/// Hands each field of a message to `take`.
#[inline(always)]
pub(crate) fn each<'a>(
    message: &'a [u8],
    mut take: impl FnMut(u32, Value<'a>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    for field in Fields::new(message) {
        let field = field?;
        take(field.number, field.value)?;
    }
    Ok(())
}

/// Hands each field of an object's metadata to `take`.
#[inline(always)]
pub(crate) fn each_of_metadata<'a>(
    object: &'a [u8],
    mut take: impl FnMut(u32, Value<'a>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    each(object, |number, value| match number {
        object::METADATA => each(value.bytes()?, &mut take),
        _ => Ok(()),
    })
}

/// Key and value of a map's entry.
pub(crate) fn entry(message: &[u8]) -> Result<(&str, &str), Malformed> {
    let mut entry = ("", "");
    each(message, |number, value| {
        match number {
            1 => entry.0 = value.text()?,
            2 => entry.1 = value.text()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(entry)
}

/// Checks a map's entry, whose texts may be known to be ASCII.
pub(crate) fn check_entry(message: &[u8], is_ascii: bool) -> Result<(), Malformed> {
    each(message, |number, value| match number {
        1 | 2 => value.checked_text(is_ascii).map(drop),
        _ => Ok(()),
    })
}

/// An OwnerReference where it stands.
#[derive(Debug, Default)]
pub(crate) struct Owner<'a> {
    kind: &'a str,
    name: &'a str,
    uid: &'a str,
    api_version: &'a str,
    controller: Option<bool>,
    block_owner_deletion: Option<bool>,
}

impl From<Owner<'_>> for OwnerReference {
    fn from(owner: Owner<'_>) -> Self {
        Self {
            kind: owner.kind.to_owned(),
            name: owner.name.to_owned(),
            uid: owner.uid.to_owned(),
            api_version: owner.api_version.to_owned(),
            controller: owner.controller,
            block_owner_deletion: owner.block_owner_deletion,
        }
    }
}

pub(crate) fn owner_reference(message: &[u8]) -> Result<Owner<'_>, Malformed> {
    let mut owner = Owner::default();
    each(message, |number, value| {
        match number {
            1 => owner.kind = value.text()?,
            3 => owner.name = value.text()?,
            4 => owner.uid = value.text()?,
            5 => owner.api_version = value.text()?,
            6 => owner.controller = Some(value.number()? != 0),
            7 => owner.block_owner_deletion = Some(value.number()? != 0),
            _ => {}
        }
        Ok(())
    })?;
    Ok(owner)
}

/// runtime.TypeMeta where it stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Types<'a> {
    api_version: &'a str,
    kind: &'a str,
}

impl From<Types<'_>> for TypeMeta {
    fn from(types: Types<'_>) -> Self {
        Self { api_version: types.api_version.to_owned(), kind: types.kind.to_owned() }
    }
}

impl<'a> From<&'a TypeMeta> for Types<'a> {
    fn from(types: &'a TypeMeta) -> Self {
        Self { api_version: &types.api_version, kind: &types.kind }
    }
}

impl<'a> Types<'a> {
    /// Reads it on top of what is there.
    pub(super) fn read(&mut self, message: &'a [u8]) -> Result<(), Malformed> {
        each(message, |number, value| {
            match number {
                1 => self.api_version = value.text()?,
                2 => self.kind = value.text()?,
                _ => {}
            }
            Ok(())
        })
    }
}

pub(super) fn list_meta(message: &[u8], meta: &mut ListMeta) -> Result<(), Malformed> {
    each(message, |number, value| {
        match number {
            1 => value.text()?.clone_into(&mut meta.self_link),
            2 => value.text()?.clone_into(&mut meta.resource_version),
            3 => value.text()?.clone_into(&mut meta.continue_token),
            4 => meta.remaining_item_count = Some(value.number()?.cast_signed()),
            _ => {}
        }
        Ok(())
    })
}

/// Reads a Status in its wrapper.
pub(crate) fn status(body: &[u8]) -> Result<Status, ProtobufErrorKind> {
    let (types, message) = envelope::open(body)?;
    let TypeMeta { kind, api_version } = types.into();
    let mut status = Status { kind, api_version, ..Status::default() };
    each(message, |number, value| {
        match number {
            1 => list_meta(value.bytes()?, &mut status.metadata)?,
            2 => value.text()?.clone_into(&mut status.status),
            3 => value.text()?.clone_into(&mut status.message),
            4 => status.reason = value.text()?.to_owned().into(),
            5 => details(value.bytes()?, status.details.get_or_insert_default())?,
            6 => status.code = small(value)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(status)
}

fn details(message: &[u8], details: &mut StatusDetails) -> Result<(), Malformed> {
    each(message, |number, value| {
        match number {
            1 => value.text()?.clone_into(&mut details.name),
            2 => value.text()?.clone_into(&mut details.group),
            3 => value.text()?.clone_into(&mut details.kind),
            4 => details.causes.push(cause(value.bytes()?)?),
            5 => details.retry_after_seconds = small(value)?,
            6 => value.text()?.clone_into(&mut details.uid),
            _ => {}
        }
        Ok(())
    })
}

fn cause(message: &[u8]) -> Result<StatusCause, Malformed> {
    let mut cause = StatusCause::default();
    each(message, |number, value| {
        match number {
            1 => cause.cause_type = value.text()?.to_owned().into(),
            2 => value.text()?.clone_into(&mut cause.message),
            3 => value.text()?.clone_into(&mut cause.field),
            _ => {}
        }
        Ok(())
    })?;
    Ok(cause)
}

/// A number that is never negative nor large where it makes sense; 0 where it doesn't.
fn small<N: TryFrom<u64> + Default>(value: Value<'_>) -> Result<N, Malformed> {
    Ok(N::try_from(value.number()?).unwrap_or_default())
}
