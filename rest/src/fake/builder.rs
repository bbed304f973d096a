//! How a server is set up.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::admission::{Admission, Review};
use super::auth::{Tokens, User};
use super::clock::Clock;
use super::faults::Faults;
use super::kinds::{Registry, Resource};
use super::logs::Logs;
use super::random::Random;
use super::seed;
use super::server::ApiServer;
use super::state::State;
use super::store::Store;
use super::tls::Tls;

/// The settings of an [`ApiServer`], each with a default that suits a test.
#[derive(Debug)]
pub struct Builder {
    port: u16,
    tls: bool,
    http2: bool,
    pods: usize,
    users: Vec<(String, User)>,
    resources: Vec<Resource>,
    admission: Vec<Admission>,
    clock: Clock,
    seed: u64,
    keep_changes: usize,
    keep_for: Option<Duration>,
    bookmark_every: Duration,
    version: (String, String),
    graceful_pods: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            port: 0,
            tls: false,
            http2: true,
            pods: 0,
            users: Vec::new(),
            resources: Vec::new(),
            admission: Vec::new(),
            clock: Clock::system(),
            seed: Random::any_seed(),
            keep_changes: 100_000,
            keep_for: None,
            bookmark_every: Duration::from_secs(60),
            version: ("1".to_owned(), "34".to_owned()),
            graceful_pods: false,
        }
    }
}

impl Builder {
    /// The port on 127.0.0.1; 0, the default, takes a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Serves HTTPS with a certificate from an authority made for this server; off by default.
    #[must_use]
    pub fn tls(mut self, on: bool) -> Self {
        self.tls = on;
        self
    }

    /// Whether HTTP/2 is offered in the TLS handshake; on by default.
    #[must_use]
    pub fn http2(mut self, on: bool) -> Self {
        self.http2 = on;
        self
    }

    /// Starts with so many believable pods, and a node for them; none by default.
    #[must_use]
    pub fn pods(mut self, count: usize) -> Self {
        self.pods = count;
        self
    }

    /// A bearer token of an administrator. With no token at all everybody may do everything; with one, a request
    /// without is anonymous, which is allowed next to nothing.
    #[must_use]
    pub fn token(self, token: impl Into<String>) -> Self {
        self.user(token, "admin", &["system:masters"])
    }

    /// A bearer token of a user. The groups `system:masters` may do everything; other users have the rights that
    /// the RBAC objects in the store give them.
    #[must_use]
    pub fn user(mut self, token: impl Into<String>, name: &str, groups: &[&str]) -> Self {
        self.users.push((token.into(), User::new(name, groups)));
        self
    }

    /// Serves a further resource.
    #[must_use]
    pub fn resource(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }

    /// Lets `hook` look at every write: it may change the object, warn, or refuse with a reason. It must not call
    /// the server.
    #[must_use]
    pub fn admission<F>(mut self, name: impl Into<String>, hook: F) -> Self
    where
        F: Fn(&mut Review<'_>) -> Result<(), String> + Send + Sync + 'static,
    {
        self.admission.push(Admission { name: name.into(), hook: Arc::new(hook) });
        self
    }

    /// The clock that rules timestamps and expiry; the machine's by default.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The seed of uids and generated names; random by default.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many changes the history holds; 100,000 by default. Watches and continue tokens from before that are
    /// answered 410.
    #[must_use]
    pub fn history(mut self, changes: usize) -> Self {
        self.keep_changes = changes;
        self
    }

    /// How long the history holds a change, by the server's clock; for ever by default.
    #[must_use]
    pub fn history_for(mut self, time: Duration) -> Self {
        self.keep_for = Some(time);
        self
    }

    /// How often watches that ask for bookmarks get one; every minute by default.
    #[must_use]
    pub fn bookmark_every(mut self, time: Duration) -> Self {
        self.bookmark_every = time.max(Duration::from_millis(1));
        self
    }

    /// The version that `/version` tells; 1.34 by default.
    #[must_use]
    pub fn version(mut self, major: impl Into<String>, minor: impl Into<String>) -> Self {
        self.version = (major.into(), minor.into());
        self
    }

    /// Whether the deletion of a pod on a node leaves it Terminating until somebody, as the kubelet does, deletes
    /// it with a grace period of 0; off by default.
    #[must_use]
    pub fn graceful_pods(mut self, on: bool) -> Self {
        self.graceful_pods = on;
        self
    }

    /// Starts the server on the current tokio runtime. It answers as soon as this returns.
    ///
    /// # Errors
    ///
    /// The port is taken, or a certificate could not be made.
    ///
    /// Cancellation: when the future is dropped, there is no server.
    pub async fn start(self) -> io::Result<ApiServer> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await?;
        let tls = if self.tls { Some(Tls::generate(self.http2)?) } else { None };
        let mut registry = Registry::builtin();
        for resource in self.resources {
            registry.register(resource);
        }
        let token = self.users.first().map(|(token, _)| token.clone());
        let state = State {
            store: Store::new(self.clock.clone(), self.keep_changes, self.keep_for),
            clock: self.clock,
            random: Random::new(self.seed),
            registry: RwLock::new(registry),
            tokens: Mutex::new(Tokens::new(self.users)),
            admission: self.admission,
            warnings: Mutex::new(Vec::new()),
            faults: Faults::default(),
            logs: Logs::default(),
            version: self.version,
            bookmark_every: self.bookmark_every,
            graceful_pods: self.graceful_pods,
            stopping: watch::Sender::new(false),
        };
        seed::plant(&state, self.pods);
        ApiServer::serve(Arc::new(state), listener, tls, token)
    }
}
