use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use prost::Message;

use super::cut::Scratch;
use super::{Cut, ProtobufError, ProtobufErrorKind as Kind, envelope};
use crate::list::sealed::{FromItem, Parts, Text};
use crate::scan::{Limits, Plan};
use crate::{DecodeFault, DecodeOptions, FieldPathError, ItemError, MediaType, decode_object};

/// A message that is read from Kubernetes' protobuf: any type of prost's, those of k8s-pb, generated ones, or a narrow
/// one of one's own.
///
/// Lists, streams of items and watches of this type ask for protobuf by themselves. Where the type is chosen only after
/// the answer came, as with [`send`](crate::Request::send), ask by
/// [`accept_protobuf`](crate::Request::accept_protobuf). Bodies are written by
/// [`body_protobuf`](crate::Request::body_protobuf).
///
/// The API server has protobuf for its own types; custom resources have none (406, or an answer in JSON, which is an
/// error too). Take it for large lists and busy watches of built-in types that are decoded whole: names of fields and
/// quotes are not sent. managedFields are JSON text in either form, so the less of them there is, the more is saved:
/// recorded pods, a third of them managedFields, came to 74 % of their JSON's bytes, made-up ones without any to 36 %.
/// The example `protobuf_list --sizes` prints it for a cluster.
///
/// ```no_run
/// # use kubewire_rest::{Error, List, Protobuf, RestClient};
/// // A pod of two fields; prost passes over all others.
/// #[derive(Clone, PartialEq, prost::Message)]
/// struct Pod {
///     #[prost(message, optional, tag = "1")]
///     metadata: Option<ObjectMeta>,
/// }
/// #[derive(Clone, PartialEq, prost::Message)]
/// struct ObjectMeta {
///     #[prost(string, optional, tag = "1")]
///     name: Option<String>,
/// }
///
/// # async fn run(client: RestClient) -> Result<(), Error> {
/// let pods: List<Protobuf<Pod>> = client.get().resource("pods").list().await?;
/// for pod in &pods {
///     println!("{:?}", pod.metadata.as_ref().map(|metadata| metadata.name()));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Protobuf<M>(pub M);

impl<M> Protobuf<M> {
    /// The message itself.
    pub fn into_inner(self) -> M {
        self.0
    }
}

impl<M> Deref for Protobuf<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.0
    }
}

impl<M> DerefMut for Protobuf<M> {
    fn deref_mut(&mut self) -> &mut M {
        &mut self.0
    }
}

impl<M: Message + Default + 'static> FromItem for Protobuf<M> {
    fn plan(_: &DecodeOptions) -> Parts {
        Parts(Plan::everything())
    }

    fn from_item(_: Text<'_>) -> Result<Self, serde_json::Error> {
        Err(serde::de::Error::custom("a protobuf message can't be read from JSON"))
    }

    fn messages(options: &DecodeOptions) -> Option<Result<Messages<Self>, FieldPathError>> {
        let read = |message: &[u8]| Ok(Self(M::decode(message)?));
        Some(Cut::new(&options.skip).map(|cut| Messages::new(cut, read)))
    }

    fn from_body(
        body: &Bytes,
        media_type: Option<MediaType>,
        options: &DecodeOptions,
    ) -> Result<Self, DecodeFault> {
        read_body(body, media_type, options)
    }
}

/// How messages become `T`s, as other crates see it: not at all.
#[derive(Debug)]
pub struct Messages<T> {
    cut: Cut,
    read: fn(&[u8]) -> Result<T, Kind>,
    scratch: Scratch,
}

impl<T> Messages<T> {
    pub(crate) fn new(cut: Cut, read: fn(&[u8]) -> Result<T, Kind>) -> Self {
        Self { cut, read, scratch: Scratch::default() }
    }

    pub(crate) fn read(&mut self, message: &[u8]) -> Result<T, Kind> {
        (self.read)(self.cut.apply(message, &mut self.scratch)?)
    }
}

/// Reads a single object in its wrapper.
pub(crate) fn read_object<T>(
    body: &[u8],
    messages: Result<Messages<T>, FieldPathError>,
    limits: Limits,
) -> Result<T, ItemError> {
    let read = || {
        if body.len() as u64 > limits.document {
            return Err(Kind::DocumentTooLarge(limits.document));
        }
        let (_, message) = envelope::open(body)?;
        if message.len() > limits.item {
            return Err(Kind::ItemTooLarge { size: message.len() as u64, limit: limits.item });
        }
        messages?.read(message)
    };
    read().map_err(|kind| ProtobufError::before_anything(kind).into())
}

/// Reads a whole answer as a type that is read from protobuf.
pub(crate) fn read_body<T: FromItem>(
    body: &Bytes,
    media_type: Option<MediaType>,
    options: &DecodeOptions,
) -> Result<T, DecodeFault> {
    match media_type {
        _ if body.is_empty() => Err(DecodeFault::Empty),
        Some(MediaType::Protobuf) => Ok(decode_object(body, options)?),
        Some(_) => Err(DecodeFault::NotProtobuf),
        None => Err(DecodeFault::ContentType),
    }
}
