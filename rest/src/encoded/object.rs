use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use super::json;
use super::keys::{self, KEYS};
#[cfg(feature = "protobuf")]
use super::protobuf;
use crate::OwnerReference;
use crate::scan::Span;

/// An object that stays in its wire form, with what everyone asks for at hand, decoded on demand: checked JSON, or
/// protobuf for an `Encoded<Protobuf<M>>`.
///
/// A pod of 10 KB is 5 KB this way, and 100 KB as a decoded type; and it takes a tenth of the time to get one out
/// of a list. Use it for whatever is kept but seldom read: caches, queues, fan-out. `T` is what
/// [`decode`](Self::decode) gives; it may be changed at any time with [`cast`](Self::cast).
///
/// The JSON's structure and UTF-8 were checked when the object was read; whether it is a `T` shows when it is
/// decoded. `metadata.managedFields` is left out unless
/// [`DecodeOptions::keep_managed_fields`](crate::DecodeOptions::keep_managed_fields) was set; an update without it
/// leaves the server's alone.
///
/// Each object owns one allocation of exactly its bytes, shared by its clones, so keeping one object of a large
/// list keeps nothing of the others. Cloning is cheap.
///
/// ```
/// use kubewire_rest::{Encoded, Object};
///
/// let pod = Encoded::<Object>::from_json(
///     br#"{"kind":"Pod","metadata":{"name":"web-0","namespace":"shop","labels":{"app":"web"}},"status":{"phase":"Running"}}"#,
/// )?;
/// assert_eq!((pod.name(), pod.namespace()), ("web-0", Some("shop")));
/// assert_eq!(pod.label("app").as_deref(), Some("web"));
/// assert_eq!(pod.str_at("status.phase")?.as_deref(), Some("Running"));
/// assert_eq!(pod.decode()?.metadata.name, "web-0");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Encoded<T> {
    /// The object, then what had to be written out: strings that had escapes, a time.
    wire: Wire,
    len: u32,
    places: [Span; KEYS],
    of: PhantomData<fn() -> T>,
}

/// JSON for every type but `Protobuf<M>`, protobuf for that: nothing else makes an `Encoded`.
#[derive(Clone)]
pub(super) enum Wire {
    Json(Arc<str>),
    #[cfg(feature = "protobuf")]
    Protobuf(Arc<[u8]>),
}

impl<T> Encoded<T> {
    pub(super) fn from_parts(wire: Wire, len: usize, places: [Span; KEYS]) -> Self {
        Self { wire, len: len as u32, places, of: PhantomData }
    }

    /// The same object as another type of the same wire form.
    pub(super) fn retyped<U>(self) -> Encoded<U> {
        let Self { wire, len, places, .. } = self;
        Encoded { wire, len, places, of: PhantomData }
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    /// The object without what was written out.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.all_bytes()[..self.len()]
    }

    fn all_bytes(&self) -> &[u8] {
        match &self.wire {
            Wire::Json(text) => text.as_bytes(),
            #[cfg(feature = "protobuf")]
            Wire::Protobuf(bytes) => bytes,
        }
    }

    pub(super) fn text_at(&self, place: usize) -> Option<&str> {
        let Span { start, end } = self.places[place];
        if end <= start {
            return None;
        }
        let range = start as usize..end as usize;
        match &self.wire {
            Wire::Json(text) => Some(&text[range]),
            // It was checked when the places were found.
            #[cfg(feature = "protobuf")]
            Wire::Protobuf(bytes) => std::str::from_utf8(&bytes[range]).ok(),
        }
    }

    /// The name; empty when it has none.
    pub fn name(&self) -> &str {
        self.text_at(keys::NAME).unwrap_or_default()
    }

    /// The namespace; `None` for objects that stand in none.
    pub fn namespace(&self) -> Option<&str> {
        self.text_at(keys::NAMESPACE)
    }

    /// The uid.
    pub fn uid(&self) -> Option<&str> {
        self.text_at(keys::UID)
    }

    /// The version that an update must name.
    pub fn resource_version(&self) -> Option<&str> {
        self.text_at(keys::RESOURCE_VERSION)
    }

    /// When the object goes, as the server wrote it, once its deletion was asked for.
    pub fn deletion_timestamp(&self) -> Option<&str> {
        self.text_at(keys::DELETION_TIMESTAMP)
    }

    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<Cow<'_, str>> {
        self.entry(keys::LABELS, name)
    }

    /// The value of an annotation.
    pub fn annotation(&self, name: &str) -> Option<Cow<'_, str>> {
        self.entry(keys::ANNOTATIONS, name)
    }

    fn entry(&self, place: usize, name: &str) -> Option<Cow<'_, str>> {
        match &self.wire {
            Wire::Json(_) => json::entry(self.text_at(place)?, name),
            #[cfg(feature = "protobuf")]
            Wire::Protobuf(_) => protobuf::entry(self.bytes(), place, name).map(Cow::Borrowed),
        }
    }

    /// All labels; none where they are not strings by strings.
    pub fn labels(&self) -> BTreeMap<Cow<'_, str>, Cow<'_, str>> {
        self.map(keys::LABELS)
    }

    /// All annotations; none where they are not strings by strings.
    pub fn annotations(&self) -> BTreeMap<Cow<'_, str>, Cow<'_, str>> {
        self.map(keys::ANNOTATIONS)
    }

    fn map(&self, place: usize) -> BTreeMap<Cow<'_, str>, Cow<'_, str>> {
        match &self.wire {
            Wire::Json(_) => self.text_at(place).map(json::map).unwrap_or_default(),
            #[cfg(feature = "protobuf")]
            Wire::Protobuf(_) => protobuf::map(self.bytes(), place),
        }
    }

    /// The objects that this one goes with; none where they can't be read.
    pub fn owner_references(&self) -> Vec<OwnerReference> {
        match &self.wire {
            Wire::Json(_) => {
                let text = self.text_at(keys::OWNER_REFERENCES);
                text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
            }
            #[cfg(feature = "protobuf")]
            Wire::Protobuf(_) => protobuf::owner_references(self.bytes()),
        }
    }

    /// Bytes of memory that the object holds, shared by its clones; each clone holds another
    /// `size_of::<Encoded<T>>()` by itself.
    pub fn size(&self) -> usize {
        // The two counts of an `Arc` stand before the bytes.
        self.all_bytes().len() + 2 * size_of::<usize>()
    }

    /// A hash of the bytes. Equal objects have equal ones, in one process and version of this library.
    pub fn content_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.bytes().hash(&mut hasher);
        hasher.finish()
    }

    /// Names it in errors.
    pub(super) fn title(&self) -> String {
        match self.namespace() {
            Some(namespace) => format!("{namespace}/{}", self.name()),
            None => self.name().to_owned(),
        }
    }
}

impl<T> Clone for Encoded<T> {
    fn clone(&self) -> Self {
        Self { wire: self.wire.clone(), len: self.len, places: self.places, of: PhantomData }
    }
}

/// By content: the bytes.
impl<T> PartialEq for Encoded<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl<T> Eq for Encoded<T> {}

/// Names the object and its size, not its content: that may be a Secret's.
impl<T> fmt::Debug for Encoded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoded")
            .field("namespace", &self.namespace())
            .field("name", &self.name())
            .field("resource_version", &self.resource_version())
            .field("bytes", &self.len)
            .finish()
    }
}
