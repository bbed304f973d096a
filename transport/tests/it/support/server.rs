//! An HTTPS server whose certificates, limits and answers a test chooses, and which counts its connections.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use super::pki::{self, Ca};

pub type Reply = http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>;
pub type Handler = Arc<dyn Fn(Asked) -> BoxFuture<'static, Response<Reply>> + Send + Sync>;

/// One request as the server saw it.
pub struct Asked {
    pub request: Request<Incoming>,
    /// The DER of the certificate that the client showed.
    pub certificate: Option<Vec<u8>>,
    /// The name that the client asked for in the handshake.
    pub sni: Option<String>,
}

/// How to run a server.
pub struct Setup {
    pub tls: Option<Arc<ServerConfig>>,
    pub handler: Handler,
    pub max_streams: Option<u32>,
}

pub struct Server {
    pub address: SocketAddr,
    state: Arc<State>,
    accepting: AbortHandle,
}

struct State {
    tls: Mutex<Option<Arc<ServerConfig>>>,
    handler: Handler,
    max_streams: Option<u32>,
    connections: AtomicUsize,
    refused: AtomicUsize,
    open: AtomicUsize,
    cut: watch::Sender<()>,
    tasks: Mutex<Vec<AbortHandle>>,
}

pub fn text(text: impl Into<Bytes>) -> Response<Reply> {
    Response::new(Full::new(text.into()).map_err(|never| match never {}).boxed_unsync())
}

pub fn status(code: u16) -> Response<Reply> {
    let mut response = text("");
    *response.status_mut() = code.try_into().unwrap();
    response
}

pub fn handler<F, R>(answer: F) -> Handler
where
    F: Fn(Asked) -> R + Send + Sync + 'static,
    R: Future<Output = Response<Reply>> + Send + 'static,
{
    Arc::new(move |asked| answer(asked).boxed())
}

impl Server {
    /// A server that `ca` vouches for, reachable as localhost and 127.0.0.1.
    pub async fn https(ca: &Ca, answer: Handler) -> Self {
        let leaf = ca.server(&["localhost", "127.0.0.1"]);
        let tls = pki::server_config(&leaf, None, &["h2", "http/1.1"]);
        Self::start(Setup { tls: Some(tls), handler: answer, max_streams: None }).await
    }

    pub async fn http(answer: Handler) -> Self {
        Self::start(Setup { tls: None, handler: answer, max_streams: None }).await
    }

    pub async fn start(setup: Setup) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            tls: Mutex::new(setup.tls),
            handler: setup.handler,
            max_streams: setup.max_streams,
            connections: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            cut: watch::Sender::new(()),
            tasks: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state))).abort_handle();
        Self { address, state, accepting }
    }

    pub fn url(&self) -> String {
        let scheme = if self.state.tls.lock().unwrap().is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// How many connections were accepted, TLS handshake included.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// How many TLS handshakes failed.
    pub fn refused(&self) -> usize {
        self.state.refused.load(Ordering::SeqCst)
    }

    /// How many connections are open now.
    pub fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    /// New connections get these settings.
    pub fn set_tls(&self, tls: Arc<ServerConfig>) {
        *self.state.tls.lock().unwrap() = Some(tls);
    }

    /// Cuts all connections. They count as open until the client has noticed.
    pub fn cut(&self) {
        self.state.cut.send_replace(());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        for task in self.state.tasks.lock().unwrap().drain(..) {
            task.abort();
        }
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let task = tokio::spawn(serve(stream, Arc::clone(&state))).abort_handle();
        state.tasks.lock().unwrap().push(task);
    }
}

struct Open(Arc<State>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    stream.set_nodelay(true).unwrap();
    let stream = stream.into_std().unwrap();
    let socket = TcpStream::from_std(stream.try_clone().unwrap()).unwrap();
    let stream = TcpStream::from_std(stream).unwrap();
    let tls = state.tls.lock().unwrap().clone();
    let Some(tls) = tls else { return converse(stream, socket, state, None, None).await };
    match TlsAcceptor::from(tls).accept(stream).await {
        Ok(stream) => {
            let connection = stream.get_ref().1;
            let certificate =
                connection.peer_certificates().and_then(|chain| chain.first()).map(|first| first.to_vec());
            let sni = connection.server_name().map(ToOwned::to_owned);
            converse(stream, socket, state, certificate, sni).await;
        }
        Err(_) => {
            state.refused.fetch_add(1, Ordering::SeqCst);
        }
    }
}

async fn converse<S>(
    stream: S,
    mut socket: TcpStream,
    state: Arc<State>,
    certificate: Option<Vec<u8>>,
    sni: Option<String>,
) where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    state.connections.fetch_add(1, Ordering::SeqCst);
    state.open.fetch_add(1, Ordering::SeqCst);
    let _open = Open(Arc::clone(&state));
    let mut cut = state.cut.subscribe();
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(state.max_streams);
    let service = service_fn(move |request| {
        let asked = Asked { request, certificate: certificate.clone(), sni: sni.clone() };
        (state.handler)(asked).map(Ok::<_, std::io::Error>)
    });
    tokio::select! {
        // A broken connection is what some tests are about.
        _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service) => {}
        _ = cut.changed() => {
            // The client hears that nothing more comes, and closes its side too.
            let _ = socket.shutdown().await;
            let _ = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
        }
    }
}
