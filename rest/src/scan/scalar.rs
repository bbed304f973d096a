//! Numbers, `true`, `false` and `null`: the usual ones as a whole, others a byte at a time, as they may be cut by any
//! chunk border.

use super::block::BLOCK;

/// Where in a scalar we stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    /// The rest of a literal.
    Literal(&'static [u8]),
    Minus,
    Zero,
    Integer,
    Dot,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
}

impl Scalar {
    /// The state after a scalar's first byte; `None` where no scalar begins with it.
    #[inline]
    pub(super) fn start(byte: u8) -> Option<Self> {
        Some(match byte {
            b't' => Self::Literal(b"rue"),
            b'f' => Self::Literal(b"alse"),
            b'n' => Self::Literal(b"ull"),
            b'-' => Self::Minus,
            b'0' => Self::Zero,
            b'1'..=b'9' => Self::Integer,
            _ => return None,
        })
    }

    /// The state after one more byte; `None` where it does not belong there.
    #[inline]
    pub(super) fn step(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Literal(rest), _) => match rest.split_first() {
                Some((&next, rest)) if next == byte => Self::Literal(rest),
                _ => return None,
            },
            (Self::Minus, b'0') => Self::Zero,
            (Self::Minus, b'1'..=b'9') | (Self::Integer, b'0'..=b'9') => Self::Integer,
            (Self::Zero | Self::Integer, b'.') => Self::Dot,
            (Self::Zero | Self::Integer | Self::Fraction, b'e' | b'E') => Self::Exponent,
            (Self::Dot | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Exponent, b'+' | b'-') => Self::ExponentSign,
            (Self::Exponent | Self::ExponentSign | Self::ExponentDigits, b'0'..=b'9') => Self::ExponentDigits,
            _ => return None,
        })
    }

    /// Whether a scalar may end here.
    #[inline]
    pub(super) fn may_end(self) -> bool {
        match self {
            Self::Literal(rest) => rest.is_empty(),
            Self::Zero | Self::Integer | Self::Fraction | Self::ExponentDigits => true,
            Self::Minus | Self::Dot | Self::Exponent | Self::ExponentSign => false,
        }
    }
}

/// The scalars of a block.
pub(super) struct Scalars {
    pub(super) all: u64,
    pub(super) start: u64,
    /// What isn't a digit in them, and where one begins with a zero that more follows.
    pub(super) no_digit: u64,
    pub(super) leading_zero: u64,
}

impl Scalars {
    /// Whether there are others than literals and plain integers, whole in the block.
    #[inline(always)]
    pub(super) fn has_uncommon(&self, bytes: &[u8; BLOCK], len: usize) -> bool {
        let cut = self.all >> (len - 1) & 1;
        if (cut | self.leading_zero) != 0 {
            return true;
        }
        let mut others = self.no_digit;
        let mut starts = self.start & others;
        while starts != 0 {
            let at = starts.trailing_zeros();
            starts &= starts - 1;
            let Some(word) = bytes.get(at as usize..).and_then(|rest| rest.first_chunk::<4>()) else {
                return true;
            };
            let run = self.all >> at;
            let len = match word {
                b"true" | b"null" if run & 0x1f == 0x0f => 4,
                b"fals" if run & 0x3f == 0x1f && bytes[at as usize + 4] == b'e' => 5,
                _ => return true,
            };
            others &= !(((1 << len) - 1) << at);
        }
        others != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(text: &str) -> bool {
        let (&first, rest) = text.as_bytes().split_first().unwrap();
        let mut state = Scalar::start(first);
        for &byte in rest {
            state = state.and_then(|s| s.step(byte));
        }
        state.is_some_and(Scalar::may_end)
    }

    #[test]
    fn agrees_with_serde_json_on_all_short_strings_of_scalar_characters() {
        let alphabet = b"-+.eE019tn";
        let mut words = vec![String::new()];
        for _ in 0..5 {
            words = words
                .iter()
                .flat_map(|word| alphabet.iter().map(move |&b| format!("{word}{}", b as char)))
                .collect();
            for word in &words {
                let oracle = serde_json::from_str::<serde::de::IgnoredAny>(word).is_ok();
                assert_eq!(accepts(word), oracle, "{word}");
            }
        }
        for word in ["true", "false", "null", "tru", "truee", "nul", "nulll", "fals", "-0", "-01", "1e+9"] {
            let oracle = serde_json::from_str::<serde::de::IgnoredAny>(word).is_ok();
            assert_eq!(accepts(word), oracle, "{word}");
        }
    }
}
