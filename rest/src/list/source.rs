use std::marker::PhantomData;

use bytes::Bytes;
use serde::Deserialize;

use super::batch::Batch;
use super::decode::sealed::{FromJson, Text};
use super::{Decode, DecodeOptions, Feed, Form, ItemError};
use crate::ListMeta;
#[cfg(feature = "protobuf")]
use crate::protobuf::{ListReader, Messages};
use crate::scan::Shape;
#[cfg(feature = "protobuf")]
use crate::{FieldPathError, ProtobufError};

/// The bytes of a list, taken apart as its type asks.
pub(super) enum Source<T> {
    Json(Box<Feed>, PhantomData<fn() -> T>),
    #[cfg(feature = "protobuf")]
    Protobuf(Box<ListReader>, Result<Messages<T>, FieldPathError>),
}

impl<T: Decode> Source<T> {
    pub(super) fn new(form: Form, options: &DecodeOptions) -> Self {
        #[cfg(feature = "protobuf")]
        if let Some(messages) = T::messages(options) {
            return Self::Protobuf(Box::new(ListReader::new(options.limits)), messages);
        }
        Self::Json(Box::new(Feed::new(form, options.scanner::<T>(Shape::List))), PhantomData)
    }

    /// The next item that is ready, or what is wrong with it or with the options.
    pub(super) fn next_item(&mut self) -> Option<Result<T, ItemError>> {
        match self {
            Self::Json(feed, _) => Some(ItemError::of(feed.next_item()?, T::from_item)),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(reader, messages) => {
                let messages = match messages {
                    Ok(messages) => messages,
                    Err(error) => return Some(Err(ProtobufError::before_anything(error.clone()).into())),
                };
                Some(reader.next_item()?.read(messages))
            }
        }
    }

    /// Puts the next item that is ready into the batch, to be decoded later.
    pub(super) fn next_into(&mut self, batch: &mut Batch<T>) -> Option<()> {
        match self {
            Self::Json(feed, _) => batch.push(&feed.next_item()?.item),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(reader, _) => batch.push_message(reader.next_item()?),
        }
        Some(())
    }

    /// Whether [`next_item`](Self::next_item) has something.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Json(feed, _) => feed.scanner().has_items(),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(reader, messages) => messages.is_err() || reader.is_ready(),
        }
    }

    /// The next item that is ready as another type.
    pub(super) fn next_item_as<'a, U: Deserialize<'a>>(&'a mut self) -> Option<Result<U, ItemError>>
    where
        T: FromJson,
    {
        match self {
            Self::Json(feed, _) => Some(ItemError::of(feed.next_item()?, Text::read)),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(..) => unreachable!("a type that is read from JSON"),
        }
    }

    /// Takes bytes until an item or more is ready or all are taken; returns how many it took.
    pub(super) fn feed(&mut self, chunk: &Bytes) -> Result<usize, ItemError> {
        match self {
            Self::Json(feed, _) => feed.feed(chunk),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(reader, _) => Ok(reader.feed(chunk)?),
        }
    }

    /// The end of the input: what is open is an error.
    pub(super) fn finish(&mut self) -> Result<(), ItemError> {
        match self {
            Self::Json(feed, _) => feed.finish(),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(reader, _) => Ok(reader.finish()?),
        }
    }

    pub(super) fn metadata(&self) -> Result<ListMeta, ItemError> {
        match self {
            Self::Json(feed, _) => match feed.scanner().list_metadata() {
                None | Some("null") => Ok(ListMeta::default()),
                Some(text) => serde_json::from_str(text).map_err(|source| ItemError::Type {
                    item: None,
                    offset: feed.scanner().offset(),
                    source,
                }),
            },
            #[cfg(feature = "protobuf")]
            Self::Protobuf(reader, _) => Ok(reader.metadata().clone()),
        }
    }

    pub(super) fn kind(&self) -> Option<String> {
        match self {
            Self::Json(feed, _) => serde_json::from_str(feed.scanner().list_kind()?).ok(),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(reader, _) => Some(reader.kind().to_owned()).filter(|kind| !kind.is_empty()),
        }
    }
}

impl<T> Source<T> {
    /// Bytes of memory held.
    pub(super) fn capacity(&self) -> usize {
        match self {
            Self::Json(feed, _) => feed.capacity(),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(reader, _) => reader.capacity(),
        }
    }

    /// Bytes taken so far.
    pub(super) fn offset(&self) -> u64 {
        match self {
            Self::Json(feed, _) => feed.scanner().offset(),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(reader, _) => reader.offset(),
        }
    }
}
