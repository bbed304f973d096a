//! 64 bytes at a time become bit masks: bit `i` speaks of byte `i`.

use fearless_simd::{Simd, SimdBase as _, SimdMask as _, u8x16, u8x64};

/// Bytes in a block: one bit each in a `u64`.
pub(crate) const BLOCK: usize = 64;

/// What a block's bytes are, before anything is known about strings.
#[derive(Clone, Copy, Default)]
pub(crate) struct Masks {
    pub(crate) quote: u64,
    pub(crate) backslash: u64,
    /// `{` and `[`
    pub(crate) open: u64,
    /// `}` and `]`
    pub(crate) close: u64,
    /// Tells braces from brackets where one of both is; means nothing elsewhere.
    pub(crate) brace: u64,
    pub(crate) colon: u64,
    pub(crate) comma: u64,
    pub(crate) digit: u64,
    pub(crate) zero: u64,
    /// Control characters: below 0x20.
    pub(crate) control: u64,
    /// Control characters and the space.
    pub(crate) low: u64,
}

/// Classifies a block. To be called where [`Simd::vectorize`] holds, and inlined there.
#[inline(always)]
pub(crate) fn classify<S: Simd>(simd: S, block: &[u8; BLOCK]) -> Masks {
    let bytes = u8x64::from_slice(simd, block);
    // Brackets and braces differ in one bit: 0x5b, 0x5d and 0x7b, 0x7d.
    let folded = bytes | u8x64::splat(simd, 0x20);
    let is = |bytes: u8x64<S>, byte: u8| bytes.simd_eq(u8x64::splat(simd, byte)).to_bitmask();
    Masks {
        quote: is(bytes, b'"'),
        backslash: is(bytes, b'\\'),
        open: is(folded, b'{'),
        close: is(folded, b'}'),
        brace: is(bytes | u8x64::splat(simd, 0x06), 0x7f),
        colon: is(bytes, b':'),
        comma: is(bytes, b','),
        digit: (bytes - u8x64::splat(simd, b'0')).simd_lt(u8x64::splat(simd, 10)).to_bitmask(),
        zero: is(bytes, b'0'),
        control: bytes.simd_lt(u8x64::splat(simd, 0x20)).to_bitmask(),
        low: bytes.simd_le(u8x64::splat(simd, 0x20)).to_bitmask(),
    }
}

/// The bytes that may follow a backslash by themselves: all but `u`.
#[inline(always)]
pub(super) fn escapes<S: Simd>(simd: S, block: &[u8; BLOCK]) -> u64 {
    // A bit for each high half; a byte is one of them where both halves have the same.
    const HIGH: [u8; 16] = [0, 0, 1, 0, 0, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    const LOW: [u8; 16] = [0, 0, 1 | 4 | 8, 0, 8, 0, 4, 0, 0, 0, 0, 0, 2, 0, 4, 1];
    let bytes = u8x64::from_slice(simd, block);
    let of = |table: &[u8; 16], halves: u8x64<S>| {
        u8x64::block_splat(u8x16::from_slice(simd, table)).swizzle_dyn_within_blocks(halves)
    };
    let both = of(&HIGH, bytes >> 4) & of(&LOW, bytes & u8x64::splat(simd, 0x0f));
    both.simd_ne(u8x64::splat(simd, 0)).to_bitmask()
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    #[test]
    fn every_byte_is_classified_like_a_plain_comparison() {
        let bytes: Vec<u8> = (0..=255).collect();
        let blocks: Vec<[u8; BLOCK]> = bytes.chunks_exact(BLOCK).map(|b| b.try_into().unwrap()).collect();
        for level in [Level::new(), Level::baseline()] {
            let masks: Vec<Masks> =
                blocks.iter().map(|block| dispatch!(level, simd => classify(simd, block))).collect();
            let escapes: Vec<u64> =
                blocks.iter().map(|block| dispatch!(level, simd => escapes(simd, block))).collect();
            for (i, &byte) in bytes.iter().enumerate() {
                assert_eq!(
                    escapes[i / BLOCK] >> (i % BLOCK) & 1 == 1,
                    b"\"\\/bfnrt".contains(&byte),
                    "{byte:#x}"
                );
                let (m, bit) = (&masks[i / BLOCK], i % BLOCK);
                let at = |mask: u64| mask >> bit & 1 == 1;
                assert_eq!(at(m.quote), byte == b'"', "{byte:#x}");
                assert_eq!(at(m.backslash), byte == b'\\', "{byte:#x}");
                assert_eq!(at(m.open), b"{[".contains(&byte), "{byte:#x}");
                assert_eq!(at(m.close), b"}]".contains(&byte), "{byte:#x}");
                if b"{}[]".contains(&byte) {
                    assert_eq!(at(m.brace), b"{}".contains(&byte), "{byte:#x}");
                }
                assert_eq!(at(m.colon), byte == b':', "{byte:#x}");
                assert_eq!(at(m.comma), byte == b',', "{byte:#x}");
                assert_eq!(at(m.digit), byte.is_ascii_digit(), "{byte:#x}");
                assert_eq!(at(m.zero), byte == b'0', "{byte:#x}");
                assert_eq!(at(m.control), byte < 0x20, "{byte:#x}");
                assert_eq!(at(m.low), byte <= 0x20, "{byte:#x}");
            }
        }
    }
}
