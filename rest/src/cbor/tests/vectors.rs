//! The examples of RFC 8949, appendix A, and what the API server makes of CBOR, observed on one.

use super::{CborErrorKind as Kind, hex, transcode};

/// Every example that has a JSON form.
const EXAMPLES: &[(&str, &str)] = &[
    ("00", "0"),
    ("01", "1"),
    ("0a", "10"),
    ("17", "23"),
    ("1818", "24"),
    ("1819", "25"),
    ("1864", "100"),
    ("1903e8", "1000"),
    ("1a000f4240", "1000000"),
    ("1b000000e8d4a51000", "1000000000000"),
    ("1bffffffffffffffff", "18446744073709551615"),
    ("3bffffffffffffffff", "-18446744073709551616"),
    ("20", "-1"),
    ("29", "-10"),
    ("3863", "-100"),
    ("3903e7", "-1000"),
    ("f90000", "0"),
    ("f98000", "-0"),
    ("f93c00", "1"),
    ("fb3ff199999999999a", "1.1"),
    ("f93e00", "1.5"),
    ("f97bff", "65504"),
    ("fa47c35000", "100000"),
    ("fa7f7fffff", "3.4028234663852886e38"),
    ("fb7e37e43c8800759c", "1e300"),
    ("f90001", "5.960464477539063e-8"),
    ("f90400", "0.00006103515625"),
    ("f9c400", "-4"),
    ("fbc010666666666666", "-4.1"),
    ("f4", "false"),
    ("f5", "true"),
    ("f6", "null"),
    ("c074323031332d30332d32315432303a30343a30305a", r#""2013-03-21T20:04:00Z""#),
    ("c11a514b67b0", r#""2013-03-21T20:04:00Z""#),
    ("c1fb41d452d9ec200000", r#""2013-03-21T20:04:00.5Z""#),
    ("d74401020304", r#""01020304""#),
    ("d818456449455446", r#""dIETF""#),
    ("d82076687474703a2f2f7777772e6578616d706c652e636f6d", r#""http://www.example.com""#),
    ("40", r#""""#),
    ("4401020304", r#""\u0001\u0002\u0003\u0004""#),
    ("60", r#""""#),
    ("6161", r#""a""#),
    ("6449455446", r#""IETF""#),
    ("62225c", r#""\"\\""#),
    ("62c3bc", r#""ü""#),
    ("63e6b0b4", r#""水""#),
    ("64f0908591", r#""𐅑""#),
    ("80", "[]"),
    ("83010203", "[1,2,3]"),
    ("8301820203820405", "[1,[2,3],[4,5]]"),
    (
        "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
        "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]",
    ),
    ("a0", "{}"),
    ("a26161016162820203", r#"{"a":1,"b":[2,3]}"#),
    ("826161a161626163", r#"["a",{"b":"c"}]"#),
    ("a56161614161626142616361436164614461656145", r#"{"a":"A","b":"B","c":"C","d":"D","e":"E"}"#),
    ("5f42010243030405ff", r#""\u0001\u0002\u0003\u0004\u0005""#),
    ("7f657374726561646d696e67ff", r#""streaming""#),
    ("9fff", "[]"),
    ("9f018202039f0405ffff", "[1,[2,3],[4,5]]"),
    ("9f01820203820405ff", "[1,[2,3],[4,5]]"),
    ("83018202039f0405ff", "[1,[2,3],[4,5]]"),
    ("83019f0203ff820405", "[1,[2,3],[4,5]]"),
    ("bf61610161629f0203ffff", r#"{"a":1,"b":[2,3]}"#),
    ("826161bf61626163ff", r#"["a",{"b":"c"}]"#),
    ("bf6346756ef563416d7421ff", r#"{"Fun":true,"Amt":-2}"#),
];

/// Every example that has none, and why.
const WITHOUT: &[(&str, Kind)] = &[
    ("c249010000000000000000", Kind::Bignum),
    ("c349010000000000000000", Kind::Bignum),
    ("f97c00", Kind::NotFinite),
    ("f97e00", Kind::NotFinite),
    ("f9fc00", Kind::NotFinite),
    ("fa7f800000", Kind::NotFinite),
    ("fa7fc00000", Kind::NotFinite),
    ("faff800000", Kind::NotFinite),
    ("fb7ff0000000000000", Kind::NotFinite),
    ("fb7ff8000000000000", Kind::NotFinite),
    ("fbfff0000000000000", Kind::NotFinite),
    ("f7", Kind::Simple(23)),
    ("f0", Kind::Simple(16)),
    ("f8ff", Kind::Simple(255)),
    ("a201020304", Kind::Key),
];

/// What a server of version 1.36 reads and then writes as JSON.
const SERVER: &[(&str, &str)] = &[
    ("d9d9f7 a1 41 61 01", r#"{"a":1}"#),
    ("d9d9f7 d9d9f7 41 61", r#""a""#),
    // Whole floats have no fraction; very large and very small ones have an exponent.
    ("fb444b1ae4d6e2ef50", "1e21"),
    ("fb4415af1d78b58c40", "100000000000000000000"),
    ("fb3e7ad7f29abcaf48", "1e-7"),
    // Strings are byte strings, in which each byte that is no UTF-8 is replaced.
    ("42 61ff", "\"a\u{fffd}\""),
    ("44 e28261 ff", "\"\u{fffd}\u{fffd}a\u{fffd}\""),
    ("43 eda080", "\"\u{fffd}\u{fffd}\u{fffd}\""),
    // Bytes are as their tag says, those within what is tagged too, keys among them.
    ("d6 43 616263", r#""YWJj""#),
    ("d6 42 6162", r#""YWI=""#),
    ("d5 43 6162ff", r#""YWL_""#),
    ("d5 42 6162", r#""YWI""#),
    ("d7 43 6162ff", r#""6162ff""#),
    ("d6 82 43 616263 a1 41 6b 43 616263", r#"["YWJj",{"aw==":"YWJj"}]"#),
    ("82 d6 81 d5 41 61 41 61", r#"[["YQ"],"a"]"#),
    ("d6 63 616263", r#""abc""#),
    ("d6 5f 42 6162 40 42 6364 ff", r#""YWJjZA==""#),
    // A key that comes twice is passed on; what reads JSON takes the last.
    ("a2 41 61 01 41 61 02", r#"{"a":1,"a":2}"#),
    ("c1 20", r#""1969-12-31T23:59:59Z""#),
    ("c1 fb bfe0000000000000", r#""1969-12-31T23:59:59.5Z""#),
];

#[test]
fn values_become_json_wherever_they_are_cut() {
    for (cbor, json) in EXAMPLES.iter().chain(SERVER) {
        let cbor = hex(cbor);
        for cut in 0..=cbor.len() {
            assert_eq!(transcode(&cbor, &[cut]).as_deref(), Ok(*json), "{cbor:x?} cut at {cut}");
        }
        let everywhere: Vec<usize> = (0..cbor.len()).collect();
        assert_eq!(transcode(&cbor, &everywhere).as_deref(), Ok(*json), "{cbor:x?}");
        serde_json::from_str::<serde_json::Value>(json).unwrap();
    }
}

#[test]
fn what_json_can_not_say_is_refused() {
    for (cbor, kind) in WITHOUT {
        let cbor = hex(cbor);
        for cut in 0..=cbor.len() {
            assert_eq!(transcode(&cbor, &[cut]).map_err(|error| error.kind()), Err(*kind), "{cbor:x?}");
        }
    }
}
