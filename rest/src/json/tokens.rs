//! Where the tokens of a text stand.

use fearless_simd::{Level, Simd, dispatch};

use crate::scan::{BLOCK, CheckedGroup, GROUP, MAX_DEPTH, Masks, Roots, StringBits, Structure, classify};

/// Set in the place of a quote that closes a string with escapes in it.
const ESCAPES: u32 = 1 << 31;

/// Texts with more bytes than places have room for aren't read.
pub(super) const MAX_BYTES: usize = ESCAPES as usize - 1;

/// Tokens of a block that are taken without asking whether there is another.
const STEP: usize = 8;

/// So many bytes have one token, or more tokens ask for more memory.
const BYTES_A_TOKEN: usize = 10;

/// Memory for more tokens than this is given back when it is no longer needed.
const KEPT: usize = 64 << 10;

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
    pub(super) fn find(&mut self, text: &str) {
        self.find_in::<false>(text);
    }

    /// Finds the tokens of a text, if it is JSON.
    pub(super) fn check(&mut self, text: &str) -> bool {
        self.find_in::<true>(text)
    }

    fn find_in<const CHECK: bool>(&mut self, text: &str) -> bool {
        self.0.clear();
        let room = text.len() / BYTES_A_TOKEN + BLOCK;
        if self.0.capacity() > KEPT && self.0.capacity() / 8 > room {
            self.0.shrink_to(room);
        }
        self.0.reserve(room);
        dispatch!(Level::new(), simd => self.find_in_blocks::<_, CHECK>(simd, text.as_bytes()))
    }

    #[inline(always)]
    fn find_in_blocks<S: Simd, const CHECK: bool>(&mut self, simd: S, text: &[u8]) -> bool {
        let (blocks, tail) = text.as_chunks::<BLOCK>();
        let mut state = State { structure: Structure::new(Roots::One, MAX_DEPTH), scalar: 0, escapes: false };
        let mut start = 0;
        if CHECK {
            let mut checked = CheckedGroup::default();
            for group in blocks.as_chunks::<GROUP>().0 {
                if !state.structure.check_blocks(simd, group, &mut checked) {
                    return false;
                }
                for i in 0..GROUP {
                    let (masks, strings) = checked.block(i);
                    self.take_block(&masks, &strings, start, &mut state);
                    start += BLOCK;
                }
            }
        }
        let mut last = [b' '; BLOCK];
        last[..tail.len()].copy_from_slice(tail);
        while start < text.len() {
            let (block, len) = blocks.get(start / BLOCK).map_or((&last, tail.len()), |block| (block, BLOCK));
            let masks = classify(simd, block);
            let strings = state.structure.strings(&masks, len);
            if CHECK && state.structure.check(block, &masks, &strings, len).is_err() {
                return false;
            }
            self.take_block(&masks, &strings, start, &mut state);
            start += BLOCK;
        }
        !CHECK || state.structure.complete()
    }

    #[inline(always)]
    fn take_block(&mut self, masks: &Masks, strings: &StringBits, start: usize, state: &mut State) {
        let outside = !(strings.in_string | strings.close);
        let brackets = (masks.open | masks.close) & outside;
        let scalar = outside & !(brackets | masks.colon | masks.comma | masks.low);
        let starts = scalar & !((scalar << 1) | state.scalar);
        state.scalar = scalar >> 63;
        let mut rest = brackets | strings.open | strings.close | starts;
        let start = start as u32;
        let (first, all) = (self.0.len(), rest);
        let end = first + rest.count_ones() as usize;
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
        if strings.escaped != 0 || state.escapes {
            self.mark_escaped(first, all, strings, state);
        }
    }

    /// Marks the quotes that close strings with escapes, among the tokens of a block, of which this is the first.
    #[inline(never)]
    fn mark_escaped(&mut self, first: usize, tokens: u64, strings: &StringBits, state: &mut State) {
        let (mut close, mut escaped) = (strings.close, strings.escaped);
        while state.escapes || escaped != 0 {
            if !state.escapes {
                // Quotes before the next escape close strings without.
                close &= !((escaped & escaped.wrapping_neg()) - 1);
                state.escapes = true;
            }
            if close == 0 {
                return;
            }
            let quote = close & close.wrapping_neg();
            if let Some(place) = self.0.get_mut(first + (tokens & (quote - 1)).count_ones() as usize) {
                *place |= ESCAPES;
            }
            state.escapes = false;
            close ^= quote;
            escaped &= !(quote | (quote - 1));
        }
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
struct State {
    structure: Structure,
    /// 1 where the byte before belongs to a scalar.
    scalar: u64,
    /// Whether the open string has escapes.
    escapes: bool,
}
