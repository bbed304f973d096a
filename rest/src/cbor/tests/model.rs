//! Arbitrary values, encoded by a library of others, are what they were.

use ciborium::value::Value as Cbor;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{encode, run, transcode};
use crate::cbor::Transcoder;

/// Values with strings of all kinds and numbers at all edges.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-300_i64..300).prop_map(Value::from),
        // Such as serde_json reads exactly.
        any::<i16>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
        any::<String>().prop_map(Value::from),
        "[ -~]{0,300}".prop_map(Value::from),
        "[\u{0}-\u{1f}\"\\\\a]{0,40}".prop_map(Value::from),
    ];
    scalar.prop_recursive(6, 60, 6, |inner| {
        let map = prop::collection::btree_map("[a-z\"\\\\é€]{0,9}", inner.clone(), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::from),
            map.prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// How a value is encoded.
#[derive(Clone, Copy, Debug)]
struct Style {
    /// Strings as byte strings, as the server has them.
    bytes: bool,
    /// Arrays, maps and strings of unknown length.
    indefinite: bool,
    /// A tag that means nothing before everything.
    tagged: bool,
}

fn style() -> impl Strategy<Value = Style> {
    any::<(bool, bool, bool)>().prop_map(|(bytes, indefinite, tagged)| Style { bytes, indefinite, tagged })
}

/// The whole value by a library; what it doesn't write is put together here.
fn encode_in(style: Style, value: &Value, out: &mut Vec<u8>) {
    if style.tagged {
        out.extend_from_slice(b"\xd9\xd9\xf7");
    }
    let whole = |value: &Cbor, out: &mut Vec<u8>| ciborium::into_writer(value, out).unwrap();
    let string = |text: &str, out: &mut Vec<u8>| {
        let one = |text: &str, out: &mut Vec<u8>| match style.bytes {
            true => whole(&Cbor::Bytes(text.into()), out),
            false => whole(&Cbor::Text(text.into()), out),
        };
        if style.indefinite {
            out.push(if style.bytes { 0x5f } else { 0x7f });
            text.split_inclusive('a').for_each(|piece| one(piece, out));
            out.push(0xff);
        } else {
            one(text, out);
        }
    };
    // The length, as a library writes it before so many nulls.
    let length = |out: &mut Vec<u8>, kind: u8, len: usize| {
        if style.indefinite {
            out.push(kind << 5 | 0x1f);
        } else {
            let mut head = Vec::new();
            whole(&Cbor::Array(vec![Cbor::Null; len]), &mut head);
            head.truncate(head.len() - len);
            head[0] = head[0] & 0x1f | kind << 5;
            out.extend(head);
        }
    };
    match value {
        Value::Null => whole(&Cbor::Null, out),
        Value::Bool(value) => whole(&Cbor::Bool(*value), out),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(n), ..) => whole(&Cbor::Integer(n.into()), out),
            (_, Some(n), _) => whole(&Cbor::Integer(n.into()), out),
            (.., n) => whole(&Cbor::Float(n.unwrap()), out),
        },
        Value::String(text) => string(text, out),
        Value::Array(values) => {
            length(out, 4, values.len());
            values.iter().for_each(|value| encode_in(style, value, out));
            out.extend(style.indefinite.then_some(0xff));
        }
        Value::Object(members) => {
            length(out, 5, members.len());
            for (key, value) in members {
                string(key, out);
                encode_in(style, value, out);
            }
            out.extend(style.indefinite.then_some(0xff));
        }
    }
}

/// With whole floats as integers, as far as those reach: JSON makes no difference.
fn whole_floats(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap();
            let is_whole = float.fract() == 0.0 && float.abs() < 1e21 && float.to_string() != "-0";
            if is_whole { serde_json::from_str(&format!("{float}")).unwrap() } else { value.clone() }
        }
        Value::Array(values) => values.iter().map(whole_floats).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(key, value)| (key.clone(), whole_floats(value))).collect())
        }
        value => value.clone(),
    }
}

proptest! {
    #[test]
    fn values_are_what_they_were(value in value(), style in style(), cuts in any::<Vec<usize>>()) {
        let mut cbor = Vec::new();
        encode_in(style, &value, &mut cbor);
        let json = transcode(&cbor, &cuts).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), whole_floats(&value));
    }

    #[test]
    fn sequences_are_values_on_lines(values in prop::collection::vec(value(), 0..4), style in style(), cuts in any::<Vec<usize>>()) {
        let mut cbor = Vec::new();
        values.iter().for_each(|value| encode_in(style, value, &mut cbor));
        let json = run(Transcoder::sequence(), &cbor, &cuts).unwrap();
        let read: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(read, values.iter().map(whole_floats).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_encoded_here_is_read_by_others_and_by_us(value in value()) {
        let cbor = encode(&value).unwrap();
        prop_assert_eq!(&cbor[..3], b"\xd9\xd9\xf7");
        let read: Cbor = ciborium::from_reader(&cbor[3..]).unwrap();
        prop_assert_eq!(json_of(&read), value.clone());
        prop_assert_eq!(serde_json::from_str::<Value>(&transcode(&cbor, &[]).unwrap()).unwrap(), whole_floats(&value));
    }
}

fn json_of(value: &Cbor) -> Value {
    match value {
        Cbor::Null => Value::Null,
        Cbor::Bool(value) => json!(value),
        Cbor::Integer(n) => match (u64::try_from(*n), i64::try_from(*n)) {
            (Ok(n), _) => json!(n),
            (_, n) => json!(n.unwrap()),
        },
        Cbor::Float(n) => json!(n),
        Cbor::Bytes(bytes) => json!(std::str::from_utf8(bytes).unwrap()),
        Cbor::Array(values) => values.iter().map(json_of).collect(),
        Cbor::Map(members) => Value::Object(
            members
                .iter()
                .map(|(key, value)| (json_of(key).as_str().unwrap().to_owned(), json_of(value)))
                .collect(),
        ),
        other => panic!("{other:?} is nothing that is written"),
    }
}

/// Numbers as keys are strings, as in JSON; what JSON can't say is an error.
#[test]
fn what_is_encoded_is_what_json_says() {
    use std::collections::BTreeMap;
    let keys = BTreeMap::from([(1, 0.5), (2, 1.0)]);
    assert_eq!(transcode(&encode(&keys).unwrap(), &[]).unwrap(), r#"{"1":0.5,"2":1}"#);
    assert_eq!(transcode(&encode(&()).unwrap(), &[]).unwrap(), "null");
    assert!(encode(&BTreeMap::from([((1, 2), 3)])).is_err());
}
