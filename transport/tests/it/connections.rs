//! How many connections are made, and what becomes of requests when one breaks.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::BodyExt as _;
use kubewire_transport::{Body, ErrorKind};

use crate::support::pki::{self, Ca};
use crate::support::server::{Server, Setup, handler, text};
use crate::support::{builder, client, config, endless, get, request, send, soon, until, watch};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_shares_one_connection() {
    let ca = Ca::new("ca");
    let server = Server::https(&ca, handler(async |_| text("hello"))).await;
    let client = client(&config(server.url(), ca.trusted()));
    for round in 1..=3 {
        let crowd = (0..200).map(|_| {
            let client = client.clone();
            tokio::spawn(async move { get(&client, "/").await.unwrap() })
        });
        for answer in join_all(crowd).await {
            assert_eq!(answer.unwrap(), (200, "hello".to_owned()));
        }
        assert_eq!((server.connections(), server.refused()), (round, 0), "round {round}");
        // The next crowd finds the connection gone.
        server.cut();
        until("the connection is closed", || server.open() == 0).await;
    }
}

#[tokio::test]
async fn one_task_that_asks_for_much_at_once_makes_one_connection() {
    let ca = Ca::new("ca");
    let server = Server::https(&ca, handler(async |_| text("hello"))).await;
    let client = client(&config(server.url(), ca.trusted()));
    for answer in join_all((0..200).map(|_| get(&client, "/"))).await {
        assert_eq!(answer.unwrap().0, 200);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_thousand_requests_one_by_one_use_one_connection() {
    let ca = Ca::new("ca");
    let server = Server::https(&ca, handler(async |_| text("hello"))).await;
    let client = client(&config(server.url(), ca.trusted()));
    for _ in 0..1000 {
        assert_eq!(get(&client, "/").await.unwrap().0, 200);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn http_1_is_not_held_up_by_the_line_for_http_2() {
    let ca = Ca::new("ca");
    let tls = pki::server_config(&ca.server(&["127.0.0.1"]), None, &["http/1.1"]);
    let barrier = Arc::new(tokio::sync::Barrier::new(8));
    let answer = handler(move |_| {
        let barrier = Arc::clone(&barrier);
        async move {
            barrier.wait().await;
            text("hello")
        }
    });
    let server = Server::start(Setup { tls: Some(tls), handler: answer, max_streams: None }).await;
    let client = client(&config(server.url(), ca.trusted()));
    // Each is answered only when all eight are there, on a connection each.
    for answer in join_all((0..8).map(|_| get(&client, "/"))).await {
        assert_eq!(answer.unwrap().0, 200);
    }
    assert_eq!(server.connections(), 8);
}

#[tokio::test]
async fn watches_leave_room_for_requests() {
    let ca = Ca::new("ca");
    let tls = pki::server_config(&ca.server(&["127.0.0.1"]), None, &["h2", "http/1.1"]);
    let answer = handler(async |asked| match asked.request.uri().path() {
        "/watch" => endless("event"),
        _ => text("hello"),
    });
    let server = Server::start(Setup { tls: Some(tls), handler: answer, max_streams: Some(10) }).await;
    let client = client(&config(server.url(), ca.trusted()));
    let mut watches = Vec::new();
    for _ in 0..30 {
        let mut body = send(&client, watch("/watch")).await.unwrap().into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "event");
        watches.push(body);
    }
    for _ in 0..50 {
        let start = Instant::now();
        assert_eq!(get(&client, "/").await.unwrap().0, 200);
        assert!(start.elapsed() < Duration::from_secs(5));
    }
    // 30 watches, 8 on each connection, and one connection for the rest.
    assert_eq!(server.connections(), 5);
    // A place that is free again is used again.
    watches.truncate(20);
    let more = send(&client, watch("/watch")).await.unwrap();
    assert_eq!(server.connections(), 5);
    drop((watches, more));
}

#[tokio::test]
async fn a_client_keeps_to_the_few_streams_that_it_was_told_of() {
    let ca = Ca::new("ca");
    let tls = pki::server_config(&ca.server(&["127.0.0.1"]), None, &["h2"]);
    let answer = handler(async |_| endless("event"));
    let server = Server::start(Setup { tls: Some(tls), handler: answer, max_streams: Some(2) }).await;
    let client = builder(&config(server.url(), ca.trusted())).long_lived_per_connection(2).build().unwrap();
    let watches = join_all((0..8).map(|_| send(&client, watch("/")))).await;
    assert!(watches.iter().all(Result::is_ok));
    assert_eq!(server.connections(), 4);
}

#[tokio::test]
async fn settings_at_their_extremes_do_no_harm() {
    const EVER: Duration = Duration::MAX;
    let ca = Ca::new("ca");
    let answer = handler(async |_| text("x".repeat(1 << 20)));
    let server = Server::https(&ca, answer).await;
    let mut config = config(server.url(), ca.trusted());
    config.timeout = Some(EVER);
    let most = builder(&config)
        .connect_timeout(EVER)
        .tls_handshake_timeout(EVER)
        .tcp_keepalive(EVER)
        .idle_timeout(EVER)
        .max_idle(usize::MAX)
        .http2_ping(EVER, EVER)
        .http2_windows(u32::MAX, u32::MAX)
        .long_lived_per_connection(usize::MAX)
        .drain_timeout(EVER)
        .certificate_file_period(EVER)
        .token_file_period(EVER);
    config.timeout = Some(Duration::ZERO);
    let least = builder(&config)
        .tcp_keepalive(Duration::ZERO)
        .idle_timeout(Duration::ZERO)
        .max_idle(0)
        .http2_ping(Duration::ZERO, Duration::ZERO)
        .http2_windows(0, 0)
        .long_lived_per_connection(0)
        .drain_timeout(Duration::ZERO)
        .certificate_file_period(Duration::ZERO)
        .token_file_period(Duration::ZERO);
    for (name, builder) in [("most", most), ("least", least)] {
        let client = builder.build().unwrap();
        for asked in [request("/"), watch("/")] {
            let answer = send(&client, asked).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            assert_eq!(crate::support::bytes(answer).await.unwrap().len(), 1 << 20, "{name}");
        }
    }
}

#[tokio::test]
async fn watches_are_known_by_their_query_too() {
    let ca = Ca::new("ca");
    let server = Server::https(&ca, handler(async |_| endless("event"))).await;
    let client = client(&config(server.url(), ca.trusted()));
    let normal = send(&client, request("/")).await.unwrap();
    let watch = send(&client, request("/?limit=1&watch=true")).await.unwrap();
    assert_eq!(server.connections(), 2);
    drop((normal, watch));
}

#[tokio::test]
async fn a_dropped_request_frees_its_stream_at_once() {
    let ca = Ca::new("ca");
    let tls = pki::server_config(&ca.server(&["127.0.0.1"]), None, &["h2"]);
    let answer = handler(async |asked| match asked.request.uri().path() {
        "/slow" => std::future::pending().await,
        _ => text("hello"),
    });
    let server = Server::start(Setup { tls: Some(tls), handler: answer, max_streams: Some(1) }).await;
    let client = client(&config(server.url(), ca.trusted()));
    for _ in 0..5 {
        let slow = tokio::time::timeout(Duration::from_millis(50), send(&client, request("/slow")));
        assert!(slow.await.is_err());
        // The only stream is free again.
        assert_eq!(get(&client, "/").await.unwrap().0, 200);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn bh_t19_the_timeout_covers_the_body() {
    let ca = Ca::new("ca");
    let answer = handler(async |asked| match asked.request.uri().path() {
        "/head" => std::future::pending().await,
        _ => endless("event"),
    });
    let server = Server::https(&ca, answer).await;
    let mut config = config(server.url(), ca.trusted());
    config.timeout = Some(Duration::from_millis(300));
    let client = client(&config);
    let error = send(&client, request("/head")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let mut body = send(&client, watch("/body")).await.unwrap().into_body();
    assert!(body.frame().await.unwrap().is_ok());
    let error = soon("the timeout", body.frame()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn a_streamed_body_arrives_as_it_is_made() {
    let ca = Ca::new("ca");
    let answer = handler(async |asked| {
        let body = asked.request.into_body().collect().await.unwrap().to_bytes();
        text(body)
    });
    let server = Server::https(&ca, answer).await;
    let client = client(&config(server.url(), ca.trusted()));
    let chunks =
        futures_util::stream::iter(["a", "b", "c"].map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk))));
    let request = http::Request::post("/").body(Body::stream(chunks)).unwrap();
    let response = send(&client, request).await.unwrap();
    assert_eq!(crate::support::bytes(response).await.unwrap(), "abc");

    let broken = futures_util::stream::iter([Ok(Bytes::from("a")), Err("the disk is gone")]);
    let request = http::Request::post("/").body(Body::stream(broken)).unwrap();
    let error = send(&client, request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Body, "{error:?}");
    assert!(crate::support::chain(&error).contains("the disk is gone"), "{error:?}");
}

#[tokio::test]
async fn a_server_may_send_frames_of_56_kib() {
    const LENGTH: usize = 56 << 10;
    let ca = Ca::new("ca");
    let server = Server::https(&ca, handler(async |_| text(vec![b'x'; LENGTH]))).await;
    let client = client(&config(server.url(), ca.trusted()));
    for request in [request("/call"), watch("/watch")] {
        let mut body = send(&client, request).await.unwrap().into_body();
        let first = soon("a frame", body.frame()).await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap().len(), LENGTH);
    }
}
