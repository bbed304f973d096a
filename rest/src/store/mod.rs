//! A cache of encoded objects.

mod entry;
mod selector;
mod subscription;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::{broadcast, watch};

pub use entry::{ByName, ByUid, StoreKey};
use entry::{Entry, Place};
pub use selector::{LabelSelector, LabelSelectorError};
pub use subscription::{StoreChange, Subscription};

use crate::{Change, Decode, Encoded, ListWatch};

/// Changes that wait for a subscriber, at the most.
const WAITING: usize = 1024;

/// All objects of a list, kept up to date by a [`ListWatch`] and in their encoded form: a pod of 10 KB takes half of that
/// here, a twentieth of what its decoded type would. The smallest useful cache: there are no indexes and no queues.
///
/// Objects are in the order of namespace and name (or of uid, see [`ByUid`]). Readers get clones, which are cheap and
/// hold nothing of the store. Clones of the store share its objects.
///
/// While all there is is read anew after the watch lost its place, what was known stays until the end of that reading;
/// then what did not come again is removed.
///
/// ```no_run
/// # async fn run(client: kubewire_rest::RestClient) {
/// use kubewire_rest::{Object, Store};
///
/// let pods = Store::<Object>::new();
/// let changes = client.get().resource("pods").list_watch();
/// let feeding = tokio::spawn({
///     let pods = pods.clone();
///     async move { pods.feed(changes, |error| eprintln!("{error}; it is tried again")).await }
/// });
/// pods.synced().await;
/// println!("{} pods in {} bytes", pods.len(), pods.memory());
/// # feeding.abort();
/// # }
/// ```
pub struct Store<T, K = ByName> {
    shared: Arc<Shared<T, K>>,
}

struct Shared<T, K> {
    content: RwLock<Content<T, K>>,
    progress: watch::Sender<Progress>,
    /// Made for the first subscriber: room for many changes takes more memory than a small store.
    changes: OnceLock<broadcast::Sender<StoreChange<Encoded<T>>>>,
}

struct Content<T, K> {
    entries: BTreeSet<Entry<T, K>>,
    /// Bytes of the objects.
    bytes: usize,
    /// The readings of all there is that were begun.
    round: u32,
    resource_version: String,
}

/// How far a store has come.
#[derive(Clone, Copy, Default)]
struct Progress {
    is_synced: bool,
    has_ended: bool,
    revision: u64,
}

impl<T: 'static> Store<T> {
    /// An empty store, by namespace and name.
    pub fn new() -> Self {
        Self::empty()
    }

    /// An object by its namespace (empty for kinds that have none) and name.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Encoded<T>> {
        self.find(&(namespace, name))
    }

    /// The objects of one namespace, by name.
    pub fn in_namespace(&self, namespace: &str) -> Vec<Encoded<T>> {
        let content = self.read();
        let from: &dyn Place = &(namespace, "");
        let from_there = content.entries.range::<dyn Place, _>((Bound::Included(from), Bound::Unbounded));
        from_there
            .map(|entry| &entry.object)
            .take_while(|object| object.namespace().unwrap_or_default() == namespace)
            .cloned()
            .collect()
    }
}

impl<T: 'static> Store<T, ByUid> {
    /// An empty store, by uid.
    pub fn by_uid() -> Self {
        Self::empty()
    }

    /// An object by its uid.
    pub fn get(&self, uid: &str) -> Option<Encoded<T>> {
        self.find(&(uid, ""))
    }
}

impl<T: 'static, K: StoreKey> Store<T, K> {
    fn empty() -> Self {
        let content =
            Content { entries: BTreeSet::new(), bytes: 0, round: 0, resource_version: String::new() };
        Self {
            shared: Arc::new(Shared {
                content: RwLock::new(content),
                progress: watch::Sender::new(Progress::default()),
                changes: OnceLock::new(),
            }),
        }
    }

    /// Keeps the store up to date until the list-watch ends, which it does only when nothing can come any more. What
    /// fails on the way is given to `on_error`.
    ///
    /// Cancellation: dropping the future leaves the store as it is. It can be fed again, by another list-watch.
    pub async fn feed(&self, mut changes: ListWatch<Encoded<T>>, mut on_error: impl FnMut(crate::Error))
    where
        Encoded<T>: Decode,
    {
        self.shared.progress.send_modify(|progress| progress.has_ended = false);
        while let Some(change) = changes.next().await {
            match change {
                Ok(change) => self.take(change, Some(changes.resource_version())),
                Err(error) => on_error(error),
            }
        }
        self.shared.progress.send_modify(|progress| progress.has_ended = true);
    }

    /// Takes one change, from wherever it comes: [`feed`](Self::feed) does it with those of a list-watch.
    pub fn apply(&self, change: Change<Encoded<T>>) {
        self.take(change, None);
    }

    fn take(&self, change: Change<Encoded<T>>, version: Option<&str>) {
        let mut content = self.write();
        let mut is_synced = false;
        let mut changed = Vec::new();
        match change {
            Change::Init => content.round = content.round.wrapping_add(1),
            Change::Applied(object) => changed.extend(content.put(object)),
            Change::Deleted(object) => {
                let entry = Entry::new(object, 0);
                if content.remove(&entry) {
                    changed.push(StoreChange::Removed(entry.object));
                }
            }
            Change::InitDone => {
                is_synced = true;
                changed = content.forget_older().into_iter().map(StoreChange::Removed).collect();
            }
        }
        if let Some(version) = version {
            version.clone_into(&mut content.resource_version);
        }
        // In the order of the changes: the content is still locked.
        let count = changed.len() as u64;
        if let Some(subscribers) = self.shared.changes.get() {
            for change in changed {
                // They may all be gone.
                let _ = subscribers.send(change);
            }
        }
        drop(content);
        if is_synced || count > 0 {
            self.shared.progress.send_modify(|progress| {
                progress.is_synced |= is_synced;
                progress.revision += count;
            });
        }
    }

    /// Waits until all there is was read for the first time. `false` when that can't be any more, as what fed the store
    /// has ended before.
    ///
    /// Cancellation safe.
    pub async fn synced(&self) -> bool {
        let mut progress = self.shared.progress.subscribe();
        let reached = progress.wait_for(|progress| progress.is_synced || progress.has_ended).await;
        reached.is_ok_and(|progress| progress.is_synced)
    }

    /// Whether all there is was read at least once.
    pub fn is_synced(&self) -> bool {
        self.shared.progress.borrow().is_synced
    }

    /// A number that goes up with each change of an object in the store.
    pub fn revision(&self) -> u64 {
        self.shared.progress.borrow().revision
    }

    /// The version of the server's that the store has come to; empty before the first synchronisation, and where changes
    /// were [applied](Self::apply) by hand.
    pub fn resource_version(&self) -> String {
        self.read().resource_version.clone()
    }

    /// The changes from now on.
    pub fn subscribe(&self) -> Subscription<T> {
        let changes = self.shared.changes.get_or_init(|| broadcast::Sender::new(WAITING));
        Subscription::new(changes.subscribe())
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.read().entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.read().entries.is_empty()
    }

    /// The bytes of memory that the store holds for its objects: their encoded forms, and their places in the store. (The
    /// places are those of full nodes of a B-tree; half-filled ones hold up to twice as much of a few dozen bytes.)
    pub fn memory(&self) -> usize {
        let content = self.read();
        content.bytes + content.entries.len() * size_of::<Entry<T, K>>()
    }

    /// All objects, as they are now.
    pub fn snapshot(&self) -> Vec<Encoded<T>> {
        self.read().entries.iter().map(|entry| entry.object.clone()).collect()
    }

    /// The objects whose labels a selector matches.
    pub fn select(&self, selector: &LabelSelector) -> Vec<Encoded<T>> {
        let content = self.read();
        let objects = content.entries.iter().map(|entry| &entry.object);
        objects.filter(|object| selector.matches(|label| object.label(label))).cloned().collect()
    }

    /// Visits every object without cloning any. The store can't change meanwhile: keep it short, and don't
    /// [apply](Self::apply) anything from within.
    pub fn for_each(&self, mut visit: impl FnMut(&Encoded<T>)) {
        self.read().entries.iter().for_each(|entry| visit(&entry.object));
    }

    fn find(&self, place: &dyn Place) -> Option<Encoded<T>> {
        self.read().entries.get(place).map(|entry| entry.object.clone())
    }

    fn read(&self) -> RwLockReadGuard<'_, Content<T, K>> {
        // A visitor that panicked has changed nothing.
        self.shared.content.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Content<T, K>> {
        self.shared.content.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, K: StoreKey> Content<T, K> {
    /// What changed, if anything did: the same version comes again when all is read anew.
    fn put(&mut self, object: Encoded<T>) -> Option<StoreChange<Encoded<T>>> {
        self.bytes += object.size();
        let before = self.entries.replace(Entry::new(object.clone(), self.round)).map(|entry| entry.object);
        match before {
            None => Some(StoreChange::Added(object)),
            Some(before) => {
                self.bytes -= before.size();
                // Not by content: in a list the server leaves out the kind.
                let is_same = match (before.resource_version(), object.resource_version()) {
                    (Some(before), Some(now)) => before == now,
                    _ => before == object,
                };
                (!is_same).then_some(StoreChange::Updated { before, now: object })
            }
        }
    }

    fn remove(&mut self, entry: &Entry<T, K>) -> bool {
        let removed = self.entries.take(entry);
        self.bytes -= removed.as_ref().map_or(0, |entry| entry.object.size());
        removed.is_some()
    }

    /// Removes what did not come in the reading that ends.
    fn forget_older(&mut self) -> Vec<Encoded<T>> {
        let (round, mut gone) = (self.round, Vec::new());
        self.entries.retain(|entry| {
            let stays = entry.round == round;
            if !stays {
                gone.push(entry.object.clone());
            }
            stays
        });
        self.bytes -= gone.iter().map(Encoded::size).sum::<usize>();
        gone
    }
}

impl<T, K> Clone for Store<T, K> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T: 'static> Default for Store<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: 'static, K: StoreKey> fmt::Debug for Store<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("len", &self.len())
            .field("memory", &self.memory())
            .field("is_synced", &self.is_synced())
            .finish_non_exhaustive()
    }
}
