use super::{CborErrorKind as Kind, Transcoder, hex, run, to_json, transcode};

/// What is refused, why, and at which byte.
const REFUSED: &[(&str, Kind, u64)] = &[
    ("", Kind::Truncated, 0),
    ("d9d9f7", Kind::Truncated, 3),
    ("19", Kind::Truncated, 1),
    ("1900", Kind::Truncated, 2),
    ("81", Kind::Truncated, 1),
    ("a14161", Kind::Truncated, 3),
    ("4361", Kind::Truncated, 2),
    ("5f4161", Kind::Truncated, 3),
    ("9f01", Kind::Truncated, 2),
    ("bf416101", Kind::Truncated, 4),
    // A claimed length is not believed, nor allocated.
    ("5bffffffffffffffff61", Kind::Truncated, 10),
    ("9bffffffffffffffff01", Kind::Truncated, 10),
    ("bbffffffffffffffff416101", Kind::Truncated, 12),
    ("1c", Kind::Reserved(0x1c), 0),
    ("811d", Kind::Reserved(0x1d), 1),
    ("fe", Kind::Reserved(0xfe), 0),
    ("dc00", Kind::Reserved(0xdc), 0),
    ("1f", Kind::Reserved(0x1f), 0),
    ("813f", Kind::Reserved(0x3f), 1),
    ("df00", Kind::Reserved(0xdf), 0),
    ("ff", Kind::Break, 0),
    ("81ff", Kind::Break, 1),
    ("a1ff", Kind::Break, 1),
    ("bf4161ff", Kind::Break, 3),
    ("9fd6ff", Kind::Break, 2),
    ("9f01ffff", Kind::Break, 3),
    ("5f6161ff", Kind::Piece, 1),
    ("7f4161ff", Kind::Piece, 1),
    ("5f5fff", Kind::Piece, 1),
    ("5f01ff", Kind::Piece, 1),
    ("5fd64161ff", Kind::Piece, 1),
    ("a10102", Kind::Key, 1),
    ("a1f601", Kind::Key, 1),
    ("a14161014162", Kind::Trailing, 4),
    ("a1d64161", Kind::Truncated, 4),
    ("a1d68001", Kind::Key, 2),
    ("bf8001ff", Kind::Key, 1),
    ("0101", Kind::Trailing, 1),
    ("01d9d9f701", Kind::Trailing, 1),
    ("61ff", Kind::Utf8, 1),
    ("6361c328", Kind::Utf8, 2),
    ("62e282", Kind::Utf8, 3),
    ("63eda080", Kind::Utf8, 1),
    // Text has whole characters in each of its pieces.
    ("7f61c361bcff", Kind::Utf8, 3),
    ("f818", Kind::Simple(0x18), 0),
    ("f814", Kind::Simple(0x14), 0),
    ("e0", Kind::Simple(0), 0),
    ("82f5f7", Kind::Simple(23), 2),
    ("c11bffffffffffffffff", Kind::Time, 1),
    ("c13bffffffffffffffff", Kind::Time, 1),
    ("c1fb7e37e43c8800759c", Kind::Time, 1),
    ("c1f97e00", Kind::NotFinite, 1),
    ("81c240", Kind::Bignum, 1),
];

#[test]
fn bad_input_is_a_clear_error_wherever_it_is_cut() {
    for (cbor, kind, offset) in REFUSED {
        let cbor = hex(cbor);
        for cut in 0..=cbor.len() {
            let error = transcode(&cbor, &[cut]).unwrap_err();
            assert_eq!(error.kind(), *kind, "{cbor:x?} cut at {cut}");
            assert!(error.to_string().ends_with(&format!("at byte {}", error.offset())), "{error}");
            // Of a character that is cut in two, either half may be named.
            if *kind != Kind::Utf8 {
                assert_eq!(error.offset(), *offset, "{cbor:x?} cut at {cut}: {error}");
            }
        }
        assert_eq!(transcode(&cbor, &[]).unwrap_err().offset(), *offset, "{cbor:x?}");
    }
}

#[test]
fn what_came_before_an_error_is_there() {
    let mut json = String::new();
    let error = Transcoder::new().transcode(&hex("83 01 41 61 f7"), &mut json).unwrap_err();
    assert_eq!((json.as_str(), error.kind(), error.offset()), (r#"[1,"a","#, Kind::Simple(23), 4));
}

#[test]
fn a_million_arrays_stop_at_the_depth() {
    for (piece, names) in
        [(&b"\x81"[..], 127), (b"\x9f", 127), (b"\xa1\x40", 127 * 2), (b"\xbf\x40", 127 * 2)]
    {
        let mut transcoder = Transcoder::new();
        let mut json = String::new();
        let error = transcoder.transcode(&piece.repeat(1_000_000), &mut json).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (Kind::TooDeep, names), "{piece:x?}");
        assert!(json.len() < 1000);
    }
    let error = transcode(&b"\xd6".repeat(1_000_000), &[]).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (Kind::TooDeep, 127));
}

#[test]
fn the_depth_is_serde_jsons() {
    for depth in [126, 127, 128] {
        let json = "[".repeat(depth) + &"]".repeat(depth);
        let cbor = [&b"\x81".repeat(depth - 1)[..], b"\x80"].concat();
        let serde = serde_json::from_str::<serde_json::Value>(&json).is_ok();
        assert_eq!(transcode(&cbor, &[]).is_ok(), serde, "{depth}");
    }
}

#[test]
fn json_larger_than_the_limit_is_refused() {
    let mut cbor = vec![0x59, 0xff, 0xff];
    cbor.resize(cbor.len() + 0xffff, 1);
    assert_eq!(to_json(&cbor, 400_000).unwrap().len(), 6 * 0xffff + 2);
    let error = to_json(&cbor, 200_000).unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge(200_000));
    assert!(error.offset() < 50_000);
}

#[test]
fn a_sequence_may_end_between_values_alone() {
    for (cbor, json) in
        [("", Ok("")), ("01", Ok("1")), ("0102", Ok("1\n2")), ("d9d9f7a0d9d9f7a0", Ok("{}\n{}"))]
    {
        assert_eq!(run(Transcoder::sequence(), &hex(cbor), &[]).as_deref(), json);
    }
    for cbor in ["d9d9f7", "a0a1", "a0d9d9f7", "4161ff"] {
        assert!(run(Transcoder::sequence(), &hex(cbor), &[]).is_err(), "{cbor}");
    }
}
