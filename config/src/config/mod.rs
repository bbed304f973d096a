//! What a client needs to know: plain data, and the ways to come by it.

mod host;
pub(crate) mod in_cluster;
mod infer;
mod user_agent;

use std::time::Duration;

pub use user_agent::{default_user_agent, user_agent};

use crate::{Credentials, Impersonation, ProxyUrl, TlsConfig};

/// Everything a client needs to know about one API server and one user: plain data.
///
/// Fill it in from a kubeconfig, or write it down: [`Config::new`] and struct update, or the `with_` methods.
///
/// ```
/// use kubewire_config::{Config, Credentials};
///
/// let config = Config {
///     credentials: Credentials::bearer("abc123"),
///     qps: Some(50.0),
///     ..Config::new("https://10.0.0.1:6443")
/// };
/// assert!(!format!("{config:?}").contains("abc123"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The server: `host`, `host:port`, or a URL that may end in a path prefix. Empty means localhost. Without
    /// a scheme it is https when TLS is configured (a CA, a client certificate or insecure), else http.
    pub host: String,
    /// The path below the host under which API groups live: `None` means `/api` for the core group and `/apis`
    /// for all others.
    pub api_path: Option<String>,
    /// How the server is verified.
    pub tls: TlsConfig,
    /// Who the client is.
    pub credentials: Credentials,
    /// Whom it acts as.
    pub impersonate: Option<Impersonation>,
    /// The `User-Agent` header; `None` means one made of the program's name and version.
    pub user_agent: Option<String>,
    /// Requests a second that the client allows itself: `None` or 0 means 5, a negative number means no limit.
    pub qps: Option<f64>,
    /// How many requests may go at once before `qps` holds them back: `None` or 0 means 10.
    pub burst: Option<u32>,
    /// A bound on each whole request, its answer's body included: `None` or zero means none.
    pub timeout: Option<Duration>,
    /// The proxy; `None` means what the environment says (HTTPS_PROXY, HTTP_PROXY, NO_PROXY).
    pub proxy: Option<ProxyUrl>,
    /// Don't ask for compressed answers.
    pub disable_compression: bool,
    /// The media type of request bodies; `None` means `application/json`.
    pub content_type: Option<String>,
    /// The `Accept` header; `None` means the content type, then anything.
    pub accept_content_types: Option<String>,
    /// The namespace of the chosen context, or `default`. A client does not apply it by itself: callers pass it to
    /// their requests.
    pub namespace: String,
}

impl Config {
    /// A config for `host` with every other setting at its default.
    pub fn new(host: impl Into<String>) -> Self {
        Self { host: host.into(), namespace: "default".to_owned(), ..Self::default() }
    }

    /// Sets [`credentials`](Self::credentials).
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// Sets [`tls`](Self::tls).
    #[must_use]
    pub fn with_tls(mut self, tls: TlsConfig) -> Self {
        self.tls = tls;
        self
    }

    /// Sets [`impersonate`](Self::impersonate).
    #[must_use]
    pub fn with_impersonation(mut self, impersonation: Impersonation) -> Self {
        self.impersonate = Some(impersonation);
        self
    }

    /// Sets [`user_agent`](Self::user_agent).
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// Sets [`qps`](Self::qps) and [`burst`](Self::burst): how many requests a second the client allows itself, and
    /// how many at once.
    #[must_use]
    pub fn with_rate_limit(mut self, qps: f64, burst: u32) -> Self {
        self.qps = Some(qps);
        self.burst = Some(burst);
        self
    }

    /// Lets the client send as much as it likes.
    #[must_use]
    pub fn without_rate_limit(mut self) -> Self {
        self.qps = Some(-1.0);
        self
    }

    /// Sets [`timeout`](Self::timeout), the bound on each whole request.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets [`proxy`](Self::proxy).
    #[must_use]
    pub fn with_proxy(mut self, proxy: ProxyUrl) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Sets [`namespace`](Self::namespace).
    #[must_use]
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Sets [`content_type`](Self::content_type).
    #[must_use]
    pub fn with_content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Sets [`accept_content_types`](Self::accept_content_types).
    #[must_use]
    pub fn with_accept(mut self, accept: impl Into<String>) -> Self {
        self.accept_content_types = Some(accept.into());
        self
    }
}
