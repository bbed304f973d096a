use serde::Serialize;
use serde_json::{Number, Value};

/// The tag that says that CBOR follows, by which others recognise it.
const SELF_DESCRIBED: &[u8] = b"\xd9\xd9\xf7";

/// Encodes a value as the API server expects CBOR: it says what its JSON says.
///
/// # Errors
/// It has no JSON form.
///
/// ```
/// use kubewire_rest::cbor::encode;
///
/// let cbor = encode(&serde_json::json!({"replicas": 3}))?;
/// assert_eq!(cbor, b"\xd9\xd9\xf7\xa1\x48replicas\x03");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let value = serde_json::to_value(value)?;
    let mut cbor = SELF_DESCRIBED.to_vec();
    write(&value, &mut cbor);
    Ok(cbor)
}

fn write(value: &Value, cbor: &mut Vec<u8>) {
    match value {
        Value::Null => cbor.push(0xf6),
        Value::Bool(false) => cbor.push(0xf4),
        Value::Bool(true) => cbor.push(0xf5),
        Value::Number(number) => write_number(number, cbor),
        Value::String(text) => write_string(text, cbor),
        Value::Array(values) => {
            write_head(4, values.len() as u64, cbor);
            values.iter().for_each(|value| write(value, cbor));
        }
        Value::Object(members) => {
            write_head(5, members.len() as u64, cbor);
            for (key, value) in members {
                write_string(key, cbor);
                write(value, cbor);
            }
        }
    }
}

/// Byte strings, not text: the server reads base64 from them where its own type holds bytes, and from text it does not.
fn write_string(text: &str, cbor: &mut Vec<u8>) {
    write_head(2, text.len() as u64, cbor);
    cbor.extend_from_slice(text.as_bytes());
}

fn write_number(number: &Number, cbor: &mut Vec<u8>) {
    if let Some(n) = number.as_u64() {
        write_head(0, n, cbor);
    } else if let Some(n) = number.as_i64() {
        // -1 - n of a negative number is its complement, and not negative.
        write_head(1, !n as u64, cbor);
    } else {
        let float = number.as_f64().unwrap_or_default();
        cbor.push(0xfb);
        cbor.extend_from_slice(&float.to_be_bytes());
    }
}

fn write_head(kind: u8, argument: u64, cbor: &mut Vec<u8>) {
    let bytes = argument.to_be_bytes();
    let kind = kind << 5;
    match argument {
        0..24 => cbor.push(kind | bytes[7]),
        24..0x100 => cbor.extend_from_slice(&[kind | 24, bytes[7]]),
        0x100..0x1_0000 => {
            cbor.push(kind | 25);
            cbor.extend_from_slice(&bytes[6..]);
        }
        0x1_0000..0x1_0000_0000 => {
            cbor.push(kind | 26);
            cbor.extend_from_slice(&bytes[4..]);
        }
        _ => {
            cbor.push(kind | 27);
            cbor.extend_from_slice(&bytes);
        }
    }
}
