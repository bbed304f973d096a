//! CBOR in any pieces: it becomes the same JSON, which serde_json reads, or the same error; and what a list's decoder
//! makes of it is what a whole value is.
#![no_main]

use kubewire_rest::cbor::{CborError, CborErrorKind, Transcoder, encode, to_json};
use kubewire_rest::{Bytes, DecodeOptions, ListDecoder};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::Value;

fuzz_target!(|input: (u16, &[u8])| {
    let (piece, bytes) = input;
    let piece = usize::from(piece % 40).max(1);
    let whole = transcode(bytes, bytes.len().max(1));
    let pieces = transcode(bytes, piece);
    match (&whole, &pieces) {
        // Of a character that is cut in two, either half may be named.
        (Err(a), Err(b)) => assert!(a == b || a.kind() == b.kind() && a.kind() == CborErrorKind::Utf8),
        (a, b) => assert_eq!(a, b),
    }
    let value = whole.ok().map(|json| {
        assert!(serde_json::from_str::<IgnoredAny>(&json).is_ok(), "{json}");
        serde_json::from_str::<Value>(&json).unwrap()
    });
    if let Some(value) = value.as_ref().filter(|value| has_no_float(value)) {
        let again = to_json(&encode(value).unwrap(), usize::MAX).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&again).unwrap(), *value);
    }
    list(piece, bytes, value.as_ref());
});

fn transcode(bytes: &[u8], piece: usize) -> Result<String, CborError> {
    let mut transcoder = Transcoder::new();
    let mut json = String::new();
    for piece in bytes.chunks(piece) {
        transcoder.transcode(piece, &mut json)?;
    }
    transcoder.finish()?;
    Ok(json)
}

/// serde_json does not read floats exactly, so those need not come out as they went in.
fn has_no_float(value: &Value) -> bool {
    match value {
        Value::Number(number) => !number.is_f64(),
        Value::Array(values) => values.iter().all(has_no_float),
        Value::Object(members) => members.values().all(has_no_float),
        _ => true,
    }
}

fn list(piece: usize, bytes: &[u8], whole: Option<&Value>) {
    let mut decoder = ListDecoder::<Value>::cbor(&DecodeOptions::default());
    let mut items = Vec::new();
    for chunk in bytes.chunks(piece) {
        decoder.push(Bytes::copy_from_slice(chunk));
        items.extend(std::iter::from_fn(|| decoder.next_item()));
    }
    decoder.finish();
    items.extend(std::iter::from_fn(|| decoder.next_item()));
    let items: Result<Vec<Value>, _> = items.into_iter().collect();
    if let (Ok(items), Some(Some(Value::Array(expected)))) = (items, whole.map(|whole| whole.get("items"))) {
        assert_eq!(items, *expected);
    }
}
