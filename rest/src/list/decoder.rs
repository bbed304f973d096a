use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;

use super::decode::sealed::Text;
use super::{Decode, DecodeOptions, ItemError};
use crate::ListMeta;
use crate::scan::{Scanner, Shape};

/// Decodes a list while its bytes arrive, without any I/O of its own: what
/// [`Request::list`](crate::Request::list) and [`Request::items`](crate::Request::items) are made of.
///
/// It holds one item at a time, never the list. After an error it gives nothing more.
///
/// ```
/// use kubewire_rest::{Bytes, DecodeOptions, ListDecoder, Object};
///
/// let mut decoder = ListDecoder::<Object>::new(&DecodeOptions::default());
/// decoder.push(Bytes::from_static(br#"{"kind":"PodList","metadata":{"resourceVersion":"7"},"items":[{"meta"#));
/// assert!(decoder.next_item().is_none()); // more bytes are needed
/// decoder.push(Bytes::from_static(br#"data":{"name":"web-0"}}]}"#));
/// decoder.finish();
/// assert_eq!(decoder.next_item().unwrap()?.metadata.name, "web-0");
/// assert!(decoder.next_item().is_none());
/// assert_eq!(decoder.metadata()?.resource_version, "7");
/// # Ok::<(), kubewire_rest::ItemError>(())
/// ```
pub struct ListDecoder<T> {
    scanner: Scanner,
    chunks: VecDeque<Bytes>,
    finished: bool,
    /// An error that comes after the items which are still there.
    error: Option<ItemError>,
    ended: bool,
    of: PhantomData<fn() -> T>,
}

impl<T: Decode> ListDecoder<T> {
    /// A decoder of one list.
    pub fn new(options: &DecodeOptions) -> Self {
        Self {
            scanner: options.scanner::<T>(Shape::List),
            chunks: VecDeque::new(),
            finished: false,
            error: None,
            ended: false,
            of: PhantomData,
        }
    }

    /// Takes the next bytes of the list; any piece will do. They are scanned by [`next_item`](Self::next_item).
    pub fn push(&mut self, chunk: Bytes) {
        if !chunk.is_empty() && !self.ended {
            self.chunks.push_back(chunk);
        }
    }

    /// Says that all bytes were pushed: a list that isn't complete is an error then.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// The next item, an error that ends the list, or `None`: more bytes are needed, or the list is complete. One
    /// call decodes one item at most.
    pub fn next_item(&mut self) -> Option<Result<T, ItemError>> {
        loop {
            if self.ended {
                return None;
            }
            if let Some(item) = self.scanner.next_item() {
                let (index, offset) = (item.index, item.offset);
                return Some(T::from_item(Text(item)).map_err(|source| {
                    self.ended = true;
                    ItemError::Type { item: Some(index), offset, source }
                }));
            }
            if let Some(error) = self.error.take() {
                self.ended = true;
                self.chunks.clear();
                return Some(Err(error));
            }
            match self.chunks.front_mut() {
                Some(chunk) => match self.scanner.feed(chunk) {
                    Ok(taken) if taken == chunk.len() => drop(self.chunks.pop_front()),
                    Ok(taken) => drop(chunk.split_to(taken)),
                    Err(error) => self.error = Some(error.into()),
                },
                None if self.finished => {
                    self.ended = true;
                    return self.scanner.finish().err().map(|error| Err(error.into()));
                }
                None => return None,
            }
        }
    }

    /// The list's own metadata, as far as it was read: servers send it before the items. Empty while there is
    /// none.
    pub fn metadata(&self) -> Result<ListMeta, ItemError> {
        match self.scanner.list_metadata() {
            None | Some("null") => Ok(ListMeta::default()),
            Some(text) => serde_json::from_str(text).map_err(|source| ItemError::Type {
                item: None,
                offset: self.scanner.offset(),
                source,
            }),
        }
    }

    /// The list's kind, such as `PodList`, as far as it was read.
    pub fn kind(&self) -> Option<String> {
        serde_json::from_str(self.scanner.list_kind()?).ok()
    }

    /// Bytes of memory held right now: the item that is coming in, and what was pushed and not scanned yet.
    pub fn memory(&self) -> usize {
        self.scanner.capacity() + self.chunks.iter().map(Bytes::len).sum::<usize>()
    }

    /// Bytes that were scanned.
    pub fn bytes_read(&self) -> u64 {
        self.scanner.offset()
    }
}

impl<T> fmt::Debug for ListDecoder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListDecoder").field("bytes_read", &self.scanner.offset()).finish_non_exhaustive()
    }
}
