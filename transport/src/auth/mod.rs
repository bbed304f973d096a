//! Who the client is: credentials become headers (and, from a credential program, a certificate), and are replaced
//! before or when they stop working.
//!
//! [`Auth`] is all that the HTTP client sees. Beneath it, [`cell`] makes sure that one fetch serves everybody who
//! waits for it; each kind of credential has a module of its own.

mod cell;
mod exec;
mod headers;
#[cfg(feature = "oidc")]
mod oidc;
mod provider;
mod shared;
mod token_file;
mod validity;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};
use kubewire_config::{Config, Credentials, HeaderCredential};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use tokio::sync::watch;

use crate::{Error, ErrorKind};
pub(crate) use cell::Stamp;
use exec::Exec;
pub use exec::ExecInfo;
use token_file::TokenFile;

/// Where credentials get what they need from the client around them.
#[derive(Clone)]
pub(crate) struct AuthOptions {
    /// How old the copy of a token file may get before the file is read again.
    pub(crate) token_file_period: Duration,
    /// The wall clock by which credentials expire.
    pub(crate) now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    /// What loads the private keys that credential programs print.
    pub(crate) provider: Arc<CryptoProvider>,
    /// What counts runs of credential programs.
    #[cfg(feature = "metrics")]
    pub(crate) metrics: Option<kubewire_metrics::ExecPluginMetrics>,
}

impl AuthOptions {
    /// The defaults: token files are read again after 50 s, and the clock is the system's.
    pub(crate) fn new(provider: Arc<CryptoProvider>) -> Self {
        Self {
            token_file_period: Duration::from_secs(50),
            now: Arc::new(SystemTime::now),
            provider,
            #[cfg(feature = "metrics")]
            metrics: None,
        }
    }
}

/// The credentials of one client, kept fresh.
pub(crate) struct Auth {
    source: Source,
}

/// What the `Authorization` header comes from.
enum Source {
    Nothing,
    Header(HeaderValue),
    TokenFile(TokenFile),
    Exec(Exec),
    #[cfg(feature = "oidc")]
    Oidc(oidc::Oidc),
}

impl Auth {
    /// Checks the credentials of `config`. Runs no program and reads no token file yet.
    #[expect(clippy::needless_pass_by_value, reason = "the options are kept")]
    pub(crate) fn new(config: &Config, options: AuthOptions) -> Result<Arc<Self>, Error> {
        let source = match &config.credentials {
            Credentials::None => Source::Nothing,
            Credentials::Basic(basic) => Source::Header(headers::basic(basic)?),
            Credentials::Bearer(bearer) => Source::bearer(bearer, &options)?,
            Credentials::ClientCertificate { header, .. } => match header {
                HeaderCredential::None => Source::Nothing,
                HeaderCredential::Basic(basic) => Source::Header(headers::basic(basic)?),
                HeaderCredential::Bearer(bearer) => Source::bearer(bearer, &options)?,
                HeaderCredential::AuthProvider(provider) => provider::source(provider, &options)?,
                other => return Err(unsupported(other)),
            },
            Credentials::Exec(exec) => Source::Exec(Exec::new(config, exec, &options)?),
            Credentials::AuthProvider(provider) => provider::source(provider, &options)?,
            other => return Err(unsupported(other)),
        };
        Ok(Arc::new(Self { source }))
    }

    /// Adds `Authorization` unless the request has its own; reads a token file or runs a credential program first
    /// when that is due.
    ///
    /// A certificate that the program gave stands in [`certificates`](Self::certificates) before this returns. To
    /// send a request once more, call it again on the request's original headers.
    ///
    /// Cancellation safe: a run that nobody waits for any more is ended.
    pub(crate) async fn authorize(&self, headers: &mut HeaderMap) -> Result<Stamp, Error> {
        if headers.contains_key(AUTHORIZATION) {
            return Ok(Stamp::default());
        }
        let (header, stamp) = match &self.source {
            Source::Nothing => return Ok(Stamp::default()),
            Source::Header(header) => (Some(header.clone()), Stamp::default()),
            Source::TokenFile(file) => file.header().await.map(|(header, stamp)| (Some(header), stamp))?,
            Source::Exec(exec) => exec.header().await?,
            #[cfg(feature = "oidc")]
            Source::Oidc(oidc) => oidc.header().await.map(|(header, stamp)| (Some(header), stamp))?,
        };
        if let Some(header) = header {
            headers.insert(AUTHORIZATION, header);
        }
        Ok(stamp)
    }

    /// To be called after a 401 to a request that carried `stamp`: whether another credential is there now, so that
    /// a request that can be replayed is worth sending once more.
    ///
    /// Asks for a new credential unless that was done since the request was authorized. Concurrent callers cause
    /// one refresh. A refresh that fails is logged, and the credential stays.
    ///
    /// Cancellation safe, as [`authorize`](Self::authorize) is.
    pub(crate) async fn refresh(&self, stamp: &Stamp) -> bool {
        match &self.source {
            Source::Nothing | Source::Header(_) => false,
            Source::TokenFile(file) => file.refresh(stamp).await,
            Source::Exec(exec) => exec.refresh(stamp).await,
            // An id-token that is valid by its own word is not renewed.
            #[cfg(feature = "oidc")]
            Source::Oidc(_) => false,
        }
    }

    /// The certificate that a credential program gave, and its changes. `None` where there is no such program;
    /// the value is `None` until it has run, and where it gives a token only.
    pub(crate) fn certificates(&self) -> Option<watch::Receiver<Option<Arc<CertifiedKey>>>> {
        match &self.source {
            Source::Exec(exec) => Some(exec.certificates()),
            _ => None,
        }
    }
}

impl Source {
    fn bearer(bearer: &kubewire_config::BearerToken, options: &AuthOptions) -> Result<Self, Error> {
        // An empty token is none, as in a kubeconfig.
        let token = bearer.token.as_ref().filter(|token| !token.expose().is_empty());
        let header = token.map(|token| headers::bearer(token.expose())).transpose()?;
        match (&bearer.token_file, header) {
            (Some(path), token) => {
                Ok(Self::TokenFile(TokenFile::new(path.clone(), token, options.token_file_period)))
            }
            (None, Some(token)) => Ok(Self::Header(token)),
            (None, None) => Err(Error::new(
                ErrorKind::Config,
                "bearer credentials hold neither a token nor a token file: set one, or use no credentials",
            )),
        }
    }
}

/// An error for credentials of a kind that is not known here.
fn unsupported(credentials: &dyn fmt::Debug) -> Error {
    Error::new(ErrorKind::Config, format!("credentials of this kind are not supported: {credentials:?}"))
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match &self.source {
            Source::Nothing => "none",
            Source::Header(_) => "header",
            Source::TokenFile(_) => "token file",
            Source::Exec(_) => "credential program",
            #[cfg(feature = "oidc")]
            Source::Oidc(_) => "oidc",
        };
        f.debug_struct("Auth").field("source", &source).finish()
    }
}
