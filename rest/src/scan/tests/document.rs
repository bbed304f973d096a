use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::model::{project, remove, value};
use super::*;
use crate::scan::path::Segment;

/// The deepest nesting in a document that serde_json accepts.
pub(super) fn depth(text: &str) -> usize {
    let (mut depth, mut most, mut string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match (string, escaped, byte) {
            (true, true, _) => escaped = false,
            (true, false, b'\\') => escaped = true,
            (_, _, b'"') => string = !string,
            (false, _, b'{' | b'[') => depth += 1,
            (false, _, b'}' | b']') => depth -= 1,
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

/// Whether serde_json accepts these bytes as any value, nested no deeper than it decodes.
pub(super) fn serde_accepts(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes)
        .is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok() && depth(text) <= 127)
}

pub(super) fn agrees(bytes: &[u8], cuts: &[usize]) {
    let ours = document(&Plan::everything(), bytes, cuts);
    assert_eq!(ours.is_ok(), serde_accepts(bytes), "{:?}: {ours:?}", String::from_utf8_lossy(bytes));
    if let Ok(text) = ours {
        assert_eq!(text, std::str::from_utf8(bytes).unwrap().trim_matches([' ', '\n', '\t', '\r']));
    }
}

const CUTS: &[&str] = &[
    "metadata.managedFields",
    "metadata.name",
    r#"metadata.annotations["a.b/c"]"#,
    "spec",
    r#"list[].name"#,
    r#"[].metadata"#,
    r#"[""]"#,
    r#"spec.list[][].spec"#,
    "metadata",
    r#"["\\"].metadata["x\"y"]"#,
];

const KEEPS: &[&str] = &[
    "metadata.name",
    "metadata.annotations",
    r#"metadata.annotations["a.b/c"]"#,
    "spec.list[].name",
    "spec.list[]",
    "list[].metadata.name",
    "[].name",
    "[][].spec",
    "größe",
    "",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_documents_are_accepted_whole(text in value(), cuts in prop::collection::vec(any::<usize>(), 0..8)) {
        agrees(text.as_bytes(), &cuts);
    }

    /// Documents broken in a place or two: the scanner and serde_json agree on each.
    #[test]
    fn broken_documents_are_refused_like_by_serde_json(
        text in value(),
        breaks in prop::collection::vec((any::<prop::sample::Index>(), 0..3, prop::sample::select(b"\"\\{}[]:, \n\x00\x1fu0-1etn.\xc3\xff".to_vec())), 1..3),
        cuts in prop::collection::vec(any::<usize>(), 0..4),
    ) {
        let mut bytes = text.into_bytes();
        for (place, how, byte) in breaks {
            let at = place.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                _ => bytes.truncate(at),
            }
            if bytes.is_empty() {
                bytes.push(byte);
            }
        }
        agrees(&bytes, &cuts);
    }

    #[test]
    fn cut_documents_are_what_serde_json_makes_without_the_fields(
        text in value(),
        paths in prop::sample::subsequence(CUTS, 1..4),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        let cut = document(&cutting(&paths), text.as_bytes(), &cuts).unwrap();
        let mut expected: Value = serde_json::from_str(&text).unwrap();
        for path in &paths {
            remove(&mut expected, &path.parse().unwrap());
        }
        let found: Value = serde_json::from_str(&cut).map_err(|e| TestCaseError::fail(format!("{e}: {cut}")))?;
        prop_assert_eq!(found, expected, "{}", cut);
    }

    #[test]
    fn projected_documents_are_what_serde_json_makes_of_the_paths(
        text in value(),
        paths in prop::sample::subsequence(KEEPS, 0..5),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        let kept = document(&keeping(&paths), text.as_bytes(), &cuts).unwrap();
        let paths: Vec<FieldPath> = paths.iter().map(|path| path.parse().unwrap()).collect();
        let segments: Vec<_> = paths.iter().map(FieldPath::segments).collect();
        let expected = project(&serde_json::from_str(&text).unwrap(), &segments);
        let found: Value = serde_json::from_str(&kept).map_err(|e| TestCaseError::fail(format!("{e}: {kept}")))?;
        prop_assert_eq!(found, expected, "{}", kept);
    }

    #[test]
    fn marks_are_the_last_values_of_their_paths(text in value(), cuts in prop::collection::vec(any::<usize>(), 0..8)) {
        let paths = ["metadata.name", "metadata.annotations", "spec", "metadata.managedFields"];
        let mut plan = cutting(&["metadata.managedFields"]);
        for (slot, path) in paths.iter().enumerate() {
            plan.mark(&path.parse().unwrap(), slot);
        }
        let scan = scan(Shape::Document, &plan, Limits::default(), text.as_bytes(), &cuts);
        let whole: Value = serde_json::from_str(&text).unwrap();
        for (slot, path) in paths.iter().enumerate() {
            let pointer = format!("/{}", path.replace('.', "/"));
            let expected = if slot == 3 { None } else { whole.pointer(&pointer).filter(|_| whole.is_object()) };
            let found = scan.items[0].marks[slot].as_ref().map(|text| serde_json::from_str::<Value>(text).unwrap());
            prop_assert_eq!(found.as_ref(), expected, "{}", path);
        }
    }
}

#[test]
fn an_escaped_key_is_the_same_key() {
    let plan = cutting(&["metadata.managedFields"]);
    let text = br#"{"metadata":{"a":1, "managed\u0046ields":[{"x":"}"}] ,"b":2},"c":3}"#;
    for cut in 0..text.len() {
        assert_eq!(document(&plan, text, &[cut]).unwrap(), r#"{"metadata":{"a":1,"b":2},"c":3}"#);
    }
}

#[test]
fn commas_go_with_what_is_cut() {
    let plan = cutting(&["x"]);
    for (text, expected) in [
        (r#"{"x":1}"#, "{}"),
        (r#"{"x":1,"x":2}"#, "{}"),
        (r#"{"a":1,"x":2}"#, r#"{"a":1}"#),
        (r#"{"a":1 , "x":2,"x":3}"#, r#"{"a":1 }"#),
        (r#"{"x":1,"a":1}"#, r#"{"a":1}"#),
        (r#"{"a":1,"x":{"x":[1,2]},"b":2}"#, r#"{"a":1,"b":2}"#),
        (r#"{"a":{"x":1},"x":"\\"}"#, r#"{"a":{"x":1}}"#),
    ] {
        for cut in 0..text.len() {
            assert_eq!(document(&plan, text.as_bytes(), &[cut]).unwrap(), expected);
        }
    }
}

#[test]
fn an_error_names_its_byte_however_the_document_is_cut() {
    for (text, at) in [
        (r#"{"a":1,,"b":2}"#, 7),
        (r#"{"a":[1,2}"#, 9),
        (r#"{"a" 1}"#, 5),
        (r#"{"a":01}"#, 6),
        ("{\"a\":\"\u{1}\"}", 6),
        (r#"{"a":"\x"}"#, 7),
        (r#"[1]]"#, 3),
        (r#"{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":tru}"#, 79),
    ] {
        for cut in 0..text.len() {
            let error = document(&Plan::everything(), text.as_bytes(), &[cut]).unwrap_err();
            assert_eq!(error.offset(), at, "{text}: {error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn found_values_are_those_of_serde_json(text in value()) {
        let whole: Value = serde_json::from_str(&text).unwrap();
        for (path, pointer) in [
            ("metadata", "/metadata"),
            ("metadata.name", "/metadata/name"),
            (r#"metadata.annotations["a.b/c"]"#, "/metadata/annotations/a.b~1c"),
            ("list[1]", "/list/1"),
            ("[0].spec", "/0/spec"),
            ("spec.list[0][1]", "/spec/list/0/1"),
            ("größe", "/größe"),
            (r#"["\\"]"#, "/\\"),
        ] {
            // A pointer's number is a key, too: a path says which of both it means.
            let segments = || Segments::of(path).map(Result::unwrap);
            let mut expected = Some(&whole);
            for (segment, name) in segments().zip(pointer.split('/').skip(1)) {
                let name = name.replace("~1", "/");
                expected = expected.and_then(|value| match segment {
                    Segment::Key(_) => value.as_object()?.get(&name),
                    _ => value.as_array()?.get(name.parse::<usize>().unwrap()),
                });
            }
            let found = segments().try_fold(&*text, |value, segment| find(value, &segment));
            let found = found.map(|text| serde_json::from_str::<Value>(text).unwrap());
            prop_assert_eq!(found.as_ref(), expected, "{} in {}", path, text);
        }
    }
}
