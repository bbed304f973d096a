//! Where the tokens of a text stand.

use fearless_simd::{Level, Simd, dispatch};

use crate::scan::{BLOCK, Strings, classify};

/// Set in the place of a quote that closes a string with escapes in it.
const ESCAPES: u32 = 1 << 31;

/// Tokens of a block that are taken without asking whether there is another.
const STEP: usize = 8;

/// Tokens that are found before they are looked for, at the least.
const ROOM: usize = 64;

/// The places of a text's tokens, in their order: brackets of both kinds, both quotes of each string, and the first
/// bytes of numbers and literals. What separates them says nothing more, once it was checked.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Vec<u32>);

/// A string's quotes, and whether there are escapes between them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quotes {
    pub(super) open: usize,
    pub(super) close: usize,
    pub(super) escapes: bool,
}

impl Tokens {
    /// Finds the tokens of a text that is known to be JSON.
    pub(super) fn find(&mut self, level: Level, text: &str) {
        self.0.clear();
        // Most texts have one in 14 bytes.
        self.0.reserve(text.len() / 10 + ROOM);
        dispatch!(level, simd => self.find_in_blocks(simd, text.as_bytes()));
    }

    #[inline(always)]
    fn find_in_blocks<S: Simd>(&mut self, simd: S, text: &[u8]) {
        let (blocks, tail) = text.as_chunks::<BLOCK>();
        let mut last = [b' '; BLOCK];
        last[..tail.len()].copy_from_slice(tail);
        let mut state = State::default();
        for (i, block) in blocks.iter().enumerate() {
            self.find_in_block(simd, block, (i * BLOCK) as u32, &mut state);
        }
        if !tail.is_empty() {
            self.find_in_block(simd, &last, (blocks.len() * BLOCK) as u32, &mut state);
        }
    }

    #[inline(always)]
    fn find_in_block<S: Simd>(&mut self, simd: S, block: &[u8; BLOCK], start: u32, state: &mut State) {
        let masks = classify(simd, block);
        let strings = state.strings.step(&masks, BLOCK);
        let outside = !(strings.in_string | strings.close);
        let brackets = (masks.open | masks.close) & outside;
        let scalar = outside & !(brackets | masks.colon | masks.comma | masks.low);
        let starts = scalar & !((scalar << 1) | state.scalar);
        state.scalar = scalar >> 63;
        let mut rest = brackets | strings.open | strings.close | starts;
        if masks.backslash != 0 || state.escapes {
            self.push_escaped(rest, start, masks.backslash, strings.close, state);
            return;
        }
        let end = self.0.len() + rest.count_ones() as usize;
        // Some more than there are: that is cheaper than to ask after each.
        while rest != 0 {
            let mut places = [0; STEP];
            for place in &mut places {
                *place = start + rest.trailing_zeros();
                rest &= rest.wrapping_sub(1);
            }
            self.0.extend_from_slice(&places);
        }
        self.0.truncate(end);
    }

    /// The same where strings have escapes.
    #[inline(never)]
    fn push_escaped(&mut self, mut rest: u64, start: u32, backslash: u64, close: u64, state: &mut State) {
        let mut seen = 0;
        while rest != 0 {
            let bit = rest & rest.wrapping_neg();
            rest ^= bit;
            let place = start + bit.trailing_zeros();
            if close & bit == 0 {
                self.0.push(place);
                continue;
            }
            let before = (bit - 1) & !seen;
            let escapes = state.escapes | (backslash & before != 0);
            self.0.push(if escapes { place | ESCAPES } else { place });
            (seen, state.escapes) = (bit | (bit - 1), false);
        }
        state.escapes |= backslash & !seen != 0;
    }

    /// Bytes of memory held.
    pub(crate) fn capacity(&self) -> usize {
        self.0.capacity() * size_of::<u32>()
    }

    #[inline(always)]
    pub(super) fn place(&self, token: usize) -> Option<usize> {
        self.0.get(token).map(|place| (place & !ESCAPES) as usize)
    }

    /// The places from a token on.
    #[inline(always)]
    pub(super) fn after(&self, token: usize) -> impl Iterator<Item = usize> {
        self.0.get(token..).unwrap_or_default().iter().map(|place| (place & !ESCAPES) as usize)
    }

    #[inline(always)]
    pub(super) fn quotes(&self, token: usize) -> Option<Quotes> {
        let &[open, close] = self.0.get(token..)?.first_chunk::<2>()?;
        Some(Quotes {
            open: open as usize,
            close: (close & !ESCAPES) as usize,
            escapes: close & ESCAPES != 0,
        })
    }
}

/// What a block leaves to the next.
#[derive(Default)]
struct State {
    strings: Strings,
    /// 1 where the byte before belongs to a scalar.
    scalar: u64,
    /// Whether the open string has escapes.
    escapes: bool,
}
