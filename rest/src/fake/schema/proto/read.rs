//! Bytes become an object.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::MAGIC;
use crate::fake::schema::{Count, Field, Kind, fields, type_of};

/// Deeper than any built-in type goes.
const MAX_DEPTH: usize = 64;

/// Reads an object, with its `apiVersion` and `kind`.
pub(in crate::fake) fn decode(body: &[u8]) -> Result<Value, String> {
    let wrapped =
        body.strip_prefix(MAGIC).ok_or("it does not begin with the four bytes of Kubernetes' protobuf")?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for (number, value) in messages(wrapped)? {
        match (number, value) {
            (1, Wire::Bytes(meta)) => {
                for (number, value) in messages(meta)? {
                    match (number, value) {
                        (1, Wire::Bytes(text)) => api_version = utf8(text)?,
                        (2, Wire::Bytes(text)) => kind = utf8(text)?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    let name = type_of(group, version, &kind)
        .ok_or_else(|| format!("the type {api_version} {kind} is not known"))?;
    let mut object = message(name, raw, 0)?;
    object.insert("apiVersion".to_owned(), api_version.into());
    object.insert("kind".to_owned(), kind.into());
    Ok(Value::Object(object))
}

#[derive(Clone, Copy)]
enum Wire<'a> {
    Number(u64),
    Double(f64),
    Bytes(&'a [u8]),
}

/// The fields of one message, in their order.
fn messages(mut bytes: &[u8]) -> Result<Vec<(u32, Wire<'_>)>, String> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let number = u32::try_from(tag >> 3).map_err(|_| "a field's number is too large")?;
        let value = match tag & 7 {
            0 => Wire::Number(varint(&mut bytes)?),
            1 => {
                let (eight, rest) = bytes.split_first_chunk::<8>().ok_or("the message is cut")?;
                bytes = rest;
                Wire::Double(f64::from_le_bytes(*eight))
            }
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).map_err(|_| "a length is too large")?;
                if length > bytes.len() {
                    return Err("the message is cut".to_owned());
                }
                let (value, rest) = bytes.split_at(length);
                bytes = rest;
                Wire::Bytes(value)
            }
            other => return Err(format!("wire type {other} is not used by Kubernetes")),
        };
        found.push((number, value));
    }
    Ok(found)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or("the message is cut")?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a number is too long".to_owned())
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| "a string is not UTF-8".to_owned())
}

fn message(name: &str, bytes: &[u8], depth: usize) -> Result<Map<String, Value>, String> {
    if depth > MAX_DEPTH {
        return Err("the message is nested too deeply".to_owned());
    }
    let known = fields(name).unwrap_or_default();
    let mut object = Map::new();
    for (number, wire) in messages(bytes)? {
        let Some(field) = known.iter().find(|f| f.number == number) else { continue };
        if let (true, Kind::Type(inner), Wire::Bytes(bytes)) = (field.inline, field.kind, wire) {
            object.append(&mut message(inner, bytes, depth + 1)?);
            continue;
        }
        match field.count {
            Count::One => {
                let value = single(field.kind, wire, depth)?;
                if worth_keeping(field, &value) {
                    object.insert(field.name.to_owned(), value);
                }
            }
            Count::List => {
                let value = single(field.kind, wire, depth)?;
                match object.entry(field.name).or_insert_with(|| json!([])) {
                    Value::Array(list) => list.push(value),
                    _ => return Err(format!("{} is not a list", field.name)),
                }
            }
            Count::Map => {
                let Wire::Bytes(entry) = wire else { return Err("a map's entry is no message".to_owned()) };
                let (mut key, mut value) = (String::new(), None);
                for (number, wire) in messages(entry)? {
                    match (number, wire) {
                        (1, Wire::Bytes(text)) => key = utf8(text)?,
                        (2, wire) => value = Some(single(field.kind, wire, depth)?),
                        _ => {}
                    }
                }
                let empty = if field.kind == Kind::String { "".into() } else { Value::Null };
                object.entry(field.name).or_insert_with(|| json!({}))[key] = value.unwrap_or(empty);
            }
        }
    }
    Ok(object)
}

/// Go writes the zero values of fields that JSON leaves out.
fn worth_keeping(field: &Field, value: &Value) -> bool {
    field.required
        || match value {
            Value::String(text) => !text.is_empty(),
            Value::Null => false,
            _ => true,
        }
}

fn single(kind: Kind, wire: Wire<'_>, depth: usize) -> Result<Value, String> {
    Ok(match (kind, wire) {
        (Kind::String, Wire::Bytes(bytes)) => utf8(bytes)?.into(),
        (Kind::Int32 | Kind::Int64, Wire::Number(n)) => n.cast_signed().into(),
        (Kind::Bool, Wire::Number(n)) => (n != 0).into(),
        (Kind::Double, Wire::Double(n)) => n.into(),
        (Kind::Bytes, Wire::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        (Kind::Quantity, Wire::Bytes(bytes)) => first_string(bytes)?.into(),
        (Kind::IntOrString, Wire::Bytes(bytes)) => int_or_string(bytes)?,
        (Kind::Time | Kind::MicroTime, Wire::Bytes(bytes)) => time(kind, bytes)?,
        (Kind::Json, Wire::Bytes(bytes)) => {
            let raw = messages(bytes)?.into_iter().find_map(|(n, w)| match (n, w) {
                (1, Wire::Bytes(raw)) => Some(raw),
                _ => None,
            });
            serde_json::from_slice(raw.unwrap_or(b"null"))
                .map_err(|e| format!("a raw field is no JSON: {e}"))?
        }
        (Kind::Type(name), Wire::Bytes(bytes)) => Value::Object(message(name, bytes, depth + 1)?),
        _ => return Err("a field has another wire type than it should".to_owned()),
    })
}

fn first_string(bytes: &[u8]) -> Result<String, String> {
    match messages(bytes)?.first() {
        Some((1, Wire::Bytes(text))) => utf8(text),
        _ => Ok(String::new()),
    }
}

fn int_or_string(bytes: &[u8]) -> Result<Value, String> {
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    for (field, wire) in messages(bytes)? {
        match (field, wire) {
            (1, Wire::Number(n)) => is_text = n == 1,
            (2, Wire::Number(n)) => number = n.cast_signed(),
            (3, Wire::Bytes(bytes)) => text = utf8(bytes)?,
            _ => {}
        }
    }
    Ok(if is_text { text.into() } else { number.into() })
}

fn time(kind: Kind, bytes: &[u8]) -> Result<Value, String> {
    let (mut seconds, mut nanos) = (None, 0);
    for (field, wire) in messages(bytes)? {
        match (field, wire) {
            (1, Wire::Number(n)) => seconds = Some(n.cast_signed()),
            (2, Wire::Number(n)) => nanos = i32::try_from(n.cast_signed()).map_err(|_| "bad nanoseconds")?,
            _ => {}
        }
    }
    let Some(seconds) = seconds else { return Ok(Value::Null) };
    let at = Timestamp::new(seconds, nanos).map_err(|e| e.to_string())?;
    let form = if kind == Kind::MicroTime { "%Y-%m-%dT%H:%M:%S.%6fZ" } else { "%Y-%m-%dT%H:%M:%SZ" };
    Ok(at.strftime(form).to_string().into())
}
