//! Items that were found and checked on one thread, to be decoded on another.

use std::marker::PhantomData;

use super::decode::sealed::{FromItem, Text};
use super::{DecodeOptions, ItemError};
#[cfg(feature = "protobuf")]
use crate::ProtobufError;
use crate::json::Tokens;
#[cfg(feature = "protobuf")]
use crate::protobuf::ListItem;
use crate::scan::{Item, Marks};

/// A batch with more bytes than this goes on its way. Decoding it takes longer than handing it over, by far.
const BATCH_BYTES: usize = 128 << 10;

/// Some items of a list, in their order.
pub(super) struct Batch<T> {
    /// Those of JSON: their texts one after the other, and what else is known of each.
    text: String,
    places: Vec<Place>,
    #[cfg(feature = "protobuf")]
    messages: Vec<ListItem>,
    bytes: usize,
    decoded: PhantomData<fn() -> T>,
}

struct Place {
    end: usize,
    marks: Marks,
    index: usize,
    offset: u64,
}

impl<T: FromItem> Batch<T> {
    pub(super) fn new() -> Self {
        Self {
            text: String::new(),
            places: Vec::new(),
            #[cfg(feature = "protobuf")]
            messages: Vec::new(),
            bytes: 0,
            decoded: PhantomData,
        }
    }

    pub(super) fn push(&mut self, item: &Item<'_>) {
        if self.text.capacity() == 0 {
            // Room for the last item as well, most likely.
            self.text.reserve(BATCH_BYTES + BATCH_BYTES / 4);
        }
        self.text.push_str(item.text);
        self.bytes += item.text.len();
        self.places.push(Place {
            end: self.text.len(),
            marks: item.marks,
            index: item.index,
            offset: item.offset,
        });
    }

    #[cfg(feature = "protobuf")]
    pub(super) fn push_message(&mut self, item: ListItem) {
        self.bytes += item.bytes.len();
        self.messages.push(item);
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES
    }

    pub(super) fn decode(self, options: &DecodeOptions) -> Result<Vec<T>, ItemError> {
        #[cfg(feature = "protobuf")]
        if let Some(messages) = T::messages(options) {
            let mut messages = messages.map_err(ProtobufError::before_anything)?;
            let decoded = self.messages.into_iter().map(|item| item.read(&mut messages));
            return decoded.collect();
        }
        #[cfg(not(feature = "protobuf"))]
        let _ = options;
        let mut start = 0;
        let mut tokens = Tokens::default();
        let decoded = self.places.into_iter().map(|place| {
            let Place { end, marks, index, offset } = place;
            let text = &self.text[std::mem::replace(&mut start, end)..end];
            let item = Item { text, marks, index, offset };
            ItemError::of(Text { item, tokens: &mut tokens }, T::from_item)
        });
        decoded.collect()
    }
}
