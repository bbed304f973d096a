//! The types that every Kubernetes API shares: metadata, lists, statuses, and an object of any kind.

mod group_version;
mod list;
mod object;
mod object_meta;
mod partial;
mod status;
mod table;

pub use group_version::{GroupVersion, GroupVersionError};
pub use list::{List, ListMeta};
pub use object::{Object, TypeMeta};
pub use object_meta::{ManagedFieldsEntry, ObjectMeta, OwnerReference};
pub use partial::{PartialObjectMetadata, PartialObjectMetadataList};
pub use status::{CauseType, Status, StatusCause, StatusDetails, StatusReason};
pub use table::{Table, TableColumn, TableRow, TableRowCondition};

use serde::{Deserialize, Deserializer};

/// Reads `null` as the default: servers written in Go send it for an empty list or map.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Fails when an answer says that it is of another kind; nothing said is accepted.
pub(crate) fn expect_kind<E: serde::de::Error>(found: &str, wanted: &'static str) -> Result<(), E> {
    if found.is_empty() || found == wanted {
        return Ok(());
    }
    Err(E::custom(format_args!("the object's kind is {found}, not {wanted}")))
}
