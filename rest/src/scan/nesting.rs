//! Which bracket closes which, and what lies in an object.

use super::rows::{GROUP, Parts, Row};
use super::structure::{FaultKind, Faults};

/// The nesting that serde_json reads and so do we: what is deeper can't be decoded.
pub(crate) const MAX_DEPTH: u32 = 127;

/// Brackets that are walked without asking whether there is another.
const STEPS: usize = 3;

/// The objects and arrays that are open.
#[derive(Clone, Debug)]
pub(super) struct Nesting {
    /// One bit a level, the innermost lowest: 1 is an object.
    stack: u128,
    depth: u32,
    max_depth: u32,
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

/// What the brackets of a group say; see [`Nested`].
#[derive(Default)]
pub(super) struct NestedGroup {
    pub(super) in_object: Row,
    /// The nesting before each block.
    pub(super) depth: [u32; GROUP],
    pub(super) least_depth: [u32; GROUP],
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

    /// What is open, to be given to [`go_back`](Self::go_back).
    pub(super) fn parts(&self) -> (u128, u32) {
        (self.stack, self.depth)
    }

    pub(super) fn go_back(&mut self, stack: u128, depth: u32) {
        (self.stack, self.depth) = (stack, depth);
    }

    /// The same for eight blocks without empty pairs. False where a block may reach the root or the limit, or a bracket
    /// closes one of the other kind.
    #[inline(always)]
    pub(super) fn walk_group(&mut self, parts: &Parts, nested: &mut NestedGroup) -> bool {
        let (mut stack, mut depth) = (self.stack as u64, self.depth);
        let deepest = self.max_depth.min(u64::BITS);
        let mut mismatch = 0;
        for i in 0..GROUP {
            let (open, close, brace) = (parts.open[i], parts.close[i], parts.brace[i]);
            let (opens, closes) = (open.count_ones(), close.count_ones());
            // One more, for a pair that was left out.
            if depth + opens + 1 > deepest || depth <= closes {
                return false;
            }
            nested.depth[i] = depth;
            nested.least_depth[i] = depth - closes;
            depth = depth - closes + opens;
            let mut rest = open | close;
            let mut in_object = 0_u64.wrapping_sub(stack & 1);
            // Most blocks have no array's bracket, and stay in objects.
            if (rest == 0) | ((rest & !brace == 0) & (stack.trailing_ones() > closes)) {
                stack = ((stack >> closes).wrapping_add(1) << opens).wrapping_sub(1);
                nested.in_object[i] = in_object;
                continue;
            }
            while rest != 0 {
                for _ in 0..STEPS {
                    let bit = rest & rest.wrapping_neg();
                    rest ^= bit;
                    let is_brace = u64::from(brace & bit != 0);
                    let opens = u64::from(open & bit != 0).wrapping_neg();
                    mismatch |= ((stack & 1) ^ is_brace).wrapping_neg() & bit & !open;
                    let closed = stack >> u64::from(bit != 0);
                    stack = closed ^ ((closed ^ ((stack << 1) | is_brace)) & opens);
                    let below = bit | bit.wrapping_sub(1);
                    in_object = (in_object & below) | ((stack & 1).wrapping_neg() & !below);
                }
            }
            nested.in_object[i] = in_object;
        }
        self.stack = u128::from(stack);
        self.depth = depth;
        mismatch == 0
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
