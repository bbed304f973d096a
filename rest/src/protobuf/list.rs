//! Lists in protobuf, taken apart by lengths while their bytes arrive.

use bytes::Bytes;

use super::envelope::MAGIC;
use super::gather::Gather;
use super::meta::Types;
use super::wire::{Type, Varint, key};
use super::{Messages, ProtobufError, ProtobufErrorKind as Kind, meta};
use crate::scan::Limits;
use crate::{ItemError, ListMeta, TypeMeta};

/// The fields that matter: of the wrapper, and of the list in it.
const TYPES: u32 = 1;
const LIST: u32 = 2;
const METADATA: u32 = 1;
const ITEMS: u32 = 2;

const BEYOND: Kind = Kind::Malformed("a field that goes beyond the end of the list");

/// Takes a list in any pieces; gives its items.
#[derive(Debug)]
pub(crate) struct ListReader {
    limits: Limits,
    state: State,
    gather: Gather,
    /// Bytes that are still to come of the list in the wrapper, while in it.
    left: Option<u64>,
    has_list: bool,
    types: TypeMeta,
    metadata: ListMeta,
    offset: u64,
    /// The current item, and where it began.
    index: usize,
    item_offset: u64,
    ready: Option<Bytes>,
}

/// What comes next.
#[derive(Debug)]
enum State {
    /// So many of the first four bytes came.
    Magic(usize),
    Key(Varint),
    /// A number that nobody wants.
    Number(Varint),
    Length(u32, Varint),
    Skip(u64),
    Gather(Part),
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Types,
    Metadata,
    Item,
}

/// An item that is ready.
pub(crate) struct ListItem {
    pub(crate) bytes: Bytes,
    index: usize,
    offset: u64,
}

impl ListItem {
    /// Decodes it.
    pub(crate) fn read<T>(&self, messages: &mut Messages<T>) -> Result<T, ItemError> {
        let object = messages.read(&self.bytes);
        object.map_err(|kind| ProtobufError::in_item(kind, self.index, self.offset).into())
    }
}

impl ListReader {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Magic(0),
            gather: Gather::default(),
            left: None,
            has_list: false,
            types: TypeMeta::default(),
            metadata: ListMeta::default(),
            offset: 0,
            index: 0,
            item_offset: 0,
            ready: None,
        }
    }

    /// Takes bytes until an item is ready or all are taken; returns how many it took.
    pub(crate) fn feed(&mut self, chunk: &Bytes) -> Result<usize, ProtobufError> {
        let mut at = 0;
        while at < chunk.len() && self.ready.is_none() {
            let taken = self.step(chunk, at).map_err(|kind| self.error(kind))?;
            at += taken;
        }
        Ok(at)
    }

    /// The item that is ready.
    pub(crate) fn next_item(&mut self) -> Option<ListItem> {
        let bytes = self.ready.take()?;
        let index = self.index;
        self.index += 1;
        Some(ListItem { bytes, index, offset: self.item_offset })
    }

    /// Whether an item is ready.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.is_some()
    }

    /// The end of the input.
    pub(crate) fn finish(&mut self) -> Result<(), ProtobufError> {
        let is_whole = matches!(&self.state, State::Key(key) if key.is_new()) && self.left.is_none();
        let checked = if is_whole { self.check_kind() } else { Err(Kind::Truncated) };
        checked.map_err(|kind| self.error(kind))
    }

    pub(crate) fn kind(&self) -> &str {
        &self.types.kind
    }

    pub(crate) fn metadata(&self) -> &ListMeta {
        &self.metadata
    }

    /// Bytes taken so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes of memory held.
    pub(crate) fn capacity(&self) -> usize {
        self.gather.capacity() + self.ready.as_ref().map_or(0, Bytes::len)
    }

    /// An error at this place; in an item, if it is one of those.
    fn error(&self, kind: Kind) -> ProtobufError {
        let in_item = matches!(self.state, State::Gather(Part::Item));
        ProtobufError { kind, offset: self.offset, item: in_item.then_some(self.index) }
    }

    /// Takes the bytes of one step.
    fn step(&mut self, chunk: &Bytes, at: usize) -> Result<usize, Kind> {
        let byte = chunk[at];
        let taken = match &mut self.state {
            State::Skip(left) => {
                let taken = (*left).min((chunk.len() - at) as u64);
                *left -= taken;
                taken as usize
            }
            State::Gather(_) => {
                let (taken, whole) = self.gather.take(chunk, at);
                self.count(taken)?;
                if let (State::Gather(part), Some(whole)) = (&self.state, whole) {
                    self.gathered(*part, whole)?;
                }
                return Ok(taken);
            }
            _ => 1,
        };
        self.count(taken)?;
        self.state = match std::mem::replace(&mut self.state, State::Skip(0)) {
            State::Skip(left) => State::Skip(left),
            State::Magic(came) if byte != MAGIC[came] => return Err(Kind::Magic),
            State::Magic(came) if came + 1 < MAGIC.len() => State::Magic(came + 1),
            State::Magic(_) => State::Key(Varint::default()),
            State::Key(mut varint) => match varint.push(byte)? {
                Some(number) => self.field(number)?,
                None => State::Key(varint),
            },
            State::Number(mut varint) => match varint.push(byte)? {
                Some(_) => State::Skip(0),
                None => State::Number(varint),
            },
            State::Length(number, mut varint) => match varint.push(byte)? {
                Some(length) => return self.length(number, length).map(|()| taken),
                None => State::Length(number, varint),
            },
            State::Gather(part) => State::Gather(part),
        };
        self.settle()?;
        Ok(taken)
    }

    /// After a field comes the next; after the last of the list, those of the wrapper.
    fn settle(&mut self) -> Result<(), Kind> {
        if matches!(self.state, State::Skip(0)) {
            self.state = State::Key(Varint::default());
        }
        if self.left == Some(0) {
            match &self.state {
                State::Key(key) if key.is_new() => self.left = None,
                _ => return Err(BEYOND),
            }
        }
        Ok(())
    }

    /// No field is longer than its list.
    fn check_length(&self, length: u64) -> Result<(), Kind> {
        if self.left.is_some_and(|left| length > left) { Err(BEYOND) } else { Ok(()) }
    }

    fn count(&mut self, taken: usize) -> Result<(), Kind> {
        self.offset += taken as u64;
        if self.offset > self.limits.document {
            self.offset = self.limits.document;
            return Err(Kind::DocumentTooLarge(self.limits.document));
        }
        if let Some(left) = &mut self.left {
            // It is never more: lengths are checked when they are read, and single bytes come while there are some left.
            *left = left.saturating_sub(taken as u64);
        }
        Ok(())
    }

    /// What comes after a field's key.
    fn field(&self, number: u64) -> Result<State, Kind> {
        let (number, wire_type) = key(number)?;
        Ok(match wire_type {
            Type::Bytes => State::Length(number, Varint::default()),
            // All four of the wrapper's and both of the list's.
            _ if number <= if self.left.is_none() { 4 } else { 2 } => {
                return Err(Kind::Malformed("a number where a message must stand"));
            }
            Type::Number => State::Number(Varint::default()),
            Type::Fixed(length) => {
                self.check_length(length.into())?;
                State::Skip(length.into())
            }
        })
    }

    /// What comes after a field's length.
    fn length(&mut self, number: u32, length: u64) -> Result<(), Kind> {
        self.check_length(length)?;
        let part = match (self.left, number) {
            (None, LIST) if self.has_list => return Err(Kind::Malformed("two lists in one")),
            (None, LIST) => {
                self.check_kind()?;
                self.has_list = true;
                self.left = Some(length);
                self.state = State::Skip(0);
                return self.settle();
            }
            (None, TYPES) => Part::Types,
            (Some(_), METADATA) => Part::Metadata,
            (Some(_), ITEMS) => Part::Item,
            _ => {
                self.state = State::Skip(length);
                return self.settle();
            }
        };
        if matches!(part, Part::Item) {
            self.item_offset = self.offset;
        }
        self.state = State::Gather(part);
        let limit = self.limits.item;
        let Some(size) = usize::try_from(length).ok().filter(|size| *size <= limit) else {
            return Err(Kind::ItemTooLarge { size: length, limit });
        };
        if size == 0 {
            return self.gathered(part, Bytes::new());
        }
        self.gather.start(size);
        Ok(())
    }

    fn gathered(&mut self, part: Part, bytes: Bytes) -> Result<(), Kind> {
        match part {
            Part::Types => {
                let mut types = Types::from(&self.types);
                types.read(&bytes)?;
                self.types = types.into();
            }
            Part::Metadata => meta::list_meta(&bytes, &mut self.metadata)?,
            Part::Item => self.ready = Some(bytes),
        }
        self.state = State::Skip(0);
        self.settle()
    }

    /// The wrapper says what is in it before it comes.
    fn check_kind(&self) -> Result<(), Kind> {
        if self.types.kind.ends_with("List") { Ok(()) } else { Err(Kind::NoList(self.types.kind.clone())) }
    }
}
