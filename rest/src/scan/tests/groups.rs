//! Blocks that are checked together, against the same one by one: in pieces this short there is no group.

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::super::block::BLOCK;
use super::super::rows::GROUP;
use super::corpus::{BROKEN, VALID};
use super::document::agrees;
use super::*;

/// What breaks documents, and what doesn't.
const PIECES: &[&str] = &[
    "", "{", "}", "[", "]", ":", ",", "\"", "\\", "\\\\", "\\\"", "\\u", "\\u00e9", "\\n", "u", "0", "-",
    "1.5", "e", "true", "null", "x", " ", "\n", "\u{1}", "é", "{}", "[]", "[{}]", "},{", "\":\"", "\",\"",
    "\":{\"", "\"}", "\"]",
];

fn list(pods: u64) -> String {
    kubewire_sample::pod_list(pods).trim_end().to_owned()
}

fn cuts(len: usize, piece: usize) -> Vec<usize> {
    (0..len).step_by(piece).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn groups_say_the_same_as_blocks(
        changes in prop::collection::vec(
            (any::<usize>(), any::<bool>(), 0_usize..3, prop::sample::select(PIECES)),
            0..3,
        ),
        piece in 1..GROUP * BLOCK,
        first in any::<usize>(),
    ) {
        let mut text = list(2);
        for (at, is_token, len, new) in changes {
            let mut at = text.floor_char_boundary(at % text.len());
            if is_token {
                at += text[at..].find(['{', '}', '[', ']', ',', ':', '"']).unwrap_or_default();
            }
            let end = text.ceil_char_boundary((at + len).min(text.len()));
            text.replace_range(at..end, new);
        }
        let plan = cutting(&["metadata.managedFields", "spec.containers[].env"]);
        let of = |cuts: &[usize]| scan(Shape::List, &plan, Limits::default(), text.as_bytes(), cuts);
        let groups = of(&[first % text.len()]);
        prop_assert_eq!(&groups, &of(&cuts(text.len(), piece)));
        prop_assert_eq!(&groups, &scan_plainly(Shape::List, &plan, text.as_bytes(), &[]));
        if groups.error.is_none() {
            prop_assert!(serde_json::from_str::<IgnoredAny>(&text).is_ok());
        }
    }
}

#[test]
fn documents_inside_of_groups_are_accepted_like_by_serde_json() {
    let tail = format!(r#"{{"a":[{{"b":{{}},"c":[1,20,true]}}],"d":"{}"}}"#, "x".repeat(GROUP * BLOCK));
    for text in VALID.iter().chain(BROKEN) {
        for pad in (0..BLOCK).step_by(5) {
            let pad = "p".repeat(GROUP * BLOCK - BLOCK + pad);
            let inner = format!(r#"{{"p":["{pad}",{text},{tail}],"q":{text},"r":{tail}}}"#);
            // So deep that no block comes near the root.
            let (open, close) = (r#"{"a":["#.repeat(BLOCK / 4), "]}".repeat(BLOCK / 4));
            agrees(format!("{open}{inner}{close}").as_bytes(), &[]);
        }
    }
}
