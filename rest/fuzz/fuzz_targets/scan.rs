//! Documents and lists in any pieces: what the scanner accepts, cuts and finds is what serde_json says.
#![no_main]

use kubewire_rest::{Bytes, DecodeOptions, Encoded, FieldPath, ListDecoder, decode_object};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::Value;

fuzz_target!(|input: (u16, &[u8])| {
    let (piece, bytes) = input;
    document(bytes);
    list(usize::from(piece).max(1), bytes);
});

fn document(bytes: &[u8]) {
    let options = DecodeOptions::default();
    let ours: Result<Encoded<Value>, _> = decode_object(bytes, &options);
    let text = std::str::from_utf8(bytes);
    let whole = text.ok().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let accepted = text.is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    match (&ours, whole) {
        (Ok(encoded), Some(mut whole)) => {
            if let Some(metadata) = whole.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("managedFields");
            }
            assert_eq!(encoded.decode().unwrap(), whole);
            let name = whole.get("metadata").and_then(|metadata| metadata.get("name")?.as_str());
            assert_eq!(encoded.name(), name.unwrap_or_default());
            let found = encoded.decode_at::<Value>("spec.list[0]").unwrap();
            let list = whole.get("spec").and_then(|spec| spec.get("list")?.as_array());
            assert_eq!(found.as_ref(), list.and_then(|list| list.first()));
        }
        // Nested too deep for any value, but not for being skipped; or a number or surrogate that only a value refuses.
        (Ok(_), None) => assert!(accepted),
        (Err(_), Some(_)) => panic!("refused what serde_json reads"),
        (Err(_), None) => {}
    }
}

fn list(piece: usize, bytes: &[u8]) {
    let options = DecodeOptions::default().skip_fields([FieldPath::of_keys(["a", "b"])]).unwrap();
    let mut decoder = ListDecoder::<Value>::new(&options);
    let mut items = Vec::new();
    for chunk in bytes.chunks(piece) {
        decoder.push(Bytes::copy_from_slice(chunk));
        items.extend(std::iter::from_fn(|| decoder.next_item()));
    }
    decoder.finish();
    items.extend(std::iter::from_fn(|| decoder.next_item()));
    let items: Result<Vec<Value>, _> = items.into_iter().collect();
    let whole = serde_json::from_slice::<Value>(bytes).ok();
    let Some(Value::Object(whole)) = whole else { return };
    if let (Ok(items), Some(Value::Array(expected))) = (items, whole.get("items")) {
        let mut expected = expected.clone();
        for item in &mut expected {
            if let Some(a) = item.get_mut("a").and_then(Value::as_object_mut) {
                a.remove("b");
            }
        }
        assert_eq!(items, expected);
    }
}
