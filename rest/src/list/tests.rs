use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::{Encoded, FieldPath, Object};

fn decode<T: Decode>(
    text: &str,
    piece: usize,
    options: &DecodeOptions,
) -> (Vec<Result<T, ItemError>>, String) {
    let mut decoder = ListDecoder::<T>::new(options);
    let mut items = Vec::new();
    for chunk in text.as_bytes().chunks(piece) {
        decoder.push(Bytes::copy_from_slice(chunk));
        items.extend(std::iter::from_fn(|| decoder.next_item()));
    }
    decoder.finish();
    items.extend(std::iter::from_fn(|| decoder.next_item()));
    assert!(decoder.next_item().is_none());
    assert_eq!(decoder.kind().as_deref(), Some("PodList"));
    (items, decoder.metadata().unwrap().resource_version)
}

#[test]
fn items_of_every_kind_of_type_are_those_of_serde_json() {
    let text = kubewire_sample::pod_list(3);
    let whole: Value = serde_json::from_str(&text).unwrap();
    let items = whole["items"].as_array().unwrap();
    for piece in [37, 1000, 4096, 1 << 24] {
        let (values, version) = decode::<Value>(&text, piece, &DecodeOptions::default());
        assert_eq!(version, "4711");
        assert_eq!(values.into_iter().map(Result::unwrap).collect::<Vec<_>>(), *items);

        let (objects, _) = decode::<Object>(&text, piece, &DecodeOptions::default());
        for (object, item) in objects.into_iter().zip(items) {
            assert_eq!(object.unwrap(), serde_json::from_value(item.clone()).unwrap());
        }

        let skip = DecodeOptions::default()
            .skip_fields([FieldPath::managed_fields(), FieldPath::of_keys(["spec"])])
            .unwrap();
        let (values, _) = decode::<Value>(&text, piece, &skip);
        for (value, item) in values.into_iter().zip(items) {
            let mut item = item.clone();
            item.as_object_mut().unwrap().remove("spec");
            item["metadata"].as_object_mut().unwrap().remove("managedFields");
            assert_eq!(value.unwrap(), item);
        }

        let (encoded, _) = decode::<Encoded<Value>>(&text, piece, &DecodeOptions::default());
        assert_eq!(encoded.len(), items.len());
        for (encoded, item) in encoded.into_iter().zip(items) {
            let (encoded, mut item) = (encoded.unwrap(), item.clone());
            assert_eq!(encoded.name(), item["metadata"]["name"]);
            item["metadata"].as_object_mut().unwrap().remove("managedFields");
            assert_eq!(encoded.decode().unwrap(), item);
        }
    }
}

#[test]
fn an_item_of_another_type_names_itself_and_ends_the_list() {
    #[derive(Debug, Deserialize)]
    struct Narrow {
        #[serde(rename = "a")]
        _a: u8,
    }
    let text = r#"{"kind":"PodList","items":[{"a":1}, {"a":"x"},{"a":2}]}"#;
    let (items, _) = decode::<Narrow>(text, 7, &DecodeOptions::default());
    assert_eq!(items.len(), 2);
    assert!(items[0].is_ok());
    let error = items[1].as_ref().unwrap_err();
    assert_eq!((error.item(), error.offset()), (Some(1), 36));
    let text = error.to_string();
    assert!(
        text.contains("item 1, which begins at byte 36") && text.contains("invalid type: string"),
        "{text}"
    );
}

#[test]
fn a_broken_item_is_an_error_for_objects_that_nobody_decodes() {
    for broken in [r#"{"a":tru}"#, "{\"a\":\"\u{1}\"}", r#"{"a":1"#, r#"{"metadata":{"managedFields":[}]}}"#]
    {
        let text = format!(r#"{{"kind":"PodList","items":[{{}},{{}},{broken},{{}}]}}"#);
        let (items, _) = decode::<Encoded<Value>>(&text, 9, &DecodeOptions::default());
        assert_eq!(items.len(), 3, "{broken}");
        assert_eq!(items[2].as_ref().unwrap_err().item(), Some(2), "{broken}");
    }
}

#[test]
fn fields_that_cannot_be_left_out_are_refused() {
    for path in ["spec.containers[]", "spec.containers[0].image", "", "a."] {
        assert!(DecodeOptions::default().skip_fields([path]).is_err(), "{path}");
    }
    assert!(DecodeOptions::default().skip_fields(["spec.containers[].env"]).is_ok());
}

#[test]
fn single_objects_are_read_like_items() {
    let pod = kubewire_sample::pod(3);
    let text = pod.to_string();
    let options = DecodeOptions::default().skip_fields(["metadata.managedFields", "status"]).unwrap();
    let mut expected = pod.clone();
    expected.as_object_mut().unwrap().remove("status");
    expected["metadata"].as_object_mut().unwrap().remove("managedFields");
    assert_eq!(decode_object::<Value>(text.as_bytes(), &options).unwrap(), expected);
    assert_eq!(decode_object::<Value>(b" 7 ", &options).unwrap(), 7);
    for broken in ["", "{", "{}{}", "7 8", "\u{feff}{}"] {
        assert!(decode_object::<Value>(broken.as_bytes(), &options).is_err(), "{broken}");
    }
    let error = decode_object::<Object>(br#"{"metadata":7}"#, &options).unwrap_err();
    assert!(error.to_string().starts_with("not of the type asked for: "), "{error}");
}
