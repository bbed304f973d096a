//! The grammar of JSON, checked on bit masks.
//!
//! Outside strings every token has exactly one token before it, and that one says what may follow. So it is
//! enough to compute, for each kind of token, the places right after it ([`follow`]) and to see that every token
//! stands in a place where its kind is allowed. Only brackets are walked one by one, for the nesting; keys are
//! the strings right after `{`, or after `,` in an object.

use super::block::{BLOCK, Masks};
use super::nesting::Nesting;
use super::scalar::Scalar;
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
pub(super) struct Broken {
    pub(super) fault: Fault,
    pub(super) before: Tokens,
}

/// Which values may stand outside of all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Roots {
    /// One value of any kind.
    One,
    /// One object.
    OneObject,
    /// Objects back to back.
    Objects,
}

/// A checked block: its tokens outside of strings. Brackets with nothing between them may be left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokens {
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
pub(super) struct Structure {
    roots: Roots,
    root_seen: bool,
    strings: Strings,
    /// Digits that a `\u` still lacks.
    hex_left: u8,
    scalar: Option<Scalar>,
    /// Carries of [`follow`]: 1 where the token before the block was of this kind.
    after: After,
    nesting: Nesting,
}

#[derive(Clone, Copy, Debug, Default)]
struct After {
    open_object: u64,
    open_array: u64,
    comma_in_object: u64,
    /// A colon, or a comma in an array.
    value: u64,
    /// A value's end.
    end: u64,
    /// A key's end.
    key: u64,
    /// 1 while a key is open.
    in_key: u64,
}

impl Structure {
    pub(super) fn new(roots: Roots, max_depth: u32) -> Self {
        Self {
            roots,
            root_seen: false,
            strings: Strings::default(),
            hex_left: 0,
            scalar: None,
            after: After::default(),
            nesting: Nesting::new(max_depth),
        }
    }

    /// Whether the input may end here.
    pub(super) fn complete(&self) -> bool {
        self.nesting.depth() == 0
            && !self.strings.is_open()
            && self.scalar.is_none_or(Scalar::may_end)
            && (self.root_seen || self.roots == Roots::Objects)
    }

    /// How many objects and arrays are open.
    pub(super) fn depth(&self) -> u32 {
        self.nesting.depth()
    }

    /// Checks a block. Beyond `len` its bytes are spaces, which count for nothing.
    #[inline(always)]
    pub(super) fn check(&mut self, bytes: &[u8; BLOCK], masks: &Masks, len: usize) -> Result<Tokens, Broken> {
        let StringBits { in_string, open: quote, close: closing, escaped } = self.strings.step(masks, len);
        let mut fault = Faults::default();
        fault.add(masks.control & in_string, FaultKind::Control);
        if (escaped & in_string) != 0 || self.hex_left > 0 {
            self.check_escapes(bytes, escaped & in_string, len, &mut fault);
        }

        // Everything else.
        let open = masks.open & !in_string;
        let close = masks.close & !in_string;
        let colon = masks.colon & !in_string;
        let comma = masks.comma & !in_string;
        let blank = masks.low & !in_string;
        if masks.control & blank != 0 {
            check_blanks(bytes, masks.control & blank, &mut fault);
        }
        let scalar = !(in_string | closing | open | close | colon | comma | blank);
        let scalar_goes_on = u64::from(self.scalar.is_some());
        let scalar_start = scalar & !((scalar << 1) | scalar_goes_on);
        let scalar_end = scalar & !(scalar >> 1);
        if (scalar | scalar_goes_on) != 0 {
            self.check_scalars(bytes, scalar, len, &mut fault);
        }

        // Nesting.
        let depth = self.nesting.depth();
        let nested = self.nesting.walk(open, close, masks.brace, &mut fault);

        // Order.
        let after = &mut self.after;
        let open_object = follow(open & masks.brace, &mut after.open_object, blank);
        let open_array = follow(open & !masks.brace, &mut after.open_array, blank);
        let comma_in_object = follow(comma & nested.in_object, &mut after.comma_in_object, blank);
        let value = follow(colon | (comma & !nested.in_object), &mut after.value, blank);
        let key_start = quote & (open_object | comma_in_object);
        let (run, goes_on) = in_string.overflowing_add(key_start | after.in_key);
        after.in_key = u64::from(goes_on);
        let key_end = run & !in_string;
        let key = follow(key_end, &mut after.key, blank);
        let end = follow((closing & !key_end) | close | scalar_end, &mut after.end, blank);

        let mut root = 0;
        if nested.root != 0 {
            root = self.check_roots(bytes, nested.root, quote | scalar_start, open, comma, &mut fault);
        }
        let unexpected = (quote & !(open_object | comma_in_object | open_array | value | root))
            | ((scalar_start | open) & !(open_array | value | root))
            | (comma & !end)
            | (close & !(end | open_object | open_array))
            | (colon & !key);
        fault.add(unexpected, FaultKind::Unexpected);
        let tokens = Tokens {
            open: open & nested.brackets,
            close: close & nested.brackets,
            colon,
            comma,
            quote,
            depth,
            least_depth: nested.least_depth,
        };
        match fault.first {
            None => Ok(tokens),
            Some(fault) => Err(Broken { fault, before: tokens.before(fault.at) }),
        }
    }

    #[inline(never)]
    fn check_escapes(&mut self, bytes: &[u8; BLOCK], mut escaped: u64, len: usize, fault: &mut Faults) {
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

    #[inline(always)]
    fn check_scalars(&mut self, bytes: &[u8; BLOCK], scalar: u64, len: usize, fault: &mut Faults) {
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
            if state.is_none() && (end as usize) < len && is_common(&bytes[start as usize..end as usize]) {
                continue;
            }
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
    fn check_roots(
        &mut self,
        bytes: &[u8; BLOCK],
        root: u64,
        flat: u64,
        open: u64,
        comma: u64,
        fault: &mut Faults,
    ) -> u64 {
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

/// The earliest fault of a block.
#[derive(Default)]
pub(super) struct Faults {
    first: Option<Fault>,
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

/// The places of the tokens right after those of `tokens`, blanks skipped. The carry is 1 where a token of an
/// earlier block still waits for the next.
#[inline(always)]
fn follow(tokens: u64, carry: &mut u64, blank: u64) -> u64 {
    let next = (tokens << 1) | *carry;
    let last = tokens >> 63;
    if blank == 0 {
        *carry = last;
        return next;
    }
    // Adding its first bit to a run of ones clears the run and sets the bit after it.
    let (run, over) = (next & blank).overflowing_add(blank);
    *carry = last | u64::from(over);
    (next | run) & !blank
}

/// Literals and plain integers: nearly every scalar.
#[inline(always)]
fn is_common(scalar: &[u8]) -> bool {
    match scalar {
        b"true" | b"false" | b"null" => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => scalar == b"0",
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
