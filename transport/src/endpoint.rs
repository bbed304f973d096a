use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::Uri;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use kubewire_config::Config;
use url::{Host, Url};

use crate::Error;

/// The server of a [`Config`]: where requests go, and where credentials may go.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    url: Url,
    scheme: Scheme,
    authority: Authority,
    unix_socket: Option<Arc<Path>>,
}

impl Endpoint {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let (url, unix_socket) = match config.host.strip_prefix("unix://") {
            Some(path) => (Url::parse("http://localhost/").ok(), Some(socket_path(path)?)),
            None => (Some(server_url(config)?), None),
        };
        let invalid = || Error::config(format!("the host {:?} is no server's URL", config.host));
        let url = url.ok_or_else(invalid)?;
        let scheme = match url.scheme() {
            "https" => Scheme::HTTPS,
            "http" => Scheme::HTTP,
            other => {
                let text = format!("the host {:?} has the scheme {other:?}: use https or http", config.host);
                return Err(Error::config(text));
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::config(
                "the host holds a user name or password: give them as the config's credentials instead",
            ));
        }
        let authority = Authority::try_from(&url[url::Position::BeforeHost..url::Position::AfterPort])
            .map_err(|_| invalid())?;
        Ok(Self { url, scheme, authority, unix_socket })
    }

    /// The socket's path, where the server is reached through one.
    pub(crate) fn unix_socket(&self) -> Option<&Arc<Path>> {
        self.unix_socket.as_ref()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn host(&self) -> Option<Host<&str>> {
        self.url.host()
    }

    /// Makes a URI without a host one below this server, its path prefix included; others stay as they are.
    pub(crate) fn resolve(&self, uri: Uri) -> Result<Uri, Error> {
        if uri.authority().is_some() {
            return Ok(uri);
        }
        let prefix = self.url.path().trim_end_matches('/');
        let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let path = if prefix.is_empty() { path.parse() } else { format!("{prefix}{path}").parse() };
        let invalid =
            |error: http::Error| Error::config("the request's path makes no URI").with_source(error);
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path.map_err(|error: http::uri::InvalidUri| invalid(error.into()))?);
        Uri::from_parts(parts).map_err(|error| invalid(error.into()))
    }

    /// Whether `uri` is on this server: only then do requests to it carry credentials.
    pub(crate) fn is_origin_of(&self, uri: &Uri) -> bool {
        let (Some(scheme), Some(host)) = (uri.scheme(), uri.host()) else { return false };
        *scheme == self.scheme
            && host.eq_ignore_ascii_case(self.authority.host())
            && port(scheme, uri.port_u16()) == port(&self.scheme, self.authority.port_u16())
    }
}

/// The port in force.
pub(crate) fn port(scheme: &Scheme, explicit: Option<u16>) -> u16 {
    explicit.unwrap_or(if *scheme == Scheme::HTTPS { 443 } else { 80 })
}

fn socket_path(path: &str) -> Result<Arc<Path>, Error> {
    let path = PathBuf::from(path);
    if cfg!(not(unix)) {
        return Err(Error::config("a unix:// host works on Unix only"));
    }
    if !path.is_absolute() {
        return Err(Error::config(
            "a unix:// host needs an absolute path: write it as unix:///path/to/socket",
        ));
    }
    Ok(path.into())
}

fn server_url(config: &Config) -> Result<Url, Error> {
    let host = if config.host.is_empty() { "localhost" } else { &config.host };
    let with_scheme = if host.contains("://") {
        host.to_owned()
    } else {
        let tls =
            config.tls.ca.is_some() || config.tls.insecure || config.credentials.certificate().is_some();
        format!("{}://{host}", if tls { "https" } else { "http" })
    };
    let mut url = Url::parse(&with_scheme).map_err(|error| {
        Error::config(format!("the host {:?} is no server's URL", config.host)).with_source(error)
    })?;
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}
