//! What a store's objects are known by.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt::Debug;
use std::marker::PhantomData;

use crate::Encoded;

/// What the objects of a [`Store`](super::Store) are known by: [`ByName`] or [`ByUid`]. Sealed.
pub trait StoreKey: sealed::Sealed + Debug + Send + Sync + 'static {}

/// Namespace and name.
#[derive(Debug)]
pub struct ByName;

/// The uid: an object that was deleted and created again is another one.
#[derive(Debug)]
pub struct ByUid;

impl StoreKey for ByName {}
impl StoreKey for ByUid {}

pub(super) mod sealed {
    use crate::Encoded;

    pub trait Sealed {
        #[doc(hidden)]
        fn key<T>(object: &Encoded<T>) -> (&str, &str);
    }

    impl Sealed for super::ByName {
        fn key<T>(object: &Encoded<T>) -> (&str, &str) {
            (object.namespace().unwrap_or_default(), object.name())
        }
    }

    impl Sealed for super::ByUid {
        fn key<T>(object: &Encoded<T>) -> (&str, &str) {
            (object.uid().unwrap_or_default(), "")
        }
    }
}

/// An object at its place. The place is read from the object: no key is kept beside it.
pub(super) struct Entry<T, K> {
    pub(super) object: Encoded<T>,
    /// The reading of all there is in which it came.
    pub(super) round: u32,
    by: PhantomData<fn() -> K>,
}

impl<T, K> Entry<T, K> {
    pub(super) fn new(object: Encoded<T>, round: u32) -> Self {
        Self { object, round, by: PhantomData }
    }
}

/// Whatever has a place, so that objects are found by borrowed keys.
pub(super) trait Place {
    fn place(&self) -> (&str, &str);
}

impl Place for (&str, &str) {
    fn place(&self) -> (&str, &str) {
        *self
    }
}

impl<T, K: StoreKey> Place for Entry<T, K> {
    fn place(&self) -> (&str, &str) {
        K::key(&self.object)
    }
}

impl<'a, T: 'a, K: StoreKey> Borrow<dyn Place + 'a> for Entry<T, K> {
    fn borrow(&self) -> &(dyn Place + 'a) {
        self
    }
}

impl Ord for dyn Place + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for dyn Place + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for dyn Place + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for dyn Place + '_ {}

impl<T, K: StoreKey> Ord for Entry<T, K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl<T, K: StoreKey> PartialOrd for Entry<T, K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T, K: StoreKey> PartialEq for Entry<T, K> {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl<T, K: StoreKey> Eq for Entry<T, K> {}
