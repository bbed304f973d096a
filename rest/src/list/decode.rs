//! How the text of an object becomes what the caller asked for.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::answer::decode::decode;
use crate::encoded::RESOURCE_VERSION;
use crate::json::{self, Tokens};
use crate::scan::{FieldPath, Item, Limits, Plan, ScanError, Scanner, Shape};
use crate::{DecodeFault, MediaType};

/// The largest frame of a watch.
const FRAME_BYTES: usize = 16 << 20;

/// What objects can be read as: every serde type that borrows nothing,
/// [`Encoded<T>`](crate::Encoded) and [`Projected<T>`](crate::Projected); with the feature `protobuf`, messages of
/// prost's too, as `Protobuf<M>` and `Encoded<Protobuf<M>>`.
///
/// Lists, streams of items and single objects all take the type from the caller, so the same calls give whole
/// objects, narrow ones, or such as are decoded later. The trait is sealed.
pub trait Decode: FromItem {}

impl<T: FromItem> Decode for T {}

pub(crate) mod sealed {
    use serde::Deserialize;

    use super::*;
    #[cfg(feature = "protobuf")]
    use crate::protobuf::Messages;

    pub trait FromItem: Sized + Send + 'static {
        /// What the scanner leaves out and remembers for this type.
        #[doc(hidden)]
        fn plan(options: &DecodeOptions) -> Parts;

        /// Whether an item is decoded in less time than it takes to find it, so that other threads are no help.
        #[doc(hidden)]
        const IS_LIGHT: bool = false;

        #[doc(hidden)]
        fn from_item(text: Text<'_>) -> Result<Self, serde_json::Error>;

        /// How it is read from protobuf; `None` for types that are read from JSON.
        #[cfg(feature = "protobuf")]
        #[doc(hidden)]
        fn messages(_: &DecodeOptions) -> Option<Result<Messages<Self>, crate::FieldPathError>> {
            None
        }

        /// Finds its `resourceVersion`, for types that have that at hand.
        #[cfg(feature = "protobuf")]
        #[doc(hidden)]
        const VERSION: Option<fn(&Self) -> Option<&str>> = None;

        /// Reads a whole answer.
        #[doc(hidden)]
        fn from_body(
            body: &Bytes,
            media_type: Option<MediaType>,
            options: &DecodeOptions,
        ) -> Result<Self, DecodeFault> {
            match media_type {
                _ if body.is_empty() => Err(DecodeFault::Empty),
                Some(MediaType::Json) => Ok(decode_object(body, options)?),
                Some(MediaType::Yaml) => {
                    let value: serde_json::Value = serde_yaml::from_slice(body)?;
                    Ok(decode_object(value.to_string().as_bytes(), options)?)
                }
                Some(_) => Err(DecodeFault::NoDecoder),
                None => Err(DecodeFault::ContentType),
            }
        }
    }

    /// Types that are read from JSON.
    pub trait FromJson: FromItem {}

    /// A plan, as other crates see it: not at all.
    #[derive(Debug)]
    pub struct Parts(pub(crate) Plan);

    /// The text of an item, and room for its tokens, as other crates see them: not at all.
    #[derive(Debug)]
    pub struct Text<'a> {
        pub(crate) item: Item<'a>,
        pub(crate) tokens: &'a mut Tokens,
    }

    impl<'a> Text<'a> {
        pub(crate) fn read<T: Deserialize<'a>>(self) -> Result<T, serde_json::Error> {
            json::from_checked(self.item.text, self.tokens)
        }
    }
}

use sealed::{FromItem, FromJson, Parts, Text};

impl<T: DeserializeOwned + Send + 'static> FromJson for T {}

impl<T: DeserializeOwned + Send + 'static> FromItem for T {
    fn plan(_: &DecodeOptions) -> Parts {
        Parts(Plan::everything())
    }

    fn from_item(text: Text<'_>) -> Result<Self, serde_json::Error> {
        text.read()
    }

    fn from_body(
        body: &Bytes,
        media_type: Option<MediaType>,
        options: &DecodeOptions,
    ) -> Result<Self, DecodeFault> {
        match media_type {
            Some(MediaType::Json) if !options.skip.is_empty() && !body.is_empty() => {
                Ok(decode_object(body, options)?)
            }
            _ => decode(body, media_type),
        }
    }
}

/// What is read of objects, and how much.
#[derive(Clone, Debug, Default)]
pub struct DecodeOptions {
    pub(crate) skip: Vec<FieldPath>,
    pub(crate) keep_managed_fields: bool,
    pub(crate) limits: Limits,
}

impl DecodeOptions {
    /// Leaves these fields out of every object. They are cut from the bytes while those are scanned, before
    /// anything is allocated for them: `metadata.managedFields` is a third of most objects and half the work of
    /// decoding them. Nothing is left out unless asked for.
    ///
    /// A field is the value of a key: a path that ends in an element (`[]`, `[0]`) or leads through a single one
    /// is an error, as the elements after it would change their places.
    ///
    /// Protobuf has numbers in place of names: of it only `metadata`, the fields of that, and single labels and
    /// annotations can be left out, and any other path is an error where it is read.
    ///
    /// ```
    /// use kubewire_rest::{DecodeOptions, FieldPath};
    ///
    /// let options = DecodeOptions::default().skip_fields([
    ///     FieldPath::managed_fields(),
    ///     FieldPath::annotation("kubectl.kubernetes.io/last-applied-configuration"),
    /// ])?;
    /// # Ok::<(), kubewire_rest::FieldPathError>(())
    /// ```
    ///
    /// An update with such an object leaves the server's managedFields alone; any other field that was left out
    /// here is missing in the update.
    ///
    /// # Errors
    /// A path can't be read, or is not one of a field.
    pub fn skip_fields<P>(mut self, paths: impl IntoIterator<Item = P>) -> Result<Self, crate::FieldPathError>
    where
        P: TryInto<FieldPath>,
        P::Error: Into<crate::FieldPathError>,
    {
        for path in paths {
            let path = path.try_into().map_err(Into::into)?;
            path.check_cut()?;
            self.skip.push(path);
        }
        Ok(self)
    }

    /// Keeps managedFields in [`Encoded`](crate::Encoded) objects, which leave them out otherwise.
    #[must_use]
    pub fn keep_managed_fields(mut self) -> Self {
        self.keep_managed_fields = true;
        self
    }

    /// The largest object that is taken, in bytes; 64 MiB unless set. The API server itself takes no more than
    /// about 3 MiB. An event of a watch is never larger than 16 MiB.
    #[must_use]
    pub fn max_object_bytes(mut self, bytes: usize) -> Self {
        self.limits.item = bytes;
        self
    }

    /// The largest answer that is taken, in bytes; any unless set, as its objects come one by one. It does not bound watches.
    #[must_use]
    pub fn max_answer_bytes(mut self, bytes: u64) -> Self {
        self.limits.document = bytes;
        self
    }

    pub(crate) fn scanner<T: FromItem>(&self, shape: Shape) -> Scanner {
        let Parts(mut plan) = T::plan(self);
        self.cut(&mut plan);
        Scanner::new(shape, plan, self.limits)
    }

    /// A scanner of a watch's frames that marks the objects' versions, and for a `T` that names what it reads one of the
    /// objects in them. Bookmarks and errors stand in the same place and name other fields: they are left whole, and so
    /// are objects that come before their type. The versions are left in any.
    pub(crate) fn frames<T: FromItem>(&self) -> (Scanner, Option<Scanner>) {
        let Parts(plan) = T::plan(self);
        let version = FieldPath::of_keys(["metadata", "resourceVersion"]);
        let marked = |mut plan: Plan| {
            self.cut(&mut plan);
            plan.mark(&version, RESOURCE_VERSION);
            plan
        };
        let (plan, narrow) = if plan.is_narrow() {
            let mut objects = plan;
            objects.keep_also(&version);
            let plan = marked(Plan::everything()).with_objects(marked(objects));
            (plan, Some(self.scanner::<T>(Shape::Document)))
        } else {
            (marked(plan), None)
        };
        (Scanner::new(Shape::Frames, plan, self.frame_limits()), narrow)
    }

    fn cut(&self, plan: &mut Plan) {
        for path in &self.skip {
            plan.cut(path);
        }
    }

    pub(crate) fn frame_limits(&self) -> Limits {
        Limits { item: self.limits.item.min(FRAME_BYTES), document: u64::MAX, ..self.limits }
    }
}

/// An object, or a list of them, that can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ItemError {
    /// It is no protobuf, or not of the type asked for, or exceeds a limit.
    #[cfg(feature = "protobuf")]
    #[error(transparent)]
    Protobuf(#[from] crate::ProtobufError),
    /// It is no JSON, or exceeds a limit.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// It is no CBOR, or such without a JSON form.
    #[cfg(feature = "cbor")]
    #[error(transparent)]
    Cbor(#[from] crate::cbor::CborError),
    /// It is JSON, but not of the type asked for.
    #[error("{}not of the type asked for: {source}", place(*item, *offset))]
    Type {
        /// The item of the list, counted from 0.
        item: Option<usize>,
        /// The byte of the answer at which the object begins. The line and column that serde_json names are
        /// counted from there, what was left out not included.
        offset: u64,
        /// What serde_json says.
        source: serde_json::Error,
    },
}

fn place(item: Option<usize>, offset: u64) -> String {
    item.map_or(String::new(), |item| format!("item {item}, which begins at byte {offset}, is "))
}

impl ItemError {
    /// What becomes of an item of a list, the error with its place.
    pub(super) fn of<'a, T>(
        text: Text<'a>,
        decode: impl FnOnce(Text<'a>) -> Result<T, serde_json::Error>,
    ) -> Result<T, Self> {
        let (index, offset) = (text.item.index, text.item.offset);
        decode(text).map_err(|source| Self::Type { item: Some(index), offset, source })
    }

    /// The item of the list in which it was noticed, counted from 0.
    pub fn item(&self) -> Option<usize> {
        match self {
            #[cfg(feature = "protobuf")]
            Self::Protobuf(error) => error.item(),
            Self::Scan(error) => error.item(),
            #[cfg(feature = "cbor")]
            Self::Cbor(_) => None,
            Self::Type { item, .. } => *item,
        }
    }

    /// The byte of the answer at which it was noticed, or at which the object begins that is not of its type.
    pub fn offset(&self) -> u64 {
        match self {
            #[cfg(feature = "protobuf")]
            Self::Protobuf(error) => error.offset(),
            Self::Scan(error) => error.offset(),
            #[cfg(feature = "cbor")]
            Self::Cbor(error) => error.offset(),
            Self::Type { offset, .. } => *offset,
        }
    }
}

/// Reads a single object of JSON, or of protobuf where the type is read from that, as
/// [`ListDecoder`](crate::ListDecoder) does lists.
///
/// ```
/// use kubewire_rest::{DecodeOptions, Encoded, Object, decode_object};
///
/// let json = br#"{"kind":"Pod","metadata":{"name":"web-0","managedFields":[]}}"#;
/// let pod: Encoded<Object> = decode_object(json, &DecodeOptions::default())?;
/// assert_eq!(pod.name(), "web-0");
/// # Ok::<(), kubewire_rest::ItemError>(())
/// ```
///
/// # Errors
/// The bytes are no such object, or no `T`, or larger than the options allow.
pub fn decode_object<T: Decode>(bytes: &[u8], options: &DecodeOptions) -> Result<T, ItemError> {
    #[cfg(feature = "protobuf")]
    if let Some(messages) = T::messages(options) {
        return crate::protobuf::read_object(bytes, messages, options.limits);
    }
    decode_document(bytes, &mut options.scanner::<T>(Shape::Document), &mut Tokens::default())
}

/// Reads a single object with a scanner of one document that is as good as new.
pub(crate) fn decode_document<T: Decode>(
    bytes: &[u8],
    scanner: &mut Scanner,
    tokens: &mut Tokens,
) -> Result<T, ItemError> {
    let mut rest = bytes;
    while !rest.is_empty() {
        rest = &rest[scanner.feed(rest)?..];
    }
    scanner.finish()?;
    // A document that is complete is one item.
    match scanner.next_item() {
        Some(item) => T::from_item(Text { item, tokens }).map_err(|source| ItemError::Type {
            item: None,
            offset: 0,
            source,
        }),
        None => Err(scanner.truncated().into()),
    }
}
