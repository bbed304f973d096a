//! Eight blocks at once: the masks of a kind stand in one vector, so that most of the grammar costs eight blocks no more
//! than one.

use fearless_simd::{Select as _, Simd, SimdBase as _, SimdMask as _, mask64x8, u64x8};

use super::block::Masks;
use super::order::After;
use super::scalar::Scalars;
use super::strings::StringBits;

/// Blocks in a group: as many as a vector has lanes.
pub(crate) const GROUP: usize = 8;

/// A mask of each block.
pub(super) type Row = [u64; GROUP];

const TOP: u64 = 1 << 63;

/// What the bytes of the blocks are.
#[derive(Default)]
pub(super) struct Rows {
    /// Quotes that open or close a string.
    pub(super) quote: Row,
    pub(super) in_string: Row,
    /// Bytes after an odd number of backslashes, and those of them that are more than a simple escape.
    pub(super) escaped: Row,
    pub(super) rare_escape: Row,
    pub(super) open: Row,
    pub(super) close: Row,
    pub(super) brace: Row,
    pub(super) colon: Row,
    pub(super) comma: Row,
    pub(super) digit: Row,
    pub(super) zero: Row,
    pub(super) control: Row,
    pub(super) low: Row,
}

impl Rows {
    #[inline(always)]
    pub(super) fn set(&mut self, i: usize, masks: &Masks, escaped: u64, rare_escape: u64) {
        self.quote[i] = masks.quote & !escaped;
        self.escaped[i] = escaped;
        self.rare_escape[i] = rare_escape;
        self.open[i] = masks.open;
        self.close[i] = masks.close;
        self.brace[i] = masks.brace;
        self.colon[i] = masks.colon;
        self.comma[i] = masks.comma;
        self.digit[i] = masks.digit;
        self.zero[i] = masks.zero;
        self.control[i] = masks.control;
        self.low[i] = masks.low;
    }

    /// Those of one block.
    #[inline(always)]
    pub(super) fn block(&self, i: usize) -> (Masks, StringBits) {
        let masks = Masks {
            quote: self.quote[i],
            backslash: 0,
            open: self.open[i],
            close: self.close[i],
            brace: self.brace[i],
            colon: self.colon[i],
            comma: self.comma[i],
            digit: self.digit[i],
            zero: self.zero[i],
            control: self.control[i],
            low: self.low[i],
        };
        let (quotes, in_string) = (self.quote[i], self.in_string[i]);
        let (open, close) = (quotes & in_string, quotes & !in_string);
        (masks, StringBits { in_string, open, close, escaped: self.escaped[i] })
    }
}

/// The tokens of a group outside of strings, and what else is looked at block by block.
pub(super) struct Group<S: Simd> {
    simd: S,
    in_string: u64x8<S>,
    quote: u64x8<S>,
    closing: u64x8<S>,
    open: u64x8<S>,
    close: u64x8<S>,
    brace: u64x8<S>,
    colon: u64x8<S>,
    comma: u64x8<S>,
    pub(super) scalar: u64x8<S>,
    scalar_start: u64x8<S>,
    no_digit: u64x8<S>,
    leading_zero: u64x8<S>,
    rare_escape: u64x8<S>,
}

/// What a group has for those who go on with it.
#[derive(Default)]
pub(super) struct Parts {
    /// Brackets that change anything after them.
    pub(super) open: Row,
    pub(super) close: Row,
    pub(super) brace: Row,
    pub(super) colon: Row,
    pub(super) comma: Row,
    pub(super) quote: Row,
}

/// The places one further; into the first comes that bit.
#[inline(always)]
fn next<S: Simd>(simd: S, bits: u64x8<S>, first: u64) -> u64x8<S> {
    (bits << 1) | u64x8::splat(simd, first).slide::<7>(bits >> 63)
}

/// The last bit of a group.
#[inline(always)]
pub(super) fn last<S: Simd>(bits: u64x8<S>) -> u64 {
    bits.as_slice()[GROUP - 1] >> 63
}

/// The blocks in which there is anything: a bit each.
#[inline(always)]
pub(super) fn blocks_of<S: Simd>(simd: S, bits: u64x8<S>) -> u64 {
    bits.simd_ne(u64x8::splat(simd, 0)).to_bitmask()
}

/// All ones in the blocks whose bit is set.
#[inline(always)]
fn whole<S: Simd>(simd: S, blocks: u64) -> u64x8<S> {
    mask64x8::from_bitmask(simd, blocks).select(u64x8::splat(simd, u64::MAX), u64x8::splat(simd, 0))
}

/// What lies in strings, from each opening quote up to the byte before the closing one, and whether the last goes on.
#[inline(always)]
pub(super) fn in_strings<S: Simd>(simd: S, quote: &Row, goes_on: bool) -> (Row, bool) {
    let mut bits = u64x8::from_slice(simd, quote);
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^= bits << 32;
    // The same for the blocks: each is turned over by all before it.
    let mut odd = bits.simd_ge(u64x8::splat(simd, TOP)).to_bitmask();
    odd ^= odd << 1;
    odd ^= odd << 2;
    odd ^= odd << 4;
    let odd = (odd << 1) ^ if goes_on { 0x1ff } else { 0 };
    let bits = bits ^ whole(simd, odd & 0xff);
    (bits.into(), odd >> GROUP & 1 == 1)
}

impl<S: Simd> Group<S> {
    /// `None` where there are blanks or control characters.
    #[inline(always)]
    pub(super) fn new(simd: S, rows: &Rows, scalar_before: u64) -> Option<Self> {
        let row = |row: &Row| u64x8::from_slice(simd, row);
        let in_string = row(&rows.in_string);
        let outside = !in_string;
        if blocks_of(simd, row(&rows.low) & (outside | row(&rows.control))) != 0 {
            return None;
        }
        let quotes = row(&rows.quote);
        let (quote, closing) = (quotes & in_string, quotes & outside);
        let (open, close) = (row(&rows.open) & outside, row(&rows.close) & outside);
        let (colon, comma) = (row(&rows.colon) & outside, row(&rows.comma) & outside);
        let scalar = !(in_string | closing | open | close | colon | comma);
        let scalar_start = scalar & !next(simd, scalar, scalar_before);
        Some(Self {
            simd,
            in_string,
            quote,
            closing,
            open,
            close,
            brace: row(&rows.brace),
            colon,
            comma,
            scalar,
            scalar_start,
            no_digit: scalar & !row(&rows.digit),
            leading_zero: scalar_start & row(&rows.zero) & (scalar >> 1),
            rare_escape: row(&rows.rare_escape) & in_string,
        })
    }

    /// The blocks with scalars that are more than a few digits, or are cut by a border.
    #[inline(always)]
    pub(super) fn has_scalars(&self, scalar_before: u64) -> u64 {
        let ends = self.scalar & u64x8::splat(self.simd, TOP);
        let uncommon = blocks_of(self.simd, self.no_digit | self.leading_zero | ends);
        (uncommon | blocks_of(self.simd, ends) << 1 | scalar_before) & 0xff
    }

    /// The blocks with escapes that aren't simple.
    #[inline(always)]
    pub(super) fn has_rare_escapes(&self) -> u64 {
        blocks_of(self.simd, self.rare_escape)
    }

    /// Those of one block.
    #[inline(always)]
    pub(super) fn rare_escapes(&self, i: usize) -> u64 {
        self.rare_escape.as_slice()[i]
    }

    /// The scalars of one block.
    #[inline(always)]
    pub(super) fn scalars(&self, i: usize) -> Scalars {
        Scalars {
            all: self.scalar.as_slice()[i],
            start: self.scalar_start.as_slice()[i],
            no_digit: self.no_digit.as_slice()[i],
            leading_zero: self.leading_zero.as_slice()[i],
        }
    }

    #[inline(always)]
    pub(super) fn part(&self, parts: &mut Parts) {
        // Pairs without anything between them change nothing.
        let pairs = self.open & (self.close >> 1) & !(self.brace ^ (self.brace >> 1));
        parts.open = (self.open & !pairs).into();
        parts.close = (self.close & !(pairs << 1)).into();
        parts.brace = self.brace.into();
        parts.colon = self.colon.into();
        parts.comma = self.comma.into();
        parts.quote = self.quote.into();
    }
}

impl After {
    /// Whether all tokens of a group stand where their kind may; none of them stands at the root.
    #[inline(always)]
    pub(super) fn check_group<S: Simd>(&mut self, group: &Group<S>, in_object: &Row) -> bool {
        let &Group {
            simd,
            in_string,
            quote,
            closing,
            open,
            close,
            brace,
            colon,
            comma,
            scalar,
            scalar_start,
            ..
        } = group;
        let in_object = u64x8::from_slice(simd, in_object);
        let object = (open & brace) | (comma & in_object);
        let value = (open | colon | comma) & !object;
        let key_start = next(simd, object, self.object);
        let value_start = next(simd, value, self.value);
        // A number of eight digits: each that overflows, or would with one more, carries into the next.
        let run = in_string + (quote & key_start);
        let over = run.simd_lt(in_string).to_bitmask();
        let full = run.simd_eq(u64x8::splat(simd, u64::MAX)).to_bitmask();
        let carried = (over << 1 | self.in_key) + full;
        let run = run - whole(simd, (carried ^ full) & 0xff);
        let key_end = run & !in_string;
        let key = next(simd, key_end, self.key);
        let ends = (closing & !key_end) | close | scalar;
        let end = next(simd, ends, self.end);
        let opened = next(simd, open, self.open);
        let unexpected = (quote & !(key_start | value_start))
            | ((scalar_start | open) & !value_start)
            | (comma & !end)
            | (close & !(end | opened))
            | (colon & !key);
        *self = Self {
            open: last(open),
            object: last(object),
            value: last(value),
            end: last(ends),
            key: last(key_end),
            in_key: carried >> GROUP & 1,
        };
        blocks_of(simd, unexpected) == 0
    }
}
