//! The brackets of eight blocks, taken together: the first of each block, then the second of each, and so on.
//!
//! What a bracket closes is known by its level: the type of a level is that of the last bracket which opened it. So each
//! block says which levels it opens anew and as what, and those before it say what it finds.

use fearless_simd::{Select as _, Simd, SimdBase as _, SimdInt as _, SimdMask as _, mask64x8, u64x8};

use super::nesting::Nesting;
use super::rows::{GROUP, Parts, Row};

/// What the brackets of a group say; see [`Nested`](super::nesting::Nested).
#[derive(Default)]
pub(super) struct NestedGroup {
    pub(super) in_object: Row,
    /// The nesting before each block.
    pub(super) depth: Row,
    pub(super) least_depth: Row,
}

/// The brackets of a group that are still to be taken, and the level of the innermost value.
#[derive(Clone, Copy)]
struct Steps<S: Simd> {
    simd: S,
    open: u64x8<S>,
    close: u64x8<S>,
    brace: u64x8<S>,
    rest: u64x8<S>,
    level: u64x8<S>,
}

/// One bracket of each block, or none.
struct Step<S: Simd> {
    bit: u64x8<S>,
    closes: mask64x8<S>,
    /// The levels, a bit each, that are opened, and those opened by braces.
    opened: u64x8<S>,
    objects: u64x8<S>,
    /// The level of what is innermost now.
    inner: u64x8<S>,
}

impl<S: Simd> Steps<S> {
    #[inline(always)]
    fn next(&mut self) -> Option<Step<S>> {
        let (zero, one) = (u64x8::splat(self.simd, 0), u64x8::splat(self.simd, 1));
        if self.rest.simd_eq(zero).all_true() {
            return None;
        }
        let bit = self.rest & (zero - self.rest);
        self.rest ^= bit;
        let opens = (self.open & bit).simd_ne(zero);
        let closes = (self.close & bit).simd_ne(zero);
        self.level = opens.select(self.level + one, closes.select(self.level - one, self.level));
        let inner = one << self.level;
        let opened = opens.select(inner, zero);
        let objects = (self.brace & bit).simd_ne(zero).select(opened, zero);
        Some(Step { bit, closes, opened, objects, inner })
    }
}

/// The blocks moved on by so many; the first get zeros.
#[inline(always)]
fn later<S: Simd, const KEPT: usize>(simd: S, row: u64x8<S>) -> u64x8<S> {
    u64x8::splat(simd, 0).slide::<KEPT>(row)
}

impl Nesting {
    /// Walks the brackets of a group, without empty pairs. False, and nothing has changed, where a block may reach the root
    /// or the limit, or a bracket closes one of the other kind.
    #[inline(always)]
    pub(super) fn walk_group<S: Simd>(&mut self, simd: S, parts: &Parts, nested: &mut NestedGroup) -> bool {
        if self.depth == 0 || self.depth >= u64::BITS {
            return false;
        }
        let row = |row: &Row| u64x8::from_slice(simd, row);
        let splat = |number| u64x8::splat(simd, number);
        let (open, close, brace) = (row(&parts.open), row(&parts.close), row(&parts.brace));
        let (opens, closes) = (open.count_ones(), close.count_ones());
        let mut after = opens - closes;
        after += later::<S, 7>(simd, after);
        after += later::<S, 6>(simd, after);
        after += later::<S, 4>(simd, after);
        let depth = later::<S, 7>(simd, after) + splat(u64::from(self.depth));
        let least = depth - closes;
        // One more, for a pair that was left out. What fell below zero is a very large number.
        let most = depth + opens + splat(1);
        let deepest = splat(u64::from(self.max_depth.min(u64::BITS)));
        if ((least - splat(1)).simd_ge(deepest) | most.simd_gt(deepest)).any_true() {
            return false;
        }
        nested.depth = depth.into();
        nested.least_depth = least.into();
        let depth_after = self.depth.wrapping_add(after.as_slice()[GROUP - 1] as u32);
        let lowest = least.reduce_min() as u32;
        let has_arrays = ((open | close) & !brace).simd_ne(splat(0)).any_true();
        if !has_arrays && (self.stack as u64).trailing_ones() > self.depth - lowest {
            // In objects all the way.
            nested.in_object = [u64::MAX; GROUP];
            let kept = (self.stack as u64) >> (self.depth - lowest);
            self.stack = u128::from(((kept + 1) << (depth_after - lowest)) - 1);
            self.depth = depth_after;
            return true;
        }
        // By its level, the outermost lowest: 1 is an object.
        let before = (self.stack as u64).reverse_bits() >> (u64::BITS - self.depth);
        let start = Steps { simd, open, close, brace, rest: open | close, level: depth - splat(1) };

        let (mut opened, mut objects) = (splat(0), splat(0));
        let mut steps = start;
        while let Some(step) = steps.next() {
            opened |= step.opened;
            objects = (objects & !step.opened) | step.objects;
        }
        // Of all blocks up to each.
        objects |= later::<S, 7>(simd, objects) & !opened;
        opened |= later::<S, 7>(simd, opened);
        objects |= later::<S, 6>(simd, objects) & !opened;
        opened |= later::<S, 6>(simd, opened);
        objects |= later::<S, 4>(simd, objects) & !opened;
        opened |= later::<S, 4>(simd, opened);
        let last = before & !opened.as_slice()[GROUP - 1] | objects.as_slice()[GROUP - 1];

        let mut levels = (splat(before) & !later::<S, 7>(simd, opened)) | later::<S, 7>(simd, objects);
        let all_where = |mask: mask64x8<S>| mask.select(splat(u64::MAX), splat(0));
        let mut in_object = all_where((levels & (splat(1) << start.level)).simd_ne(splat(0)));
        let mut mismatch = mask64x8::splat(simd, false);
        let mut steps = start;
        while let Some(step) = steps.next() {
            levels = (levels & !step.opened) | step.objects;
            let was_object = (levels & (step.inner << 1)).simd_ne(splat(0));
            let is_brace = (brace & step.bit).simd_ne(splat(0));
            mismatch |= step.closes & (was_object ^ is_brace);
            let to_here = step.bit ^ (step.bit - splat(1));
            let inner = all_where((levels & step.inner).simd_ne(splat(0)));
            in_object = (in_object & to_here) | (inner & !to_here);
        }
        if mismatch.any_true() {
            return false;
        }
        nested.in_object = in_object.into();
        self.depth = depth_after;
        self.stack = u128::from((last << (u64::BITS - depth_after)).reverse_bits());
        true
    }
}
