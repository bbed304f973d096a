use std::fmt;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::Encoded;

/// A change in a [`Store`](super::Store), whose objects are `T`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreChange<T> {
    /// An object came.
    Added(T),
    /// An object changed.
    Updated {
        /// As it was.
        before: T,
        /// As it is.
        now: T,
    },
    /// An object went: its last state, as far as it was known.
    Removed(T),
    /// So many changes were not taken in time and are lost: read the store itself.
    Missed(u64),
}

/// The changes of a store, from when the [subscription](super::Store::subscribe) was made. Up to 1,024 wait until they are
/// taken; of more, the oldest are dropped and counted.
pub struct Subscription<T> {
    changes: Receiver<StoreChange<Encoded<T>>>,
}

impl<T> Subscription<T> {
    pub(super) fn new(changes: Receiver<StoreChange<Encoded<T>>>) -> Self {
        Self { changes }
    }

    /// The next change; `None` once the store and its clones are gone. Cancellation safe: nothing is lost.
    pub async fn next(&mut self) -> Option<StoreChange<Encoded<T>>> {
        match self.changes.recv().await {
            Ok(change) => Some(change),
            Err(RecvError::Lagged(missed)) => Some(StoreChange::Missed(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}

impl<T> fmt::Debug for Subscription<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("waiting", &self.changes.len()).finish()
    }
}
