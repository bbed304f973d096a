//! Everything is held against serde_json, which reads the same text.

mod types;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Number, Value};

use super::*;
use crate::Object;
use crate::scan::{BLOCK, model};
use types::*;

/// Reads the text as a type, and sees that serde_json says the same of it.
#[track_caller]
fn agree<'de, T: Deserialize<'de> + PartialEq + fmt::Debug>(text: &'de str) -> bool {
    let theirs = serde_json::from_str::<T>(text);
    let ours = [from_str::<T>(text), from_slice::<T>(text.as_bytes())];
    for ours in ours.into_iter().chain(theirs.is_ok().then(|| from_checked(text, &mut Tokens::default()))) {
        match (&theirs, ours) {
            (Ok(theirs), Ok(ours)) => assert_eq!(*theirs, ours, "{text}"),
            (Err(_), Err(ours)) => assert!(ours.line() > 0 || text.len() < 2, "{text}: {ours}"),
            (theirs, ours) => panic!("{text}: {theirs:?}, but here {ours:?}"),
        }
    }
    theirs.is_ok()
}

/// How many types took the text.
#[track_caller]
fn all_agree(text: &str) -> usize {
    let taken = [
        agree::<Value>(text),
        agree::<BTreeMap<String, Value>>(text),
        agree::<HashMap<Cow<'_, str>, Value>>(text),
        agree::<Vec<Value>>(text),
        agree::<Option<Vec<Option<String>>>>(text),
        agree::<String>(text),
        agree::<&str>(text),
        agree::<Cow<'_, str>>(text),
        agree::<char>(text),
        agree::<bool>(text),
        agree::<()>(text),
        agree::<Unit>(text),
        agree::<New>(text),
        agree::<i8>(text),
        agree::<i16>(text),
        agree::<i32>(text),
        agree::<i64>(text),
        agree::<i128>(text),
        agree::<u8>(text),
        agree::<u32>(text),
        agree::<u64>(text),
        agree::<u128>(text),
        agree::<f32>(text),
        agree::<f64>(text),
        agree::<Number>(text),
        agree::<(u8, String)>(text),
        agree::<[u16; 3]>(text),
        agree::<Bytes>(text),
        agree::<BTreeMap<u8, Value>>(text),
        agree::<BTreeMap<i64, IgnoredAny2>>(text),
        agree::<BTreeMap<i128, Value>>(text),
        agree::<BTreeMap<u128, Value>>(text),
        agree::<BTreeMap<bool, Value>>(text),
        agree::<BTreeMap<char, Value>>(text),
        agree::<BTreeMap<Option<String>, Value>>(text),
        agree::<BTreeMap<Key, Value>>(text),
        agree::<Vec<(Float, u8)>>(text),
        agree::<Outside>(text),
        agree::<Inside>(text),
        agree::<Beside>(text),
        agree::<Untagged>(text),
        agree::<Flat>(text),
        agree::<Lenient>(text),
        agree::<Strict>(text),
        agree::<Borrowing<'_>>(text),
        agree::<Raw>(text),
        agree::<BTreeMap<String, Raw>>(text),
        agree::<Vec<Raw>>(text),
        agree::<Object>(text),
        agree::<IgnoredAny2>(text),
    ];
    taken.iter().filter(|&&taken| taken).count()
}

#[test]
fn every_type_reads_what_serde_json_reads() {
    for text in [
        "",
        " ",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "7",
        "-7",
        "255",
        "256",
        "-129",
        "65535",
        "1.5",
        "-12.5e+3",
        "1e400",
        "-1e400",
        "1E2",
        "0.1",
        "123456789012345678",
        "1234567890123456789",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "340282366920938463463374607431768211456",
        "5e-324",
        "3.4028236e38",
        "0.30000000000000004",
        r#""""#,
        r#""a""#,
        r#""ab""#,
        r#""é""#,
        r#""\u00e9""#,
        r#""\ud83d\ude00""#,
        r#""\ud800""#,
        r#""\ud800x""#,
        r#""\"\\\/\b\f\n\r\t""#,
        r#""a\u0000b""#,
        r#""Unit""#,
        r#""New""#,
        r#""\u0055nit""#,
        r#""7""#,
        "[]",
        "[1,2,3]",
        "[1,2]",
        "[1,2,3,4]",
        "[256]",
        r#"[7,"x"]"#,
        r#"[7,"x",1]"#,
        r#"["a",null,"b"]"#,
        "[[1.5,2],[7,3]]",
        "[ 1 , 2 , 3 ]",
        "[null]",
        "[[],{},[[]]]",
        "{}",
        r#"{"a":7}"#,
        r#"{"a":7,"b":true}"#,
        r#"{"a":7,"b":null,"c":1}"#,
        r#"{"a":"x","b":"y"}"#,
        r#"{"a":"\n","b":"\n"}"#,
        r#"{"a":"\n"}"#,
        r#"{"b":1}"#,
        r#"{"a":300}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"1":2,"3":4}"#,
        r#"{"-1":2}"#,
        r#"{"300":2}"#,
        r#"{"\u0031":2}"#,
        r#"{"1.5":2}"#,
        r#"{"01":2}"#,
        r#"{" 1":2}"#,
        r#"{"1 ":2}"#,
        r#"{"true":1,"false":2}"#,
        r#"{"tru\u0065":1}"#,
        r#"{"x":1}"#,
        r#"{"":1}"#,
        r#"{"a":1,"name":2}"#,
        r#"{"name":"x","y":[1,{"z":null}]}"#,
        r#"{"Unit":null}"#,
        r#"{"Unit":1}"#,
        r#"{"New":7}"#,
        r#"{"Two":[7,"x"]}"#,
        r#"{"Two":[7]}"#,
        r#"{"Fields":{"a":1}}"#,
        r#"{"Fields":[1]}"#,
        r#"{"New":7,"Unit":null}"#,
        r#"{"Other":7}"#,
        r#"{"type":"A","a":1}"#,
        r#"{"a":1,"type":"A"}"#,
        r#"{"type":"B"}"#,
        r#"{"type":"C","x":[]}"#,
        r#"{"type":"A","object":7}"#,
        r#"{"object":["x"],"type":"B"}"#,
        r#"{"type":"C"}"#,
        r#"{"type":7}"#,
        r#"{"metadata":{"a":[1]},"managedFields":[{},[]],"status":{"name":"x","spec":7}}"#,
        r#"{"metadata":null}"#,
        r#"{"metadata":{"name":"web-0"},"kind":"Pod","spec":{"a":[1,2,{"b":null}]}}"#,
        "{\n \"a\" : 1 ,\n \"b\" :\t[ { } , [ ] ]\r\n}",
    ] {
        all_agree(text);
    }
}

#[test]
fn what_is_no_json_is_an_error_for_every_type() {
    for text in [
        "nul",
        "tru",
        "01",
        "1.",
        "-",
        "+1",
        ".5",
        "1 2",
        "[1,]",
        "[1 2]",
        "[,1]",
        "{,}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{"a" 1}"#,
        r#"{a:1}"#,
        r#"{1:1}"#,
        "[",
        "{",
        "]",
        "}",
        "[}",
        "{]",
        r#"""#,
        r#""\x""#,
        r#""\u12""#,
        "\"\n\"",
        "[1]]",
        "{}{}",
        "\u{feff}{}",
        "'a'",
        "// x\n1",
        "NaN",
        "[1,2",
        r#"{"a":1"#,
    ] {
        assert!(!agree::<Value>(text), "{text}");
        assert!(from_str::<IgnoredAny>(text).is_err(), "{text}");
        assert!(from_str::<Bytes>(text).is_err(), "{text}");
    }
}

#[test]
fn nesting_is_read_as_deep_as_serde_json_reads_it() {
    for depth in [1, 64, 126, 127, 128, 129, 5000] {
        agree::<Value>(&("[".repeat(depth) + &"]".repeat(depth)));
        agree::<Value>(&(r#"{"a":"#.repeat(depth) + "1" + &"}".repeat(depth)));
        // Where serde_json does not care, as it builds nothing, the limit is the same.
        let ignored: Result<IgnoredAny, _> = from_str(&("[".repeat(depth) + "7" + &"]".repeat(depth)));
        assert_eq!(ignored.is_ok(), depth < 128);
    }
}

#[test]
fn bytes_that_are_no_utf8_are_an_error() {
    for bytes in [&b"\"\xff\""[..], b"{\"a\":\"\xc3\"}", b"\xff", b"[\"\xed\xa0\x80\"]"] {
        assert!(from_slice::<Value>(bytes).is_err());
        assert!(from_slice::<IgnoredAny>(bytes).is_err());
    }
}

#[test]
fn pods_are_what_serde_json_makes_of_them() {
    for n in 0..50 {
        let text = kubewire_sample::pod(n).to_string();
        assert!(agree::<Value>(&text) && agree::<Object>(&text) && agree::<Lenient>(&text));
        assert!(agree::<BTreeMap<String, Raw>>(&text));
        let pretty = serde_json::to_string_pretty(&kubewire_sample::pod(n)).unwrap();
        assert!(agree::<Value>(&pretty) && agree::<Object>(&pretty));
    }
}

#[test]
fn errors_say_what_serde_json_says_and_where() {
    #[derive(Debug, Deserialize)]
    struct Inner {
        #[serde(rename = "c")]
        _c: Vec<u8>,
    }
    #[derive(Debug, Deserialize)]
    struct Outer {
        #[serde(rename = "a")]
        _a: u8,
        #[serde(rename = "b")]
        _b: Inner,
    }
    for text in [
        r#"{"a":"x"}"#,
        r#"{"a":1.5}"#,
        r#"{"a":true}"#,
        r#"{"a":-1}"#,
        r#"{"a":1,"b":{"c":[1,2,"3"]}}"#,
        "{\"a\":1,\n\"b\":{\"c\":\n [1,\n2, null]}}",
        r#"{"a":1,"b":{"c":[1,300]}}"#,
        r#"{"a":1,"b":7}"#,
        r#"{"a":1,"b":"x\ny"}"#,
    ] {
        let (ours, theirs) =
            (from_str::<Outer>(text).unwrap_err(), serde_json::from_str::<Outer>(text).unwrap_err());
        assert_eq!(ours.to_string(), theirs.to_string(), "{text}");
        assert_eq!((ours.line(), ours.column()), (theirs.line(), theirs.column()), "{text}");
    }
    for (text, part) in [
        (r#"{"a":1}"#, "missing field `b` at line 1 column "),
        (r#"{"a":1,"b":{}}"#, "missing field `c` at line 1 column "),
        ("{\"a\":1,\n\"a\":2}", "duplicate field `a` at line 2 column "),
        (r#"{"a":1e999}"#, "number out of range at line 1 column "),
    ] {
        let error = from_str::<Outer>(text).unwrap_err().to_string();
        assert!(error.starts_with(part), "{text}: {error}");
    }
    let error = from_str::<(u8, u8)>("[1, 2, 3]").unwrap_err().to_string();
    assert_eq!(error, "there is more in it than expected at line 1 column 5");
}

#[test]
fn a_vector_asks_for_its_memory_once() {
    let list = |elements: &[&str]| format!("[{}]", elements.join(" , "));
    for (text, count) in [
        (list(&[]), 0),
        (list(&["1"]), 1),
        (list(&[r#"{"a":[1,2,{"b":[]}],"c":"}]"}"#, r#""x\"y""#, "[[],[]]", "null", "-1.5e3"]), 5),
        (list(&["7"; 333]), 333),
        (list(&["{}"; 65]), 65),
    ] {
        let values: Vec<IgnoredAny2> = from_str(&text).unwrap();
        assert_eq!(values.len(), count);
        let texts: Vec<Raw> = from_str(&text).unwrap();
        assert_eq!((texts.len(), texts.capacity()), (count, count), "{text}");
    }
}

#[test]
fn escapes_are_seen_wherever_they_stand_in_a_block() {
    for at in 0..2 * BLOCK {
        for escape in [r"\n", r#"\""#, r"\\", r"\u00e9", r#"\\\""#] {
            let (before, after) = ("x".repeat(at), "z".repeat(2 * BLOCK - at));
            let text =
                format!(r#"["","{before}{escape}{after}","y",[],"{after}","{after}{escape}","{escape}"]"#);
            let theirs: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(from_str::<Value>(&text).unwrap(), theirs, "{text}");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_documents_are_what_serde_json_makes_of_them(text in model::value()) {
        prop_assert!(all_agree(&text) > 0);
    }

    #[test]
    fn vectors_of_arbitrary_values_ask_for_their_memory_once(elements in prop::collection::vec(model::value(), 0..6)) {
        let text = format!("[{}]", elements.join(" ,\n"));
        let values: Vec<Raw> = from_str(&text).unwrap();
        prop_assert_eq!((values.len(), values.capacity()), (elements.len(), elements.len()));
    }

    #[test]
    fn arbitrary_texts_are_taken_or_refused_like_serde_json_does(
        text in model::value(), at in any::<prop::sample::Index>(), byte in broken_byte(),
    ) {
        same_for_both(text.into_bytes(), at, byte)?;
    }

    // Without blanks, as servers write it, and long enough for blocks that are checked together.
    #[test]
    fn long_texts_are_taken_or_refused_like_serde_json_does(
        elements in prop::collection::vec(model::value(), 8..16), at in any::<prop::sample::Index>(), byte in broken_byte(),
    ) {
        let text = format!("[{}]", elements.join(","));
        let compact = serde_json::from_str::<Value>(&text).unwrap().to_string();
        prop_assert!(all_agree(&compact) > 0);
        same_for_both(compact.into_bytes(), at, byte)?;
    }
}

fn broken_byte() -> impl Strategy<Value = u8> {
    prop::sample::select(&b"{}[]\",:\\ 0-tn\x01\xc3"[..])
}

/// Puts a byte somewhere, and sees that both take what comes of it for the same value, or refuse it for the same reason.
fn same_for_both(mut bytes: Vec<u8>, at: prop::sample::Index, byte: u8) -> Result<(), TestCaseError> {
    let at = at.index(bytes.len());
    bytes[at] = byte;
    let theirs = serde_json::from_slice::<Value>(&bytes);
    let ours = from_slice::<Value>(&bytes);
    prop_assert_eq!(theirs.as_ref().ok(), ours.as_ref().ok());
    if let (Err(theirs), Err(ours)) = (theirs, ours) {
        let bare = |error: &Error| error.to_string().split(" at line ").next().map(str::to_owned);
        prop_assert_eq!(bare(&theirs), bare(&ours));
    }
    Ok(())
}
