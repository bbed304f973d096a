//! Eight blocks are checked together.
//!
//! This knows what nearly all JSON of servers looks like: nothing between tokens, no end of the document, no fault. Where
//! that isn't so it says nothing, and the blocks are checked one by one.

use fearless_simd::Simd;

use super::block::{BLOCK, Masks, classify, escapes};
use super::levels::NestedGroup;
use super::rows::{GROUP, Group, Parts, Rows, last};
use super::strings::StringBits;
use super::structure::{Faults, Structure, Tokens};

/// A checked group.
#[derive(Default)]
pub(super) struct GroupTokens {
    parts: Parts,
    nested: NestedGroup,
}

impl GroupTokens {
    /// The nesting doesn't fall below this in a block.
    #[inline(always)]
    pub(super) fn least_depth(&self, i: usize) -> u32 {
        self.nested.least_depth[i] as u32
    }

    #[inline(always)]
    pub(super) fn block(&self, i: usize) -> Tokens {
        Tokens {
            open: self.parts.open[i],
            close: self.parts.close[i],
            colon: self.parts.colon[i],
            comma: self.parts.comma[i],
            quote: self.parts.quote[i],
            depth: self.nested.depth[i] as u32,
            least_depth: self.nested.least_depth[i] as u32,
        }
    }
}

/// Blocks that are checked, whatever they look like, and what is in them.
#[derive(Default)]
pub(crate) struct CheckedGroup {
    rows: Rows,
    tokens: GroupTokens,
}

impl CheckedGroup {
    /// What the bytes of one block are; of the masks all but the backslashes.
    #[inline(always)]
    pub(crate) fn block(&self, i: usize) -> (Masks, StringBits) {
        self.rows.block(i)
    }
}

impl Structure {
    /// Checks a group. False where it is no JSON.
    #[inline(always)]
    pub(crate) fn check_blocks<S: Simd>(
        &mut self,
        simd: S,
        blocks: &[[u8; BLOCK]; GROUP],
        checked: &mut CheckedGroup,
    ) -> bool {
        let CheckedGroup { rows, tokens } = checked;
        self.classify_group(simd, blocks, rows);
        self.find_strings(simd, rows);
        self.check_group(simd, blocks, rows, tokens) || self.check_one_by_one(blocks, rows)
    }

    #[inline(never)]
    fn check_one_by_one(&mut self, blocks: &[[u8; BLOCK]; GROUP], rows: &Rows) -> bool {
        blocks.iter().enumerate().all(|(i, block)| {
            let (masks, strings) = rows.block(i);
            self.check(block, &masks, &strings, BLOCK).is_ok()
        })
    }

    /// Sorts the bytes of a group into `rows`, all but what [`check_group`](Self::check_group) finds by itself.
    #[inline(always)]
    pub(super) fn classify_group<S: Simd>(
        &mut self,
        simd: S,
        blocks: &[[u8; BLOCK]; GROUP],
        rows: &mut Rows,
    ) {
        for (i, block) in blocks.iter().enumerate() {
            let masks = classify(simd, block);
            let (mut escaped, mut rare) = (0, 0);
            if masks.backslash != 0 || self.strings.is_escaped() {
                escaped = self.strings.escaped(masks.backslash, BLOCK);
                rare = escaped & !escapes(simd, block);
            }
            rows.set(i, &masks, escaped, rare);
        }
    }

    #[inline(always)]
    pub(super) fn find_strings<S: Simd>(&mut self, simd: S, rows: &mut Rows) {
        rows.in_string = self.strings.step_group(simd, &rows.quote);
    }

    /// Checks a group, and finds its tokens. False, and nothing has changed, where the blocks have to be checked one by one.
    #[inline(always)]
    pub(super) fn check_group<S: Simd>(
        &mut self,
        simd: S,
        blocks: &[[u8; BLOCK]; GROUP],
        rows: &Rows,
        tokens: &mut GroupTokens,
    ) -> bool {
        let Some(group) = Group::new(simd, rows, self.scalar_before) else { return false };
        group.part(&mut tokens.parts);
        let before = (self.hex_left, self.scalar, self.after);
        let nesting = self.nesting.clone();
        let is_checked = self.check_escapes_and_scalars(&group, blocks)
            && self.nesting.walk_group(simd, &tokens.parts, &mut tokens.nested)
            && self.after.check_group(&group, &tokens.nested.in_object);
        if is_checked {
            self.scalar_before = last(group.scalar);
        } else {
            (self.hex_left, self.scalar, self.after) = before;
            self.nesting = nesting;
        }
        is_checked
    }

    #[inline(always)]
    fn check_escapes_and_scalars<S: Simd>(
        &mut self,
        group: &Group<S>,
        blocks: &[[u8; BLOCK]; GROUP],
    ) -> bool {
        let mut fault = Faults::default();
        let mut with_escapes = group.has_rare_escapes() | u64::from(self.hex_left > 0);
        while with_escapes != 0 {
            let i = with_escapes.trailing_zeros() as usize % GROUP;
            with_escapes &= with_escapes - 1;
            self.check_escapes(&blocks[i], group.rare_escapes(i), BLOCK, &mut fault);
            if self.hex_left > 0 {
                with_escapes |= (2 << i) & 0xff;
            }
        }
        let mut with_scalars = group.has_scalars(self.scalar_before);
        while with_scalars != 0 {
            let i = with_scalars.trailing_zeros() as usize % GROUP;
            with_scalars &= with_scalars - 1;
            let scalars = group.scalars(i);
            if self.scalar.is_some() || scalars.has_uncommon(&blocks[i], BLOCK) {
                self.check_scalars(&blocks[i], scalars.all, BLOCK, &mut fault);
            }
        }
        fault.first.is_none()
    }
}
