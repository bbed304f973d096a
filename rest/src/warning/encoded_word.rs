//! RFC 2047 encoded words, as in `=?utf-8?q?caf=C3=A9?=`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// Decodes the encoded words in `text`; what is none stays as it is. `None` when a word decodes to no text.
pub(super) fn decode(text: &str) -> Option<String> {
    if !text.contains("=?") {
        return Some(text.to_owned());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let Some((word, end)) = word_at(&rest[start..]) else {
            out.push_str(&rest[..start + 2]);
            rest = &rest[start + 2..];
            after_word = false;
            continue;
        };
        // White space between two encoded words belongs to the encoding.
        if !(after_word && rest[..start].trim().is_empty()) {
            out.push_str(&rest[..start]);
        }
        out.push_str(&word?);
        rest = &rest[start + end..];
        after_word = true;
    }
    out.push_str(rest);
    Some(out)
}

/// The word at the start of `text` and its length; the outer `None` when there is none, the inner when it is no text.
fn word_at(text: &str) -> Option<(Option<String>, usize)> {
    let inner = text.strip_prefix("=?")?;
    let (charset, rest) = inner.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (data, after) = rest.split_once("?=")?;
    let bytes = match encoding {
        "q" | "Q" => quoted_printable(data)?,
        "b" | "B" => STANDARD.decode(data).or_else(|_| STANDARD_NO_PAD.decode(data)).ok()?,
        _ => return None,
    };
    let decoded = match charset.to_ascii_lowercase().as_str() {
        "utf-8" => String::from_utf8(bytes).ok(),
        "us-ascii" => String::from_utf8(bytes).ok().filter(|text| text.is_ascii()),
        "iso-8859-1" => Some(bytes.into_iter().map(char::from).collect()),
        _ => return None,
    };
    Some((decoded, text.len() - after.len()))
}

fn quoted_printable(data: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(data.len());
    let mut bytes = data.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'_' => b' ',
            b'=' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::decode;

    // BH-A7
    #[test]
    fn words() {
        for (text, decoded) in [
            ("plain", Some("plain")),
            ("a =?utf-8?q?b?= c", Some("a b c")),
            ("=?utf-8?q?a?= =?utf-8?q?b?=", Some("ab")),
            ("=?iso-8859-1?Q?=FC?=", Some("ü")),
            ("=?utf-8?b?4pyT?=", Some("✓")),
            ("=?utf-8?q?a_=3D?=", Some("a =")),
            ("=?unknown?q?a?=", Some("=?unknown?q?a?=")),
            ("=?utf-8?x?a?=", Some("=?utf-8?x?a?=")),
            ("=?utf-8?q?=F?=", Some("=?utf-8?q?=F?=")),
            ("=?broken", Some("=?broken")),
            ("=?utf-8?q?=FF?=", None),
        ] {
            assert_eq!(decode(text).as_deref(), decoded, "{text}");
        }
    }
}
