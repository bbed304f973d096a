use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use serde::Deserialize;

use super::batch::Batch;
use super::decode::sealed::FromJson;
use super::source::Source;
use super::{Decode, DecodeOptions, Form, ItemError};
use crate::ListMeta;

/// Decodes a list while its bytes arrive, without any I/O of its own: what
/// [`Request::list`](crate::Request::list) and [`Request::items`](crate::Request::items) are made of.
///
/// The list is JSON, or protobuf where `T` is read from that. It holds one item at a time, never the list. After an
/// error it gives nothing more.
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
    source: Source<T>,
    chunks: VecDeque<Bytes>,
    finished: bool,
    /// An error that comes after the items which are still there.
    error: Option<ItemError>,
    ended: bool,
}

impl<T: Decode> ListDecoder<T> {
    /// A decoder of one list.
    pub fn new(options: &DecodeOptions) -> Self {
        Self::of(Form::Json, options)
    }

    /// A decoder of one list of CBOR, for types that are read from JSON. Where an error or an item stands is told in
    /// bytes of the JSON that it becomes, unless the CBOR itself can't be read.
    #[cfg(feature = "cbor")]
    pub fn cbor(options: &DecodeOptions) -> Self {
        Self::of(Form::Cbor, options)
    }

    pub(super) fn of(form: Form, options: &DecodeOptions) -> Self {
        Self {
            source: Source::new(form, options),
            chunks: VecDeque::new(),
            finished: false,
            error: None,
            ended: false,
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
    ///
    /// # Errors
    /// The bytes are no list, an item is no `T`, or something is larger than the options allow.
    pub fn next_item(&mut self) -> Option<Result<T, ItemError>> {
        self.next_by(Source::next_item)
    }

    /// Finds the next item, checks it, and puts it into the batch; otherwise like [`next_item`](Self::next_item).
    pub(super) fn next_into(&mut self, batch: &mut Batch<T>) -> Option<Result<(), ItemError>> {
        self.next_by(|source| source.next_into(batch).map(Ok))
    }

    /// The next item as another type, which may borrow from its bytes; see [`Items::next_as`](crate::Items::next_as).
    pub fn next_item_as<'a, U: Deserialize<'a>>(&'a mut self) -> Option<Result<U, ItemError>>
    where
        T: FromJson,
    {
        if let Err(error) = self.make_ready()? {
            return Some(Err(error));
        }
        let item = self.source.next_item_as()?;
        self.ended = item.is_err();
        Some(item)
    }

    /// Scans until an item is ready; otherwise as [`next_item`](Self::next_item).
    pub(super) fn make_ready(&mut self) -> Option<Result<(), ItemError>> {
        self.next_by(|source| source.is_ready().then_some(Ok(())))
    }

    fn next_by<R>(
        &mut self,
        mut take: impl FnMut(&mut Source<T>) -> Option<Result<R, ItemError>>,
    ) -> Option<Result<R, ItemError>> {
        loop {
            if self.ended {
                return None;
            }
            if let Some(item) = take(&mut self.source) {
                self.ended = item.is_err();
                return Some(item);
            }
            if let Some(error) = self.error.take() {
                self.ended = true;
                self.chunks.clear();
                return Some(Err(error));
            }
            match self.chunks.front_mut() {
                Some(chunk) => match self.source.feed(chunk) {
                    Ok(taken) if taken == chunk.len() => drop(self.chunks.pop_front()),
                    Ok(taken) => drop(chunk.split_to(taken)),
                    Err(error) => self.error = Some(error),
                },
                None if self.finished => {
                    self.ended = true;
                    return self.source.finish().err().map(Err);
                }
                None => return None,
            }
        }
    }

    /// The list's own metadata, as far as it was read: servers send it before the items, in CBOR anywhere. Empty while there is
    /// none.
    ///
    /// # Errors
    /// It is no list's metadata.
    pub fn metadata(&self) -> Result<ListMeta, ItemError> {
        self.source.metadata()
    }

    /// The list's kind, such as `PodList`, as far as it was read.
    pub fn kind(&self) -> Option<String> {
        self.source.kind()
    }

    /// Bytes of memory held right now: the item that is coming in, and what was pushed and not scanned yet.
    pub fn memory(&self) -> usize {
        self.source.capacity() + self.chunks.iter().map(Bytes::len).sum::<usize>()
    }

    /// Bytes that were scanned.
    pub fn bytes_read(&self) -> u64 {
        self.source.offset()
    }
}

impl<T> fmt::Debug for ListDecoder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListDecoder").field("bytes_read", &self.source.offset()).finish_non_exhaustive()
    }
}
