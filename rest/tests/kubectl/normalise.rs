//! Takes out of kubectl's output what differs from run to run: times, uids, versions, addresses, random names.

/// The output with such words replaced, and the columns of tables closed up.
pub(crate) fn normalise(output: &str) -> String {
    output.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn line(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    let text = line.trim();
    for key in ["Start Time:", "CreationTimestamp:", "Created:", "Last Transition Time:"] {
        if text.starts_with(key) {
            return format!("{}{key} TIME", &line[..indent]);
        }
    }
    let mut out = line[..indent].to_owned();
    for (n, part) in text.split_whitespace().enumerate() {
        if n > 0 {
            out.push(' ');
        }
        let is_version = ["resourceVersion: ", "\"resourceVersion\": ", "Resource Version: "]
            .iter()
            .any(|key| out.ends_with(key));
        // An amount of processor time looks like an age.
        let said = if out.ends_with("cpu: ") { part.to_owned() } else { word(part, is_version) };
        out.push_str(&said);
    }
    out
}

/// A word between blanks, with quotes and commas around what it says.
fn word(word: &str, is_version: bool) -> String {
    let bare = word.trim_matches(|c: char| matches!(c, '"' | '\'' | ',' | '(' | ')' | '{' | '}'));
    let said = if is_version {
        "VERSION".to_owned()
    } else if is_uid(bare) {
        "UID".to_owned()
    } else if is_timestamp(bare) {
        "TIME".to_owned()
    } else if is_age(bare) {
        "AGE".to_owned()
    } else if let Some(at) = bare.find("127.0.0.1:") {
        let scheme = bare[..at].rfind("http").unwrap_or(at);
        let rest = bare[at + "127.0.0.1:".len()..].trim_start_matches(|c: char| c.is_ascii_digit());
        format!("{}SERVER{rest}", &bare[..scheme])
    } else {
        return word.to_owned();
    };
    word.replacen(bare, &said, 1)
}

fn is_uid(word: &str) -> bool {
    let lengths = word.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && word.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

fn is_timestamp(word: &str) -> bool {
    word.len() >= 20 && word.ends_with('Z') && word.as_bytes()[10] == b'T' && word.starts_with("20")
}

/// `5s`, `2m10s`, `3d`.
fn is_age(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.ends_with(['s', 'm', 'h', 'd'])
        && word.bytes().all(|b| b.is_ascii_digit() || b"smhd".contains(&b))
}

#[test]
fn words() {
    for (output, wanted) in [
        ("app   1/1     3      12s", "app 1/1 3 AGE"),
        ("  uid: 0d1ff0b4-5a3b-4a6e-9d4e-0123456789ab", "  uid: UID"),
        ("  resourceVersion: \"77\"", "  resourceVersion: \"VERSION\""),
        ("  creationTimestamp: \"2026-01-02T03:04:05Z\"", "  creationTimestamp: \"TIME\""),
        ("Start Time:   Fri, 02 Jan 2026 03:04:05 +0000", "Start Time: TIME"),
        ("is running at https://127.0.0.1:6443/x", "is running at SERVER/x"),
        ("colour: blue", "colour: blue"),
        ("  cpu: 100m", "  cpu: 100m"),
        ("Resource Version:  77", "Resource Version: VERSION"),
    ] {
        assert_eq!(normalise(output), wanted);
    }
}
