use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::EncodedError;
use super::keys::{self, KEYS};
use crate::list::sealed::{FromItem, Parts, Text};
use crate::scan::{FieldPath, Plan, Span, each_member, find, same};
use crate::{DecodeOptions, ItemError, OwnerReference};

/// An object that stays in its wire form: checked JSON, with what everyone asks for at hand, decoded on demand.
///
/// A pod of 10 KB is 5 KB this way, and 100 KB as a decoded type; and it takes a tenth of the time to get one out
/// of a list. Use it for whatever is kept but seldom read: caches, queues, fan-out. `T` is what
/// [`decode`](Self::decode) gives; it may be changed at any time with [`cast`](Self::cast).
///
/// The JSON's structure and UTF-8 were checked when the object was read; whether it is a `T` shows when it is
/// decoded. `metadata.managedFields` is left out unless [`DecodeOptions::keep_managed_fields`] was set; an update
/// without it leaves the server's alone.
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
    /// The JSON, then the strings that had escapes.
    text: Arc<str>,
    len: u32,
    places: [Span; KEYS],
    of: PhantomData<fn() -> T>,
}

impl<T> Encoded<T> {
    /// Reads an object of JSON, without its managedFields.
    ///
    /// # Errors
    /// It is no JSON, or larger than 64 MiB.
    pub fn from_json(json: &[u8]) -> Result<Self, ItemError>
    where
        T: 'static,
    {
        crate::decode_object(json, &DecodeOptions::default())
    }

    fn new(Text(item): Text<'_>) -> Self {
        let mut extra = String::new();
        let places = keys::places(&item, &mut extra);
        let text = if extra.is_empty() { item.text.into() } else { (item.text.to_owned() + &extra).into() };
        Self { text, len: item.text.len() as u32, places, of: PhantomData }
    }

    fn text_at(&self, place: usize) -> Option<&str> {
        let Span { start, end } = self.places[place];
        (end > start).then(|| &self.text[start as usize..end as usize])
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
        let mut found = None;
        each_member(self.text_at(place)?, |key, value| {
            if same(key, name) {
                found = Some(value);
            }
        });
        string(found?)
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
        let mut map = BTreeMap::new();
        if let Some(text) = self.text_at(place) {
            each_member(text, |key, value| {
                if let (Some(key), Some(value)) = (string(key), string(value)) {
                    map.insert(key, value);
                }
            });
        }
        map
    }

    /// The objects that this one goes with; none where they can't be read.
    pub fn owner_references(&self) -> Vec<OwnerReference> {
        let text = self.text_at(keys::OWNER_REFERENCES);
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// The whole object.
    ///
    /// # Errors
    /// It is no `T`.
    pub fn decode(&self) -> Result<T, EncodedError>
    where
        T: DeserializeOwned,
    {
        self.decode_as()
    }

    /// The whole object as any type, which may borrow from it.
    ///
    /// # Errors
    /// It is no `U`.
    pub fn decode_as<'a, U: Deserialize<'a>>(&'a self) -> Result<U, EncodedError> {
        serde_json::from_str(self.to_json()).map_err(|source| self.fault("", source))
    }

    /// The part at a path, such as `status.containerStatuses` or `spec.containers[0].image`, as any type, which
    /// may borrow from it; `None` where there is nothing. Of a key that comes twice the last counts.
    ///
    /// All but the part is skipped without being decoded: a pod's `status` takes an eighth of the time of the
    /// pod.
    ///
    /// # Errors
    /// The path can't be read, or what stands there is no `U`.
    pub fn decode_at<'a, U: Deserialize<'a>>(&'a self, path: &str) -> Result<Option<U>, EncodedError> {
        match self.json_at(path)? {
            Some(text) => serde_json::from_str(text).map(Some).map_err(|source| self.fault(path, source)),
            None => Ok(None),
        }
    }

    /// The string at a path; `None` where there is none. Copied only where it holds escapes.
    ///
    /// # Errors
    /// The path can't be read.
    pub fn str_at(&self, path: &str) -> Result<Option<Cow<'_, str>>, EncodedError> {
        Ok(self.json_at(path)?.and_then(string))
    }

    /// The integer at a path; `None` where there is none.
    ///
    /// # Errors
    /// The path can't be read.
    pub fn i64_at(&self, path: &str) -> Result<Option<i64>, EncodedError> {
        Ok(self.json_at(path)?.and_then(|text| serde_json::from_str(text).ok()))
    }

    /// The number at a path; `None` where there is none.
    ///
    /// # Errors
    /// The path can't be read.
    pub fn f64_at(&self, path: &str) -> Result<Option<f64>, EncodedError> {
        Ok(self.json_at(path)?.and_then(|text| serde_json::from_str(text).ok()))
    }

    /// The truth value at a path; `None` where there is none.
    ///
    /// # Errors
    /// The path can't be read.
    pub fn bool_at(&self, path: &str) -> Result<Option<bool>, EncodedError> {
        Ok(self.json_at(path)?.and_then(|text| serde_json::from_str(text).ok()))
    }

    /// The JSON at a path.
    ///
    /// # Errors
    /// The path can't be read.
    pub fn json_at(&self, path: &str) -> Result<Option<&str>, EncodedError> {
        let path: FieldPath = path.parse()?;
        Ok(find(self.to_json(), path.segments()))
    }

    /// The whole JSON, as it came but for what was left out.
    pub fn to_json(&self) -> &str {
        &self.text[..self.len as usize]
    }

    /// Bytes of memory that the object holds, shared by its clones; each clone holds another
    /// `size_of::<Encoded<T>>()` by itself.
    pub fn size(&self) -> usize {
        // The two counts of an `Arc` stand before the text.
        self.text.len() + 2 * size_of::<usize>()
    }

    /// A hash of the JSON. Equal objects have equal ones, in one process and version of this library.
    pub fn content_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.to_json().hash(&mut hasher);
        hasher.finish()
    }

    /// The same object, to be decoded as another type.
    pub fn cast<U>(self) -> Encoded<U> {
        let Self { text, len, places, .. } = self;
        Encoded { text, len, places, of: PhantomData }
    }

    fn fault(&self, path: &str, source: serde_json::Error) -> EncodedError {
        let object = match self.namespace() {
            Some(namespace) => format!("{namespace}/{}", self.name()),
            None => self.name().to_owned(),
        };
        EncodedError::Type { object, path: path.to_owned(), source }
    }
}

/// What a string says, given as JSON; `None` for anything else.
fn string(json: &str) -> Option<Cow<'_, str>> {
    let bare = json.strip_prefix('"')?.strip_suffix('"')?;
    if bare.contains('\\') {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(bare))
    }
}

impl<T: 'static> FromItem for Encoded<T> {
    fn plan(options: &DecodeOptions) -> Parts {
        let mut plan = Plan::everything();
        if !options.keep_managed_fields {
            plan.cut(&FieldPath::managed_fields());
        }
        keys::mark(&mut plan);
        Parts(plan)
    }

    fn from_item(item: Text<'_>) -> Result<Self, serde_json::Error> {
        Ok(Self::new(item))
    }
}

impl<T> Clone for Encoded<T> {
    fn clone(&self) -> Self {
        Self { text: Arc::clone(&self.text), len: self.len, places: self.places, of: PhantomData }
    }
}

/// By content: the bytes of the JSON.
impl<T> PartialEq for Encoded<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.text, &other.text) || self.to_json() == other.to_json()
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
