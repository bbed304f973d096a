//! A server that lets in whom it knows, by a clock of its own.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// A clock that is set by hand.
#[derive(Clone, Debug)]
pub(crate) struct Clock(Arc<Mutex<SystemTime>>);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(SystemTime::now())))
    }

    pub(crate) fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }

    pub(crate) fn advance(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }
}

impl rustls::time_provider::TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(self.now().duration_since(SystemTime::UNIX_EPOCH).unwrap()))
    }
}

/// A certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        Arc::new(roots)
    }

    /// A certificate for `name` and its key in PEM.
    pub(crate) fn issue(&self, name: &str, from: SystemTime, to: SystemTime) -> Pair {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        (params.not_before, params.not_after) = (from.into(), to.into());
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair { certificate, key }
    }
}

pub(crate) struct Pair {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Pair {
    pub(crate) fn certificate(&self) -> String {
        self.certificate.pem()
    }

    pub(crate) fn key(&self) -> String {
        self.key.serialize_pem()
    }
}

/// Knows tokens and certificates until they are over.
pub(crate) struct Guard {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Clock,
    clients: Authority,
    state: Arc<State>,
    tls: Mutex<watch::Sender<TlsAcceptor>>,
}

#[derive(Default)]
struct State {
    tokens: Mutex<HashMap<String, SystemTime>>,
    certificates: Mutex<HashMap<Vec<u8>, SystemTime>>,
    connections: AtomicUsize,
    refusals: AtomicUsize,
}

impl Guard {
    /// Its own certificate is of `authority`.
    pub(crate) async fn start(clock: Clock, authority: &Authority) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let clients = Authority::new();
        let state = Arc::<State>::default();
        let (tls, acceptor) = watch::channel(acceptor(&clock, authority, &clients));
        tokio::spawn(serve(listener, acceptor, Arc::clone(&state), clock.clone()));
        Self { address, clock, clients, state, tls: Mutex::new(tls) }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Takes a certificate of `authority` from now on, and asks all to connect anew.
    pub(crate) fn rotate(&self, authority: &Authority) {
        self.tls.lock().unwrap().send_replace(acceptor(&self.clock, authority, &self.clients));
    }

    /// Knows the token for so long.
    pub(crate) fn know(&self, token: &str, time: Duration) {
        self.state.tokens.lock().unwrap().insert(token.to_owned(), self.clock.now() + time);
    }

    /// A client's certificate that is good for so long.
    pub(crate) fn issue(&self, name: &str, time: Duration) -> Pair {
        let now = self.clock.now();
        let pair = self.clients.issue(name, now - Duration::from_secs(60), now + time);
        self.state.certificates.lock().unwrap().insert(pair.certificate.der().to_vec(), now + time);
        pair
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// How many requests were answered with 401.
    pub(crate) fn refusals(&self) -> usize {
        self.state.refusals.load(Ordering::SeqCst)
    }
}

fn acceptor(clock: &Clock, authority: &Authority, clients: &Authority) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let far = Duration::from_secs(10 * 365 * 24 * 60 * 60);
    let pair = authority.issue("127.0.0.1", clock.now() - far, clock.now() + far);
    let verifier = WebPkiClientVerifier::builder_with_provider(clients.roots(), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .unwrap();
    let mut config = ServerConfig::builder_with_details(provider, Arc::new(clock.clone()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![pair.certificate.der().clone()],
            PrivateKeyDer::try_from(pair.key.serialize_der()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(
    listener: TcpListener,
    acceptor: watch::Receiver<TlsAcceptor>,
    state: Arc<State>,
    clock: Clock,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (mut acceptor, state, clock) = (acceptor.clone(), Arc::clone(&state), clock.clone());
        tokio::spawn(async move {
            let tls = acceptor.borrow_and_update().clone();
            let Ok(stream) = tls.accept(stream).await else { return };
            state.connections.fetch_add(1, Ordering::SeqCst);
            let certificate = stream.get_ref().1.peer_certificates().map(|chain| chain[0].clone());
            let service = hyper::service::service_fn(move |request| {
                let response = answer(&request, certificate.as_ref(), &state, &clock);
                async move { Ok::<_, Infallible>(response) }
            });
            let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            let mut serving = std::pin::pin!(server.serve_connection(TokioIo::new(stream), service));
            tokio::select! {
                _ = serving.as_mut() => return,
                changed = acceptor.changed() => if changed.is_err() { return },
            }
            serving.as_mut().graceful_shutdown();
            let _ = serving.await;
        });
    }
}

fn answer(
    request: &Request<Incoming>,
    certificate: Option<&CertificateDer<'static>>,
    state: &State,
    clock: &Clock,
) -> Response<Full<Bytes>> {
    let token = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    let until = match request.uri().path() {
        "/token" => token.and_then(|token| state.tokens.lock().unwrap().get(token).copied()),
        "/certificate" => certificate
            .and_then(|certificate| state.certificates.lock().unwrap().get(certificate.as_ref()).copied()),
        _ => Some(clock.now()),
    };
    let mut response = Response::new(Full::from("answer"));
    if until.is_none_or(|until| until < clock.now()) {
        state.refusals.fetch_add(1, Ordering::SeqCst);
        *response.status_mut() = StatusCode::UNAUTHORIZED;
    }
    response
}
