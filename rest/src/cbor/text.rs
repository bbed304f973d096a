//! Strings become the inside of JSON's strings, run by run.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// How bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Text: it has to be UTF-8.
    Text,
    /// Text that nobody has checked. Each byte that is no UTF-8 becomes U+FFFD, as in the server's JSON.
    Unchecked,
    Base64,
    Base64Url,
    Base16,
}

/// A string of which pieces arrive.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    form: Form,
    /// The start of a character, or of a group of three bytes, whose end hasn't arrived.
    rest: [u8; 4],
    len: usize,
}

/// How far the bytes were good.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoUtf8(pub(super) usize);

impl Writer {
    pub(super) fn new(form: Form) -> Self {
        Self { form, rest: [0; 4], len: 0 }
    }

    pub(super) fn push(&mut self, bytes: &[u8], json: &mut String) -> Result<(), NoUtf8> {
        match self.form {
            Form::Text | Form::Unchecked => return self.push_text(bytes, json),
            Form::Base64 | Form::Base64Url => self.push_base64(bytes, json),
            Form::Base16 => {
                for byte in bytes {
                    let _ = write!(json, "{byte:02x}");
                }
            }
        }
        Ok(())
    }

    /// The end of the string.
    pub(super) fn finish(&mut self, json: &mut String) -> Result<(), NoUtf8> {
        let rest = &self.rest[..std::mem::take(&mut self.len)];
        match self.form {
            Form::Text if !rest.is_empty() => return Err(NoUtf8(0)),
            Form::Text | Form::Base16 => {}
            Form::Unchecked => replace(rest.len(), json),
            Form::Base64 => STANDARD.encode_string(rest, json),
            Form::Base64Url => URL_SAFE_NO_PAD.encode_string(rest, json),
        }
        Ok(())
    }

    fn push_text(&mut self, mut bytes: &[u8], json: &mut String) -> Result<(), NoUtf8> {
        let all = bytes.len();
        while self.len > 0 {
            let Some((&next, after)) = bytes.split_first() else { return Ok(()) };
            self.rest[self.len] = next;
            match std::str::from_utf8(&self.rest[..=self.len]) {
                Ok(character) => {
                    json.push_str(character);
                    (self.len, bytes) = (0, after);
                }
                Err(error) if error.error_len().is_none() => {
                    self.len += 1;
                    bytes = after;
                }
                // The next byte begins something else.
                Err(_) => {
                    self.refuse(all - bytes.len())?;
                    replace(std::mem::take(&mut self.len), json);
                }
            }
        }
        loop {
            let error = match std::str::from_utf8(bytes) {
                Ok(text) => {
                    escape(text, json);
                    return Ok(());
                }
                Err(error) => error,
            };
            let (valid, rest) = bytes.split_at(error.valid_up_to());
            escape(std::str::from_utf8(valid).unwrap_or_default(), json);
            match error.error_len() {
                None => {
                    self.rest[..rest.len()].copy_from_slice(rest);
                    self.len = rest.len();
                    return Ok(());
                }
                Some(len) => {
                    self.refuse(all - rest.len())?;
                    replace(len, json);
                    bytes = &rest[len..];
                }
            }
        }
    }

    /// Bytes that are no UTF-8, after so many good ones.
    fn refuse(&self, good: usize) -> Result<(), NoUtf8> {
        if self.form == Form::Text { Err(NoUtf8(good)) } else { Ok(()) }
    }

    fn push_base64(&mut self, mut bytes: &[u8], json: &mut String) {
        let url = self.form == Form::Base64Url;
        let mut encode = |groups: &[u8]| {
            if url {
                URL_SAFE_NO_PAD.encode_string(groups, json);
            } else {
                STANDARD.encode_string(groups, json);
            }
        };
        while self.len > 0 {
            let Some((&next, after)) = bytes.split_first() else { return };
            self.rest[self.len] = next;
            self.len += 1;
            bytes = after;
            if self.len == 3 {
                encode(&self.rest[..3]);
                self.len = 0;
            }
        }
        let (groups, rest) = bytes.split_at(bytes.len() - bytes.len() % 3);
        encode(groups);
        self.rest[..rest.len()].copy_from_slice(rest);
        self.len = rest.len();
    }
}

fn replace(bytes: usize, json: &mut String) {
    json.extend(std::iter::repeat_n(char::REPLACEMENT_CHARACTER, bytes));
}

/// Adds text, with JSON's escapes.
fn escape(text: &str, json: &mut String) {
    let mut rest = text;
    while let Some(at) = special(rest.as_bytes()) {
        // What is special is one byte long, so both cuts are between characters.
        let (run, from) = rest.split_at(at);
        json.push_str(run);
        let byte = from.as_bytes()[0];
        match byte {
            b'"' => json.push_str("\\\""),
            b'\\' => json.push_str("\\\\"),
            b'\n' => json.push_str("\\n"),
            b'\r' => json.push_str("\\r"),
            b'\t' => json.push_str("\\t"),
            _ => {
                let _ = write!(json, "\\u{byte:04x}");
            }
        }
        rest = &from[1..];
    }
    json.push_str(rest);
}

/// The first byte that can't stand in a string of JSON as it is: a quote, a backslash, a control character.
fn special(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    // The lowest byte of the result whose top bit is set is the first that is zero.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & TOPS;
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word & TOPS;
        let found = zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\'))) | control;
        if found != 0 {
            return Some(index * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let in_tail = tail.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20));
    in_tail.map(|at| words.len() * 8 + at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What comes of a string in pieces that end at `cuts`.
    fn write(form: Form, bytes: &[u8], cuts: &[usize]) -> Result<String, NoUtf8> {
        let mut writer = Writer::new(form);
        let mut json = String::new();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        for piece in cuts.windows(2) {
            writer.push(&bytes[piece[0]..piece[1]], &mut json)?;
        }
        writer.finish(&mut json)?;
        Ok(json)
    }

    /// As Go's decoder of UTF-8 does it: a byte that begins no character is one by itself.
    fn lossy(bytes: &[u8]) -> String {
        let mut text = String::new();
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            replace(chunk.invalid().len(), &mut text);
        }
        text
    }

    #[test]
    fn the_first_special_byte_is_found_at_every_place() {
        for byte in 0..=255_u8 {
            for at in 0..20 {
                let mut bytes = *b"abcdefgh\x7f\x80\xffabcdefghi";
                bytes[at] = byte;
                let slow = bytes.iter().position(|b| *b == b'"' || *b == b'\\' || *b < 0x20);
                assert_eq!(special(&bytes), slow, "{byte:#x} at {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn text_in_pieces_is_what_serde_json_writes(text in any::<String>(), cuts in any::<Vec<usize>>()) {
            let json = format!("\"{}\"", write(Form::Text, text.as_bytes(), &cuts).unwrap());
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }

        #[test]
        fn bytes_in_pieces_are_what_base64_writes(bytes in any::<Vec<u8>>(), cuts in any::<Vec<usize>>()) {
            prop_assert_eq!(write(Form::Base64, &bytes, &cuts).unwrap(), STANDARD.encode(&bytes));
            prop_assert_eq!(write(Form::Base64Url, &bytes, &cuts).unwrap(), URL_SAFE_NO_PAD.encode(&bytes));
            let base16: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            prop_assert_eq!(write(Form::Base16, &bytes, &cuts).unwrap(), base16);
        }

        #[test]
        fn what_is_no_utf8_is_replaced_or_refused(
            bytes in prop::collection::vec(prop::sample::select(&b"a\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xff\xed\xa0"[..]), 0..20),
            cuts in any::<Vec<usize>>(),
        ) {
            let json = format!("\"{}\"", write(Form::Unchecked, &bytes, &cuts).unwrap());
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), lossy(&bytes));
            prop_assert_eq!(write(Form::Text, &bytes, &cuts).is_ok(), std::str::from_utf8(&bytes).is_ok());
        }
    }
}
