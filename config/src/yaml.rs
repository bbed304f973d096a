//! YAML and JSON text in and out. Nothing else in the crate knows which library reads YAML.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::de::DeserializeSeed;
use serde_json::Value;

use crate::node::{Node, NodeSeed, OVER_BUDGET, Source};

/// Why a text is not a document.
#[derive(Debug)]
pub(crate) enum Problem {
    NotUtf8 { line: usize },
    Syntax { line: usize, column: usize, problem: String },
    Excessive(&'static str),
}

/// The library's events may take this many times the text's length in memory, and [`FREE`] bytes more.
const EVENT_GROWTH: usize = 70;
/// So may the tree that is made of them while they are there.
const TREE_GROWTH: usize = 28;
/// The events being gone, so much more may be made of the tree.
const LATER_GROWTH: usize = 70;
const FREE: usize = 64 * 1024;

/// What the library takes for an event, in a list that grows by doubling.
const EVENT: usize = 200;

/// Brackets may be open this deep: the library takes time proportional to the depth for every token.
const DEPTH: usize = 500;

/// The bytes of a file as text: UTF-8, or UTF-16 with a byte order mark, without the mark.
pub(crate) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, Problem> {
    let utf16 = match bytes {
        [0xff, 0xfe, rest @ ..] => Some((rest, u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0xfe, 0xff, rest @ ..] => Some((rest, u16::from_be_bytes as fn([u8; 2]) -> u16)),
        _ => None,
    };
    if let Some((rest, unit)) = utf16 {
        let (pairs, odd) = rest.as_chunks::<2>();
        let mut text = String::with_capacity(rest.len());
        for found in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
            match found {
                Ok(found) => text.push(found),
                Err(_) => return Err(Problem::NotUtf8 { line: text.matches('\n').count() + 1 }),
            }
        }
        if !odd.is_empty() {
            return Err(Problem::NotUtf8 { line: text.matches('\n').count() + 1 });
        }
        return Ok(Cow::Owned(text));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            Err(Problem::NotUtf8 { line: good.iter().filter(|byte| **byte == b'\n').count() + 1 })
        }
    }
}

/// A parsed document.
pub(crate) struct Parsed<'a> {
    pub(crate) root: Node<'a>,
    pub(crate) source: Source<'a>,
    /// Whether further documents follow the first, which is the only one that is read.
    pub(crate) more: bool,
}

/// Parses the first document of `text`.
pub(crate) fn parse(text: &str) -> Result<Parsed<'_>, Problem> {
    let outcome = parse_yaml(text);
    // Not all of JSON is YAML: "\ud83d\ude00" is not.
    if matches!(outcome, Err(Problem::Syntax { .. }))
        && text.trim_start().starts_with('{')
        && let Some(parsed) = parse_json(text)
    {
        return Ok(parsed);
    }
    outcome
}

fn parse_yaml(text: &str) -> Result<Parsed<'_>, Problem> {
    guard(text)?;
    let source = Source::new(text, budget(text));
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let root = match documents.next() {
        None => Node::Null,
        Some(document) => NodeSeed(&source).deserialize(document).map_err(|error| problem(&error))?,
    };
    let more = documents.next().is_some();
    source.grant(text.len().saturating_mul(LATER_GROWTH));
    Ok(Parsed { root, source, more })
}

fn parse_json(text: &str) -> Option<Parsed<'_>> {
    let source = Source::new(text, budget(text));
    let mut json = serde_json::Deserializer::from_str(text);
    let root = NodeSeed(&source).deserialize(&mut json).ok()?;
    json.end().ok()?;
    source.grant(text.len().saturating_mul(LATER_GROWTH));
    Some(Parsed { root, source, more: false })
}

fn budget(text: &str) -> usize {
    text.len().saturating_mul(TREE_GROWTH).saturating_add(FREE)
}

/// Refuses text from which the library would make far more than a kubeconfig can need, before it does.
fn guard(text: &str) -> Result<(), Problem> {
    if count_events(text)?.saturating_mul(EVENT)
        > text.len().saturating_mul(EVENT_GROWTH).saturating_add(FREE)
    {
        return Err(Problem::Excessive("it is made of little but punctuation"));
    }
    Ok(())
}

/// About how many events the library will find: what stands in quotes is taken for syntax too, so that it is rather
/// too many than too few.
fn count_events(text: &str) -> Result<usize, Problem> {
    let mut open: Vec<u8> = Vec::new();
    let mut events = 0_usize;
    let mut before = b'\n';
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let after = bytes.peek().copied().unwrap_or(b'\n');
        let within = open.last().copied();
        events += match byte {
            b'[' | b'{' => {
                open.push(byte);
                if open.len() > DEPTH {
                    return Err(Problem::Excessive("its brackets are nested too deep"));
                }
                if byte == b'[' { 2 } else { 3 }
            }
            b']' | b'}' => {
                open.pop();
                1
            }
            b',' if within == Some(b'[') => 1,
            b',' if within == Some(b'{') => 2,
            // A pair in a list is a map of its own.
            b':' if within == Some(b'[')
                && (is_blank(after) || b",]}:".contains(&after) || b"\"'".contains(&before)) =>
            {
                3
            }
            b':' if within.is_none() && after == b'\n' => 3,
            b':' if within.is_none() && is_blank(after) => 2,
            b'-' if is_blank(before) && is_blank(after) => 3,
            b'?' if (is_blank(before) || within.is_some())
                && (is_blank(after) || b",]}".contains(&after)) =>
            {
                4
            }
            _ => 0,
        };
        before = byte;
    }
    Ok(events)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn problem(error: &serde_yaml::Error) -> Problem {
    let mut text = error.to_string();
    if text.contains(OVER_BUDGET) || text.contains("repetition limit exceeded") {
        return Problem::Excessive("its aliases multiply it");
    }
    let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
    // The place is told apart.
    if let Some(at) = text.rfind(&format!(" at line {line} column {column}")) {
        text.truncate(at);
    }
    Problem::Syntax { line, column, problem: text }
}

/// A document as YAML text, in block style, keys in the order in which the value holds them.
pub(crate) fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => emit_map(&mut out, map, 0),
        Value::Array(items) if !items.is_empty() => emit_list(&mut out, items, 0),
        scalar => {
            emit_scalar(&mut out, scalar, 0);
            out.push('\n');
        }
    }
    out
}

fn emit_map(out: &mut String, map: &serde_json::Map<String, Value>, indent: usize) {
    for (at, (key, value)) in map.iter().enumerate() {
        // The first key of a list's item stands on the line of its dash.
        if at > 0 || out.is_empty() || out.ends_with('\n') {
            pad(out, indent);
        }
        emit_text(out, key);
        out.push(':');
        emit_value(out, value, indent);
    }
}

fn emit_value(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            emit_map(out, map, indent + 2);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            emit_list(out, items, indent);
        }
        scalar => {
            out.push(' ');
            emit_scalar(out, scalar, indent + 2);
            out.push('\n');
        }
    }
}

fn emit_list(out: &mut String, items: &[Value], indent: usize) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 || out.is_empty() || out.ends_with('\n') {
            pad(out, indent);
        }
        out.push('-');
        match item {
            Value::Object(map) if !map.is_empty() => {
                out.push(' ');
                emit_map(out, map, indent + 2);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push(' ');
                emit_list(out, items, indent + 2);
            }
            scalar => {
                out.push(' ');
                emit_scalar(out, scalar, indent + 2);
                out.push('\n');
            }
        }
    }
}

fn emit_scalar(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::String(text) if is_block(text) => emit_block(out, text, indent),
        Value::String(text) => emit_text(out, text),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Whether a text is best read as a literal block, and comes back from one unchanged.
fn is_block(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && text.chars().all(|c| c == '\n' || is_printable(c))
        && text.trim_end_matches('\n').lines().all(|line| !line.ends_with(' '))
}

fn emit_block(out: &mut String, text: &str, indent: usize) {
    let body = text.trim_end_matches('\n');
    out.push_str(match text.len() - body.len() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(out, indent);
            out.push_str(line);
        }
    }
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A string, without quotes only where no YAML reader of any version can take it for something else.
fn emit_text(out: &mut String, text: &str) {
    if is_safe_plain(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_printable(c) => out.push(c),
            c if (c as u32) < 0x1_0000 => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c => {
                let _ = write!(out, "\\U{:08X}", c as u32);
            }
        }
    }
    out.push('"');
}

fn is_safe_plain(text: &str) -> bool {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let mut bytes = text.bytes();
    let Some(first) = bytes.next() else { return false };
    (first.is_ascii_alphabetic() || first == b'/')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-+=@:".contains(&b))
        && !text.ends_with(':')
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}
