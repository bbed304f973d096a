//! Servers, authorities and small helpers that the tests share.

pub mod gzip;
pub mod pki;
pub mod proxies;
pub mod server;

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use kubewire_config::{Config, TlsConfig};
use kubewire_transport::{Body, Error, HttpClient, HttpClientBuilder, HttpService as _, RequestKind};

use server::Reply;

/// Waits for what must come soon, however busy the machine.
pub async fn soon<T>(what: &str, wait: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(20), wait).await {
        Ok(value) => value,
        Err(_) => panic!("waited 20 s in vain: {what}"),
    }
}

/// Waits until `done` says so.
pub async fn until(what: &str, mut done: impl FnMut() -> bool) {
    soon(what, async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// A config for `url` with these TLS settings.
pub fn config(url: impl Into<String>, tls: TlsConfig) -> Config {
    Config { tls, ..Config::new(url) }
}

/// Settings of a client without shared connections, and deaf to the environment's proxies.
pub fn builder(config: &Config) -> HttpClientBuilder {
    HttpClient::builder(config).shared(false).environment(|_| None)
}

pub fn client(config: &Config) -> HttpClient {
    builder(config).build().unwrap()
}

/// As long as this lives, a paused clock moves only when it is told to. By itself it skips ahead when there is nothing
/// to do, which it must not while the kernel has.
pub fn still_clock() -> std::sync::mpsc::Sender<()> {
    let (end, wait) = std::sync::mpsc::channel();
    // The clock stands still while a blocking task runs.
    tokio::task::spawn_blocking(move || wait.recv());
    end
}

/// A body of these chunks.
pub fn chunks<S>(chunks: S) -> Response<Reply>
where
    S: Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static,
{
    Response::new(StreamBody::new(chunks.map_ok(Frame::data)).boxed_unsync())
}

/// A body of one chunk that then stays open.
pub fn endless(first: impl Into<Bytes>) -> Response<Reply> {
    chunks(futures_util::stream::iter([Ok(first.into())]).chain(futures_util::stream::pending()))
}

pub fn request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

pub fn watch(path: &str) -> Request<Body> {
    Request::get(path).extension(RequestKind::LongLived).body(Body::empty()).unwrap()
}

pub async fn send(client: &HttpClient, request: Request<Body>) -> Result<Response<Body>, Error> {
    soon("an answer's head", client.execute(request)).await
}

pub async fn bytes(response: Response<Body>) -> Result<Bytes, Error> {
    Ok(soon("an answer's body", response.into_body().collect()).await?.to_bytes())
}

/// GETs `path`: the code and the text.
pub async fn get(client: &HttpClient, path: &str) -> Result<(u16, String), Error> {
    let response = send(client, request(path)).await?;
    let code = response.status().as_u16();
    Ok((code, String::from_utf8(bytes(response).await?.to_vec()).unwrap()))
}

/// An error and all that lies beneath it.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}
