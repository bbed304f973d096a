use proptest::prelude::*;
use serde_json::Value;

use super::model::{remove, value};
use super::*;

fn list(text: &str, plan: &Plan, cuts: &[usize]) -> Scan {
    scan(Shape::List, plan, Limits::default(), text.as_bytes(), cuts)
}

fn texts(scan: &Scan) -> Vec<&str> {
    scan.items.iter().map(|item| item.text.as_str()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn items_are_those_that_serde_json_finds(
        items in prop::collection::vec(value(), 0..8),
        blank in prop::sample::select(vec!["", " ", "\n\t"]),
        extra in value(),
        metadata in prop::option::of(value()),
        first in any::<bool>(),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let mut members = vec![format!(r#""kind":"PodList","extra":{extra}"#)];
        members.extend(metadata.map(|m| format!(r#""metadata"{blank}:{m}"#)));
        let array = format!(r#""items"{blank}:{blank}[{blank}{}{blank}]"#, items.join(&format!("{blank},{blank}")));
        members.insert(if first { 0 } else { members.len() }, array);
        let text = format!("{blank}{{{blank}{}}}{blank}", members.join(","));

        let scan = list(&text, &cutting(&["metadata.managedFields"]), &cuts);
        prop_assert_eq!(&scan.error, &None, "{}", text);
        let whole: Value = serde_json::from_str(&text).unwrap();
        let found: Vec<Value> = scan.items.iter().map(|item| serde_json::from_str(&item.text).unwrap()).collect();
        let mut expected = whole["items"].as_array().unwrap().clone();
        for item in &mut expected {
            remove(item, &FieldPath::managed_fields());
        }
        prop_assert_eq!(found, expected);
        prop_assert_eq!(
            scan.metadata.map(|m| serde_json::from_str::<Value>(&m).unwrap()),
            whole.get("metadata").cloned()
        );
        for (i, item) in scan.items.iter().enumerate() {
            prop_assert_eq!(item.index, i);
            prop_assert!(text[item.offset as usize..].starts_with(item.text.chars().next().unwrap()));
        }
    }

    #[test]
    fn frames_are_those_that_serde_json_streams(
        objects in prop::collection::vec(value(), 0..6),
        blank in prop::sample::select(vec!["", "\n", "\r\n ", "\n\n\n"]),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let mut text = String::from(blank);
        for object in &objects {
            text += &format!(r#"{{"type":"ADDED","object":{object},"other":[1]}}{blank}"#);
        }
        let scan = scan(Shape::Frames, &cutting(&["metadata.managedFields"]), Limits::default(), text.as_bytes(), &cuts);
        prop_assert_eq!(&scan.error, &None, "{}", text);
        prop_assert_eq!(scan.items.len(), objects.len());
        for (frame, object) in scan.items.iter().zip(&objects) {
            let mut expected: Value = serde_json::from_str(object).unwrap();
            remove(&mut expected, &FieldPath::managed_fields());
            let found = frame.marks[frame_slot::OBJECT].as_ref().unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(found).unwrap(), expected);
            prop_assert_eq!(frame.marks[frame_slot::TYPE].as_deref(), Some("\"ADDED\""));
        }
    }
}

#[test]
fn a_list_of_pods_in_every_size_of_piece() {
    let text = kubewire_sample::pod_list(3);
    let whole: Value = serde_json::from_str(&text).unwrap();
    let plan = cutting(&["metadata.managedFields"]);
    for size in [1, 2, 3, 7, 63, 64, 65, 127, 1000, 1023, 1024, 1025, 4096, 1 << 20] {
        let cuts: Vec<usize> = (0..text.len()).step_by(size).collect();
        let scan = list(&text, &plan, &cuts);
        assert_eq!(scan.error, None);
        assert_eq!(scan.items.len(), 3);
        for (i, item) in scan.items.iter().enumerate() {
            let mut expected = whole["items"][i].clone();
            remove(&mut expected, &FieldPath::managed_fields());
            assert_eq!(serde_json::from_str::<Value>(&item.text).unwrap(), expected);
            assert!(!item.text.contains("managedFields"));
        }
    }
}

#[test]
fn items_of_any_kind_and_none() {
    let plan = Plan::everything();
    for (text, expected) in [
        (r#"{"items":[]}"#, vec![]),
        (r#"{"items":[ ]}"#, vec![]),
        (r#"{"items":null}"#, vec![]),
        (r#"{"items" : null }"#, vec![]),
        (r#"{"it\u0065ms":[1]}"#, vec!["1"]),
        (
            r#"{"items":[1,null,"a,]",[2,[3]],{"items":[4]}, true ]}"#,
            vec!["1", "null", "\"a,]\"", "[2,[3]]", r#"{"items":[4]}"#, "true"],
        ),
        (r#"{"a":"\"items\":[1]","b":{"items":[2]},"items":[{}]}"#, vec!["{}"]),
    ] {
        for cut in 0..text.len() {
            let scan = list(text, &plan, &[cut]);
            assert_eq!(scan.error, None, "{text}");
            assert_eq!(texts(&scan), expected, "{text}");
        }
    }
}

#[test]
fn what_is_no_list_is_an_error() {
    let plan = Plan::everything();
    for (text, kind) in [
        (r#"{"kind":"Pod"}"#, ScanErrorKind::NoList),
        ("{}", ScanErrorKind::NoList),
        (r#"{"items":{}}"#, ScanErrorKind::ItemsNoArray),
        (r#"{"items":{"a":[1]}}"#, ScanErrorKind::ItemsNoArray),
        (r#"{"items":"[]"}"#, ScanErrorKind::ItemsNoArray),
        (r#"{"items":7,"a":1}"#, ScanErrorKind::ItemsNoArray),
        (r#"{"items":[1],"items":[2]}"#, ScanErrorKind::Duplicate("items")),
        (r#"{"items":null,"it\u0065ms":[2]}"#, ScanErrorKind::Duplicate("items")),
        (r#"{"metadata":{},"items":[],"metadata":{}}"#, ScanErrorKind::Duplicate("metadata")),
        ("[1]", ScanErrorKind::Unexpected('[')),
        ("null", ScanErrorKind::Unexpected('n')),
        (r#"{"items":[]} x"#, ScanErrorKind::Scalar),
        (r#"{"items":[]} 1"#, ScanErrorKind::Unexpected('1')),
        (r#"{"items":[]}{}"#, ScanErrorKind::Unexpected('{')),
    ] {
        for cut in 0..text.len() {
            let error = list(text, &plan, &[cut]).error.unwrap();
            assert_eq!(error.kind(), kind, "{text}: {error}");
        }
    }
}

#[test]
fn an_error_names_the_item_and_leaves_those_before_it() {
    let text = r#"{"metadata":{"resourceVersion":"7"},"items":[{"a":1},{"b":"\q"},{"c":3}]}"#;
    for cut in 0..text.len() {
        let scan = list(text, &Plan::everything(), &[cut]);
        let error = scan.error.as_ref().unwrap();
        assert_eq!((error.item(), error.offset()), (Some(1), 60));
        assert_eq!(error.kind(), ScanErrorKind::Escape);
        assert!(error.to_string().contains("in item 1, at byte 60"), "{error}");
        assert_eq!(texts(&scan), [r#"{"a":1}"#]);
        assert_eq!(scan.metadata.as_deref(), Some(r#"{"resourceVersion":"7"}"#));
    }
}

#[test]
fn frames_are_objects() {
    for text in ["1", "[]", "{}[]", "{},{}", "{} 1", "\"a\"", "{}:", "null"] {
        let scan = scan(Shape::Frames, &Plan::everything(), Limits::default(), text.as_bytes(), &[]);
        assert!(matches!(scan.error.unwrap().kind(), ScanErrorKind::Unexpected(_)), "{text}");
    }
    let scan =
        scan(Shape::Frames, &Plan::everything(), Limits::default(), b"{}{} {\"type\":\"A\"}\n{\"ty", &[]);
    assert_eq!(scan.error.as_ref().unwrap().kind(), ScanErrorKind::Truncated);
    assert_eq!(texts(&scan), ["{}", "{}", r#"{"type":"A"}"#]);
}

// The texts, too, where the type is cut in two.
#[test]
fn a_plan_for_objects_spares_bookmarks_errors_and_what_comes_before_its_type() {
    let of = |frame_type: &str| format!(r#"{{"type":{frame_type},"object":{{"a":1,"b":{{"c":2,"d":3}}}}}}"#);
    let narrow = |frame_type: &str| format!(r#"{{"type":{frame_type},"object":{{"b":{{"d":3}}}}}}"#);
    let late = r#"{"object":{"a":1,"b":{"c":2,"d":3}},"type":"ADDED"}"#.to_owned();
    let again = r#"{"type":"ERROR","object":{"a":1},"type":"ADDED","object":{"a":1,"b":{}}}"#.to_owned();
    let blank = "{ \"type\" : \"ADDED\" , \"object\" : { \"a\" : 1 , \"b\" : 2 } }".to_owned();
    let frames = [
        (of(r#""ADDED""#), narrow(r#""ADDED""#)),
        (of(r#""MODIFIED""#), narrow(r#""MODIFIED""#)),
        (of(r#""DELETED""#), narrow(r#""DELETED""#)),
        (of(r#""BOOKMARK""#), of(r#""BOOKMARK""#)),
        (of(r#""ERROR""#), of(r#""ERROR""#)),
        (of("7"), of("7")),
        (late.clone(), late),
        (again, r#"{"type":"ERROR","object":{"a":1},"type":"ADDED","object":{"b":{}}}"#.to_owned()),
        (blank, "{ \"type\" : \"ADDED\" , \"object\" : { \"b\" : 2 } }".to_owned()),
    ];
    let whole: String = frames.iter().map(|(frame, _)| frame.as_str()).collect();
    let kept: Vec<&str> = frames.iter().map(|(_, kept)| kept.as_str()).collect();
    let plan = Plan::everything().with_objects(keeping(&["b.d"]));
    for cut in 0..whole.len() {
        let scan = scan(Shape::Frames, &plan, Limits::default(), whole.as_bytes(), &[cut]);
        assert_eq!((scan.error.as_ref(), texts(&scan)), (None, kept.clone()));
    }
}
