//! Logs: bytes, and the lines in them.

use std::time::Duration;

use futures_util::StreamExt as _;
use kubewire_rest::http::Response;
use kubewire_rest::transport::{Body, BoxError, Error as TransportError, ErrorKind};
use kubewire_rest::{Bytes, DeleteOptions, Lines};
use proptest::prelude::*;

use crate::lists::pieces;
use crate::service::{Script, Step};
use crate::watch::pods;

async fn lines_of(answer: Response<Body>, max: usize) -> Lines {
    let script = Script::new([Step::Answer(answer)]);
    pods(&script).name("a").subresource("log").stream().await.unwrap().lines().max_line_bytes(max)
}

async fn all(mut lines: Lines) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(line) = lines.next().await {
        match line {
            Ok(line) => all.push(String::from_utf8_lossy(&line).into_owned()),
            Err(error) => all.push(format!("! {}", error.transport().unwrap())),
        }
    }
    assert!(lines.next().await.is_none());
    all
}

#[tokio::test]
async fn lines_end_where_they_end() {
    for (text, max, lines) in [
        ("", 100, &[][..]),
        ("\n", 100, &[""]),
        ("a\n\nb\r\nc", 100, &["a", "", "b", "c"]),
        ("a\rb\n", 100, &["a\rb"]),
        ("abc\nabcd\nabcdefg\n", 3, &["abc", "abc", "d", "abc", "def", "g"]),
        ("abcdef", 3, &["abc", "def"]),
        ("ab\n", 1, &["a", "b"]),
        ("ab\n", 0, &["a", "b"]),
        ("ab\ncd", usize::MAX, &["ab", "cd"]),
    ] {
        for size in 1..=text.len().max(1) {
            assert_eq!(all(lines_of(pieces(text, size), max).await).await, lines, "{text:?} by {size}");
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_whatever_the_pieces(text in "[a\n]{0,80}", size in 1_usize..30, max in 1_usize..20) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let lines = runtime.block_on(async { all(lines_of(pieces(&text, size), max).await).await });
        let mut expected = Vec::new();
        let mut whole: Vec<&str> = text.split('\n').collect();
        if whole.last() == Some(&"") {
            whole.pop();
        }
        for line in whole {
            let chunks = line.as_bytes().chunks(max).map(|piece| String::from_utf8(piece.to_vec()).unwrap());
            expected.extend(chunks);
            if line.is_empty() {
                expected.push(String::new());
            }
        }
        prop_assert_eq!(lines, expected);
    }
}

#[tokio::test]
async fn an_error_comes_after_what_it_cuts_short() {
    let chunks = [
        Ok(http_body::Frame::data(Bytes::from("a\nb"))),
        Err(TransportError::new(ErrorKind::ConnectionReset, "x")),
    ];
    let body = Body::wrap(http_body_util::StreamBody::new(futures_util::stream::iter(chunks)));
    let lines = all(lines_of(Response::new(body), 100).await).await;
    assert_eq!(lines, ["a", "b", "! the connection was reset"]);
}

/// A log without an end is read no faster than its lines are taken, in bounded memory, and waits lose nothing.
#[tokio::test(start_paused = true)]
async fn back_pressure_and_cancellation() {
    let read = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&read);
    let endless = futures_util::stream::repeat_with(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok::<_, BoxError>(Bytes::from(vec![b'x'; 1000]))
    });
    let slow = endless.then(|chunk| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        chunk
    });
    let mut lines = lines_of(Response::new(Body::stream(slow)), 2500).await;
    let mut dropped = 0;
    let line = loop {
        // Given up and asked for again.
        match tokio::time::timeout(Duration::from_millis(300), lines.next()).await {
            Ok(line) => break line.unwrap().unwrap(),
            Err(_) => dropped += 1,
        }
    };
    assert_eq!((line.len(), dropped), (2500, 9));
    assert_eq!(read.load(std::sync::atomic::Ordering::Relaxed), 3);
}

#[cfg(feature = "fake")]
mod embedded {
    use kubewire_rest::fake::ApiServer;
    use kubewire_rest::{Error, GroupVersion, PodLogOptions, RestClient};
    use serde_json::json;

    use super::*;

    async fn server() -> (ApiServer, RestClient) {
        let server = ApiServer::start().await.unwrap();
        let containers = json!([{"name": "main", "image": "i"}, {"name": "proxy", "image": "i"}]);
        server
            .objects()
            .put(
                json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"containers": containers}}),
            )
            .unwrap();
        let client = RestClient::for_config(&server.config(), GroupVersion::V1).unwrap();
        (server, client)
    }

    async fn log(client: &RestClient, options: &PodLogOptions) -> Result<Lines, Error> {
        let request = client.get().namespace("default").resource("pods").name("web").subresource("log");
        Ok(request.versioned_params(options).stream().await?.lines())
    }

    fn main() -> PodLogOptions {
        PodLogOptions { container: Some("main".to_owned()), ..PodLogOptions::default() }
    }

    #[tokio::test]
    async fn what_a_container_has_written() {
        let (server, client) = server().await;
        server.objects().log("default", "web", "main", "one\ntwo");
        server.objects().log("default", "web", "main", "three");
        server.objects().log("default", "web", "proxy", "other");
        for (options, lines) in [
            (main(), &["one", "two", "three"][..]),
            (PodLogOptions { tail_lines: Some(1), ..main() }, &["three"]),
            (PodLogOptions { limit_bytes: Some(6), ..main() }, &["one", "tw"]),
            (PodLogOptions { since_seconds: Some(600), ..main() }, &["one", "two", "three"]),
            (PodLogOptions { container: Some("proxy".to_owned()), ..main() }, &["other"]),
        ] {
            assert_eq!(all(log(&client, &options).await.unwrap()).await, lines, "{options:?}");
        }
        let timed = PodLogOptions { timestamps: Some(true), tail_lines: Some(1), ..main() };
        let line = all(log(&client, &timed).await.unwrap()).await.remove(0);
        let (time, text) = line.split_once(' ').unwrap();
        assert!(time.parse::<kubewire_rest::Timestamp>().is_ok() && text == "three", "{line}");
    }

    #[tokio::test]
    async fn following_until_the_pod_goes() {
        let (server, client) = server().await;
        server.objects().log("default", "web", "main", "before");
        let mut lines = log(&client, &PodLogOptions { follow: Some(true), ..main() }).await.unwrap();
        assert_eq!(lines.next().await.unwrap().unwrap(), "before");
        for number in 0..3 {
            server.objects().log("default", "web", "main", &format!("line {number}"));
            assert_eq!(lines.next().await.unwrap().unwrap(), format!("line {number}"));
        }
        server.objects().remove("v1", "Pod", "default", "web");
        assert!(lines.next().await.is_none());
    }

    #[tokio::test]
    async fn what_it_refuses() {
        let (_server, client) = server().await;
        for (options, why) in [
            (PodLogOptions::default(), "choose one of: [main proxy]"),
            (PodLogOptions { container: Some("none".to_owned()), ..main() }, "container none is not valid"),
            (PodLogOptions { previous: Some(true), ..main() }, "previous terminated container"),
        ] {
            let error = log(&client, &options).await.unwrap_err();
            assert!(error.is_bad_request() && error.to_string().contains(why), "{error}");
        }
        let request = client.get().namespace("default").resource("pods").name("none").subresource("log");
        assert!(request.stream().await.unwrap_err().is_not_found());
    }
}

/// There is no kubelet behind the real server, and it says so.
#[tokio::test]
async fn the_real_server_has_no_kubelet() {
    let Some(server) = kubewire_envtest::server() else { return };
    let config = kubewire_rest::Config::from_kubeconfig(server.kubeconfig()).unwrap();
    let client = kubewire_rest::RestClient::for_config(&config, kubewire_rest::GroupVersion::V1).unwrap();
    let name = format!("no-kubelet-{}", std::process::id());
    let pods = |request: kubewire_rest::Request| request.namespace("default").resource("pods");
    let log = || pods(client.get()).name(&name).subresource("log").stream();
    let mut pod = serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
        "containers": [{"name": "main", "image": "i"}], "automountServiceAccountToken": false}});
    crate::watch::default_namespace(&client).await;
    for node in [None, Some("nowhere")] {
        pod["spec"]["nodeName"] = node.into();
        pods(client.post()).body(&pod).send().await.check().unwrap();
        match node {
            // It runs nowhere yet.
            None => assert_eq!(all(log().await.unwrap().lines()).await, [""; 0]),
            Some(node) => {
                let error = log().await.unwrap_err();
                assert!(error.code().is_some() && error.to_string().contains(node), "{error}");
            }
        }
        let now = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
        pods(client.delete()).name(&name).body(&now).send().await.check().unwrap();
    }
}
