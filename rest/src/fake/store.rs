//! The objects, their history, and the one counter of versions.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use super::clock::Clock;
use super::status::ApiError;

/// Namespace (empty for objects that live in none) and name.
pub(super) type Key = (String, String);

/// One object at one version, without `apiVersion` and `kind`: those depend on who asks.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) value: Value,
    tail: OnceLock<Bytes>,
}

impl Stored {
    fn new(value: Value) -> Self {
        Self { value, tail: OnceLock::new() }
    }

    /// The object's JSON without its opening brace, written once however many read it.
    pub(super) fn tail(&self) -> &Bytes {
        self.tail.get_or_init(|| {
            let text = self.value.to_string();
            Bytes::from(text).slice(1..)
        })
    }

    pub(super) fn meta(&self, field: &str) -> &str {
        self.value["metadata"][field].as_str().unwrap_or_default()
    }
}

/// What a change did to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Added,
    Modified,
    Deleted,
}

/// One entry of the history.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) version: u64,
    pub(super) resource: String,
    pub(super) key: Key,
    pub(super) event: Event,
    /// As it is after the change; for a deletion, as it was, at the deletion's version.
    pub(super) object: Arc<Stored>,
    pub(super) previous: Option<Arc<Stored>>,
    at: Timestamp,
}

/// What a writer wants done with the object it was shown.
pub(super) enum Write {
    Put(Value),
    Remove(Value),
    /// Nothing is written: a dry run, or no change. The value is what the caller is to see.
    Keep(Value),
}

#[derive(Debug)]
pub(super) struct Store {
    inner: Mutex<Inner>,
    clock: Clock,
    /// The newest version: watches wait on it.
    newest: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    version: u64,
    /// The history holds every change after this version.
    compacted: u64,
    objects: HashMap<String, BTreeMap<Key, Arc<Stored>>>,
    history: VecDeque<Arc<Change>>,
    keep_changes: usize,
    keep_for: Option<Duration>,
}

impl Store {
    pub(super) fn new(clock: Clock, keep_changes: usize, keep_for: Option<Duration>) -> Self {
        let inner = Inner {
            version: 1,
            compacted: 0,
            objects: HashMap::new(),
            history: VecDeque::new(),
            keep_changes,
            keep_for,
        };
        Self { inner: Mutex::new(inner), clock, newest: watch::Sender::new(1) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.expire(self.clock.now());
        inner
    }

    pub(super) fn version(&self) -> u64 {
        self.lock().version
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// Forgets the history up to now: older watches and continue tokens are answered 410.
    pub(super) fn compact(&self) {
        let mut inner = self.lock();
        inner.compacted = inner.version;
        inner.history.clear();
        let version = inner.version;
        drop(inner);
        // Wake watches that lag behind, so that they learn of it.
        self.newest.send_replace(version);
    }

    pub(super) fn get(&self, resource: &str, key: &Key) -> Option<Arc<Stored>> {
        self.lock().objects.get(resource)?.get(key).cloned()
    }

    /// All objects of a resource, of one namespace or of all, now or at an older version, with that version.
    pub(super) fn list(
        &self,
        resource: &str,
        namespace: Option<&str>,
        at: Option<u64>,
    ) -> Result<(u64, Vec<Arc<Stored>>), ApiError> {
        let inner = self.lock();
        let of_namespace = |key: &Key| namespace.is_none_or(|ns| key.0 == ns);
        let empty = BTreeMap::new();
        let now = inner.objects.get(resource).unwrap_or(&empty);
        let Some(at) = at.filter(|at| *at < inner.version) else {
            let objects = now.iter().filter(|(k, _)| of_namespace(k)).map(|(_, o)| Arc::clone(o)).collect();
            return Ok((inner.version, objects));
        };
        if at < inner.compacted {
            return Err(ApiError::too_old(at, inner.compacted));
        }
        let mut then: BTreeMap<&Key, &Arc<Stored>> = now.iter().filter(|(k, _)| of_namespace(k)).collect();
        for change in inner.history.iter().rev().take_while(|c| c.version > at) {
            if change.resource == resource && of_namespace(&change.key) {
                match &change.previous {
                    Some(previous) => then.insert(&change.key, previous),
                    None => then.remove(&change.key),
                };
            }
        }
        Ok((at, then.into_values().map(Arc::clone).collect()))
    }

    /// Shows the writer the object as it stands and does what it says, all in one step. Gives the object that the
    /// caller is to see. The writer must not come back to the store: it is locked.
    pub(super) fn write(
        &self,
        resource: &str,
        key: &Key,
        writer: impl FnOnce(Option<&Arc<Stored>>) -> Result<Write, ApiError>,
    ) -> Result<Arc<Stored>, ApiError> {
        let mut inner = self.lock();
        let current = inner.objects.get(resource).and_then(|c| c.get(key)).cloned();
        let (value, removed) = match writer(current.as_ref())? {
            Write::Keep(value) => return Ok(Arc::new(Stored::new(value))),
            Write::Put(value) => (value, false),
            Write::Remove(value) => (value, true),
        };
        let object = inner.record(resource, key, value, current, removed, self.clock.now());
        let version = inner.version;
        drop(inner);
        self.newest.send_replace(version);
        Ok(object)
    }

    /// Up to `limit` changes after `since`, and the version up to which they were looked for.
    pub(super) fn changes(
        &self,
        resource: &str,
        namespace: Option<&str>,
        since: u64,
        limit: usize,
    ) -> Result<(u64, Vec<Arc<Change>>), ApiError> {
        let inner = self.lock();
        if since < inner.compacted {
            return Err(ApiError::too_old(since, inner.compacted));
        }
        let from = inner.history.partition_point(|c| c.version <= since);
        let mut found = Vec::new();
        for change in inner.history.range(from..) {
            if change.resource == resource && namespace.is_none_or(|ns| change.key.0 == ns) {
                found.push(Arc::clone(change));
                if found.len() == limit {
                    return Ok((change.version, found));
                }
            }
        }
        Ok((inner.version.max(since), found))
    }
}

impl Inner {
    fn record(
        &mut self,
        resource: &str,
        key: &Key,
        mut value: Value,
        previous: Option<Arc<Stored>>,
        removed: bool,
        now: Timestamp,
    ) -> Arc<Stored> {
        self.version += 1;
        if let Some(object) = value.as_object_mut() {
            object.remove("apiVersion");
            object.remove("kind");
        }
        value["metadata"]["resourceVersion"] = self.version.to_string().into();
        let object = Arc::new(Stored::new(value));
        let collection = self.objects.entry(resource.to_owned()).or_default();
        let event = if removed {
            collection.remove(key);
            Event::Deleted
        } else if collection.insert(key.clone(), Arc::clone(&object)).is_some() {
            Event::Modified
        } else {
            Event::Added
        };
        self.history.push_back(Arc::new(Change {
            version: self.version,
            resource: resource.to_owned(),
            key: key.clone(),
            event,
            object: Arc::clone(&object),
            previous,
            at: now,
        }));
        while self.history.len() > self.keep_changes {
            self.forget_oldest();
        }
        object
    }

    fn forget_oldest(&mut self) {
        if let Some(change) = self.history.pop_front() {
            self.compacted = change.version;
        }
    }

    fn expire(&mut self, now: Timestamp) {
        let Some(keep_for) = self.keep_for else { return };
        while self.history.front().is_some_and(|c| now.duration_since(c.at).unsigned_abs() > keep_for) {
            self.forget_oldest();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn put(store: &Store, name: &str, n: u64) {
        let key = ("ns".to_owned(), name.to_owned());
        store.write("/pods", &key, |_| Ok(Write::Put(json!({"metadata": {"name": name}, "n": n})))).unwrap();
    }

    fn names(listed: &[Arc<Stored>]) -> Vec<String> {
        listed.iter().map(|o| format!("{}{}", o.meta("name"), o.value["n"])).collect()
    }

    #[test]
    fn an_older_version_is_listed_as_it_was() {
        let store = Store::new(Clock::system(), 100, None);
        put(&store, "a", 1);
        put(&store, "b", 1);
        let then = store.version();
        put(&store, "a", 2);
        put(&store, "c", 1);
        let key = ("ns".to_owned(), "b".to_owned());
        store.write("/pods", &key, |o| Ok(Write::Remove(o.unwrap().value.clone()))).unwrap();
        assert_eq!(names(&store.list("/pods", None, Some(then)).unwrap().1), ["a1", "b1"]);
        assert_eq!(names(&store.list("/pods", Some("ns"), None).unwrap().1), ["a2", "c1"]);
        assert!(store.list("/pods", Some("other"), None).unwrap().1.is_empty());
        store.compact();
        assert_eq!(store.list("/pods", None, Some(then)).unwrap_err().code, 410);
        assert_eq!(store.changes("/pods", None, then, 10).unwrap_err().code, 410);
    }

    #[test]
    fn history_keeps_no_more_than_it_is_told_to() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let clock = Clock::manual(start);
        let store = Store::new(clock.clone(), 3, Some(Duration::from_secs(300)));
        for n in 0..5 {
            put(&store, "a", n);
        }
        let newest = store.version();
        assert!(store.changes("/pods", None, newest - 4, 10).is_err());
        assert_eq!(store.changes("/pods", None, newest - 3, 10).unwrap().1.len(), 3);
        clock.advance(Duration::from_secs(301));
        assert!(store.changes("/pods", None, newest - 3, 10).is_err());
        let (upto, none) = store.changes("/pods", None, newest, 10).unwrap();
        assert_eq!((upto, none.len()), (newest, 0));
    }
}
