//! A Kubernetes REST client: requests, retries, lists, watches and structured errors.

#[cfg(feature = "fake")]
pub mod fake;
mod meta;

pub use meta::{
    CauseType, GroupVersion, GroupVersionError, List, ListMeta, ManagedFieldsEntry, Object, ObjectMeta,
    OwnerReference, PartialObjectMetadata, PartialObjectMetadataList, Status, StatusCause, StatusDetails,
    StatusReason, Table, TableColumn, TableRow, TableRowCondition, TypeMeta,
};
