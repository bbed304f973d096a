//! Hooks that look at writes before they are kept.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::auth::User;
use super::request::Route;

/// What a write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// A new object.
    Create,
    /// A new version of an object, by update, patch or apply.
    Update,
    /// The end of an object.
    Delete,
}

/// One write on its way into the store, as an admission hook sees it.
#[derive(Debug)]
pub struct Review<'a> {
    /// What the write does.
    pub operation: Operation,
    pub(super) route: &'a Route,
    pub(super) user: &'a User,
    /// The object as it stands; `None` when it is to be created.
    pub old: Option<&'a Value>,
    /// The object as it is to be, without `apiVersion` and `kind`; a hook may change it. For a deletion it is the
    /// object as it stands, and changes are lost.
    pub object: &'a mut Value,
    pub(super) warnings: &'a mut Vec<String>,
}

impl Review<'_> {
    /// The API group, empty for the core group.
    pub fn group(&self) -> &str {
        &self.route.resource.group
    }

    /// The resource's plural name.
    pub fn resource(&self) -> &str {
        &self.route.resource.plural
    }

    /// The subresource written to, or an empty string.
    pub fn subresource(&self) -> &str {
        self.route.subresource.as_deref().unwrap_or_default()
    }

    /// The object's namespace, or an empty string.
    pub fn namespace(&self) -> &str {
        self.route.namespace()
    }

    /// The object's name.
    pub fn name(&self) -> &str {
        self.route.name()
    }

    /// Who writes.
    pub fn user(&self) -> &str {
        &self.user.name
    }

    /// Sends a warning along with the answer.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }
}

type Hook = dyn Fn(&mut Review<'_>) -> Result<(), String> + Send + Sync;

/// A named hook.
#[derive(Clone)]
pub(super) struct Admission {
    pub(super) name: String,
    pub(super) hook: Arc<Hook>,
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission").field("name", &self.name).finish_non_exhaustive()
    }
}
