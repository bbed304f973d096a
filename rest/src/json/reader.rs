//! A walk along the tokens of a text.

use std::borrow::Cow;

use serde::de::{self, Unexpected};
use serde_json::Error;

use super::tokens::Tokens;
use super::{number, string};

/// Reads values from a text by its tokens, one after the other.
///
/// The text was checked before: tokens stand where the grammar wants them. So nothing is asked about what separates
/// them.
pub(super) struct Reader<'de, 'a> {
    text: &'de str,
    tokens: &'a Tokens,
    /// The next token that nobody took.
    next: usize,
}

/// What a token means to whoever counts values: a string's quotes are half a value each.
#[derive(Clone, Copy)]
struct Weight {
    depth: i8,
    halves: u8,
}

/// By the token's byte.
const WEIGHTS: [Weight; 256] = {
    let mut weights = [Weight { depth: 0, halves: 2 }; 256];
    weights[b'"' as usize].halves = 1;
    weights[b'{' as usize].depth = 1;
    weights[b'[' as usize].depth = 1;
    weights[b'}' as usize] = Weight { depth: -1, halves: 0 };
    weights[b']' as usize] = Weight { depth: -1, halves: 0 };
    weights
};

impl<'de, 'a> Reader<'de, 'a> {
    pub(super) fn new(text: &'de str, tokens: &'a Tokens) -> Self {
        Self { text, tokens, next: 0 }
    }

    /// The next token's byte; 0 after the last.
    #[inline(always)]
    pub(super) fn peek(&self) -> u8 {
        self.tokens.place(self.next).map_or(0, |place| self.byte(place))
    }

    #[inline(always)]
    fn byte(&self, place: usize) -> u8 {
        self.text.as_bytes().get(place).copied().unwrap_or(0)
    }

    /// Takes the next token.
    #[inline(always)]
    pub(super) fn take(&mut self) {
        self.next += 1;
    }

    /// Takes the bracket that closes what is open, if it comes next.
    #[inline(always)]
    pub(super) fn closes(&mut self, bracket: u8) -> bool {
        if self.peek() != bracket {
            return false;
        }
        self.next += 1;
        true
    }

    /// Takes a string and gives what it says.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Result<Cow<'de, str>, Error> {
        let quotes = self.tokens.quotes(self.next).ok_or_else(broken)?;
        self.next += 2;
        if quotes.escapes {
            let string = string::unescape(self.part(quotes.open, quotes.close + 1)?);
            return string.map(Cow::Owned).map_err(unplaced);
        }
        self.part(quotes.open + 1, quotes.close).map(Cow::Borrowed)
    }

    /// Takes a string and gives the bytes that it says, of which not all may be characters.
    pub(super) fn bytes(&mut self) -> Result<Cow<'de, [u8]>, Error> {
        let quotes = self.tokens.quotes(self.next).ok_or_else(broken)?;
        self.next += 2;
        if quotes.escapes {
            let bytes = string::unescape_bytes(self.part(quotes.open, quotes.close + 1)?);
            return bytes.map(Cow::Owned).map_err(unplaced);
        }
        self.part(quotes.open + 1, quotes.close).map(|text| Cow::Borrowed(text.as_bytes()))
    }

    /// Takes a number or a literal and gives its text.
    #[inline(always)]
    pub(super) fn scalar(&mut self) -> &'de str {
        let rest = self.text.get(self.place()..).unwrap_or_default();
        self.next += 1;
        number::scalar(rest)
    }

    /// Takes a value, whatever it is.
    pub(super) fn skip(&mut self) {
        match self.peek() {
            b'"' => self.next += 2,
            b'{' | b'[' => {
                let mut depth = 0;
                for place in self.tokens.after(self.next) {
                    self.next += 1;
                    depth += i32::from(WEIGHTS[usize::from(self.byte(place))].depth);
                    if depth == 0 {
                        break;
                    }
                }
            }
            _ => self.next += 1,
        }
    }

    /// Takes a value and gives its text.
    pub(super) fn skipped(&mut self) -> Result<&'de str, Error> {
        let start = self.place();
        if !matches!(self.peek(), b'{' | b'[' | b'"') {
            return Ok(self.scalar());
        }
        self.skip();
        let last = self.next.checked_sub(1).and_then(|last| self.tokens.place(last));
        self.part(start, last.ok_or_else(broken)? + 1)
    }

    /// How many values come before the bracket that closes what is open.
    pub(super) fn values_left(&self) -> usize {
        let (mut depth, mut halves) = (0, 0);
        for place in self.tokens.after(self.next) {
            let weight = WEIGHTS[usize::from(self.byte(place))];
            halves += if depth == 0 { usize::from(weight.halves) } else { 0 };
            depth += i32::from(weight.depth);
            if depth < 0 {
                break;
            }
        }
        halves / 2
    }

    /// The error of the next value, which is none of those that are expected.
    #[cold]
    pub(super) fn unexpected(&mut self, expected: &dyn de::Expected) -> Error {
        let text;
        let unexpected = match self.peek() {
            b'{' => Unexpected::Map,
            b'[' => Unexpected::Seq,
            b'n' | b't' | b'f' => match self.scalar() {
                "null" => Unexpected::Unit,
                literal => Unexpected::Bool(literal == "true"),
            },
            b'"' => match self.string() {
                Ok(string) => {
                    text = string;
                    Unexpected::Str(&text)
                }
                Err(error) => return error,
            },
            b'-' | b'0'..=b'9' => match number::unexpected(self.scalar()) {
                Ok(number) => number,
                Err(error) => return error,
            },
            _ => Unexpected::Other("nothing"),
        };
        de::Error::invalid_type(unexpected, expected)
    }

    /// An error, with its place if it has none: the end of what was taken.
    #[cold]
    pub(super) fn located(&self, error: Error) -> Error {
        if error.line() > 0 {
            return error;
        }
        let read = self.text.get(..self.place()).unwrap_or_default();
        let read = read.trim_end_matches([' ', '\t', '\n', '\r', ',', ':']);
        let line = read.matches('\n').count() + 1;
        let column = read.len() - read.rfind('\n').map_or(0, |at| at + 1);
        // serde_json takes the place from such a text.
        de::Error::custom(format_args!("{error} at line {line} column {column}"))
    }

    /// Where the next token begins, or the text ends.
    fn place(&self) -> usize {
        self.tokens.place(self.next).unwrap_or(self.text.len())
    }

    #[inline(always)]
    fn part(&self, start: usize, end: usize) -> Result<&'de str, Error> {
        self.text.get(start..end).ok_or_else(broken)
    }
}

/// An error without the place that it has in a part of the text, which was read by itself.
#[cold]
#[expect(clippy::needless_pass_by_value, reason = "it takes the other's place")]
pub(super) fn unplaced(error: Error) -> Error {
    let text = error.to_string();
    de::Error::custom(text.rfind(" at line ").map_or(&*text, |at| &text[..at]))
}

/// What can't be, as the text was checked.
#[cold]
fn broken() -> Error {
    de::Error::custom("a text that is no JSON")
}
