use serde::{Serialize, Serializer};

use super::{Add, VersionedParams, boolean, dry_run, number, text};

/// The form of a patch, which is its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PatchType {
    /// A list of operations (RFC 6902).
    Json,
    /// A document that is merged in, where null removes (RFC 7396).
    Merge,
    /// A document that is merged in by the rules of the type: lists by their keys. Built-in types only.
    StrategicMerge,
    /// The whole intent of one manager: server-side apply.
    Apply,
    /// The same, in CBOR.
    ApplyCbor,
}

impl PatchType {
    /// Its content type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json-patch+json",
            Self::Merge => "application/merge-patch+json",
            Self::StrategicMerge => "application/strategic-merge-patch+json",
            Self::Apply => "application/apply-patch+yaml",
            Self::ApplyCbor => "application/apply-patch+cbor",
        }
    }
}

/// What becomes of fields that the server does not know, or that stand twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldValidation {
    /// They are dropped.
    Ignore,
    /// They are dropped, with a warning.
    Warn,
    /// They are an error.
    Strict,
}

impl FieldValidation {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "Ignore",
            Self::Warn => "Warn",
            Self::Strict => "Strict",
        }
    }
}

/// What becomes of the objects that a deleted one owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum PropagationPolicy {
    /// They stay.
    Orphan,
    /// They go afterwards.
    Background,
    /// They go first.
    Foreground,
}

impl PropagationPolicy {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Orphan => "Orphan",
            Self::Background => "Background",
            Self::Foreground => "Foreground",
        }
    }
}

/// How to create an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateOptions {
    /// Check and answer, but store nothing.
    pub dry_run: bool,
    /// The name under which the fields are managed.
    pub field_manager: Option<String>,
    /// What becomes of unknown fields.
    pub field_validation: Option<FieldValidation>,
}

impl VersionedParams for CreateOptions {
    fn each(&self, add: Add<'_>) {
        dry_run(add, self.dry_run);
        text(add, "fieldManager", self.field_manager.as_deref());
        text(add, "fieldValidation", self.field_validation.map(FieldValidation::as_str));
    }
}

/// How to replace an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateOptions {
    /// Check and answer, but store nothing.
    pub dry_run: bool,
    /// The name under which the fields are managed.
    pub field_manager: Option<String>,
    /// What becomes of unknown fields.
    pub field_validation: Option<FieldValidation>,
}

impl VersionedParams for UpdateOptions {
    fn each(&self, add: Add<'_>) {
        dry_run(add, self.dry_run);
        text(add, "fieldManager", self.field_manager.as_deref());
        text(add, "fieldValidation", self.field_validation.map(FieldValidation::as_str));
    }
}

/// How to patch or apply an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatchOptions {
    /// Check and answer, but store nothing.
    pub dry_run: bool,
    /// Take fields over that other managers own. Server-side apply only.
    pub force: Option<bool>,
    /// The name under which the fields are managed; server-side apply needs one.
    pub field_manager: Option<String>,
    /// What becomes of unknown fields.
    pub field_validation: Option<FieldValidation>,
}

impl VersionedParams for PatchOptions {
    fn each(&self, add: Add<'_>) {
        dry_run(add, self.dry_run);
        boolean(add, "force", self.force);
        text(add, "fieldManager", self.field_manager.as_deref());
        text(add, "fieldValidation", self.field_validation.map(FieldValidation::as_str));
    }
}

/// What must hold for an object to be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preconditions {
    /// It is still this very object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// It is still in this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
}

/// How to delete an object or a collection. Send it as the [body](crate::Request::body); as query parameters it says
/// the same but for the preconditions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteOptions {
    /// How many seconds the object has to end by itself; 0 is at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace_period_seconds: Option<i64>,
    /// What must hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preconditions: Option<Preconditions>,
    /// What becomes of the objects that it owns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub propagation_policy: Option<PropagationPolicy>,
    /// Check and answer, but delete nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not", serialize_with = "all")]
    pub dry_run: bool,
    /// Delete although the stored object can't be read. Dangerous: finalizers are skipped.
    #[serde(
        rename = "ignoreStoreReadErrorWithClusterBreakingPotential",
        skip_serializing_if = "Option::is_none"
    )]
    pub ignore_store_read_error: Option<bool>,
}

fn all<S: Serializer>(_: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    ["All"].serialize(serializer)
}

impl VersionedParams for DeleteOptions {
    fn each(&self, add: Add<'_>) {
        number(add, "gracePeriodSeconds", self.grace_period_seconds);
        text(add, "propagationPolicy", self.propagation_policy.map(PropagationPolicy::as_str));
        dry_run(add, self.dry_run);
        boolean(add, "ignoreStoreReadErrorWithClusterBreakingPotential", self.ignore_store_read_error);
    }
}
