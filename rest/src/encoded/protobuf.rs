//! Objects kept as protobuf.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use prost::Message;

use super::keys::{self, KEYS};
use super::object::Wire;
use super::{Encoded, EncodedError};
use crate::list::sealed::{FromItem, Parts, Text};
use crate::protobuf::{
    Cut, Fields, Malformed, Messages, Value, check_entry, each, each_of_metadata, entry as key_and_value,
    object, owner_reference, read_body,
};
use crate::scan::{FieldPath, Plan, Span};
use crate::{
    DecodeFault, DecodeOptions, FieldPathError, MediaType, OwnerReference, Protobuf,
    ProtobufErrorKind as Kind,
};

/// An object kept as the protobuf that it came as. Its parts are found by the numbers that fields have in the type's
/// `.proto`.
///
/// The fields at the top, the lengths in the metadata and the text of names, labels and annotations were checked when
/// the object was read; everything else shows when it is decoded.
///
/// ```no_run
/// use kubewire_rest::{Encoded, Error, List, Protobuf, RestClient};
///
/// # #[derive(Clone, PartialEq, prost::Message)]
/// # struct Pod {}
/// # async fn run(client: RestClient) -> Result<(), Error> {
/// let pods: List<Encoded<Protobuf<Pod>>> = client.get().resource("pods").list().await?;
/// for pod in &pods {
///     // `status` is field 3 of a Pod, and `phase` field 1 of that.
///     println!("{}: {}", pod.name(), pod.str_at(&[3, 1]).unwrap_or("unknown"));
/// }
/// # Ok(())
/// # }
/// ```
impl<M: Message + Default> Encoded<Protobuf<M>> {
    /// The whole object.
    ///
    /// # Errors
    /// It is no `M`.
    pub fn decode(&self) -> Result<M, EncodedError> {
        M::decode(self.bytes()).map_err(|source| self.fault(&[], source))
    }

    /// The message at a path of field numbers; `None` where there is none. Of a field that comes more than once the last
    /// counts.
    ///
    /// # Errors
    /// What stands there is no `U`.
    pub fn decode_at<U: Message + Default>(&self, path: &[u32]) -> Result<Option<U>, EncodedError> {
        let part = self.bytes_at(path);
        part.map(|part| U::decode(part).map_err(|source| self.fault(path, source))).transpose()
    }

    /// The bytes or the message at a path of field numbers; `None` where there are none.
    pub fn bytes_at(&self, path: &[u32]) -> Option<&[u8]> {
        self.value_at(path)?.bytes().ok()
    }

    /// The text at a path of field numbers; `None` where there is none.
    pub fn str_at(&self, path: &[u32]) -> Option<&str> {
        self.value_at(path)?.text().ok()
    }

    /// The integer at a path of field numbers (any of protobuf's but `sint` and `fixed`, which Kubernetes does not use);
    /// `None` where there is none.
    pub fn i64_at(&self, path: &[u32]) -> Option<i64> {
        self.value_at(path)?.number().ok().map(u64::cast_signed)
    }

    /// The truth value at a path of field numbers; `None` where there is none.
    pub fn bool_at(&self, path: &[u32]) -> Option<bool> {
        self.value_at(path)?.number().ok().map(|number| number != 0)
    }

    /// The messages of a repeated field, such as the containers of a pod, `[2, 2]`, in their order.
    pub fn each_at(&self, path: &[u32]) -> Vec<&[u8]> {
        let Some((last, before)) = path.split_last() else { return Vec::new() };
        let message = if before.is_empty() { Some(self.bytes()) } else { self.bytes_at(before) };
        let fields = Fields::new(message.unwrap_or_default()).map_while(Result::ok);
        fields.filter(|field| field.number == *last).filter_map(|field| field.value.bytes().ok()).collect()
    }

    /// The message as it came, but for what was left out.
    pub fn to_protobuf(&self) -> &[u8] {
        self.bytes()
    }

    /// The same object, to be decoded as another message.
    pub fn cast<N>(self) -> Encoded<Protobuf<N>> {
        self.retyped()
    }

    fn value_at(&self, path: &[u32]) -> Option<Value<'_>> {
        let mut value = Value::Bytes(self.bytes());
        for number in path {
            let fields = Fields::new(value.bytes().ok()?).map_while(Result::ok);
            value = fields.filter(|field| field.number == *number).last()?.value;
        }
        Some(value)
    }

    fn fault(&self, path: &[u32], source: prost::DecodeError) -> EncodedError {
        EncodedError::Message { object: self.title(), path: path.to_vec(), source }
    }
}

impl<M: Message + Default + 'static> FromItem for Encoded<Protobuf<M>> {
    const IS_LIGHT: bool = true;
    const VERSION: Option<fn(&Self) -> Option<&str>> = Some(Self::resource_version);

    fn plan(_: &DecodeOptions) -> Parts {
        Parts(Plan::everything())
    }

    fn from_item(_: Text<'_>) -> Result<Self, serde_json::Error> {
        Err(serde::de::Error::custom("a protobuf message can't be read from JSON"))
    }

    fn messages(options: &DecodeOptions) -> Option<Result<Messages<Self>, FieldPathError>> {
        let cut = Cut::new(&options.skip).and_then(|mut cut| {
            if !options.keep_managed_fields {
                cut.add(&FieldPath::managed_fields())?;
            }
            Ok(cut)
        });
        Some(cut.map(|cut| Messages::new(cut, from_message)))
    }

    fn from_body(
        body: &Bytes,
        media_type: Option<MediaType>,
        options: &DecodeOptions,
    ) -> Result<Self, DecodeFault> {
        read_body(body, media_type, options)
    }
}

fn from_message<M>(message: &[u8]) -> Result<Encoded<Protobuf<M>>, Kind> {
    let mut places = [Span::default(); KEYS];
    let mut time = None;
    for field in Fields::new(message) {
        let field = field?;
        if field.number != object::METADATA {
            continue;
        }
        let metadata = field.value.bytes()?;
        let start = field.end - metadata.len();
        // Mostly it is, and then no text has to be checked by itself.
        let is_ascii = metadata.is_ascii();
        for field in Fields::new(metadata) {
            let field = field?;
            let place = match field.number {
                object::NAME => keys::NAME,
                object::NAMESPACE => keys::NAMESPACE,
                object::UID => keys::UID,
                object::RESOURCE_VERSION => keys::RESOURCE_VERSION,
                object::LABELS | object::ANNOTATIONS => {
                    check_entry(field.value.bytes()?, is_ascii)?;
                    continue;
                }
                object::OWNER_REFERENCES => {
                    owner_reference(field.value.bytes()?)?;
                    continue;
                }
                object::DELETION_TIMESTAMP => {
                    time = Some(timestamp(field.value.bytes()?)?);
                    continue;
                }
                _ => continue,
            };
            let end = start + field.end;
            let text = field.value.checked_text(is_ascii)?;
            places[place] = Span { start: (end - text.len()) as u32, end: end as u32 };
        }
    }
    let bytes = match time {
        None => message.into(),
        Some(time) => {
            let text = time.to_string();
            let (start, end) = (message.len() as u32, (message.len() + text.len()) as u32);
            places[keys::DELETION_TIMESTAMP] = Span { start, end };
            [message, text.as_bytes()].concat().into()
        }
    };
    Ok(Encoded::from_parts(Wire::Protobuf(bytes), message.len(), places))
}

/// A time, as JSON has it: of whole seconds.
fn timestamp(message: &[u8]) -> Result<Timestamp, Malformed> {
    let mut seconds = 0;
    each(message, |number, value| {
        if number == 1 {
            seconds = value.number()?.cast_signed();
        }
        Ok(())
    })?;
    Timestamp::from_second(seconds).map_err(|_| Malformed("a time beyond the year 9999"))
}

/// The number of the field that is kept at a place.
fn number_of(place: usize) -> u32 {
    if place == keys::LABELS { object::LABELS } else { object::ANNOTATIONS }
}

/// Hands the entries of labels or annotations to `take`.
fn each_entry<'a>(message: &'a [u8], place: usize, mut take: impl FnMut(&'a str, &'a str)) {
    // All of it was checked when the object was read.
    let _ = each_of_metadata(message, |number, value| {
        if number == number_of(place) {
            let (name, value) = key_and_value(value.bytes()?)?;
            take(name, value);
        }
        Ok(())
    });
}

/// A label's or an annotation's value.
pub(super) fn entry<'a>(message: &'a [u8], place: usize, name: &str) -> Option<&'a str> {
    let mut found = None;
    each_entry(message, place, |key, value| {
        if key == name {
            found = Some(value);
        }
    });
    found
}

/// All labels or annotations.
pub(super) fn map(message: &[u8], place: usize) -> BTreeMap<Cow<'_, str>, Cow<'_, str>> {
    let mut map = BTreeMap::new();
    each_entry(message, place, |key, value| drop(map.insert(key.into(), value.into())));
    map
}

pub(super) fn owner_references(message: &[u8]) -> Vec<OwnerReference> {
    let mut owners = Vec::new();
    // All of it was checked when the object was read.
    let _ = each_of_metadata(message, |number, value| {
        if number == object::OWNER_REFERENCES {
            owners.push(owner_reference(value.bytes()?)?.into());
        }
        Ok(())
    });
    owners
}
