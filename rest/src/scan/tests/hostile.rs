use super::*;

fn small() -> Limits {
    Limits { depth: 20, item: 10_000, document: 1_000_000 }
}

/// Feeds `piece` until the scanner refuses, at most `times`.
fn feed_repeatedly(shape: Shape, start: &str, piece: &str, times: usize) -> ScanError {
    let mut scanner = Scanner::new(shape, Plan::everything(), small());
    scanner.feed(start.as_bytes()).unwrap();
    for _ in 0..times {
        let mut bytes = piece.as_bytes();
        while !bytes.is_empty() {
            match scanner.feed(bytes) {
                Ok(taken) => bytes = &bytes[taken..],
                Err(error) => return error,
            }
            while scanner.next_item().is_some() {}
        }
    }
    scanner.finish().unwrap_err()
}

#[test]
fn a_string_without_end_stops_at_the_limit_of_an_item() {
    let piece = "x".repeat(4096);
    for (shape, start) in [
        (Shape::List, r#"{"items":[{"a":""#),
        (Shape::List, r#"{"metadata":{"a":""#),
        (Shape::Frames, r#"{"type":""#),
        (Shape::Document, "\""),
    ] {
        let error = feed_repeatedly(shape, start, &piece, 1 << 18);
        assert_eq!(error.kind(), ScanErrorKind::ItemTooLarge(10_000), "{start}");
        assert!(error.offset() < 20_000);
    }
}

#[test]
fn what_is_cut_counts_towards_the_document() {
    let error = feed_repeatedly(Shape::List, r#"{"other":""#, &"x".repeat(4096), 1 << 18);
    assert_eq!(error.kind(), ScanErrorKind::DocumentTooLarge(1_000_000));
}

#[test]
fn a_million_brackets_stop_at_the_depth() {
    for (shape, start, piece) in [
        (Shape::Document, "", "["),
        (Shape::List, r#"{"items":["#, r#"{"a":"#),
        (Shape::List, r#"{"metadata":"#, "["),
        (Shape::Frames, "", r#"{"a":"#),
    ] {
        let error = feed_repeatedly(shape, start, &piece.repeat(1000), 1000);
        assert_eq!(error.kind(), ScanErrorKind::TooDeep, "{start}");
    }
}

#[test]
fn the_depth_is_serde_jsons() {
    for depth in [126, 127, 128] {
        let text = "[".repeat(depth) + &"]".repeat(depth);
        let serde = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        for cut in 0..text.len() {
            assert_eq!(document(&Plan::everything(), text.as_bytes(), &[cut]).is_ok(), serde, "{depth}");
        }
    }
}

#[test]
fn no_end_is_an_error() {
    for text in ["", " ", "{", "[1,", "\"a", "tru", "1e", "{\"a\":\"\\u12", "-"] {
        let error = document(&Plan::everything(), text.as_bytes(), &[]).unwrap_err();
        assert_eq!(error.kind(), ScanErrorKind::Truncated, "{text:?}");
        assert_eq!(error.offset(), text.len() as u64);
    }
    for text in ["", "{", r#"{"items":["#, r#"{"items":[{}"#, r#"{"items":[{}]"#] {
        let scan = scan(Shape::List, &Plan::everything(), Limits::default(), text.as_bytes(), &[]);
        assert_eq!(scan.error.unwrap().kind(), ScanErrorKind::Truncated, "{text:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_wherever_they_are_cut() {
    for bytes in [
        &b"\"\xff\""[..],
        b"\"\xc3\"",
        b"\"\xc3",
        b"\"\xe2\x82",
        b"\"\xed\xa0\x80\"",
        b"\"\xf5\x80\x80\x80\"",
        b"\"\xc0\xaf\"",
        b"\"a\xe2\x82\xac\x80\"",
        b"\xef\xbb\xbf{}",
        b"\0",
        b"{\0}",
        b"\"\0\"",
    ] {
        for cut in 0..bytes.len() {
            assert!(document(&Plan::everything(), bytes, &[cut]).is_err(), "{bytes:x?}");
        }
    }
    let text = "\"€ größer 😀 ✓\"";
    for cut in 0..text.len() {
        assert_eq!(document(&Plan::everything(), text.as_bytes(), &[cut, cut + 1, cut + 2]).unwrap(), text);
    }
}

#[test]
fn a_giant_item_does_not_hold_its_memory() {
    let mut scanner = Scanner::new(Shape::List, Plan::everything(), Limits::default());
    let giant = format!(r#"{{"items":["{}","#, "x".repeat(3 << 20));
    let mut bytes = giant.as_bytes();
    while !bytes.is_empty() {
        bytes = &bytes[scanner.feed(bytes).unwrap()..];
    }
    assert!(scanner.next_item().is_some());
    for _ in 0..20 {
        scanner.feed(b"1,").unwrap();
        assert!(scanner.next_item().is_some());
    }
    assert!(scanner.capacity() < 1 << 20, "{}", scanner.capacity());
}
