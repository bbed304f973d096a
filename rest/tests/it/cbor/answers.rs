//! Answers in CBOR.

use kubewire_rest::{DecodeFault, Encoded, Object, Project, Projected, Status, StatusReason};
use serde::Deserialize;
use serde_json::json;

use super::{CBOR, cbor_answer, client, typed_answer};
use crate::service::{Script, Step};

fn pod() -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0", "managedFields": [{"manager": "m"}]},
        "spec": {"nodeName": "n\"1\"", "replicas": 3, "share": 0.5}})
}

#[derive(Deserialize, Debug)]
struct Narrow {
    metadata: Name,
}
#[derive(Deserialize, Debug)]
struct Name {
    name: String,
}
impl Project for Narrow {
    const PATHS: &'static [&'static str] = &["metadata.name"];
}

#[tokio::test(start_paused = true)]
async fn an_object_is_read_as_its_json() {
    let script = Script::new((0..6).map(|_| Step::Answer(cbor_answer(200, &pod()))));
    let client = client(&script);
    let get = || client.get().resource("pods").name("web-0");
    let object: Object = get().send().await.into_object().unwrap();
    assert_eq!(object, serde_json::from_value(pod()).unwrap());
    let encoded: Encoded<Object> = get().send().await.into_object().unwrap();
    assert_eq!(
        (encoded.name(), encoded.str_at("spec.nodeName").unwrap().as_deref()),
        ("web-0", Some("n\"1\""))
    );
    assert!(!encoded.to_json().contains("managedFields"));
    let narrow: Projected<Narrow> = get().send().await.into_object().unwrap();
    assert_eq!(narrow.metadata.name, "web-0");
    let skipped: Object = get().skip_fields(["spec"]).send().await.into_object().unwrap();
    assert!(!skipped.fields.contains_key("spec"));
    // The bytes as they came are CBOR.
    let result = get().send().await;
    assert_eq!((result.content_type(), &result.body()[..3]), (CBOR, &b"\xd9\xd9\xf7"[..]));
    assert_eq!(get().send_raw().await.unwrap(), kubewire_rest::cbor::encode(&pod()).unwrap());
    assert_eq!(script.sent()[0].header("accept"), "application/cbor, */*");
}

// BH-A3
#[tokio::test(start_paused = true)]
async fn an_error_is_the_servers_account() {
    let failure = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 404,
        "reason": "NotFound", "message": "pods \"web-0\" not found", "details": {"name": "web-0", "kind": "pods"}});
    let script = Script::new([
        Step::Answer(cbor_answer(404, &failure)),
        Step::Answer(cbor_answer(200, &failure)),
        Step::Answer(cbor_answer(200, &failure)),
        Step::Answer(typed_answer(404, CBOR, b"\xff".to_vec())),
    ]);
    let client = client(&script);
    let get = || client.get().resource("pods").name("web-0");
    let error = get().send().await.check().unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(error.status().unwrap().details.as_ref().unwrap().name, "web-0");
    // Behind a code that says success.
    assert!(get().send().await.into_object::<Object>().unwrap_err().is_not_found());
    let status: Status = get().send().await.into_object().unwrap();
    assert_eq!(status.reason, StatusReason::NOT_FOUND);
    // What can't be read leaves the code.
    let error = get().send().await.check().unwrap_err();
    assert!(error.is_not_found() && error.is_unexpected_server_response(), "{error}");
}

// BH-A2, BH-A11
#[tokio::test(start_paused = true)]
async fn what_can_not_be_read_is_an_error_that_says_where() {
    let script = Script::new([
        Step::Answer(typed_answer(200, CBOR, Vec::new())),
        Step::Answer(typed_answer(200, CBOR, b"\xa1\x44kind\x64\xff\xff\xff\xff".to_vec())),
        Step::Answer(typed_answer(200, CBOR, b"\xa1\x44kind\x43Po".to_vec())),
        Step::Answer(cbor_answer(200, &json!({"kind": "Pod", "apiVersion": "v1", "metadata": 7}))),
        Step::Answer(typed_answer(200, "application/cbor-seq", b"\xa0".to_vec())),
    ]);
    let client = client(&script);
    for words in [
        &["empty", "application/cbor"][..],
        &["no UTF-8", "at byte 7"],
        &["ends too early", "at byte 9"],
        &["v1 Pod", "invalid type"],
        &["no decoder", "application/cbor-seq"],
    ] {
        let error = client.get().resource("pods").send().await.into_object::<Object>().unwrap_err();
        let text = error.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn json_larger_than_the_clients_limit_is_refused() {
    let cbor = [&b"\x59\x10\x00"[..], &[1; 0x1000]].concat();
    let script = Script::new([Step::Answer(typed_answer(200, CBOR, cbor))]);
    let config = kubewire_rest::Config::new("http://server");
    let client = script.builder(&config).prefer_cbor().max_body_bytes(10_000).build().unwrap();
    let error = client.get().send().await.into_object::<String>().unwrap_err();
    assert!(error.to_string().contains("limit of 10000 bytes"), "{error}");
    let kubewire_rest::Error::Decode(error) = error else { panic!("{error}") };
    assert!(matches!(error.source, DecodeFault::Item(_)));
}
