//! The embedded API server, asked over a socket and without one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use kubewire_rest::fake::{ApiServer, Clock, ConnectFault, Fault, FaultRule};
use kubewire_transport::{Body, Error, HttpClient, HttpService};
use serde_json::{Value, json};

struct Answer {
    code: u16,
    headers: http::HeaderMap,
    body: Value,
    bytes: Bytes,
}

async fn ask(
    api: &dyn HttpService,
    method: &str,
    url: &str,
    kind: &str,
    body: &Value,
) -> Result<Answer, Error> {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let mut request = http::Request::builder().method(method).uri(url);
    if !kind.is_empty() {
        request = request.header("content-type", kind);
    }
    let response = api.execute(request.body(body).unwrap()).await?;
    let (head, body) = response.into_parts();
    let bytes = body.collect().await?.to_bytes();
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok(Answer { code: head.status.as_u16(), headers: head.headers, body, bytes })
}

async fn get(api: &dyn HttpService, path: &str) -> Answer {
    ask(api, "GET", &format!("http://server{path}"), "", &Value::Null).await.unwrap()
}

async fn send(api: &dyn HttpService, method: &str, path: &str, body: Value) -> Answer {
    ask(api, method, &format!("http://server{path}"), "application/json", &body).await.unwrap()
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn create_map(api: &dyn HttpService, name: &str) -> Value {
    let created = send(api, "POST", MAPS, json!({"metadata": {"name": name}, "data": {"k": "v"}})).await;
    assert_eq!(created.code, 201, "{}", created.body);
    created.body
}

#[tokio::test]
async fn a_continue_token_shows_the_list_as_it_was_and_expires() {
    let server = ApiServer::start().await.unwrap();
    let api = server.service();
    for name in ["a", "b", "c"] {
        create_map(&api, name).await;
    }
    let page = get(&api, &format!("{MAPS}?limit=2")).await.body;
    assert_eq!(page["metadata"]["remainingItemCount"], 1);
    let token = page["metadata"]["continue"].as_str().unwrap();
    send(&api, "DELETE", &format!("{MAPS}/c"), Value::Null).await;
    let next = format!("{MAPS}?limit=2&continue={token}");
    let rest = get(&api, &next).await.body;
    assert_eq!(rest["items"][0]["metadata"]["name"], "c");
    assert_eq!(rest["metadata"]["resourceVersion"], page["metadata"]["resourceVersion"]);
    server.objects().compact();
    let gone = get(&api, &next).await;
    assert_eq!((gone.code, &gone.body["reason"]), (410, &json!("Expired")));
}

#[tokio::test]
async fn a_watch_tells_what_happened_marks_the_end_of_its_list_and_ends_when_compacted() {
    let server = ApiServer::start().await.unwrap();
    let api = server.service();
    create_map(&api, "a").await;
    let start = server.objects().version();
    create_map(&api, "b").await;
    send(&api, "DELETE", &format!("{MAPS}/a"), Value::Null).await;
    let watch = |query: &str| format!("{MAPS}?watch=true&timeoutSeconds=1&{query}");
    let lines = |answer: Answer| -> Vec<(String, Value)> {
        let text = String::from_utf8(answer.bytes.to_vec()).unwrap();
        let event = |line| {
            let event: Value = serde_json::from_str(line).unwrap();
            (event["type"].as_str().unwrap().to_owned(), event["object"].clone())
        };
        text.lines().map(event).collect()
    };
    let events = lines(get(&api, &watch(&format!("resourceVersion={start}"))).await);
    let seen: Vec<_> = events.iter().map(|(t, o)| (&**t, o["metadata"]["name"].as_str().unwrap())).collect();
    assert_eq!(seen, [("ADDED", "b"), ("DELETED", "a")]);

    let list = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let events = lines(get(&api, &watch(list)).await);
    assert_eq!((events[0].0.as_str(), events[1].0.as_str()), ("ADDED", "BOOKMARK"));
    assert_eq!(events[1].1["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");

    server.objects().compact();
    let events = lines(get(&api, &watch(&format!("resourceVersion={start}"))).await);
    assert_eq!((events.len(), events[0].0.as_str(), &events[0].1["code"]), (1, "ERROR", &json!(410)));
}

#[tokio::test]
async fn an_object_with_finalizers_goes_when_the_last_is_taken_away() {
    let server = ApiServer::start().await.unwrap();
    let api = server.service();
    send(&api, "POST", MAPS, json!({"metadata": {"name": "a", "finalizers": ["example.com/x"]}})).await;
    let path = format!("{MAPS}/a");
    let deleted = send(&api, "DELETE", &path, Value::Null).await.body;
    assert!(deleted["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(get(&api, &path).await.code, 200);
    let patch = json!({"metadata": {"finalizers": null}});
    let url = format!("http://server{path}");
    ask(&api, "PATCH", &url, "application/merge-patch+json", &patch).await.unwrap();
    assert_eq!(get(&api, &path).await.code, 404);
}

#[tokio::test]
async fn an_apply_that_creates_a_namespaced_object_needs_its_namespace() {
    let server = ApiServer::start().await.unwrap();
    let api = server.service();
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    let apply =
        |namespace: &str| format!("http://server/api/v1/namespaces/{namespace}/configmaps/a?fieldManager=m");
    let kind = "application/apply-patch+yaml";
    assert_eq!(ask(&api, "PATCH", &apply("default"), kind, &map).await.unwrap().code, 201);
    assert_eq!(ask(&api, "PATCH", &apply("none"), kind, &map).await.unwrap().code, 404);
    let nobody = "http://server/api/v1/namespaces/default/configmaps/a";
    assert_eq!(ask(&api, "PATCH", nobody, kind, &map).await.unwrap().code, 422);
}

#[tokio::test]
async fn hooks_change_warn_and_refuse() {
    let server = ApiServer::builder()
        .admission("test.example.com", |review| {
            if review.name() == "bad" {
                return Err("it is bad".to_owned());
            }
            review.object["data"]["added"] = "yes".into();
            review.warn("careful");
            Ok(())
        })
        .start()
        .await
        .unwrap();
    let api = server.service();
    let good = send(&api, "POST", MAPS, json!({"metadata": {"name": "good"}})).await;
    assert_eq!(good.body["data"]["added"], "yes");
    assert_eq!(good.headers["warning"], "299 - \"careful\"");
    let bad = send(&api, "POST", MAPS, json!({"metadata": {"name": "bad"}})).await;
    assert_eq!(bad.code, 403);
    assert!(bad.body["message"].as_str().unwrap().contains("denied the request: it is bad"));
}

#[tokio::test]
async fn rights_come_from_rbac_objects_and_tokens_from_a_clock() {
    let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
    let server =
        ApiServer::builder().token("root").user("t", "jane", &[]).clock(clock.clone()).start().await.unwrap();
    let api = server.service();
    let with = async |token: &str, path: &str| {
        let request = http::Request::get(format!("http://server{path}"))
            .header("authorization", format!("Bearer {token}"));
        let answer = api.execute(request.body(Body::empty()).unwrap()).await.unwrap();
        let code = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        (code, serde_json::from_slice::<Value>(&bytes).unwrap_or_default())
    };
    let (code, status) = with("t", MAPS).await;
    let message = "configmaps is forbidden: User \"jane\" cannot list resource \"configmaps\" in API group \"\" in the namespace \"default\"";
    assert_eq!((code, status["message"].as_str().unwrap()), (403, message));
    let rbac = "rbac.authorization.k8s.io";
    for object in [
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "Role", "metadata": {"name": "r", "namespace": "default"},
            "rules": [{"verbs": ["list"], "apiGroups": [""], "resources": ["configmaps"]}]}),
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding", "metadata": {"name": "b", "namespace": "default"},
            "roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "name": "jane"}]}),
    ] {
        server.objects().put(object).unwrap();
    }
    assert_eq!(with("t", MAPS).await.0, 200);
    assert_eq!(with("t", "/api/v1/namespaces/kube-system/configmaps").await.0, 403);
    assert_eq!(with("wrong", MAPS).await.0, 401);
    server.revoke_token("t");
    assert_eq!(with("t", MAPS).await.0, 401);
    server.add_token("fresh", "jane", &[]);
    assert_eq!(with("fresh", MAPS).await.0, 200);
}

/// Each fault as a client meets it, on HTTP/1.1 and on HTTP/2.
#[tokio::test]
async fn faults_strike_once_and_the_next_request_is_answered() {
    for tls in [false, true] {
        let server = ApiServer::builder().tls(tls).start().await.unwrap();
        let client = HttpClient::new(&server.config()).unwrap();
        let url = format!("{}{MAPS}", server.url());
        for fault in [
            Fault::ResetBefore,
            Fault::Reset { after: 20 },
            Fault::Close { after: 20 },
            Fault::CutBody { after: 10 },
            Fault::WrongLength(5),
            Fault::Garbage(Bytes::from_static(b"\x00\x01 nonsense\r\n\r\n")),
            Fault::GoAway,
            Fault::StreamReset(2),
        ] {
            server.faults().add(FaultRule::new(fault.clone()).times(1));
            let struck = server.faults().struck();
            let asked = ask(&client, "GET", &url, "", &Value::Null);
            let answer = tokio::time::timeout(Duration::from_secs(20), asked).await.expect("no hang");
            assert_eq!(server.faults().struck(), struck + 1, "{fault:?}");
            // What was certainly not looked at may be sent again beneath us.
            if fault != Fault::GoAway && fault != Fault::ResetBefore {
                assert!(answer.is_err(), "{fault:?} tls={tls}: {}", answer.unwrap().code);
            }
            let next = ask(&client, "GET", &url, "", &Value::Null).await.unwrap();
            assert_eq!(next.code, 200, "after {fault:?}");
        }
        server.faults().once(Fault::retry_after(503, 7));
        let busy = ask(&client, "GET", &url, "", &Value::Null).await.unwrap();
        assert_eq!((busy.code, &busy.headers["retry-after"]), (503, &http::HeaderValue::from_static("7")));
        server.faults().once(Fault::Trickle { bytes: 30, every: Duration::from_millis(1) });
        let slow = ask(&client, "GET", &url, "", &Value::Null).await.unwrap();
        assert_eq!(slow.body["kind"], "ConfigMapList");
    }
}

#[tokio::test]
async fn a_handshake_fails_as_it_is_told_to() {
    let server = ApiServer::builder().tls(true).start().await.unwrap();
    for fault in [ConnectFault::ExpiredCertificate, ConnectFault::TlsAlert, ConnectFault::Reset] {
        server.faults().on_connect(fault, 8);
        let client = HttpClient::builder(&server.config()).shared(false).build().unwrap();
        let url = format!("{}/version", server.url());
        assert!(ask(&client, "GET", &url, "", &Value::Null).await.is_err(), "{fault:?}");
        server.faults().clear();
        assert_eq!(ask(&client, "GET", &url, "", &Value::Null).await.unwrap().code, 200, "after {fault:?}");
    }
}

#[tokio::test]
async fn a_dropped_server_leaves_no_task_and_no_connection() {
    let metrics = tokio::runtime::Handle::current().metrics();
    let server = ApiServer::builder().tls(true).start().await.unwrap();
    let client = Arc::new(HttpClient::builder(&server.config()).shared(false).build().unwrap());
    let url = format!("{}{MAPS}?watch=true", server.url());
    let request = http::Request::get(&url).body(Body::empty()).unwrap();
    let watch = client.execute(request).await.unwrap();
    assert_eq!(server.connections(), 1);
    drop(server);
    // The watch ends, in good order or not.
    let end = tokio::time::timeout(Duration::from_secs(20), watch.into_body().collect()).await;
    assert!(end.is_ok());
    drop(client);
    for _ in 0..1000 {
        if metrics.num_alive_tasks() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{} tasks are left", metrics.num_alive_tasks());
}
