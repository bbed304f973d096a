use kubewire_rest::{
    Config, Encoded, Error, List, Object, PatchType, Protobuf, Request, RequestError, StatusReason, TypeMeta,
};
use prost::Message as _;

use super::messages::*;
use crate::service::{Script, Step, answer as json};

fn pods(script: &Script) -> Request {
    script.client().get().namespace("default").resource("pods")
}

fn list(numbers: std::ops::Range<usize>, token: &str, size: usize) -> Step {
    Step::Answer(answer(200, &pod_list(numbers, token), size))
}

#[tokio::test(start_paused = true)]
async fn lists_come_whole_however_they_are_cut_short_and_long() {
    for (count, size) in [(0, 10), (3, 1), (3, 1 << 20), (2000, 1000), (2000, 1 << 22)] {
        let script = Script::new([list(0..count, "", size)]);
        let list: List<Protobuf<Pod>> = pods(&script).list().await.unwrap();
        assert_eq!(list.metadata.resource_version, "42");
        assert_eq!(list.metadata.remaining_item_count, Some(7));
        assert_eq!(list.items, (0..count).map(|n| Protobuf(pod(n))).collect::<Vec<_>>());
        assert_eq!(script.sent()[0].header("accept"), PROTOBUF);
    }
}

#[tokio::test(start_paused = true)]
async fn items_pages_and_all_read_protobuf_too() {
    let script = Script::new([list(0..5, "", 100)]);
    let mut items = pods(&script).items::<Encoded<Protobuf<Pod>>>().await.unwrap();
    let mut names = Vec::new();
    while let Some(pod) = items.next().await {
        let pod = pod.unwrap();
        assert_eq!((pod.str_at(&[3, 1]), pod.each_at(&[1, 17]).len()), (Some("Running"), 0));
        names.push(pod.name().to_owned());
    }
    assert_eq!(names, ["pod-0", "pod-1", "pod-2", "pod-3", "pod-4"]);
    assert_eq!(items.metadata().unwrap().resource_version, "42");

    let script = Script::new([list(0..2, "next", 100), list(2..3, "", 100)]);
    let skipped = pods(&script).skip_fields(["metadata.managedFields"]);
    let all: List<Protobuf<Pod>> = skipped.all().await.unwrap();
    assert_eq!(all.items.len(), 3);
    assert!(all.items.iter().all(|pod| pod.metadata.as_ref().unwrap().managed.is_empty()));
    assert_eq!(script.attempts(), 2);
    assert!(script.sent().iter().all(|sent| sent.header("accept") == PROTOBUF));
}

#[tokio::test(start_paused = true)]
async fn what_the_caller_asks_for_stays() {
    let script = Script::new([list(0..1, "", 100), list(0..1, "", 100)]);
    let with_fallback = "application/vnd.kubernetes.protobuf, application/json;q=0.1";
    pods(&script).accept(with_fallback).list::<Protobuf<Pod>>().await.unwrap();
    pods(&script).header_values("accept", [""; 0]).list::<Protobuf<Pod>>().await.unwrap();
    let sent = script.sent();
    assert_eq!((sent[0].header("accept"), sent[1].header("accept")), (with_fallback, ""));
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_json_says_what_to_do() {
    let body = r#"{"kind":"PodList","items":[],"metadata":{}}"#;
    let script = Script::new([]);
    let answered = || Script::new([Step::Answer(json(200, body))]);
    let errors = [
        pods(&answered()).list::<Protobuf<Pod>>().await.unwrap_err(),
        pods(&answered()).items::<Encoded<Protobuf<Pod>>>().await.unwrap_err(),
        pods(&answered()).watch::<Protobuf<Pod>>().await.unwrap_err(),
        pods(&answered()).send().await.into_object::<Protobuf<Pod>>().unwrap_err(),
        pods(&answered()).accept_protobuf().send().await.into_object::<Encoded<Protobuf<Pod>>>().unwrap_err(),
    ];
    for error in errors {
        let text = error.to_string();
        for part in
            ["GET", "application/json", PROTOBUF, "accept_protobuf()", "custom resources", "serde type"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
    assert_eq!(script.attempts(), 0);
    let refusal = r#"{"kind":"Status","status":"Failure","reason":"NotAcceptable","code":406,"message":"m"}"#;
    let error =
        pods(&Script::new([Step::Answer(json(406, refusal))])).list::<Protobuf<Pod>>().await.unwrap_err();
    assert!(error.is_not_acceptable() && error.to_string().contains("no protobuf"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn protobuf_for_a_type_of_serdes_is_an_error() {
    let script = Script::new([list(0..1, "", 100), list(0..1, "", 100)]);
    let error = pods(&script).list::<Object>().await.unwrap_err();
    assert!(error.to_string().contains("no decoder"), "{error}");
    let error = pods(&script).send().await.into_object::<Object>().unwrap_err();
    assert!(error.to_string().contains(PROTOBUF), "{error}");
}

// BH-A3, BH-W5
#[tokio::test(start_paused = true)]
async fn errors_in_protobuf_are_the_apis_own() {
    let body = wrapped("Status", &failure(404, "NotFound"));
    let answered = |code| Script::new([Step::Answer(answer(code, &body, 7))]);
    let errors = [
        pods(&answered(404)).list::<Protobuf<Pod>>().await.unwrap_err(),
        pods(&answered(404)).watch::<Protobuf<Pod>>().await.unwrap_err(),
        pods(&answered(404)).send().await.into_object::<Protobuf<Pod>>().unwrap_err(),
        // A failure is one whatever the code, and whoever reads it.
        pods(&answered(200)).send().await.into_object::<Protobuf<Pod>>().unwrap_err(),
        pods(&answered(200)).send().await.into_object::<Object>().unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_not_found(), "{error}");
        let status = error.status().unwrap();
        assert_eq!((status.message.as_str(), status.code), ("scripted", 404));
        assert_eq!(status.details.as_ref().unwrap().name, "web");
    }
    // What is none is not taken for one.
    let pod = wrapped("Pod", &pod(1));
    let error = pods(&Script::new([Step::Answer(answer(500, &pod, 9))])).send().await.check().unwrap_err();
    assert_eq!(error.status().unwrap().reason, StatusReason::INTERNAL_ERROR);
    assert!(error.to_string().contains("unknown"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn single_objects_and_bodies() {
    let script = Script::new([Step::Answer(answer(201, &wrapped("Pod", &pod(3)), 10))]);
    let created: Protobuf<Pod> = script
        .client()
        .post()
        .namespace("default")
        .resource("pods")
        .body_protobuf(&TypeMeta::new("v1", "Pod"), &pod(3))
        .accept_protobuf()
        .send()
        .await
        .into_object()
        .unwrap();
    assert_eq!(created.into_inner(), pod(3));
    let sent = &script.sent()[0];
    assert_eq!((sent.header("content-type"), sent.header("accept")), (PROTOBUF, PROTOBUF));
    let unknown = Unknown::decode(sent.body.strip_prefix(b"k8s\0").unwrap()).unwrap();
    assert_eq!(Pod::decode(&unknown.raw[..]).unwrap(), pod(3));
    assert_eq!(unknown.types.unwrap().kind, "Pod");

    let patch = script.client().patch(PatchType::Merge).resource("pods").name("a");
    let error = patch.body_protobuf(&TypeMeta::new("v1", "Pod"), &pod(3)).send().await.check().unwrap_err();
    assert!(
        matches!(&error, Error::Request { source, .. } if matches!(**source, RequestError::NoEncoder(_)))
    );

    // The kind in an error of decoding comes from the wrapper.
    let script =
        Script::new([Step::Answer(answer(200, b"k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod\x12\x02\x0a\x07", 99))]);
    let error = pods(&script).send().await.into_object::<Protobuf<Pod>>().unwrap_err();
    assert!(error.to_string().contains("v1 Pod"), "{error}");
    let script = Script::new([Step::Answer(answer(200, b"", 99))]);
    let error = pods(&script).send().await.into_object::<Protobuf<Pod>>().unwrap_err();
    assert!(error.to_string().contains("the body is empty"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_path_that_cannot_be_left_out_is_never_sent() {
    let script = Script::new([]);
    let skipping = || pods(&script).skip_fields(["spec.containers"]);
    let errors = [
        skipping().list::<Protobuf<Pod>>().await.unwrap_err(),
        skipping().all::<Protobuf<Pod>>().await.unwrap_err(),
        skipping().items::<Encoded<Protobuf<Pod>>>().await.unwrap_err(),
        skipping().watch::<Protobuf<Pod>>().await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::Request { .. }) && error.to_string().contains("spec.containers"));
    }
    assert_eq!(script.attempts(), 0);
    let script = Script::new([Step::Answer(answer(200, &wrapped("Pod", &pod(3)), 10))]);
    let request = pods(&script).skip_fields(["spec.containers"]);
    let error = request.send().await.into_object::<Protobuf<Pod>>().unwrap_err();
    assert!(error.to_string().contains("spec.containers"), "{error}");
}

// BH-R11
#[tokio::test(start_paused = true)]
async fn a_client_may_prefer_protobuf() {
    let script = Script::new([Step::Answer(answer(200, &wrapped("Pod", &pod(3)), 10))]);
    let client = script.builder(&Config::new("http://server:8080")).prefer_protobuf().build().unwrap();
    let pod: Protobuf<Pod> = client.get().resource("pods").name("a").send().await.into_object().unwrap();
    assert_eq!(pod.status.as_ref().unwrap().phase, "Running");
    assert_eq!(script.sent()[0].header("accept"), format!("{PROTOBUF},application/json"));
}
