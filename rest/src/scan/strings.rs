//! Where strings begin and end.

use fearless_simd::Simd;

use super::block::{BLOCK, Masks};
use super::rows::{Row, in_strings};

/// What one block leaves to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Strings {
    /// All ones inside a string.
    in_string: u64,
    /// 1 where the next byte follows an odd backslash.
    escaped: u64,
}

/// The strings of a block.
#[derive(Clone, Copy, Default)]
pub(crate) struct StringBits {
    /// From the opening quote up to the byte before the closing one.
    pub(crate) in_string: u64,
    pub(crate) open: u64,
    pub(crate) close: u64,
    /// Bytes that follow an odd number of backslashes.
    pub(crate) escaped: u64,
}

impl Strings {
    pub(super) fn is_open(&self) -> bool {
        self.in_string != 0
    }

    #[inline(always)]
    pub(super) fn step(&mut self, masks: &Masks, len: usize) -> StringBits {
        let escaped = self.escaped(masks.backslash, len);
        let quotes = masks.quote & !escaped;
        let in_string = prefix_xor(quotes) ^ self.in_string;
        self.in_string = ((in_string as i64) >> 63) as u64;
        StringBits { in_string, open: quotes & in_string, close: quotes & !in_string, escaped }
    }

    pub(super) fn is_escaped(&self) -> bool {
        self.escaped != 0
    }

    /// What lies in the strings of a group.
    #[inline(always)]
    pub(super) fn step_group<S: Simd>(&mut self, simd: S, quote: &Row) -> Row {
        let (in_string, goes_on) = in_strings(simd, quote, self.is_open());
        self.in_string = u64::from(goes_on).wrapping_neg();
        in_string
    }

    /// Bytes that follow an odd number of backslashes.
    #[inline(always)]
    pub(super) fn escaped(&mut self, backslash: u64, len: usize) -> u64 {
        if backslash == 0 {
            return std::mem::take(&mut self.escaped);
        }
        // A run of backslashes that starts at an odd place borrows differently from one at an even place;
        // subtracting all runs at once tells which of them end in an escape.
        const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
        let before = self.escaped;
        let starts = backslash & !before;
        let codes = (((starts << 1) | ODD).wrapping_sub(starts)) ^ ODD;
        let escaped = codes ^ (backslash | before);
        self.escaped = (codes & backslash) >> (len - 1) & 1;
        if len == BLOCK { escaped } else { escaped & !(u64::MAX << len) }
    }
}

/// Bit `i` of the result is the parity of bits `0..=i`.
#[inline(always)]
fn prefix_xor(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ (bits << 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_xor_is_the_parity_so_far() {
        let bits = 0x8421_0f0f_dead_beef_u64;
        for i in 0..64 {
            let parity = (bits & (u64::MAX >> (63 - i))).count_ones() & 1;
            assert_eq!(u64::from(parity), prefix_xor(bits) >> i & 1, "bit {i}");
        }
    }
}
