//! Objects in protobuf, as Go clients send them: the four bytes `k8s\0`, then a wrapper, then the object.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Count, Field, Kind, fields, type_of};

const MAGIC: &[u8] = b"k8s\0";
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
fn wrap(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "a", "labels": {"x": "y", "e": ""}, "creationTimestamp": "2026-01-02T03:04:05Z", "generation": -1},
            "spec": {
                "volumes": [{"name": "v", "configMap": {"name": "c", "defaultMode": 420}}],
                "containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}],
                    "env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": false}}}],
                    "resources": {"limits": {"cpu": "100m"}},
                    "livenessProbe": {"httpGet": {"port": "http", "path": "/"}, "periodSeconds": 3}}],
                "hostNetwork": true,
            },
        });
        let bytes = encode("v1", "Pod", &pod).unwrap();
        assert_eq!(&bytes[..4], b"k8s\0");
        assert_eq!(decode(&bytes).unwrap(), pod);
        let secret =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "AAEC"}});
        assert_eq!(decode(&encode("v1", "Secret", &secret).unwrap()).unwrap(), secret);
    }

    #[test]
    fn cut_and_foreign_bytes_are_errors() {
        let whole = encode("v1", "Pod", &json!({"metadata": {"name": "abc", "labels": {"a": "b"}}})).unwrap();
        for end in 0..whole.len() {
            // A cut between two fields of the wrapper can't be told from a short object.
            let _ = decode(&whole[..end]);
        }
        assert!(decode(b"{}").is_err());
        assert!(decode(&wrap("v9", "Pod", b"")).is_err());
        assert!(decode(&wrap("v1", "Pod", b"\x0a\xff")).is_err());
        assert!(decode(&wrap("v1", "Pod", b"\x0b")).is_err());
        assert!(encode("v1", "Widget", &json!({})).is_none());
    }
}
