//! Connections, and the handle on a running server.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use kubewire_config::{Config, Credentials, Pem, TlsConfig};
use kubewire_transport::{Body, BoxFuture, Error, HttpService};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use super::auth::User;
use super::builder::Builder;
use super::faults::wire::{FaultIo, OnTcp, Wire};
use super::faults::{self, ConnectFault, Faults};
use super::kinds::Resource;
use super::objects::Objects;
use super::state::State;
use super::tls::Tls;

/// A running API server. Dropped, it stops: connections are closed and all its tasks end.
#[derive(Debug)]
pub struct ApiServer {
    state: Arc<State>,
    address: SocketAddr,
    ca_pem: Option<String>,
    token: Option<String>,
    connections: Arc<AtomicUsize>,
}

impl ApiServer {
    /// The settings, from their defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A server with all defaults: plain HTTP on a free port, no tokens, no pods.
    ///
    /// # Errors
    ///
    /// No port could be had.
    ///
    /// Cancellation: when the future is dropped, there is no server.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    pub(super) fn serve(
        state: Arc<State>,
        listener: TcpListener,
        tls: Option<Tls>,
        token: Option<String>,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let connections = Arc::new(AtomicUsize::new(0));
        let ca_pem = tls.as_ref().map(|t| t.ca_pem.clone());
        tokio::spawn(until_stopped(
            &state,
            accept(Arc::clone(&state), listener, tls, Arc::clone(&connections)),
        ));
        Ok(Self { state, address, ca_pem, token, connections })
    }

    /// Where it listens: `http://127.0.0.1:PORT`, or `https://`.
    pub fn url(&self) -> String {
        let scheme = if self.ca_pem.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// What a client needs to reach it, with the first token that it was given.
    pub fn config(&self) -> Config {
        Config {
            tls: TlsConfig {
                ca: self.ca_pem.as_ref().map(|pem| Pem::Data(pem.clone().into_bytes())),
                ..TlsConfig::default()
            },
            credentials: self.token.as_ref().map_or(Credentials::None, Credentials::bearer),
            ..Config::new(self.url())
        }
    }

    /// The same as the text of a kubeconfig file.
    pub fn kubeconfig(&self) -> String {
        use base64::Engine as _;
        let mut cluster = json!({"server": self.url()});
        if let Some(pem) = &self.ca_pem {
            cluster["certificate-authority-data"] =
                base64::engine::general_purpose::STANDARD.encode(pem).into();
        }
        let user = self.token.as_ref().map_or(json!({}), |token| json!({"token": token}));
        // JSON is YAML.
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": cluster}],
            "users": [{"name": "fake", "user": user}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake", "namespace": "default"}}],
        });
        format!("{config:#}\n")
    }

    /// The authority that signed the server's certificate, in PEM; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// The store.
    pub fn objects(&self) -> Objects {
        Objects(Arc::clone(&self.state))
    }

    /// What goes wrong.
    pub fn faults(&self) -> Faults {
        self.state.faults.clone()
    }

    /// Serves a further resource from now on.
    pub fn register(&self, resource: Resource) {
        self.state.registry.write().unwrap_or_else(PoisonError::into_inner).register(resource);
    }

    /// Sends a warning with every answer about a resource (`pods`, `deployments.apps`).
    pub fn warn(&self, resource: impl Into<String>, text: impl Into<String>) {
        let warning = (resource.into(), text.into());
        self.state.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// The server without a connection between: requests go straight to it, faults included, and HTTP never becomes
    /// bytes. Hand it to a client that takes any [`HttpService`].
    pub fn service(&self) -> Service {
        Service(Arc::clone(&self.state))
    }

    /// Accepts a further bearer token from now on, as [`Builder::user`] does.
    pub fn add_token(&self, token: impl Into<String>, name: &str, groups: &[&str]) {
        let mut tokens = self.state.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.add(token.into(), User::new(name, groups), None);
    }

    /// Answers a bearer token with 401 from now on.
    pub fn revoke_token(&self, token: &str) {
        self.state.tokens.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// A server to be asked in process; it answers as long as it is kept, stopped or not.
#[derive(Clone, Debug)]
pub struct Service(Arc<State>);

impl HttpService for Service {
    fn execute(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, Error>> {
        Box::pin(faults::in_process(&self.0, request))
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.state.stopping.send_replace(true);
    }
}

/// Runs a future until it ends or the server stops.
fn until_stopped<F: Future>(state: &State, future: F) -> impl Future<Output = ()> + use<F> {
    let mut stopping = state.stopping.subscribe();
    async move {
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => {}
            _ = future => {}
        }
    }
}

/// Spawns HTTP/2 streams so that they end with the server.
#[derive(Clone)]
struct Tasks(Arc<State>);

impl<F> Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, future: F) {
        tokio::spawn(until_stopped(&self.0, future));
    }
}

struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counter))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn accept(state: Arc<State>, listener: TcpListener, tls: Option<Tls>, connections: Arc<AtomicUsize>) {
    loop {
        // A failing accept (no file descriptors left) is tried again after others had their turn.
        let Ok((socket, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let _ = socket.set_nodelay(true);
        let counted = Counted::new(&connections);
        let fault = state.faults.strike_connection();
        let acceptor = tls.as_ref().map(|t| match fault {
            Some(ConnectFault::ExpiredCertificate) => t.expired.clone(),
            Some(ConnectFault::TlsAlert) => t.alert.clone(),
            _ => t.acceptor.clone(),
        });
        let shared = Arc::clone(&state);
        tokio::spawn(until_stopped(&state, async move {
            let _counted = counted;
            match (fault, acceptor) {
                (Some(ConnectFault::Reset), _) | (Some(ConnectFault::TlsAlert), None) => {
                    // Dropped with no time to linger, the socket sends RST.
                    let _ = socket.set_zero_linger();
                }
                (Some(ConnectFault::Silence), _) => swallow(socket).await,
                (_, None) => connection(shared, socket).await,
                (_, Some(acceptor)) => {
                    if let Ok(stream) = acceptor.accept(socket).await {
                        connection(shared, stream).await;
                    }
                }
            }
        }));
    }
}

/// Reads until the client has had enough.
async fn swallow(mut socket: TcpStream) {
    let _ = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
}

async fn connection<I: OnTcp>(state: Arc<State>, io: I) {
    let wire = Wire::default();
    let mut builder = auto::Builder::new(Tasks(Arc::clone(&state)));
    builder.http1().timer(TokioTimer::new()).max_buf_size(16 * 1024 * 1024);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(1000);
    let service = service_fn(|request: Request<Incoming>| {
        let (state, wire) = (Arc::clone(&state), wire.clone());
        async move { faults::on_the_wire(&state, &wire, request).await }
    });
    let io = TokioIo::new(FaultIo::new(io, wire.clone()));
    // How a connection ends is the client's business.
    let _ = builder.serve_connection_with_upgrades(io, service).await;
}
