//! The store as a test sees it.

use std::sync::{Arc, PoisonError};

use serde_json::Value;

use super::kinds::Resource;
use super::state::State;
use super::status::ApiError;
use super::store::{Stored, Write};

/// Looks into the server's store and changes it, past authentication, admission and validation.
///
/// Objects are JSON values with `apiVersion` and `kind`.
#[derive(Clone, Debug)]
pub struct Objects(pub(super) Arc<State>);

impl Objects {
    /// One object; `namespace` is empty for a kind that lives in none.
    pub fn get(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let resource = self.resource(api_version, kind)?;
        let stored = self.0.store.get(&resource.key(), &(namespace.to_owned(), name.to_owned()))?;
        Some(typed(api_version, kind, &stored))
    }

    /// All objects of a kind, in one namespace or in all.
    pub fn list(&self, api_version: &str, kind: &str, namespace: Option<&str>) -> Vec<Value> {
        let Some(resource) = self.resource(api_version, kind) else { return Vec::new() };
        let listed = self.0.store.list(&resource.key(), namespace, None).map(|(_, o)| o).unwrap_or_default();
        listed.iter().map(|o| typed(api_version, kind, o)).collect()
    }

    /// Creates the object or replaces it as a whole, status included, and gives it as stored. Watches see it.
    ///
    /// # Errors
    ///
    /// A kind that the server does not know, an object without a name.
    pub fn put(&self, mut object: Value) -> Result<Value, String> {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
        let resource = self.resource(&api_version, &kind).ok_or_else(|| {
            format!("the server does not know the kind {kind:?} of {api_version:?}: register it first")
        })?;
        let name = text(&object["metadata"]["name"]);
        if name.is_empty() {
            return Err(format!("a {kind} without metadata.name can't be stored"));
        }
        let namespace = text(&object["metadata"]["namespace"]);
        if resource.namespaced && namespace.is_empty() {
            return Err(format!("the {kind} {name:?} has no metadata.namespace"));
        }
        let stored = self
            .0
            .store
            .write(&resource.key(), &(namespace, name), |current| {
                let old = current.map_or(&Value::Null, |c| &c.value["metadata"]);
                let metadata = &mut object["metadata"];
                let fill = |field: &str, fresh: String| match (&metadata[field], &old[field]) {
                    (Value::Null, Value::Null) => fresh.into(),
                    (Value::Null, old) => old.clone(),
                    (given, _) => given.clone(),
                };
                let uid = fill("uid", self.0.random.uid());
                let created = fill("creationTimestamp", self.0.clock.stamp());
                metadata["uid"] = uid;
                metadata["creationTimestamp"] = created;
                Ok(Write::Put(object))
            })
            .map_err(|e: ApiError| e.message)?;
        Ok(typed(&api_version, &kind, &stored))
    }

    /// Removes the object at once, finalizers or not, and says whether it was there.
    pub fn remove(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> bool {
        let Some(resource) = self.resource(api_version, kind) else { return false };
        let key = (namespace.to_owned(), name.to_owned());
        let removed = self.0.store.write(&resource.key(), &key, |current| match current {
            Some(current) => Ok(Write::Remove(current.value.clone())),
            None => Err(ApiError::not_found(&resource, name)),
        });
        removed.is_ok()
    }

    /// Lets a container write to its log, which the subresource `log` of its pod reads. The last 10,000 lines of each
    /// container are kept.
    pub fn log(&self, namespace: &str, pod: &str, container: &str, text: &str) {
        let key = (namespace.to_owned(), pod.to_owned(), container.to_owned());
        self.0.logs.write(key, self.0.clock.now(), text);
    }

    /// The version of the newest write: what a list would bear now.
    pub fn version(&self) -> u64 {
        self.0.store.version()
    }

    /// Forgets the history, so that older watches and continue tokens are answered 410.
    pub fn compact(&self) {
        self.0.store.compact();
    }

    fn resource(&self, api_version: &str, kind: &str) -> Option<Arc<Resource>> {
        self.0
            .registry
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .by_kind(api_version, kind)
            .map(Arc::clone)
    }
}

fn typed(api_version: &str, kind: &str, stored: &Stored) -> Value {
    let mut object = stored.value.clone();
    object["apiVersion"] = api_version.into();
    object["kind"] = kind.into();
    object
}
