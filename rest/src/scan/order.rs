//! Which token may follow which.
//!
//! Outside strings every token has exactly one token before it, and that one says what may follow. So it is
//! enough to compute, for each kind of token, the places right after it ([`follow`]) and to see that every token
//! stands in a place where its kind is allowed. Keys are the strings right after `{`, or after `,` in an object.

use super::structure::Kinds;

/// Carries of [`follow`]: 1 where the token before the block was of this kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct After {
    pub(super) open: u64,
    /// A brace that opens, or a comma in an object.
    pub(super) object: u64,
    /// A bracket that opens, a colon, or a comma in an array.
    pub(super) value: u64,
    /// A value's end.
    pub(super) end: u64,
    /// A key's end.
    pub(super) key: u64,
    /// 1 while a key is open.
    pub(super) in_key: u64,
}

impl After {
    /// The tokens of a block that stand where their kind can't. Without `BLANKS` there are none of them.
    #[inline(always)]
    pub(super) fn check<const BLANKS: bool>(&mut self, kinds: &Kinds, in_object: u64, root: u64) -> u64 {
        let &Kinds {
            quote, in_string, open, close, brace, colon, comma, blank, scalar, scalar_start, ..
        } = kinds;
        let follow = |tokens, carry: &mut u64| follow::<BLANKS>(tokens, carry, blank);
        let key_start = follow((open & brace) | (comma & in_object), &mut self.object);
        let value_start = follow((open & !brace) | colon | (comma & !in_object), &mut self.value);
        let (run, goes_on) = in_string.overflowing_add((quote & key_start) | self.in_key);
        self.in_key = u64::from(goes_on);
        let key_end = run & !in_string;
        let key = follow(key_end, &mut self.key);
        let scalar_end = scalar & !(scalar >> 1);
        let end = follow((kinds.closing & !key_end) | close | scalar_end, &mut self.end);
        let opened = follow(open, &mut self.open);
        (quote & !(key_start | value_start | root))
            | ((scalar_start | open) & !(value_start | root))
            | (comma & !end)
            | (close & !(end | opened))
            | (colon & !key)
    }
}

/// The places of the tokens right after those of `tokens`, blanks skipped. The carry is 1 where a token of an
/// earlier block still waits for the next.
#[inline(always)]
fn follow<const BLANKS: bool>(tokens: u64, carry: &mut u64, blank: u64) -> u64 {
    let next = (tokens << 1) | *carry;
    let last = tokens >> 63;
    if !BLANKS {
        *carry = last;
        return next;
    }
    // Adding its first bit to a run of ones clears the run and sets the bit after it.
    let (run, over) = (next & blank).overflowing_add(blank);
    *carry = last | u64::from(over);
    (next | run) & !blank
}
