//! JSON written in CBOR, as an API server does: its strings are byte strings.

use serde_json::Value;

/// What begins every document: the tag that says that it is CBOR.
pub(super) const MAGIC: &[u8] = &[0xd9, 0xd9, 0xf7];

/// Writes a value, without the tag before it.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, value);
    out
}

/// Writes the beginning of an item: its type, and a length or a number.
pub(super) fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    match argument {
        0..24 => out.push(major | argument as u8),
        24..0x100 => out.extend([major | 24, argument as u8]),
        0x100..0x1_0000 => {
            out.push(major | 25);
            out.extend((argument as u16).to_be_bytes());
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(major | 26);
            out.extend((argument as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend(argument.to_be_bytes());
        }
    }
}

/// Writes a string.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    head(out, 2, text.len() as u64);
    out.extend(text.as_bytes());
}

fn put(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(value) => out.push(0xf4 | u8::from(*value)),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => head(out, 0, number),
            (None, Some(number)) => head(out, 1, number.unsigned_abs() - 1),
            (None, None) => {
                out.push(0xfb);
                out.extend(number.as_f64().unwrap_or(f64::NAN).to_be_bytes());
            }
        },
        Value::String(string) => text(out, string),
        Value::Array(items) => {
            head(out, 4, items.len() as u64);
            items.iter().for_each(|item| put(out, item));
        }
        Value::Object(map) => {
            head(out, 5, map.len() as u64);
            for (key, value) in map {
                text(out, key);
                put(out, value);
            }
        }
    }
}
