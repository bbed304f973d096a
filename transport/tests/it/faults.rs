//! What the server or the network does wrong, and how callers hear of it. The server here speaks HTTP/2 frame by frame.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::Reason;
use h2::server::{Connection, SendResponse};
use http::{Request, Response};
use kubewire_transport::{Body, ErrorKind, HttpClient};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::support::pki::{self, Ca};
use crate::support::server::{Server, handler, text};
use crate::support::{builder, bytes, client, config, get, request, send};

type Frames = Connection<TlsStream<TcpStream>, Bytes>;

/// A server whose connections are in the hands of `serve`, which gets the number of each, counted from 1.
async fn frames<F, R>(serve: F) -> HttpClient
where
    F: Fn(usize, Frames) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let ca = Ca::new("ca");
    let tls = pki::server_config(&ca.server(&["127.0.0.1"]), None, &["h2"]);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for number in 1.. {
            let (stream, _) = listener.accept().await.unwrap();
            let stream = TlsAcceptor::from(Arc::clone(&tls)).accept(stream).await.unwrap();
            let connection = h2::server::handshake(stream).await.unwrap();
            tokio::spawn(serve(number, connection));
        }
    });
    client(&config(url, ca.trusted()))
}

fn post(body: &'static str) -> Request<Body> {
    Request::post("/").body(Body::from(body)).unwrap()
}

fn answer(mut respond: SendResponse<Bytes>, body: &'static str) {
    let mut stream = respond.send_response(Response::new(()), false).unwrap();
    stream.send_data(Bytes::from_static(body.as_bytes()), true).unwrap();
}

/// Answers all that comes.
async fn behave(mut connection: Frames, asked: &AtomicUsize) {
    while let Some(Ok((_, respond))) = connection.accept().await {
        asked.fetch_add(1, Ordering::SeqCst);
        answer(respond, "hello");
    }
}

#[tokio::test]
async fn what_a_goaway_leaves_out_is_sent_again() {
    // The first connection answers one request, says that it goes away, and never looks at what comes after.
    let asked = Arc::new(AtomicUsize::new(0));
    let client = frames({
        let asked = Arc::clone(&asked);
        move |number, mut connection| {
            let asked = Arc::clone(&asked);
            async move {
                if number > 1 {
                    return behave(connection, &asked).await;
                }
                let (_, respond) = connection.accept().await.unwrap().unwrap();
                answer(respond, "first");
                connection.graceful_shutdown();
                while let Some(Ok((_, respond))) = connection.accept().await {
                    asked.fetch_add(1, Ordering::SeqCst);
                    answer(respond, "late");
                }
            }
        }
    })
    .await;
    for _ in 0..20 {
        assert_eq!(get(&client, "/").await.unwrap().0, 200);
        let response = send(&client, post("once")).await.unwrap();
        assert_eq!(response.status(), 200);
    }
    assert!(asked.load(Ordering::SeqCst) >= 38);
}

#[tokio::test]
async fn a_refused_stream_is_sent_again_a_post_too() {
    let asked = Arc::new(AtomicUsize::new(0));
    let client = frames({
        let asked = Arc::clone(&asked);
        move |_, mut connection| {
            let asked = Arc::clone(&asked);
            async move {
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    if asked.fetch_add(1, Ordering::SeqCst) < 2 {
                        respond.send_reset(Reason::REFUSED_STREAM);
                    } else {
                        answer(respond, "hello");
                    }
                }
            }
        }
    })
    .await;
    assert_eq!(send(&client, post("once")).await.unwrap().status(), 200);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_server_that_always_refuses_is_left_in_peace() {
    let asked = Arc::new(AtomicUsize::new(0));
    let client = frames({
        let asked = Arc::clone(&asked);
        move |_, mut connection| {
            let asked = Arc::clone(&asked);
            async move {
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    asked.fetch_add(1, Ordering::SeqCst);
                    respond.send_reset(Reason::REFUSED_STREAM);
                }
            }
        }
    })
    .await;
    let error = send(&client, request("/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StreamRefused);
    assert!(error.is_not_processed());
    assert_eq!(asked.load(Ordering::SeqCst), 6);
}

#[tokio::test]
async fn what_may_have_been_processed_is_never_sent_again() {
    for reason in [Reason::INTERNAL_ERROR, Reason::CANCEL, Reason::NO_ERROR] {
        let asked = Arc::new(AtomicUsize::new(0));
        let client = frames({
            let asked = Arc::clone(&asked);
            move |_, mut connection| {
                let asked = Arc::clone(&asked);
                async move {
                    while let Some(Ok((_, mut respond))) = connection.accept().await {
                        asked.fetch_add(1, Ordering::SeqCst);
                        respond.send_reset(reason);
                    }
                }
            }
        })
        .await;
        let error = send(&client, post("once")).await.unwrap_err();
        assert!(!error.is_not_processed(), "{reason:?}: {error:?}");
        assert_eq!(error.kind(), ErrorKind::StreamReset, "{reason:?}: {error:?}");
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{reason:?}");
    }
}

#[tokio::test]
async fn a_post_whose_connection_closes_under_it_is_sent_once() {
    // HTTP/1.1: the second request on a kept connection is read, and the connection closed.
    let ca = Ca::new("ca");
    let tls = pki::server_config(&ca.server(&["127.0.0.1"]), None, &["http/1.1"]);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let posts = Arc::new(AtomicUsize::new(0));
    tokio::spawn({
        let posts = Arc::clone(&posts);
        async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let mut stream = TlsAcceptor::from(Arc::clone(&tls)).accept(stream).await.unwrap();
                let mut buffer = vec![0; 4096];
                loop {
                    let read = stream.read(&mut buffer).await.unwrap_or(0);
                    if read == 0 {
                        break;
                    }
                    if buffer[..read].starts_with(b"POST") {
                        posts.fetch_add(1, Ordering::SeqCst);
                        break;
                    }
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await.unwrap();
                }
            }
        }
    });
    let client = client(&config(url, ca.trusted()));
    assert_eq!(get(&client, "/").await.unwrap(), (200, "hi".to_owned()));
    let error = send(&client, post("once")).await.unwrap_err();
    assert!(!error.is_not_processed(), "{error:?}");
    assert!(matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset), "{error:?}");
    assert_eq!(posts.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_answer_that_is_cut_is_an_error() {
    for reason in [Reason::NO_ERROR, Reason::CANCEL, Reason::INTERNAL_ERROR] {
        for with_length in [true, false] {
            let client = frames(move |_, mut connection| async move {
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    let mut head = Response::builder();
                    if with_length {
                        head = head.header("content-length", "100");
                    }
                    let mut stream = respond.send_response(head.body(()).unwrap(), false).unwrap();
                    stream.send_data(Bytes::from_static(b"[1,2,"), false).unwrap();
                    tokio::spawn(async move {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        stream.send_reset(reason);
                    });
                }
            })
            .await;
            let response = send(&client, request("/")).await.unwrap();
            let error = bytes(response).await.unwrap_err();
            let expected = match reason {
                Reason::NO_ERROR => ErrorKind::UnexpectedEof,
                _ => ErrorKind::StreamReset,
            };
            assert_eq!(error.kind(), expected, "{reason:?}, length {with_length}: {error:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_whole_is_none() {
    // Trailers, an empty last frame, and no body at all: all of them are ends.
    let client = frames(|_, mut connection| async move {
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            let kind = request.uri().path().to_owned();
            let mut stream = respond.send_response(Response::new(()), kind == "/none").unwrap();
            match kind.as_str() {
                "/none" => {}
                "/trailers" => {
                    stream.send_data(Bytes::from_static(b"whole"), false).unwrap();
                    stream.send_trailers(http::HeaderMap::new()).unwrap();
                }
                _ => {
                    stream.send_data(Bytes::from_static(b"whole"), false).unwrap();
                    stream.send_data(Bytes::new(), true).unwrap();
                }
            }
        }
    })
    .await;
    assert_eq!(get(&client, "/none").await.unwrap().1, "");
    assert_eq!(get(&client, "/trailers").await.unwrap().1, "whole");
    assert_eq!(get(&client, "/empty").await.unwrap().1, "whole");
}

#[tokio::test]
async fn a_plain_close_in_a_body_is_an_error() {
    for head in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 4096];
            let _ = stream.read(&mut buffer).await.unwrap();
            let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n5\r\n[1,2,\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let client = client(&kubewire_config::Config::new(url));
        let response = send(&client, request("/")).await.unwrap();
        let error = bytes(response).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{head}: {error:?}");
    }
}

#[tokio::test]
async fn bh_t3_a_connection_that_died_without_a_word_is_found() {
    let ca = Ca::new("ca");
    let server = Server::https(&ca, handler(async |_| text("hello"))).await;
    let relay = Relay::to(server.address).await;
    let config = config(format!("https://{}", relay.address), ca.trusted());
    let client =
        builder(&config).http2_ping(Duration::from_millis(200), Duration::from_millis(200)).build().unwrap();
    assert_eq!(get(&client, "/").await.unwrap().0, 200);
    relay.freeze();
    let start = Instant::now();
    let error = send(&client, request("/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
    assert!(!error.is_not_processed());
    assert!(start.elapsed() < Duration::from_secs(10));
    // The next one gets a connection of its own.
    assert_eq!(get(&client, "/").await.unwrap().0, 200);
}

/// Passes bytes on, until the connections of the moment are frozen.
struct Relay {
    address: std::net::SocketAddr,
    frozen: tokio::sync::watch::Sender<usize>,
}

impl Relay {
    async fn to(server: std::net::SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (frozen, watch) = tokio::sync::watch::channel(0);
        tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let mut watch = watch.clone();
                watch.mark_unchanged();
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(server).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        // Both sockets stay open, and nothing passes any more.
                        _ = watch.changed() => std::future::pending().await,
                    }
                });
            }
        });
        Self { address, frozen }
    }

    fn freeze(&self) {
        self.frozen.send_modify(|times| *times += 1);
    }
}
