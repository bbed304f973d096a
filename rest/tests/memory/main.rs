//! What reading many objects holds, each case measured as the peak of a process of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;
use std::sync::Arc;

use futures_util::Stream;
use kubewire_rest::http::{Request, Response, StatusCode};
use kubewire_rest::transport::{Body, BoxError, BoxFuture, Error, HttpService};
use kubewire_rest::{Bytes, Change, Config, Encoded, GroupVersion, List, Object, ObjectMeta, RestClient};
use serde::Deserialize;
use serde_json::{Value, json};

/// The case that a child measures, and how many pods of 10 KB the server has.
const CASE: &str = "KUBEWIRE_MEMORY_CASE";

/// A server of pods that exist only on their way.
#[derive(Debug)]
struct Pods(usize);

impl HttpService for Pods {
    fn execute(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, Error>> {
        let asks = |parameter| request.uri().query().is_some_and(|query| query.contains(parameter));
        let mut response = Response::new(Body::empty());
        if asks("sendInitialEvents") {
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        } else if asks("watch=true") {
            *response.body_mut() = Body::stream(futures_util::stream::pending::<Result<Bytes, BoxError>>());
        } else {
            *response.body_mut() = Body::stream(list(self.0));
        }
        response.headers_mut().insert("content-type", "application/json".parse().unwrap());
        Box::pin(std::future::ready(Ok(response)))
    }
}

/// A list in chunks as they come over a network.
fn list(count: usize) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    let template = pod().to_string();
    let head = Bytes::from_static(br#"{"kind":"PodList","metadata":{"resourceVersion":"7"},"items":["#);
    let items = (0..count).map(move |number| {
        let comma = if number == 0 { "" } else { "," };
        Bytes::from(format!("{comma}{}", template.replace("NUMBER", &format!("{number:06}"))))
    });
    let tail = Bytes::from_static(b"]}");
    futures_util::stream::iter(std::iter::once(head).chain(items).chain(std::iter::once(tail)).map(Ok))
}

/// A pod of 10 KB, a third of it managedFields.
fn pod() -> Value {
    let mut fields = json!({});
    for number in 0..60 {
        fields[format!("f:status-{number}")] = json!({".": {}, "f:lastTransitionTime": {}});
    }
    let env: Vec<Value> =
        (0..60).map(|n| json!({"name": format!("VARIABLE_{n}"), "value": "v".repeat(60)})).collect();
    json!({"metadata": {"name": "pod-NUMBER", "namespace": "default", "resourceVersion": "1NUMBER",
        "managedFields": [{"manager": "kubelet", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:status": fields}}]},
        "spec": {"containers": [{"name": "main", "image": "example.com/main", "env": env}]},
        "status": {"phase": "Running"}})
}

/// A pod as a program has it, with all that the server sends.
#[derive(Deserialize)]
struct Pod {
    metadata: ObjectMeta,
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    env: Vec<Variable>,
}

#[derive(Deserialize)]
struct Variable {
    name: String,
    value: String,
}

/// Looks at all of an object.
fn is_whole(pod: &Pod) -> bool {
    let env = &pod.spec.containers[0].env;
    !pod.metadata.name.is_empty() && env.iter().all(|variable| variable.name.len() < variable.value.len())
}

/// Looks at every object that is held.
fn held(list: &List<Pod>) -> usize {
    list.items.iter().filter(|pod| is_whole(pod)).count()
}

/// What a child does: it reads as the case says, and prints its peak.
#[tokio::main(flavor = "current_thread")]
async fn measure(case: &str) {
    let (case, count) = case.rsplit_once(' ').unwrap();
    let count: usize = count.parse().unwrap();
    let client = RestClient::builder(&Config::new("http://pods"))
        .group_version(GroupVersion::V1)
        .http_service(Arc::new(Pods(count)))
        .build()
        .unwrap();
    let pods = || client.get().resource("pods");
    let read = match case {
        "nothing" => count,
        "items" => {
            let mut items = pods().items::<Pod>().await.unwrap();
            let mut read = 0;
            while let Some(item) = items.next().await {
                read += usize::from(is_whole(&item.unwrap()));
            }
            read
        }
        "encoded items" => {
            let mut items = pods().items::<Encoded<Object>>().await.unwrap();
            let mut read = 0;
            while let Some(item) = items.next().await {
                item.unwrap();
                read += 1;
            }
            read
        }
        "list_watch" => {
            let mut changes = pods().list_watch::<Encoded<Object>>();
            let mut read = 0;
            loop {
                match changes.next().await.unwrap().unwrap() {
                    Change::Applied(_) => read += 1,
                    Change::InitDone => break,
                    _ => {}
                }
            }
            read
        }
        "list" => pods().list::<Pod>().await.map(|list| held(&list)).unwrap(),
        "skipping list" => {
            let pods = pods().skip_fields(["metadata.managedFields"]);
            pods.list::<Pod>().await.map(|list| held(&list)).unwrap()
        }
        _ => panic!("{case}"),
    };
    assert_eq!(read, count);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("peak:{}", peak.trim().strip_suffix(" kB").unwrap());
}

/// The peak of a case in MB, over that of a process which reads nothing.
fn peak(case: &str, count: usize) -> f64 {
    let run = |case: &str| -> f64 {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["a_stream_holds_one_object", "--exact", "--nocapture"])
            .env(CASE, format!("{case} {count}"))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let peak = text.lines().find_map(|line| line.split_once("peak:"));
        let (_, kilobytes) =
            peak.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
        kilobytes.trim().parse::<f64>().unwrap() / 1000.0
    };
    let peak = run(case) - run("nothing");
    eprintln!("{case}, {count} pods: {peak:.1} MB");
    peak
}

/// 20 MB and 200 MB of pods, read one by one, take the same memory. In a child this measures one case.
#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn a_stream_holds_one_object() {
    if let Ok(case) = std::env::var(CASE) {
        return measure(&case);
    }
    for case in ["items", "encoded items", "list_watch"] {
        let (few, many) = (peak(case, 2_000), peak(case, 20_000));
        assert!((many - few).abs() < 4.0, "{case}: {few} MB and {many} MB");
        assert!(many < 8.0, "{case}: {many} MB");
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn a_list_without_managed_fields_holds_under_half() {
    let (whole, skipping) = (peak("list", 2_000), peak("skipping list", 2_000));
    assert!(skipping < whole / 2.0, "{skipping} MB and {whole} MB");
}
