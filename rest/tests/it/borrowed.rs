//! Items of lists as types that borrow from the bytes that came.

use std::borrow::Cow;

use kubewire_rest::{Bytes, DecodeOptions, Encoded, ListDecoder, Object, Project, Projected};
use proptest::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::lists::pieces;
use crate::service::{Script, Step};
use crate::watch::pods;

#[derive(Debug, Deserialize, PartialEq)]
struct Map<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow, default)]
    note: Cow<'a, str>,
    n: u32,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Metadata<'a> {
    name: &'a str,
    #[serde(rename = "managedFields")]
    managed: Option<IgnoredAny>,
}

fn list(notes: &[&str]) -> String {
    let item = |(n, note): (usize, &&str)| json!({"metadata": {"name": format!("map-{n}"), "managedFields": []}, "note": note, "n": n});
    let items: Vec<Value> = notes.iter().enumerate().map(item).collect();
    let items = Value::from(items);
    // As servers do: what the list is comes first.
    format!(r#"{{"kind":"ConfigMapList","metadata":{{"resourceVersion":"42"}},"items":{items}}}"#)
}

#[expect(clippy::ptr_arg, reason = "it is about the Cow itself")]
fn is_borrowed(text: &Cow<'_, str>) -> bool {
    matches!(text, Cow::Borrowed(_))
}

#[tokio::test(start_paused = true)]
async fn strings_are_borrowed_but_for_those_with_escapes() {
    let notes = ["plain", "größe €😀", "", "two\nlines", "a \"quote\""];
    for size in [1, 7, 100, 1 << 20] {
        let script = Script::new([Step::Answer(pieces(&list(&notes), size))]);
        let mut items = pods(&script).items::<IgnoredAny>().await.unwrap();
        let mut n = 0;
        while let Some(map) = items.next_as::<Map<'_>>().await {
            let map = map.unwrap();
            assert_eq!((map.metadata.name, &*map.note), (&*format!("map-{n}"), notes[n]));
            assert_eq!(is_borrowed(&map.note), n < 3, "{map:?}");
            n += 1;
        }
        assert_eq!(n, notes.len());
        assert!(items.next_as::<Map<'_>>().await.is_none());
        assert_eq!(items.metadata().unwrap().resource_version, "42");
    }
}

/// What the stream's own type leaves out does not come, and either kind of item may be asked for at any time.
#[tokio::test(start_paused = true)]
async fn the_type_of_the_stream_says_what_is_read() {
    struct Paths;
    impl<'de> Deserialize<'de> for Paths {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            IgnoredAny::deserialize(deserializer).map(|_| Self)
        }
    }
    impl Project for Paths {
        const PATHS: &'static [&'static str] = &["metadata.name", "n"];
    }
    let notes = ["a", "b", "c"];
    let answers = std::iter::repeat_with(|| Step::Answer(pieces(&list(&notes), 50)));
    let script = Script::new(answers.take(3));

    let mut items = pods(&script).items::<Encoded<Object>>().await.unwrap();
    assert_eq!(items.next().await.unwrap().unwrap().name(), "map-0");
    let map: Map<'_> = items.next_as().await.unwrap().unwrap();
    assert_eq!((map.metadata.name, &*map.note, map.metadata.managed), ("map-1", "b", None));
    assert_eq!(items.next().await.unwrap().unwrap().name(), "map-2");

    let mut items = pods(&script).items::<Projected<Paths>>().await.unwrap();
    let map: Map<'_> = items.next_as().await.unwrap().unwrap();
    let metadata = Metadata { name: "map-0", managed: None };
    assert_eq!(map, Map { metadata, note: Cow::Borrowed(""), n: 0 });

    let mut items = pods(&script).skip_fields(["note"]).items::<Value>().await.unwrap();
    let map: Map<'_> = items.next_as().await.unwrap().unwrap();
    assert_eq!((&*map.note, map.metadata.managed), ("", Some(IgnoredAny)));
}

#[derive(Debug, Deserialize)]
struct Note<'a> {
    note: &'a str,
}

#[tokio::test(start_paused = true)]
async fn a_string_with_escapes_can_not_be_a_str() {
    let script = Script::new([Step::Answer(pieces(&list(&["a", "b\n", "c"]), 30))]);
    let mut items = pods(&script).items::<IgnoredAny>().await.unwrap();
    assert_eq!(items.next_as::<Note<'_>>().await.unwrap().unwrap().note, "a");
    let error = items.next_as::<Note<'_>>().await.unwrap().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("item 1") && text.contains("expected a borrowed string"), "{text}");
    assert!(format!("{error:?}").contains("ConfigMapList"), "{error:?}");
    // The first error ends it, as with any other type.
    assert!(items.next_as::<Note<'_>>().await.is_none());
    assert!(items.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_the_list_is_told() {
    let text = list(&["a", "b"]);
    for (broken, why) in [
        (text.split_at(text.len() - 1).0.to_owned(), "the JSON ends too early"),
        (text.replace("\"n\":1", "\"n\":tru"), "item 1"),
    ] {
        let script = Script::new([Step::Answer(pieces(&broken, 9))]);
        let mut items = pods(&script).items::<IgnoredAny>().await.unwrap();
        let mut errors = Vec::new();
        let mut came = 0;
        while let Some(map) = items.next_as::<Map<'_>>().await {
            match map {
                Ok(_) => came += 1,
                Err(error) => errors.push(error.to_string()),
            }
        }
        assert!(errors.len() == 1 && errors[0].contains(why), "{errors:?}");
        assert!(came >= 1, "{why}");
    }
}

#[cfg(feature = "cbor")]
#[test]
fn cbor_is_borrowed_as_the_json_it_becomes() {
    let notes = ["plain", "two\nlines"];
    let value: Value = serde_json::from_str(&list(&notes)).unwrap();
    let mut decoder = ListDecoder::<IgnoredAny>::cbor(&DecodeOptions::default());
    decoder.push(kubewire_rest::cbor::encode(&value).unwrap().into());
    decoder.finish();
    for (n, note) in notes.into_iter().enumerate() {
        let map: Map<'_> = decoder.next_item_as().unwrap().unwrap();
        assert_eq!((&*map.note, is_borrowed(&map.note)), (note, n == 0));
    }
    assert!(decoder.next_item_as::<Map<'_>>().is_none());
}

proptest! {
    /// Whatever the strings and wherever they are cut: the same as of a type that owns.
    #[test]
    fn borrowed_items_are_the_owned_ones(notes in prop::collection::vec(any::<String>(), 0..6), size in 1_usize..80) {
        let notes: Vec<&str> = notes.iter().map(String::as_str).collect();
        let text = list(&notes);
        let mut decoder = ListDecoder::<IgnoredAny>::new(&DecodeOptions::default());
        let mut seen = Vec::new();
        for chunk in text.as_bytes().chunks(size) {
            decoder.push(Bytes::copy_from_slice(chunk));
            while let Some(map) = decoder.next_item_as::<Map<'_>>() {
                let map = map.unwrap();
                // As JSON has it, without its quotes.
                let is_plain = serde_json::to_string(&map.note).unwrap().len() == map.note.len() + 2;
                prop_assert_eq!(is_borrowed(&map.note), is_plain);
                seen.push(map.note.into_owned());
            }
        }
        decoder.finish();
        prop_assert!(decoder.next_item_as::<Map<'_>>().is_none());
        prop_assert_eq!(seen, notes);
    }
}
