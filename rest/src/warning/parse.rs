use std::fmt;

use super::encoded_word;

/// One warning of the API server, such as the use of a deprecated version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Warning {
    /// The three-digit code: 299 for those that Kubernetes sends.
    pub code: u16,
    /// Who warns; `-` when it is not said.
    pub agent: String,
    /// The text.
    pub text: String,
}

/// Why a warning header can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WarningError {
    /// Fewer than three parts.
    #[error("it has fewer than three parts: code, agent, text")]
    TooShort,
    /// The code is not three digits.
    #[error("its code is not three digits")]
    Code,
    /// The agent is empty or holds characters that it may not.
    #[error("its agent is empty or holds control characters")]
    Agent,
    /// The text is not in quotes, or they are not closed.
    #[error("its text is not in quotes")]
    Quotes,
    /// The text holds control characters or is no UTF-8.
    #[error("its text holds control characters or is no UTF-8")]
    Text,
    /// The date's quotes are not closed.
    #[error("its date's quotes are not closed")]
    Date,
    /// Something stands after a warning that does not belong there.
    #[error("something stands after it that does not belong there")]
    Trailing,
}

impl Warning {
    /// Appends the warnings in one header's value to `found`, by RFC 7234 section 5.5.
    ///
    /// # Errors
    /// Bad syntax ends the reading of this value; the warnings before it are kept.
    pub fn parse_header(value: &[u8], found: &mut Vec<Self>) -> Result<(), WarningError> {
        let mut rest = value;
        loop {
            let (warning, remainder) = parse_one(rest)?;
            found.push(warning);
            if remainder.is_empty() {
                return Ok(());
            }
            rest = remainder;
        }
    }

    /// Whether handlers act on it: code 299, with a text.
    pub fn is_for_people(&self) -> bool {
        self.code == 299 && !self.text.is_empty()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn parse_one(value: &[u8]) -> Result<(Warning, &[u8]), WarningError> {
    let mut parts = value.trim_ascii().splitn(3, |byte| *byte == b' ');
    let (Some(code), Some(agent), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(WarningError::TooShort);
    };
    if code.len() != 3 || !code.iter().all(u8::is_ascii_digit) {
        return Err(WarningError::Code);
    }
    let code = code.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    let agent = printable(agent).filter(|agent| !agent.is_empty()).ok_or(WarningError::Agent)?;
    let (text, rest) = quoted(rest)?;
    let text = printable(&text).ok_or(WarningError::Text)?;
    let text = encoded_word::decode(&text).ok_or(WarningError::Text)?;
    if text.chars().any(char::is_control) {
        return Err(WarningError::Text);
    }
    let mut rest = rest.trim_ascii();
    if let Some(date) = rest.strip_prefix(b"\"") {
        let end = memchr::memchr(b'"', date).ok_or(WarningError::Date)?;
        rest = date[end + 1..].trim_ascii();
    }
    if let Some(next) = rest.strip_prefix(b",") {
        rest = next.trim_ascii();
    } else if !rest.is_empty() {
        return Err(WarningError::Trailing);
    }
    Ok((Warning { code, agent, text }, rest))
}

/// The content of the quotes that `value` begins with, and what follows them.
fn quoted(value: &[u8]) -> Result<(Vec<u8>, &[u8]), WarningError> {
    let inner = value.strip_prefix(b"\"").ok_or(WarningError::Quotes)?;
    let mut text = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().enumerate();
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b'"' => return Ok((text, &inner[index + 1..])),
            b'\\' => text.push(*bytes.next().ok_or(WarningError::Quotes)?.1),
            byte => text.push(*byte),
        }
    }
    Err(WarningError::Quotes)
}

fn printable(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.chars().any(char::is_control)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Warning, WarningError};

    fn parse(value: &str) -> (Vec<(u16, String, String)>, Option<WarningError>) {
        let mut found = Vec::new();
        let error = Warning::parse_header(value.as_bytes(), &mut found).err();
        (found.into_iter().map(|w| (w.code, w.agent, w.text)).collect(), error)
    }

    // BH-A7
    #[test]
    fn reads_warnings() {
        for (value, texts) in [
            (r#"299 - "text""#, &["text"][..]),
            (r#"321 - "text""#, &["text"]),
            (r#"299 host:80 "a" "Tue, 24 Nov 2026 20:00:00 GMT""#, &["a"]),
            (r#"299 - "a", 299 - "b" "date" , 199 - "c""#, &["a", "b", "c"]),
            (r#"  299 - "with \"quotes\" and \\"  "#, &[r#"with "quotes" and \"#]),
            (r#"299 - "=?utf-8?q?caf=C3=A9_!?=""#, &["café !"]),
            (r#"299 - "=?UTF-8?B?w7w=?= plain""#, &["ü plain"]),
            (r#"299 - """#, &[""]),
            (r#"299 - "ü, direct""#, &["ü, direct"]),
        ] {
            let (found, error) = parse(value);
            assert_eq!(error, None, "{value}");
            assert_eq!(found.iter().map(|(_, _, text)| text.as_str()).collect::<Vec<_>>(), texts, "{value}");
        }
        assert_eq!(parse(r#"321 agent "t""#).0, [(321, "agent".to_owned(), "t".to_owned())]);
    }

    // BH-A7
    #[test]
    fn bad_syntax_drops_the_rest_of_its_value() {
        for (value, kept, error) in [
            ("", 0, WarningError::TooShort),
            ("299 -", 0, WarningError::TooShort),
            (r#"29 - "a""#, 0, WarningError::Code),
            (r#"2990 - "a""#, 0, WarningError::Code),
            (r#"x99 - "a""#, 0, WarningError::Code),
            (r#"299  "a""#, 0, WarningError::Agent),
            ("299 - a", 0, WarningError::Quotes),
            ("299 - \"a", 0, WarningError::Quotes),
            ("299 - \"a\\", 0, WarningError::Quotes),
            ("299 - \"a\u{7}\"", 0, WarningError::Text),
            (r#"299 - "=?utf-8?q?=07?=""#, 0, WarningError::Text),
            (r#"299 - "a" "date"#, 0, WarningError::Date),
            (r#"299 - "a" b"#, 0, WarningError::Trailing),
            (r#"299 - "a", 299 - "b"#, 1, WarningError::Quotes),
            (r#"299 - "a", 299 - "b", x"#, 2, WarningError::TooShort),
        ] {
            let (found, found_error) = parse(value);
            assert_eq!((found.len(), found_error), (kept, Some(error)), "{value}");
        }
        let mut found = Vec::new();
        assert_eq!(
            Warning::parse_header(b"299 - \"a\xff\"", &mut found),
            Err(WarningError::Text),
            "bad UTF-8"
        );
    }
}
