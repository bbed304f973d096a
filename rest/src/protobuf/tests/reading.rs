use proptest::prelude::*;
use prost::Message;

use super::model::*;
use crate::{DecodeOptions, Encoded, FieldPath, ListMeta, Protobuf, Status, TypeMeta, decode_object};

fn meta(list: &PodList) -> ListMeta {
    let meta = list.metadata.clone().unwrap_or_default();
    ListMeta {
        self_link: meta.self_link.unwrap_or_default(),
        resource_version: meta.resource_version.unwrap_or_default(),
        continue_token: meta.continue_token.unwrap_or_default(),
        remaining_item_count: meta.remaining,
    }
}

fn check_encoded(encoded: &Encoded<Protobuf<Pod>>, pod: &Pod) {
    let meta = pod.metadata.clone().unwrap_or_default();
    let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    assert_eq!(encoded.name(), meta.name.as_deref().unwrap_or_default());
    assert_eq!(encoded.namespace(), some(&meta.namespace).as_deref());
    assert_eq!(encoded.uid(), some(&meta.uid).as_deref());
    assert_eq!(encoded.resource_version(), some(&meta.resource_version).as_deref());
    let time = meta.deletion.as_ref().map(|time| jiff::Timestamp::from_second(time.seconds()).unwrap());
    assert_eq!(encoded.deletion_timestamp(), time.map(|time| time.to_string()).as_deref());
    for (name, value) in &meta.labels {
        assert_eq!(encoded.label(name).as_deref(), Some(&**value));
    }
    assert_eq!(encoded.label("none"), None);
    let annotations: Vec<_> = encoded.annotations().into_iter().collect();
    let expected: Vec<_> = meta.annotations.iter().map(|(k, v)| (k.into(), v.into())).collect();
    assert_eq!(annotations, expected);
    let owners = encoded.owner_references();
    assert_eq!(owners.len(), meta.owners.len());
    for (found, owner) in owners.iter().zip(&meta.owners) {
        assert_eq!(
            (&*found.api_version, &*found.kind, &*found.name, &*found.uid),
            (owner.api_version(), owner.kind(), owner.name(), owner.uid())
        );
        assert_eq!((found.controller, found.block_owner_deletion), (owner.controller, owner.block));
    }
    let status = pod.status.as_ref();
    assert_eq!(encoded.str_at(&[3, 1]), status.and_then(|status| status.phase.as_deref()));
    assert_eq!(encoded.i64_at(&[3, 2]), status.and_then(|status| status.count));
    assert_eq!(encoded.bool_at(&[3, 3]), status.and_then(|status| status.ready));
    assert_eq!(encoded.decode_at::<PodStatus>(&[3]).unwrap().as_ref(), status);
    let parts: Vec<Owner> = encoded.each_at(&[3, 8]).into_iter().map(|o| Owner::decode(o).unwrap()).collect();
    assert_eq!(parts, status.map(|status| status.owners.clone()).unwrap_or_default());
    assert_eq!(encoded.str_at(&[7, 1, 1]), None);
    assert_eq!(&encoded.decode().unwrap(), pod);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn lists_are_those_of_prost(list in pod_list(), pieces in prop::collection::vec(1_usize..200, 1..6)) {
        let body = wrapped("PodList", &list);
        let (pods, read) = decode::<Protobuf<Pod>>(&body, &pieces, &DecodeOptions::default()).unwrap();
        prop_assert_eq!(&read, &meta(&list));
        prop_assert_eq!(pods, list.items.iter().cloned().map(Protobuf).collect::<Vec<_>>());

        let (pods, _) = decode::<Protobuf<Narrow>>(&body, &pieces, &DecodeOptions::default()).unwrap();
        let narrow = list.items.iter().map(|pod| Protobuf(Narrow { status: pod.status.clone() }));
        prop_assert_eq!(pods, narrow.collect::<Vec<_>>());
    }

    #[test]
    fn what_is_left_out_is_left_out(list in pod_list(), piece in 1_usize..300) {
        let body = wrapped("PodList", &list);
        let skip = DecodeOptions::default()
            .skip_fields([
                FieldPath::managed_fields(),
                FieldPath::annotation("a"),
                FieldPath::of_keys(["metadata", "labels"]),
                FieldPath::of_keys(["metadata", "uid"]),
            ])
            .unwrap();
        let (pods, _) = decode::<Protobuf<Pod>>(&body, &[piece], &skip).unwrap();
        let mut expected = list.items.clone();
        for meta in expected.iter_mut().filter_map(|pod| pod.metadata.as_mut()) {
            meta.managed.clear();
            meta.labels.clear();
            meta.uid = None;
            meta.annotations.remove("a");
        }
        prop_assert_eq!(pods, expected.into_iter().map(Protobuf).collect::<Vec<_>>());

        let skip = DecodeOptions::default().skip_fields(["metadata"]).unwrap();
        let (pods, _) = decode::<Protobuf<Pod>>(&body, &[piece], &skip).unwrap();
        let expected = list.items.iter().map(|pod| Protobuf(Pod { metadata: None, ..pod.clone() }));
        prop_assert_eq!(pods, expected.collect::<Vec<_>>());
    }

    #[test]
    fn encoded_objects_know_what_prost_knows(list in pod_list(), piece in 1_usize..300) {
        let body = wrapped("PodList", &list);
        let keep = DecodeOptions::default().keep_managed_fields();
        let (pods, _) = decode::<Encoded<Protobuf<Pod>>>(&body, &[piece], &keep).unwrap();
        prop_assert_eq!(pods.len(), list.items.len());
        for (encoded, pod) in pods.iter().zip(&list.items) {
            check_encoded(encoded, pod);
            prop_assert_eq!(encoded.to_protobuf(), &pod.encode_to_vec());
        }
        let (pods, _) = decode::<Encoded<Protobuf<Pod>>>(&body, &[piece], &DecodeOptions::default()).unwrap();
        for (encoded, pod) in pods.iter().zip(&list.items) {
            let mut pod = pod.clone();
            if let Some(meta) = &mut pod.metadata {
                meta.managed.clear();
            }
            check_encoded(encoded, &pod);
            let again: Encoded<Protobuf<Pod>> =
                decode_object(&wrapped("Pod", &pod), &DecodeOptions::default()).unwrap();
            prop_assert!(again == *encoded && again.content_hash() == encoded.content_hash());
        }
    }

    /// Messages of a field that comes twice are one: protobuf says so.
    #[test]
    fn metadata_in_two_parts_is_merged(one in pod(), two in pod()) {
        let both = [one.encode_to_vec(), two.encode_to_vec()].concat();
        let mut merged = Pod::decode(&both[..]).unwrap();
        let unknown = Unknown { raw: Some(both), ..Unknown::default() };
        let body = [b"k8s\0", &unknown.encode_to_vec()[..]].concat();
        let encoded: Encoded<Protobuf<Pod>> = decode_object(&body, &DecodeOptions::default()).unwrap();
        if let Some(meta) = &mut merged.metadata {
            meta.managed.clear();
        }
        prop_assert_eq!(&encoded.decode().unwrap(), &merged);
        let last = two.status.as_ref().or(one.status.as_ref()).map(Message::encode_to_vec);
        prop_assert_eq!(encoded.bytes_at(&[3]), last.as_deref());
        let meta = merged.metadata.unwrap_or_default();
        let labels: Vec<_> = encoded.labels().into_iter().collect();
        prop_assert_eq!(labels, meta.labels.iter().map(|(k, v)| (k.into(), v.into())).collect::<Vec<_>>());
        if !meta.name().is_empty() {
            prop_assert_eq!(encoded.name(), meta.name());
        }
    }
}

#[derive(Clone, PartialEq, Message)]
struct WireStatus {
    #[prost(message, optional, tag = "1")]
    metadata: Option<Meta>,
    #[prost(string, optional, tag = "2")]
    status: Option<String>,
    #[prost(string, optional, tag = "3")]
    message: Option<String>,
    #[prost(string, optional, tag = "4")]
    reason: Option<String>,
    #[prost(message, optional, tag = "5")]
    details: Option<WireDetails>,
    #[prost(int32, optional, tag = "6")]
    code: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct WireDetails {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    group: Option<String>,
    #[prost(string, optional, tag = "3")]
    kind: Option<String>,
    #[prost(message, repeated, tag = "4")]
    causes: Vec<WireCause>,
    #[prost(int32, optional, tag = "5")]
    retry_after: Option<i32>,
    #[prost(string, optional, tag = "6")]
    uid: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct WireCause {
    #[prost(string, optional, tag = "1")]
    reason: Option<String>,
    #[prost(string, optional, tag = "2")]
    message: Option<String>,
    #[prost(string, optional, tag = "3")]
    field: Option<String>,
}

#[test]
fn a_status_has_all_its_fields() {
    let some = |text: &str| Some(text.to_owned());
    let status = WireStatus {
        metadata: Some(Meta { resource_version: some("7"), ..Meta::default() }),
        status: some("Failure"),
        message: some("too many"),
        reason: some("TooManyRequests"),
        details: Some(WireDetails {
            name: some("a"),
            group: some("apps"),
            kind: some("deployments"),
            causes: vec![WireCause {
                reason: some("FieldValueInvalid"),
                message: some("m"),
                field: some("spec.x"),
            }],
            retry_after: Some(3),
            uid: some("u"),
        }),
        code: Some(429),
    };
    let read = crate::protobuf::status(&wrapped("Status", &status)).unwrap();
    let expected: Status = serde_json::from_str(
        r#"{"kind":"Status","apiVersion":"v1","metadata":{"resourceVersion":"7"},"status":"Failure",
            "message":"too many","reason":"TooManyRequests","code":429,
            "details":{"name":"a","group":"apps","kind":"deployments","retryAfterSeconds":3,"uid":"u",
            "causes":[{"reason":"FieldValueInvalid","message":"m","field":"spec.x"}]}}"#,
    )
    .unwrap();
    assert_eq!(read, expected);
    let negative = WireStatus { code: Some(-1), ..WireStatus::default() };
    assert_eq!(crate::protobuf::status(&wrapped("Status", &negative)).unwrap().code, 0);
}

/// What is sealed is opened by prost, byte by byte what it would write.
#[test]
fn bodies_are_wrapped_as_go_clients_wrap_them() {
    let owner = Owner { name: Some("x".repeat(300)), ..Owner::default() };
    let body = crate::protobuf::seal(&TypeMeta::new("apps/v1", "Owner"), &owner).unwrap();
    let unknown = Unknown::decode(body.strip_prefix(b"k8s\0").unwrap()).unwrap();
    let types = unknown.types.unwrap();
    assert_eq!((types.api_version(), types.kind()), ("apps/v1", "Owner"));
    assert_eq!(Owner::decode(&unknown.raw.unwrap()[..]).unwrap(), owner);
    let (types, message) = crate::protobuf::open(&body).unwrap();
    assert_eq!((TypeMeta::from(types).kind.as_str(), message), ("Owner", &owner.encode_to_vec()[..]));
}
