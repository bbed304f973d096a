use proptest::prelude::*;
use prost::Message;

use super::model::*;
use crate::{DecodeOptions, Encoded, ItemError, Protobuf, ProtobufErrorKind, decode_object};

type Pods = Encoded<Protobuf<Pod>>;

fn refused(body: &[u8], options: &DecodeOptions) -> (String, Option<usize>, u64) {
    let mut told = Vec::new();
    for piece in [1, 3, 1 << 20] {
        let error = decode::<Pods>(body, &[piece], options).unwrap_err();
        told.push((error.to_string(), error.item(), error.offset()));
    }
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
    told.remove(0)
}

/// `k8s\0`, the types of a PodList, and what follows.
fn list(rest: &[u8]) -> Vec<u8> {
    let types = TypeMeta { api_version: None, kind: Some("PodList".to_owned()) };
    let unknown = Unknown { types: Some(types), ..Unknown::default() };
    [b"k8s\0", &unknown.encode_to_vec()[..], rest].concat()
}

#[test]
fn broken_lists_say_what_and_where() {
    let options = DecodeOptions::default();
    for (body, what, item) in [
        (b"".to_vec(), "too early", None),
        (b"k8s".to_vec(), "too early", None),
        (br#"{"kind":"PodList","items":[]}"#.to_vec(), "four bytes", None),
        (b"k8s\0".to_vec(), "kind \"\": not a list", None),
        (wrapped("Pod", &Pod::default()), "kind \"Pod\": not a list", None),
        (b"k8s\0\x12\x00".to_vec(), "not a list", None),
        // The list's length: of eleven bytes, of 2^64 - 1 and no more.
        (list(b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), "more than 64 bits", None),
        (list(b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "too early", None),
        (list(b"\x12\x80"), "too early", None),
        (list(b"\x12\x04\x12"), "too early", None),
        // An item of 1 GB.
        (
            list(b"\x12\xff\xff\xff\xff\x0f\x12\x80\x80\x80\x80\x04abc"),
            "an object of 1073741824 bytes",
            Some(0),
        ),
        (list(b"\x12\x20\x12\x00\x12\x1c\x0a"), "too early", Some(1)),
        // An item, a number and eight bytes that go on after their list.
        (list(b"\x12\x03\x12\x02\x0a\x00"), "beyond the end of the list", None),
        (list(b"\x12\x02\x18\x80\x01\x00"), "beyond the end of the list", None),
        (list(b"\x12\x04\x19aaaaaaaa"), "beyond the end of the list", None),
        // Numbers and groups in place of items.
        (list(b"\x12\x02\x10\x01"), "a number where a message must stand", None),
        (list(b"\x12\x02\x13\x14"), "does not use", None),
        (list(b"\x12\x02\x00\x00"), "without a number", None),
        (list(b"\x12\x07\xfa\xff\xff\xff\xff\xff\x01"), "too large", None),
        (list(b"\x12\x00\x12\x00"), "two lists", None),
        (list(b"\x0a\x03\x12\x01\xff"), "not UTF-8", None),
        (list(b"\x12\x05\x0a\x03\x12\x01\xff"), "not UTF-8", None),
        // Broken metadata of the second item.
        (list(b"\x12\x07\x12\x00\x12\x03\x0a\x01\x0a"), "beyond the end of its message", Some(1)),
        (list(b"\x12\x09\x12\x00\x12\x05\x0a\x03\x0a\x01\xff"), "not UTF-8", Some(1)),
        (list(b"\x12\x06\x12\x00\x12\x02\x08\x01"), "a number where text or a message", Some(1)),
    ] {
        let (text, found, offset) = refused(&body, &options);
        assert!(text.contains(what), "{what:?} in {text:?}");
        assert_eq!(found, item, "{text}");
        assert!(offset <= body.len() as u64, "{text}");
    }
}

#[test]
fn an_item_of_another_type_names_itself_and_ends_the_list() {
    let message =
        |phase: &[u8]| [b"\x1a", &[phase.len() as u8 + 2, 0x0a, phase.len() as u8][..], phase].concat();
    let items = [message(b"Running"), message(b"\xff"), message(b"Running")];
    let mut raw = Vec::new();
    for item in &items {
        raw.extend_from_slice(&[0x12, item.len() as u8]);
        raw.extend_from_slice(item);
    }
    let body = list(&[&[0x12, raw.len() as u8], &raw[..]].concat());
    // Nobody reads the text of an encoded object.
    let (pods, _) = decode::<Pods>(&body, &[5], &DecodeOptions::default()).unwrap();
    assert_eq!(pods[0].str_at(&[3, 1]), Some("Running"));
    assert_eq!((pods[1].str_at(&[3, 1]), pods[1].bytes_at(&[3, 1])), (None, Some(&b"\xff"[..])));
    let error = pods[1].decode().unwrap_err().to_string();
    assert!(error.contains("not of the type asked for"), "{error}");
    let error = decode::<Protobuf<Pod>>(&body, &[5], &DecodeOptions::default()).unwrap_err();
    assert_eq!(error.item(), Some(1));
    let text = error.to_string();
    assert!(text.contains("not of the type asked for") && text.contains("UTF-8"), "{text}");
}

#[test]
fn limits_are_kept() {
    let pod = |size: usize| Pod { oddest: vec![vec![7; size]], ..Pod::default() };
    let pods = PodList { metadata: None, items: vec![pod(10), pod(1000)] };
    let body = wrapped("PodList", &pods);
    let (text, item, _) = refused(&body, &DecodeOptions::default().max_object_bytes(1000));
    assert!(text.contains("larger than the limit of 1000") && item == Some(1), "{text}");
    let (text, _, offset) = refused(&body, &DecodeOptions::default().max_answer_bytes(500));
    assert!(text.contains("limit of 500 bytes"), "{text}");
    assert_eq!(offset, 500);
    let single = wrapped("Pod", &pod(1000));
    for options in
        [DecodeOptions::default().max_object_bytes(999), DecodeOptions::default().max_answer_bytes(999)]
    {
        let error = decode_object::<Protobuf<Pod>>(&single, &options).unwrap_err();
        assert!(error.to_string().contains("limit of 999"), "{error}");
    }
}

#[test]
fn memory_is_not_set_aside_for_what_is_only_announced() {
    // An item of 60 MiB, of which two bytes come.
    let body = list(b"\x12\xff\xff\xff\xff\x0f\x12\x80\x80\x80\x1eab");
    let mut decoder = crate::ListDecoder::<Pods>::new(&DecodeOptions::default());
    decoder.push(body.into());
    assert!(decoder.next_item().is_none());
    assert!(decoder.memory() <= 128 * 1024, "{}", decoder.memory());
}

#[test]
fn fields_without_a_number_cannot_be_left_out() {
    let body = wrapped("PodList", &PodList::default());
    for path in
        ["spec", "metadata.finalizer", "metadata.managedFields[].manager", "status.phase", "metadata.uid.x"]
    {
        let options = DecodeOptions::default().skip_fields([path]).unwrap();
        let error = decode::<Protobuf<Pod>>(&body, &[100], &options).unwrap_err();
        let ItemError::Protobuf(error) = error else { panic!("{error}") };
        assert!(matches!(error.kind(), ProtobufErrorKind::Path(_)));
        assert!(error.to_string().contains(path) && error.to_string().contains("no names"), "{error}");
        let error = decode_object::<Pods>(&wrapped("Pod", &Pod::default()), &options).unwrap_err();
        assert!(error.to_string().contains(path), "{error}");
    }
}

#[test]
fn single_objects_in_other_wrappings_are_errors() {
    for (body, what) in [
        (&b"{}"[..], "four bytes"),
        (b"", "four bytes"),
        (b"k8s\0\x12\x05a", "beyond the end"),
        (b"k8s\0\x12\x02\x0a\x07", "not of the type asked for"),
        (b"k8s\0\x10\x02", "a number where text or a message"),
        (b"k8s\0\x18\x02", "a number where text or a message"),
        (b"k8s\0\x25\0\0\0\0", "a number where text or a message"),
    ] {
        let error = decode_object::<Protobuf<Pod>>(body, &DecodeOptions::default()).unwrap_err();
        assert!(error.to_string().contains(what), "{what:?} in {error}");
    }
}

#[test]
fn keys_that_are_longer_than_they_have_to_be_are_cut_as_well() {
    // metadata, its key in two bytes: a name, and one entry of managedFields.
    let pod = b"\x8a\0\x06\x0a\x01a\x8a\x01\0";
    let body = [&b"k8s\0\x12\x09"[..], pod].concat();
    let encoded: Pods = decode_object(&body, &DecodeOptions::default()).unwrap();
    assert_eq!(encoded.name(), "a");
    let metadata = encoded.decode().unwrap().metadata.unwrap();
    assert_eq!(metadata.name.as_deref(), Some("a"));
}

#[test]
fn what_the_wrapper_says_of_itself_is_text() {
    for field in [&b"\x18\x02"[..], b"\x25\0\0\0\0"] {
        let mut body = wrapped("PodList", &PodList::default());
        body.extend_from_slice(field);
        let error = decode::<Protobuf<Pod>>(&body, &[100], &DecodeOptions::default()).unwrap_err();
        assert!(error.to_string().contains("a number where a message"), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Whatever is made of a good list: what is accepted, prost accepts and reads the same.
    #[test]
    fn nothing_is_accepted_that_prost_refuses(
        list in pod_list(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4),
        piece in 1_usize..100,
    ) {
        let mut body = wrapped("PodList", &list);
        for (at, byte, how) in changes {
            let at = at.index(body.len());
            match how {
                0 => body[at] = byte,
                1 => body.insert(at, byte),
                _ => body.truncate(at.max(1)),
            }
        }
        let read = decode::<Protobuf<Pod>>(&body, &[piece], &DecodeOptions::default());
        let _ = decode::<Pods>(&body, &[piece], &DecodeOptions::default());
        let _ = decode_object::<Pods>(&body, &DecodeOptions::default());
        if let Ok((pods, _)) = read {
            let unknown = Unknown::decode(&body[4..]).unwrap();
            let expected = PodList::decode(&unknown.raw.unwrap_or_default()[..]).unwrap();
            prop_assert_eq!(pods, expected.items.into_iter().map(Protobuf).collect::<Vec<_>>());
        }
    }
}
