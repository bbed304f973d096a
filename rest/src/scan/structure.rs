//! The grammar of JSON, checked on bit masks: what strings hold, scalars, the nesting and the order of tokens.

use super::block::{BLOCK, Masks};
use super::nesting::Nesting;
use super::order::After;
use super::scalar::{Scalar, Scalars};
use super::strings::{StringBits, Strings};

/// What is wrong, and in which byte of the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: u32,
    pub(super) kind: FaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    Unexpected,
    Control,
    Escape,
    Scalar,
    Depth,
    Mismatch,
}

/// A fault, and the tokens before it.
pub(crate) struct Broken {
    pub(super) fault: Fault,
    pub(super) before: Tokens,
}

/// Which values may stand outside of all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Roots {
    /// One value of any kind.
    One,
    /// One object.
    OneObject,
    /// Objects back to back.
    Objects,
}

/// A checked block: its tokens outside of strings. Brackets with nothing between them may be left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokens {
    pub(super) open: u64,
    pub(super) close: u64,
    pub(super) colon: u64,
    pub(super) comma: u64,
    /// Quotes that open a string.
    pub(super) quote: u64,
    /// The nesting before the block; in it, it doesn't fall below `least_depth`.
    pub(super) depth: u32,
    pub(super) least_depth: u32,
}

impl Tokens {
    #[cold]
    fn before(self, at: u32) -> Self {
        let before = (1 << at) - 1;
        Self {
            open: self.open & before,
            close: self.close & before,
            colon: self.colon & before,
            comma: self.comma & before,
            quote: self.quote & before,
            depth: self.depth,
            least_depth: 0,
        }
    }
}

/// What one block leaves to the next.
#[derive(Clone, Debug)]
pub(crate) struct Structure {
    roots: Roots,
    root_seen: bool,
    pub(super) strings: Strings,
    /// 1 where the byte before the block belongs to a scalar.
    pub(super) scalar_before: u64,
    /// Digits that a `\u` still lacks.
    pub(super) hex_left: u8,
    pub(super) scalar: Option<Scalar>,
    pub(super) after: After,
    pub(super) nesting: Nesting,
}

/// What the bytes of a block are, now that strings are known.
pub(super) struct Kinds {
    pub(super) in_string: u64,
    /// Quotes that open a string, and those that close one.
    pub(super) quote: u64,
    pub(super) closing: u64,
    /// In strings: bytes after an odd backslash, and control characters.
    escaped: u64,
    control: u64,
    /// Outside of strings.
    pub(super) open: u64,
    pub(super) close: u64,
    pub(super) brace: u64,
    pub(super) colon: u64,
    pub(super) comma: u64,
    pub(super) blank: u64,
    /// Blanks that are no spaces.
    odd_blank: u64,
    pub(super) scalar: u64,
    pub(super) scalar_start: u64,
    /// Whether the byte before the block belongs to a scalar, too.
    scalar_goes_on: bool,
    /// What isn't a digit in scalars, and where one begins with a zero that more follows.
    no_digit: u64,
    leading_zero: u64,
}

impl Structure {
    pub(crate) fn new(roots: Roots, max_depth: u32) -> Self {
        Self {
            roots,
            root_seen: false,
            strings: Strings::default(),
            scalar_before: 0,
            hex_left: 0,
            scalar: None,
            after: After::default(),
            nesting: Nesting::new(max_depth),
        }
    }

    /// Whether the input may end here.
    pub(crate) fn complete(&self) -> bool {
        self.nesting.depth() == 0
            && !self.strings.is_open()
            && self.scalar.is_none_or(Scalar::may_end)
            && (self.root_seen || self.roots == Roots::Objects)
    }

    /// How many objects and arrays are open.
    pub(super) fn depth(&self) -> u32 {
        self.nesting.depth()
    }

    /// Where strings begin and end in a block: what [`check`](Self::check) has to be given.
    #[inline(always)]
    pub(crate) fn strings(&mut self, masks: &Masks, len: usize) -> StringBits {
        self.strings.step(masks, len)
    }

    /// Checks a block. Beyond `len` its bytes are spaces, which count for nothing.
    #[inline(always)]
    pub(crate) fn check(
        &mut self,
        bytes: &[u8; BLOCK],
        masks: &Masks,
        strings: &StringBits,
        len: usize,
    ) -> Result<Tokens, Broken> {
        let kinds = &self.kinds(masks, strings, len);
        let mut fault = Faults::default();
        if kinds.escaped != 0 || self.hex_left > 0 {
            self.check_escapes(bytes, kinds.escaped, len, &mut fault);
        }
        if kinds.odd_blank != 0 {
            check_blanks(bytes, kinds.odd_blank, &mut fault);
        }
        if kinds.scalar_goes_on || kinds.scalars().has_uncommon(bytes, len) {
            self.check_scalars(bytes, kinds.scalar, len, &mut fault);
        }
        let depth = self.nesting.depth();
        let nested = self.nesting.walk(kinds.open, kinds.close, kinds.brace, &mut fault);
        let root = if nested.root == 0 { 0 } else { self.check_roots(bytes, kinds, nested.root, &mut fault) };
        let unexpected = if kinds.blank == 0 {
            self.after.check::<false>(kinds, nested.in_object, root)
        } else {
            self.after.check::<true>(kinds, nested.in_object, root)
        };
        let &Kinds { open, close, colon, comma, quote, .. } = kinds;
        let (open, close) = (open & nested.brackets, close & nested.brackets);
        let tokens = Tokens { open, close, colon, comma, quote, depth, least_depth: nested.least_depth };
        if (unexpected | kinds.control | nested.mismatch) != 0 {
            fault.add(kinds.control, FaultKind::Control);
            fault.add(nested.mismatch, FaultKind::Mismatch);
            fault.add(unexpected, FaultKind::Unexpected);
        }
        match fault.first {
            None => Ok(tokens),
            Some(fault) => Err(Broken { fault, before: tokens.before(fault.at) }),
        }
    }

    /// Tells the bytes of a block apart.
    #[inline(always)]
    fn kinds(&mut self, masks: &Masks, strings: &StringBits, len: usize) -> Kinds {
        let &StringBits { in_string, open: quote, close: closing, escaped } = strings;
        let outside = !in_string;
        let (open, close) = (masks.open & outside, masks.close & outside);
        let (colon, comma, blank) = (masks.colon & outside, masks.comma & outside, masks.low & outside);
        let scalar = !(in_string | closing | open | close | colon | comma | blank);
        let scalar_start = scalar & !((scalar << 1) | self.scalar_before);
        let scalar_goes_on = self.scalar_before != 0;
        self.scalar_before = scalar >> (len - 1);
        Kinds {
            in_string,
            quote,
            closing,
            escaped: escaped & in_string,
            control: masks.control & in_string,
            open,
            close,
            brace: masks.brace,
            colon,
            comma,
            blank,
            odd_blank: masks.control & blank,
            scalar,
            scalar_start,
            scalar_goes_on,
            no_digit: scalar & !masks.digit,
            leading_zero: scalar_start & masks.zero & (scalar >> 1),
        }
    }

    #[inline(never)]
    pub(super) fn check_escapes(
        &mut self,
        bytes: &[u8; BLOCK],
        mut escaped: u64,
        len: usize,
        fault: &mut Faults,
    ) {
        let mut at = 0;
        loop {
            while self.hex_left > 0 {
                let Some(byte) = bytes[..len].get(at) else { return };
                if !byte.is_ascii_hexdigit() {
                    return fault.add(1 << at, FaultKind::Escape);
                }
                self.hex_left -= 1;
                at += 1;
            }
            if escaped == 0 {
                return;
            }
            let next = escaped.trailing_zeros() as usize;
            escaped &= escaped - 1;
            match bytes[next] {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                b'u' => (self.hex_left, at) = (4, next + 1),
                _ => return fault.add(1 << next, FaultKind::Escape),
            }
        }
    }

    #[inline(never)]
    pub(super) fn check_scalars(&mut self, bytes: &[u8; BLOCK], scalar: u64, len: usize, fault: &mut Faults) {
        let mut rest = scalar;
        let mut state = self.scalar.take();
        if let Some(before) = state
            && scalar & 1 == 0
        {
            if !before.may_end() {
                return fault.add(1, FaultKind::Scalar);
            }
            state = None;
        }
        while rest != 0 {
            let start = rest.trailing_zeros();
            let end = start + (rest >> start).trailing_ones();
            rest &= (u64::MAX << (end - 1)) << 1;
            for at in start..end {
                let byte = bytes[at as usize % BLOCK];
                let next = match state {
                    Some(before) => before.step(byte),
                    None => Scalar::start(byte),
                };
                if next.is_none() {
                    return fault.add(1 << at, FaultKind::Scalar);
                }
                state = next;
            }
            if end as usize == len {
                self.scalar = state;
                return;
            }
            if !state.is_some_and(Scalar::may_end) {
                return fault.add(1 << end, FaultKind::Scalar);
            }
            state = None;
        }
    }

    /// Where outside of all values one may start.
    #[inline(never)]
    fn check_roots(&mut self, bytes: &[u8; BLOCK], kinds: &Kinds, root: u64, fault: &mut Faults) -> u64 {
        let &Kinds { open, comma, .. } = kinds;
        let flat = kinds.quote | kinds.scalar_start;
        fault.add(comma & root, FaultKind::Unexpected);
        let starts = (flat | open) & root;
        if starts == 0 {
            return 0;
        }
        let first = starts & starts.wrapping_neg();
        match self.roots {
            Roots::Objects => fault.add(flat & root, FaultKind::Unexpected),
            Roots::One | Roots::OneObject => {
                if self.roots == Roots::OneObject && bytes[first.trailing_zeros() as usize % BLOCK] != b'{' {
                    fault.add(first, FaultKind::Unexpected);
                }
                fault.add(if self.root_seen { starts } else { starts & !first }, FaultKind::Unexpected);
            }
        }
        if self.roots == Roots::Objects {
            let mut opens = open & root;
            while opens != 0 {
                let at = opens.trailing_zeros() as usize;
                opens &= opens - 1;
                if bytes[at] != b'{' {
                    fault.add(1 << at, FaultKind::Unexpected);
                }
            }
        }
        self.root_seen = true;
        starts
    }
}

impl Kinds {
    #[inline(always)]
    fn scalars(&self) -> Scalars {
        let &Self { scalar: all, scalar_start: start, no_digit, leading_zero, .. } = self;
        Scalars { all, start, no_digit, leading_zero }
    }
}

/// The earliest fault of a block.
#[derive(Default)]
pub(super) struct Faults {
    pub(super) first: Option<Fault>,
}

impl Faults {
    #[inline(always)]
    pub(super) fn add(&mut self, bits: u64, kind: FaultKind) {
        if bits != 0 {
            self.add_some(bits.trailing_zeros(), kind);
        }
    }

    #[cold]
    fn add_some(&mut self, at: u32, kind: FaultKind) {
        if self.first.is_none_or(|first| at < first.at) {
            self.first = Some(Fault { at, kind });
        }
    }
}

#[cold]
fn check_blanks(bytes: &[u8; BLOCK], mut control: u64, fault: &mut Faults) {
    while control != 0 {
        let at = control.trailing_zeros() as usize;
        control &= control - 1;
        if !matches!(bytes[at], b'\t' | b'\n' | b'\r') {
            fault.add(1 << at, FaultKind::Unexpected);
        }
    }
}
