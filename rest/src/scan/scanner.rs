//! The scanner: bytes in, checked texts of objects out.

use std::collections::VecDeque;

use fearless_simd::{Level, dispatch};

use super::error::{ScanError, ScanErrorKind};
use super::nesting::MAX_DEPTH;
use super::plan::{Plan, SLOTS, list_slot};
use super::structure::{Roots, Structure};
use super::window::WINDOW;

/// What the bytes hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One value, which is the item.
    Document,
    /// An object whose `items` are the items.
    List,
    /// Objects back to back, each an item: the frames of a watch.
    Frames,
}

/// How much is read before giving up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Levels of nesting, at most 127: serde_json reads no deeper.
    pub(crate) depth: u32,
    /// Bytes of one item, and of a list's own fields, as kept.
    pub(crate) item: usize,
    /// Bytes of the whole document, as received.
    pub(crate) document: u64,
}

impl Default for Limits {
    /// 127 levels, 64 MiB an item (the API server's own limit is near 3 MiB), any number of items.
    fn default() -> Self {
        Self { depth: MAX_DEPTH, item: 64 << 20, document: u64::MAX }
    }
}

/// A range of bytes of an item's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// The places that the plan asked for: `None` where the item hasn't got them.
pub(crate) type Marks = [Option<Span>; SLOTS];

/// One checked item.
#[derive(Debug)]
pub(crate) struct Item<'a> {
    /// Its text without what the plan cuts, and without blanks around it.
    pub(crate) text: &'a str,
    pub(crate) marks: Marks,
    /// Its place among the items, counted from 0.
    pub(crate) index: usize,
    /// The byte of the document where it began.
    pub(crate) offset: u64,
}

pub(super) struct Ready {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) marks: Marks,
    pub(super) index: usize,
    pub(super) offset: u64,
}

/// A value on the way from the root whose inside matters to the plan.
pub(super) struct Frame {
    pub(super) node: u32,
    pub(super) items: bool,
    /// Where the current member began, and the comma before it.
    pub(super) member: usize,
    pub(super) comma: Option<usize>,
    /// The plan for the current member's value, if that is an object or an array.
    pub(super) next: u32,
    /// Where the current member's value is to be remembered, and where it began.
    pub(super) slot: u32,
    pub(super) value: usize,
}

/// Takes a document in any pieces; gives its items, cut to the plan. See the [module](super).
///
/// All places inside of texts are counted from the start of the current item, so that the texts before it can
/// be dropped.
pub(crate) struct Scanner {
    pub(super) level: Level,
    pub(super) shape: Shape,
    pub(super) plan: Plan,
    pub(super) limits: Limits,
    pub(super) structure: Structure,
    /// The start of a character whose end hasn't arrived.
    partial: ([u8; 4], usize),
    /// Bytes taken so far; that of the window; that of the item.
    offset: u64,
    pub(super) window_offset: u64,
    pub(super) item_offset: u64,
    pub(super) index: usize,

    pub(super) frames: Vec<Frame>,
    /// A list's own fields; the items.
    pub(super) head: String,
    pub(super) text: String,
    /// Where in `text` the current item begins.
    pub(super) base: usize,
    pub(super) in_item: bool,
    /// Up to where the window is copied.
    pub(super) copied: usize,
    /// Inside a value that is cut: nothing is copied.
    pub(super) cutting: bool,
    /// Where the last string began that can be a key: in the item, and in the window.
    pub(super) quote: usize,
    pub(super) quote_in_window: Option<usize>,
    pub(super) marks: Marks,
    pub(super) head_marks: Marks,
    pub(super) ready: VecDeque<Ready>,
}

impl Scanner {
    pub(crate) fn new(shape: Shape, plan: Plan, limits: Limits) -> Self {
        let plan = match shape {
            Shape::Document => plan,
            Shape::List => plan.into_list(),
            Shape::Frames => plan.into_frames(),
        };
        let limits = Limits { item: limits.item.min(u32::MAX as usize / 2), ..limits };
        Self::by(Level::new(), shape, plan.seal(), limits)
    }

    /// By a plan that is sealed.
    fn by(level: Level, shape: Shape, plan: Plan, limits: Limits) -> Self {
        let roots = match shape {
            Shape::Document => Roots::One,
            Shape::List => Roots::OneObject,
            Shape::Frames => Roots::Objects,
        };
        Self {
            level,
            shape,
            plan,
            limits,
            structure: Structure::new(roots, limits.depth),
            partial: ([0; 4], 0),
            offset: 0,
            window_offset: 0,
            item_offset: 0,
            index: 0,
            frames: Vec::new(),
            head: String::new(),
            text: String::new(),
            base: 0,
            in_item: shape != Shape::List,
            copied: 0,
            cutting: false,
            quote: 0,
            quote_in_window: None,
            marks: [None; SLOTS],
            head_marks: [None; SLOTS],
            ready: VecDeque::new(),
        }
    }

    /// Forgets all that was fed, but for the memory.
    pub(crate) fn restart(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let mut frames = std::mem::take(&mut self.frames);
        frames.clear();
        let mut ready = std::mem::take(&mut self.ready);
        ready.clear();
        let plan = std::mem::take(&mut self.plan);
        *self = Self { text, frames, ready, ..Self::by(self.level, self.shape, plan, self.limits) };
    }

    /// Takes bytes until an item or more is ready or all are taken; returns how many it took. After an error,
    /// the items before it are still there.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<usize, ScanError> {
        self.forget_taken();
        let mut taken = 0;
        while taken < bytes.len() && self.ready.is_empty() {
            let rest = &bytes[taken..];
            taken += if self.partial.1 > 0 { self.complete_char(rest)? } else { self.take_window(rest)? };
        }
        Ok(taken)
    }

    /// The next item that is ready.
    pub(crate) fn next_item(&mut self) -> Option<Item<'_>> {
        let Ready { start, end, marks, index, offset } = self.ready.pop_front()?;
        Some(Item { text: &self.text[start..end], marks, index, offset })
    }

    /// Whether an item is ready.
    pub(crate) fn has_items(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The end of the input: what is open is an error, and a document's item is ready.
    pub(crate) fn finish(&mut self) -> Result<(), ScanError> {
        if self.partial.1 > 0 {
            return Err(self.error(ScanErrorKind::Utf8, self.offset));
        }
        if !self.structure.complete() {
            return Err(self.truncated());
        }
        match self.shape {
            Shape::Document => self.finish_item(),
            Shape::Frames => {}
            Shape::List => {
                if self.head_marks[list_slot::ITEMS].is_none() {
                    return Err(self.error(ScanErrorKind::NoList, self.offset));
                }
            }
        }
        Ok(())
    }

    /// The error of an input that ends here.
    pub(crate) fn truncated(&self) -> ScanError {
        self.error(ScanErrorKind::Truncated, self.offset)
    }

    /// Bytes taken so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes of memory held for texts.
    pub(crate) fn capacity(&self) -> usize {
        self.text.capacity() + self.head.capacity()
    }

    /// A list's `kind`, as it stands in the document, once it was read.
    pub(crate) fn list_kind(&self) -> Option<&str> {
        self.head_text(list_slot::KIND)
    }

    /// A list's `metadata`, as it stands in the document, once it was read.
    pub(crate) fn list_metadata(&self) -> Option<&str> {
        self.head_text(list_slot::METADATA)
    }

    fn head_text(&self, slot: usize) -> Option<&str> {
        let Span { start, end } = self.head_marks[slot]?;
        self.head.get(start as usize..end as usize).map(trim)
    }

    /// Drops the texts of items that were taken.
    fn forget_taken(&mut self) {
        if self.ready.is_empty() && self.base > 0 {
            self.text.drain(..self.base);
            self.base = 0;
            // One giant does not hold its memory for the rest of the list.
            if self.text.capacity() > 1 << 20 && self.text.len() < self.text.capacity() / 8 {
                self.text.shrink_to(self.text.capacity() / 4);
            }
        }
    }

    /// Bytes of a character that was cut in two.
    fn complete_char(&mut self, rest: &[u8]) -> Result<usize, ScanError> {
        let (mut bytes, mut len) = self.partial;
        bytes[len] = rest[0];
        len += 1;
        match std::str::from_utf8(&bytes[..len]) {
            Ok(window) => {
                self.partial.1 = 0;
                self.scan(window, len - 1)?;
            }
            Err(error) if error.error_len().is_none() => self.partial = (bytes, len),
            Err(_) => return Err(self.error(ScanErrorKind::Utf8, self.offset)),
        }
        self.offset += 1;
        Ok(1)
    }

    fn take_window(&mut self, rest: &[u8]) -> Result<usize, ScanError> {
        let bytes = &rest[..rest.len().min(WINDOW)];
        let checked = simdutf8::basic::from_utf8(bytes).map_err(|_| std::str::from_utf8(bytes));
        let (window, broken) = match checked {
            Ok(window) | Err(Ok(window)) => (window, false),
            Err(Err(error)) => {
                let (valid, tail) = bytes.split_at(error.valid_up_to());
                if valid.is_empty() && error.error_len().is_none() {
                    self.partial.0[..tail.len()].copy_from_slice(tail);
                    self.partial.1 = tail.len();
                    self.offset += tail.len() as u64;
                    return Ok(tail.len());
                }
                (std::str::from_utf8(valid).unwrap_or_default(), error.error_len().is_some())
            }
        };
        self.scan(window, 0)?;
        self.offset += window.len() as u64;
        if broken { Err(self.error(ScanErrorKind::Utf8, self.offset)) } else { Ok(window.len()) }
    }

    /// Scans a window, of which the first bytes were counted before.
    fn scan(&mut self, window: &str, counted: usize) -> Result<(), ScanError> {
        self.window_offset = self.offset - counted as u64;
        if self.window_offset + window.len() as u64 > self.limits.document {
            return Err(
                self.error(ScanErrorKind::DocumentTooLarge(self.limits.document), self.limits.document)
            );
        }
        self.copied = 0;
        self.quote_in_window = None;
        dispatch!(self.level, simd => self.scan_blocks(simd, window))?;
        if self.shape == Shape::Frames && self.structure.depth() == 0 {
            // Blanks between frames.
            self.copied = window.len();
        }
        self.copy(window, window.len())
    }

    pub(super) fn error(&self, kind: ScanErrorKind, offset: u64) -> ScanError {
        ScanError { kind, offset, item: self.current_item() }
    }

    pub(super) fn current_item(&self) -> Option<usize> {
        (self.in_item && self.shape != Shape::Document).then_some(self.index)
    }
}

/// Without the blanks of JSON around it.
pub(super) fn trim(text: &str) -> &str {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let bytes = text.as_bytes();
    let start = bytes.iter().position(|byte| !blank(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}
