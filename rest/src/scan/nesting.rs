//! Which bracket closes which, and what lies in an object.

use super::structure::{FaultKind, Faults};

/// The nesting that serde_json reads and so do we: what is deeper can't be decoded.
pub(crate) const MAX_DEPTH: u32 = 127;

/// Brackets that are walked without asking whether there is another.
const STEPS: usize = 3;

/// The objects and arrays that are open.
#[derive(Clone, Debug)]
pub(super) struct Nesting {
    /// One bit a level, the innermost lowest: 1 is an object.
    pub(super) stack: u128,
    pub(super) depth: u32,
    pub(super) max_depth: u32,
}

/// What a block's brackets say.
#[derive(Clone, Copy, Default)]
pub(super) struct Nested {
    /// Places whose innermost value is an object.
    pub(super) in_object: u64,
    /// Places outside of all values.
    pub(super) root: u64,
    /// Brackets that close one of the other kind.
    pub(super) mismatch: u64,
    /// Brackets that change anything after them: `{}` doesn't.
    pub(super) brackets: u64,
    /// The nesting doesn't fall below this.
    pub(super) least_depth: u32,
}

impl Nesting {
    pub(super) fn new(max_depth: u32) -> Self {
        Self { stack: 0, depth: 0, max_depth: max_depth.min(MAX_DEPTH) }
    }

    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    /// Walks the brackets of a block, all of them outside of strings.
    #[inline(always)]
    pub(super) fn walk(&mut self, open: u64, close: u64, brace: u64, fault: &mut Faults) -> Nested {
        let deepest = self.depth + open.count_ones();
        if deepest > self.max_depth.min(u64::BITS) || self.depth <= close.count_ones() {
            return self.walk_edge(open, close, brace, fault);
        }
        // Nothing here comes near the root or the limit. Pairs without anything between them change nothing.
        let pairs = open & (close >> 1) & !(brace ^ (brace >> 1));
        let brackets = (open | close) & !(pairs | (pairs << 1));
        let mut stack = self.stack as u64;
        let mut in_object = 0_u64.wrapping_sub(stack & 1);
        let mut mismatch = 0;
        let mut rest = brackets;
        while rest != 0 {
            // As many as most blocks have: a loop that ends after one round is foreseen by the processor. Without a
            // bracket left, a step changes nothing.
            for _ in 0..STEPS {
                let bit = rest & rest.wrapping_neg();
                rest ^= bit;
                let below = bit | bit.wrapping_sub(1);
                let is_brace = u64::from(brace & bit != 0);
                let top = stack & 1;
                let opened = (stack << 1) | is_brace;
                let closed = stack >> u64::from(bit != 0);
                let opens = open & bit != 0;
                mismatch |= if opens { 0 } else { (top ^ is_brace).wrapping_neg() & bit };
                stack = if opens { opened } else { closed };
                in_object = (in_object & below) | ((stack & 1).wrapping_neg() & !below);
            }
        }
        let closes = (close & brackets).count_ones();
        let least_depth = self.depth - closes;
        self.stack = u128::from(stack);
        self.depth = least_depth + (open & brackets).count_ones();
        Nested { in_object, root: 0, mismatch, brackets, least_depth }
    }

    /// The same for a block that may reach the root or the limit.
    #[inline(never)]
    fn walk_edge(&mut self, open: u64, close: u64, brace: u64, fault: &mut Faults) -> Nested {
        let mut nested = Nested {
            in_object: (self.stack as u64 & 1).wrapping_neg(),
            root: if self.depth == 0 { u64::MAX } else { 0 },
            mismatch: 0,
            brackets: open | close,
            least_depth: self.depth,
        };
        let mut rest = open | close;
        while rest != 0 {
            let bit = rest & rest.wrapping_neg();
            rest ^= bit;
            let below = bit | (bit - 1);
            let is_brace = brace & bit != 0;
            if open & bit != 0 {
                if self.depth == self.max_depth {
                    fault.add(bit, FaultKind::Depth);
                    break;
                }
                self.stack = (self.stack << 1) | u128::from(is_brace);
                self.depth += 1;
            } else {
                if self.depth == 0 || (self.stack & 1 == 1) != is_brace {
                    fault.add(bit, FaultKind::Mismatch);
                    break;
                }
                self.stack >>= 1;
                self.depth -= 1;
            }
            nested.least_depth = nested.least_depth.min(self.depth);
            nested.in_object = (nested.in_object & below) | ((self.stack as u64 & 1).wrapping_neg() & !below);
            nested.root = (nested.root & below) | (u64::from(self.depth == 0).wrapping_neg() & !below);
        }
        nested
    }
}
