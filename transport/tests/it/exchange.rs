//! What one request carries, and what comes back: headers, compression, upgrades, sockets, layers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use kubewire_config::{Config, Impersonation};
use kubewire_transport::{
    Body, BoxError, BoxFuture, Error, ErrorKind, HttpClient, HttpService, Layered, RequestKind, Upgraded,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower_service::Service;

use crate::support::gzip::{gzip, zipped};
use crate::support::pki::Ca;
use crate::support::server::{Asked, Reply, Server, handler, text};
use crate::support::{bytes, client, config, get, request, send, soon};

/// Tells the request's headers.
async fn headers(asked: Asked) -> Response<Reply> {
    let mut lines: Vec<_> = asked
        .request
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    lines.sort();
    text(lines.join("\n"))
}

#[tokio::test]
async fn bh_t6_every_request_carries_its_headers() {
    let server = Server::http(handler(headers)).await;
    let whom = Impersonation {
        user: "jane".to_owned(),
        uid: Some("42".to_owned()),
        groups: vec!["b".to_owned(), "a".to_owned()],
        extra: [("a/b%20c".to_owned(), vec!["1".to_owned()])].into(),
    };
    let config = Config {
        user_agent: Some("test/1.0".to_owned()),
        impersonate: Some(whom),
        credentials: kubewire_config::Credentials::bearer("abc"),
        ..Config::new(server.url())
    };
    let (_, seen) = get(&client(&config), "/").await.unwrap();
    for line in [
        "accept-encoding: gzip",
        "authorization: Bearer abc",
        "impersonate-extra-a%2fb%2520c: 1",
        "impersonate-group: a",
        "impersonate-group: b",
        "impersonate-uid: 42",
        "impersonate-user: jane",
        "user-agent: test/1.0",
    ] {
        assert!(seen.lines().any(|seen| seen == line), "{line} is not in\n{seen}");
    }
    // Its own come first.
    let own = Request::get("/")
        .header("Authorization", "Bearer own")
        .header("User-Agent", "own")
        .header("Impersonate-User", "joe")
        .body(Body::empty())
        .unwrap();
    let seen = bytes(send(&client(&config), own).await.unwrap()).await.unwrap();
    let seen = String::from_utf8_lossy(&seen).into_owned();
    assert!(seen.contains("authorization: Bearer own") && seen.contains("user-agent: own"), "{seen}");
    assert!(seen.contains("impersonate-user: joe") && !seen.contains("impersonate-group"), "{seen}");
}

#[tokio::test]
async fn basic_credentials_are_sent() {
    let server = Server::http(handler(headers)).await;
    let credentials = kubewire_config::Credentials::basic("me", "pw");
    let config = Config { credentials, disable_compression: true, ..Config::new(server.url()) };
    let (_, seen) = get(&client(&config), "/").await.unwrap();
    assert!(seen.contains("authorization: Basic bWU6cHc="), "{seen}");
    // BH-T4: and nothing compressed is asked for.
    assert!(!seen.contains("accept-encoding"), "{seen}");
}

#[tokio::test]
async fn bh_t4_compressed_answers_are_decoded_as_they_arrive() {
    let ca = Ca::new("ca");
    let server = Server::https(
        &ca,
        handler(async |asked: Asked| {
            if !asked.request.headers().contains_key("accept-encoding") {
                return text("plain");
            }
            let mut parts = zipped(&["first", "second"]).await;
            match asked.request.uri().path() {
                "/whole" => gzip(futures_util::stream::iter(parts.into_iter().map(Ok))),
                "/cut" => {
                    parts.pop();
                    gzip(futures_util::stream::iter(parts.into_iter().map(Ok)))
                }
                "/garbage" => gzip(futures_util::stream::iter([Ok(Bytes::from_static(b"no gzip at all"))])),
                // The rest never comes.
                _ => gzip(
                    futures_util::stream::iter([Ok(parts.swap_remove(0))])
                        .chain(futures_util::stream::pending()),
                ),
            }
        }),
    )
    .await;
    let plain = config(server.url(), ca.trusted());
    let client = client(&plain);
    let response = send(&client, request("/whole")).await.unwrap();
    assert!(!response.headers().contains_key("content-encoding"));
    assert_eq!(bytes(response).await.unwrap(), "firstsecond");

    let mut body = send(&client, request("/slow")).await.unwrap().into_body();
    let first = soon("the first part", body.frame()).await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "first");

    let cut = bytes(send(&client, request("/cut")).await.unwrap()).await.unwrap_err();
    assert_eq!(cut.kind(), ErrorKind::UnexpectedEof, "{cut:?}");
    let garbage = bytes(send(&client, request("/garbage")).await.unwrap()).await.unwrap_err();
    assert_eq!(garbage.kind(), ErrorKind::Protocol, "{garbage:?}");

    let off = Config { disable_compression: true, ..plain };
    assert_eq!(get(&crate::support::client(&off), "/whole").await.unwrap().1, "plain");
    // Who asks for it by himself gets it as it is.
    let own = Request::get("/whole").header("accept-encoding", "gzip").body(Body::empty()).unwrap();
    let response = send(&client, own).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
}

/// Switches to a protocol that sends everything back.
async fn echo(mut asked: Asked) -> Response<Reply> {
    let version = asked.request.version();
    if !asked.request.headers().contains_key("upgrade") {
        return text(format!("{version:?}"));
    }
    tokio::spawn(async move {
        let upgraded = hyper::upgrade::on(&mut asked.request).await.unwrap();
        let mut stream = hyper_util::rt::TokioIo::new(upgraded);
        let mut buffer = [0; 1024];
        loop {
            match stream.read(&mut buffer).await.unwrap_or(0) {
                0 => break,
                read => stream.write_all(&buffer[..read]).await.unwrap(),
            }
        }
    });
    let mut response = crate::support::server::status(101);
    response.headers_mut().insert("connection", "Upgrade".parse().unwrap());
    response.headers_mut().insert("upgrade", "echo".parse().unwrap());
    response
}

#[tokio::test]
async fn an_upgrade_hands_over_the_connection() {
    let ca = Ca::new("ca");
    let server = Server::https(&ca, handler(echo)).await;
    let mut config = config(server.url(), ca.trusted());
    for server_name in [None, Some("localhost".to_owned())] {
        config.tls.server_name = server_name;
        let client = client(&config);
        // The others go on using HTTP/2.
        assert_eq!(get(&client, "/").await.unwrap().1, "HTTP/2.0");
        let upgrade = |kind: Option<RequestKind>| {
            let mut request = Request::get("/exec").header("Connection", "Upgrade").header("Upgrade", "echo");
            if let Some(kind) = kind {
                request = request.extension(kind);
            }
            request.body(Body::empty()).unwrap()
        };
        for kind in [Some(RequestKind::Upgrade), None] {
            let mut response = send(&client, upgrade(kind)).await.unwrap();
            let mut stream = soon("the stream", Upgraded::from_response(&mut response)).await.unwrap();
            for message in ["hello", "again"] {
                stream.write_all(message.as_bytes()).await.unwrap();
                let mut echoed = vec![0; message.len()];
                soon("the echo", stream.read_exact(&mut echoed)).await.unwrap();
                assert_eq!(echoed, message.as_bytes());
            }
            assert!(Upgraded::from_response(&mut response).await.is_err());
            stream.shutdown().await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_upgraded_stream_outlives_the_client_and_its_timeout() {
    let ca = Ca::new("ca");
    let server = Server::https(&ca, handler(echo)).await;
    let mut config = config(server.url(), ca.trusted());
    config.timeout = Some(std::time::Duration::from_millis(500));
    let client = client(&config);
    let request = Request::get("/")
        .header("Connection", "Upgrade")
        .header("Upgrade", "echo")
        .body(Body::empty())
        .unwrap();
    let mut response = send(&client, request).await.unwrap();
    let mut stream = Upgraded::from_response(&mut response).await.unwrap();
    drop((client, response));
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    stream.write_all(b"hello").await.unwrap();
    let mut echoed = [0; 5];
    soon("the echo", stream.read_exact(&mut echoed)).await.unwrap();
    assert_eq!(&echoed, b"hello");
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_a_host() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("api.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = hyper::service::service_fn(async |request: Request<hyper::body::Incoming>| {
                let host = request.headers()["host"].to_str().unwrap().to_owned();
                Ok::<_, std::io::Error>(text(format!("{host} {}", request.uri())))
            });
            let io = hyper_util::rt::TokioIo::new(stream);
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
        }
    });
    let client = client(&Config::new(format!("unix://{}", path.display())));
    assert_eq!(get(&client, "/api?x=1").await.unwrap(), (200, "localhost /api?x=1".to_owned()));
    std::fs::remove_file(&path).unwrap();
    let gone = crate::support::client(&Config::new(format!("unix://{}", path.display())));
    let error = send(&gone, request("/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
}

/// A tower service around another: counts, and adds a header.
#[derive(Clone)]
struct Counting<S>(S, Arc<AtomicUsize>);

impl<S: Service<Request<Body>>> Service<Request<Body>> for Counting<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> S::Future {
        self.1.fetch_add(1, Ordering::SeqCst);
        request.headers_mut().insert("x-layer", "here".parse().unwrap());
        self.0.call(request)
    }
}

#[tokio::test]
async fn bh_t18_tower_layers_stand_around_the_client() {
    let server = Server::http(handler(headers)).await;
    let count = Arc::new(AtomicUsize::new(0));
    let service = Layered::new(Counting(client(&Config::new(server.url())), Arc::clone(&count)));
    let service: Arc<dyn HttpService> = Arc::new(service);
    let response = service.execute(request("/")).await.unwrap();
    let seen = bytes(response).await.unwrap();
    assert!(String::from_utf8_lossy(&seen).contains("x-layer: here"));
    assert_eq!(count.load(Ordering::SeqCst), 1);
    drop(server);
    // Our own error keeps its kind on the way through.
    let error = service.execute(request("/")).await.unwrap_err();
    assert!(error.kind() != ErrorKind::Other, "{error:?}");
}

/// Stands in for the network.
struct Fake;

impl HttpService for Fake {
    fn execute(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, Error>> {
        Box::pin(async move { Ok(Response::new(request.into_body())) })
    }
}

#[tokio::test]
async fn a_fake_can_stand_in_for_the_client() {
    let service: Box<dyn HttpService> = Box::new(Fake);
    let request = Request::post("https://nowhere/").body(Body::from("hello")).unwrap();
    let response = service.execute(request).await.unwrap();
    assert_eq!(bytes(response).await.unwrap(), "hello");
}

/// As strict as what other clients ask of the service beneath them.
async fn generic<S, B>(mut service: S, request: Request<http_body_util::Full<Bytes>>) -> Bytes
where
    S: Service<Request<http_body_util::Full<Bytes>>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError> + std::fmt::Debug,
{
    std::future::poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into).unwrap();
    let response = service.call(request).await.map_err(Into::into).unwrap();
    response.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn the_client_is_a_tower_service_for_any_body() {
    let server = Server::http(handler(async |asked: Asked| {
        let length =
            asked.request.headers().get("content-length").map(|length| length.to_str().unwrap().to_owned());
        let body = asked.request.into_body().collect().await.unwrap().to_bytes();
        text(format!("{length:?} {}", String::from_utf8_lossy(&body)))
    }))
    .await;
    let client: HttpClient = client(&Config::new(server.url()));
    let request = Request::post("/").body(http_body_util::Full::new(Bytes::from_static(b"hello"))).unwrap();
    assert_eq!(generic(client, request).await, r#"Some("5") hello"#);
}
