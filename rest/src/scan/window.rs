//! Windows of the input, from their blocks to the walk over their tokens.

use fearless_simd::Simd;

use super::block::{BLOCK, Masks, classify};
use super::error::ScanError;
use super::group::GroupTokens;
use super::rows::{GROUP, Rows};
use super::scanner::Scanner;
use super::strings::StringBits;
use super::structure::Broken;

/// Groups in a window.
const GROUPS: usize = 2;

/// Bytes that are classified, checked and copied at a time: small enough to stay in the innermost cache.
pub(super) const WINDOW: usize = GROUPS * GROUP * BLOCK;

impl Scanner {
    #[inline(always)]
    pub(super) fn scan_blocks<S: Simd>(&mut self, simd: S, window: &str) -> Result<(), ScanError> {
        let (blocks, tail) = window.as_bytes().as_chunks::<BLOCK>();
        let (groups, blocks) = blocks.as_chunks::<GROUP>();
        // First all that needs no decisions: a decision that the processor foresees wrongly costs less when what it
        // depends on is there already.
        let mut rows: [Rows; GROUPS] = Default::default();
        for (group, rows) in groups.iter().zip(&mut rows) {
            self.structure.classify_group(simd, group, rows);
        }
        let mut tokens = GroupTokens::default();
        for (i, (group, rows)) in groups.iter().zip(&mut rows).enumerate() {
            self.scan_group(simd, window, i * GROUP * BLOCK, group, rows, &mut tokens)?;
        }
        if blocks.is_empty() && tail.is_empty() {
            return Ok(());
        }
        self.scan_rest(simd, window, groups.len() * GROUP * BLOCK, blocks, tail)
    }

    /// What is too short for a group.
    #[inline(never)]
    fn scan_rest<S: Simd>(
        &mut self,
        simd: S,
        window: &str,
        start: usize,
        blocks: &[[u8; BLOCK]],
        tail: &[u8],
    ) -> Result<(), ScanError> {
        let mut last = [b' '; BLOCK];
        last[..tail.len()].copy_from_slice(tail);
        let all = blocks.len() + usize::from(!tail.is_empty());
        simd.vectorize(
            #[inline(always)]
            || {
                for i in 0..all {
                    let (block, len) = blocks.get(i).map_or((&last, tail.len()), |block| (block, BLOCK));
                    let masks = classify(simd, block);
                    let strings = self.structure.strings(&masks, len);
                    self.scan_block(window, start + i * BLOCK, block, &masks, &strings, len)?;
                }
                Ok(())
            },
        )
    }

    #[inline(always)]
    fn scan_group<S: Simd>(
        &mut self,
        simd: S,
        window: &str,
        start: usize,
        group: &[[u8; BLOCK]; GROUP],
        rows: &mut Rows,
        tokens: &mut GroupTokens,
    ) -> Result<(), ScanError> {
        self.structure.find_strings(simd, rows);
        if !self.structure.check_group(simd, group, rows, tokens) {
            return self.scan_one_by_one(simd, window, start, group, rows);
        }
        for i in 0..GROUP {
            if tokens.least_depth(i) as usize <= self.frames.len() {
                self.walk(window, start + i * BLOCK, &tokens.block(i))?;
            }
        }
        Ok(())
    }

    /// A group in which there is something unusual.
    #[inline(never)]
    fn scan_one_by_one<S: Simd>(
        &mut self,
        simd: S,
        window: &str,
        start: usize,
        group: &[[u8; BLOCK]; GROUP],
        rows: &Rows,
    ) -> Result<(), ScanError> {
        simd.vectorize(
            #[inline(always)]
            || {
                for (i, block) in group.iter().enumerate() {
                    let (masks, strings) = rows.block(i);
                    self.scan_block(window, start + i * BLOCK, block, &masks, &strings, BLOCK)?;
                }
                Ok(())
            },
        )
    }

    /// Beyond `len` the block's bytes are spaces.
    #[inline(always)]
    fn scan_block(
        &mut self,
        window: &str,
        start: usize,
        block: &[u8; BLOCK],
        masks: &Masks,
        strings: &StringBits,
        len: usize,
    ) -> Result<(), ScanError> {
        match self.structure.check(block, masks, strings, len) {
            Ok(tokens) if tokens.least_depth as usize > self.frames.len() => Ok(()),
            Ok(tokens) => self.walk(window, start, &tokens),
            Err(broken) => Err(self.broken(&broken, window, start, block)),
        }
    }

    #[cold]
    fn broken(&mut self, broken: &Broken, window: &str, start: usize, block: &[u8; BLOCK]) -> ScanError {
        // The items before it are whole, and counted.
        if let Err(error) = self.walk(window, start, &broken.before) {
            return error;
        }
        ScanError::from_fault(broken.fault, self.window_offset + start as u64, block, self.current_item())
    }
}
