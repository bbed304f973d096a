//! An object becomes bytes; so does a list, an event of a watch, a status.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

use super::MAGIC;
use crate::fake::schema::{Count, Kind, fields, type_of};

/// Writes an object.
pub(in crate::fake) fn encode(api_version: &str, kind: &str, object: &Value) -> Option<Vec<u8>> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let raw = encode_message(type_of(group, version, kind)?, object);
    Some(wrap(api_version, kind, &raw))
}

/// Writes a list; `metadata` is the list's own.
pub(in crate::fake) fn encode_list<'a>(
    api_version: &str,
    kind: &str,
    metadata: &Value,
    items: impl Iterator<Item = &'a Value>,
) -> Option<Vec<u8>> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let name = type_of(group, version, kind)?;
    let mut meta = Vec::new();
    let text = |key: &str| metadata[key].as_str().unwrap_or_default();
    put_bytes(&mut meta, 1, b"");
    put_bytes(&mut meta, 2, text("resourceVersion").as_bytes());
    put_bytes(&mut meta, 3, text("continue").as_bytes());
    if let Some(left) = metadata["remainingItemCount"].as_u64() {
        put_number(&mut meta, 4, left);
    }
    let mut raw = Vec::new();
    put_bytes(&mut raw, 1, &meta);
    for item in items {
        put_bytes(&mut raw, 2, &encode_message(name, item));
    }
    Some(wrap(api_version, &format!("{kind}List"), &raw))
}

/// Writes one event of a watch, with its length before it.
pub(in crate::fake) fn watch_frame(event: &str, object: &[u8]) -> Vec<u8> {
    let mut raw = Vec::new();
    put_bytes(&mut raw, 1, object);
    let mut message = Vec::new();
    put_bytes(&mut message, 1, event.as_bytes());
    put_bytes(&mut message, 2, &raw);
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut frame = length.to_be_bytes().to_vec();
    frame.append(&mut message);
    frame
}

/// A `Status`, for watches that fail in protobuf.
pub(in crate::fake) fn encode_status(status: &Value) -> Vec<u8> {
    let mut raw = Vec::new();
    put_bytes(&mut raw, 1, b"");
    for (number, key) in [(2, "status"), (3, "message"), (4, "reason")] {
        put_bytes(&mut raw, number, status[key].as_str().unwrap_or_default().as_bytes());
    }
    put_number(&mut raw, 6, status["code"].as_u64().unwrap_or(500));
    wrap("v1", "Status", &raw)
}

/// Puts the wrapper around an encoded object.
pub(super) fn wrap(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let mut meta = Vec::new();
    put_bytes(&mut meta, 1, api_version.as_bytes());
    put_bytes(&mut meta, 2, kind.as_bytes());
    let mut body = MAGIC.to_vec();
    put_bytes(&mut body, 1, &meta);
    put_bytes(&mut body, 2, raw);
    put_bytes(&mut body, 3, b"");
    put_bytes(&mut body, 4, b"");
    body
}

fn encode_message(name: &str, object: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    for field in fields(name).unwrap_or_default() {
        if let (true, Kind::Type(inner)) = (field.inline, field.kind) {
            put_bytes(&mut out, field.number, &encode_message(inner, object));
            continue;
        }
        let Some(value) = object.get(field.name).filter(|v| !v.is_null()) else { continue };
        match (field.count, value) {
            (Count::List, Value::Array(items)) => {
                for item in items {
                    put(&mut out, field.number, field.kind, item);
                }
            }
            (Count::Map, Value::Object(map)) => {
                for (key, item) in map {
                    let mut entry = Vec::new();
                    put_bytes(&mut entry, 1, key.as_bytes());
                    put(&mut entry, 2, field.kind, item);
                    put_bytes(&mut out, field.number, &entry);
                }
            }
            _ => put(&mut out, field.number, field.kind, value),
        }
    }
    out
}

fn put(out: &mut Vec<u8>, number: u32, kind: Kind, value: &Value) {
    let text = || value.as_str().unwrap_or_default();
    match kind {
        Kind::String => put_bytes(out, number, text().as_bytes()),
        Kind::Int32 | Kind::Int64 => put_number(out, number, value.as_i64().unwrap_or(0).cast_unsigned()),
        Kind::Bool => put_number(out, number, u64::from(value.as_bool().unwrap_or(false))),
        Kind::Double => {
            put_varint(out, u64::from(number) << 3 | 1);
            out.extend_from_slice(&value.as_f64().unwrap_or(0.0).to_le_bytes());
        }
        Kind::Bytes => put_bytes(out, number, &STANDARD.decode(text()).unwrap_or_default()),
        Kind::Quantity => {
            let mut inner = Vec::new();
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            put_bytes(&mut inner, 1, text.as_bytes());
            put_bytes(out, number, &inner);
        }
        Kind::IntOrString => {
            let mut inner = Vec::new();
            put_number(&mut inner, 1, u64::from(value.is_string()));
            put_number(&mut inner, 2, value.as_i64().unwrap_or(0).cast_unsigned());
            put_bytes(&mut inner, 3, text().as_bytes());
            put_bytes(out, number, &inner);
        }
        Kind::Time | Kind::MicroTime => {
            let mut inner = Vec::new();
            if let Ok(at) = text().parse::<Timestamp>() {
                put_number(&mut inner, 1, at.as_second().cast_unsigned());
                put_number(&mut inner, 2, i64::from(at.subsec_nanosecond()).cast_unsigned());
            }
            put_bytes(out, number, &inner);
        }
        Kind::Json => {
            let mut inner = Vec::new();
            put_bytes(&mut inner, 1, value.to_string().as_bytes());
            put_bytes(out, number, &inner);
        }
        Kind::Type(name) => put_bytes(out, number, &encode_message(name, value)),
    }
}

fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_varint(out, u64::from(number) << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_number(out: &mut Vec<u8>, number: u32, value: u64) {
    put_varint(out, u64::from(number) << 3);
    put_varint(out, value);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
