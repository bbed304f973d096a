use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::Uri;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use kubewire_config::Config;
use url::Url;

use crate::Error;
use crate::proxy::Target;

/// The server of a [`Config`]: where requests go, and where credentials may go.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    url: Url,
    /// The URL without path, query and fragment.
    origin: Url,
    scheme: Scheme,
    authority: Authority,
    unix_socket: Option<Arc<Path>>,
}

impl Endpoint {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let unix_socket = config.host.strip_prefix("unix://").map(socket_path).transpose()?;
        let url = match unix_socket {
            // The socket stands for the server; the URL is only what its Host header says.
            Some(_) => Config::new("http://localhost").server_url(),
            None => config.server_url(),
        }
        .map_err(|error| Error::config("the config's server can't be used").with_source(error))?;
        let scheme = if url.scheme() == "https" { Scheme::HTTPS } else { Scheme::HTTP };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::config(
                "the host holds a user name or password: give them as the config's credentials instead",
            ));
        }
        let authority = Authority::try_from(&url[url::Position::BeforeHost..url::Position::AfterPort])
            .map_err(|error| Error::config("the config's server can't be used").with_source(error))?;
        let mut origin = url.clone();
        origin.set_path("/");
        origin.set_query(None);
        origin.set_fragment(None);
        Ok(Self { url, origin, scheme, authority, unix_socket })
    }

    /// The socket's path, where the server is reached through one.
    pub(crate) fn unix_socket(&self) -> Option<&Arc<Path>> {
        self.unix_socket.as_ref()
    }

    /// Host and, where it is not the scheme's own, port.
    pub(crate) fn authority(&self) -> &str {
        self.authority.as_str()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Where connections to the server lead.
    pub(crate) fn target(&self) -> Target<'_> {
        let host = self.authority.host();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Target { https: self.is_https(), host, port: port(&self.scheme, self.authority.port_u16()) }
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
        if self.is_written_in(uri) {
            return true;
        }
        let (Some(scheme), Some(host)) = (uri.scheme(), uri.host()) else { return false };
        *scheme == self.scheme
            && host.eq_ignore_ascii_case(self.authority.host())
            && port(scheme, uri.port_u16()) == port(&self.scheme, self.authority.port_u16())
    }

    /// Whether `uri` names this server letter by letter, as nearly all do.
    fn is_written_in(&self, uri: &Uri) -> bool {
        uri.scheme() == Some(&self.scheme)
            && uri.authority().is_some_and(|authority| authority.as_str() == self.authority.as_str())
    }

    /// `uri` as a URL, as parsing its text would make it, but without parsing the host again and again. `None` where
    /// it names another server, or this one in other letters.
    pub(crate) fn url_of(&self, uri: &Uri) -> Option<Url> {
        if !self.is_written_in(uri) || !uri.path().starts_with('/') {
            return None;
        }
        let mut url = self.origin.clone();
        url.set_path(uri.path());
        url.set_query(uri.query());
        Some(url)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(host: &str) -> Endpoint {
        Endpoint::new(&Config::new(host)).unwrap()
    }

    #[test]
    fn relative_uris_lie_below_the_server() {
        let resolved =
            |host: &str, uri: &str| endpoint(host).resolve(uri.parse().unwrap()).unwrap().to_string();
        assert_eq!(resolved("https://h:6443", "/api?a=b"), "https://h:6443/api?a=b");
        assert_eq!(resolved("https://h/clusters/a/", "/api"), "https://h/clusters/a/api");
        assert_eq!(resolved("https://[fd00::1]:6443", "/api"), "https://[fd00::1]:6443/api");
        assert_eq!(resolved("https://h", "https://other/x"), "https://other/x");
        assert_eq!(resolved("unix:///run/api.sock", "/api"), "http://localhost/api");
    }

    #[test]
    fn bh_t16_only_the_server_itself_is_the_origin() {
        let server = endpoint("https://API.example.com");
        for same in ["https://api.example.com/x", "https://api.EXAMPLE.com:443/"] {
            assert!(server.is_origin_of(&same.parse().unwrap()), "{same}");
        }
        for other in [
            "http://api.example.com",
            "https://api.example.com:444",
            "https://api.example.com.evil.org",
            "https://example.com",
            "/api",
        ] {
            assert!(!server.is_origin_of(&other.parse().unwrap()), "{other}");
        }
    }

    #[test]
    fn urls_of_the_server_are_what_their_text_parses_to() {
        let hosts = [
            "https://API.example.com:443/clusters/a?b=c",
            "https://10.0.0.1:6443",
            "https://[fd00::1]:6443/",
            "https://bücher.example",
            "http://h:8001",
            "unix:///run/api.sock",
        ];
        let paths = [
            "/",
            "",
            "/api/v1/namespaces/a/pods/b?labelSelector=a%3Db&x=%20+%C3%BC",
            "/a//b/../c/./d/",
            "/a/%2e%2E/b/%2e",
            "/../..",
            "/a\\..\\b",
            "/a|b^c`d{e}[f]\"g'h<>",
            "/a:b@c;d=e,f!g$h&i*j(k)",
            "/C:/d|/../e",
            "//other/x",
            "/x?",
            "/x??a=/../b",
            "/x?a=b\"c<d>e'f`g{h}",
            "/ü?ü=\u{2603}",
        ];
        for host in hosts {
            let server = endpoint(host);
            for path in paths {
                let text = format!("{}://{}{path}", server.url.scheme(), server.authority);
                let Ok(uri) = Uri::try_from(&text) else { continue };
                let parsed = Url::parse(&uri.to_string()).unwrap();
                let made = server.url_of(&uri).unwrap();
                assert_eq!(made, parsed);
                let parts = |url: &Url| {
                    let parts = [url.path(), url.query().unwrap_or("none"), url.host_str().unwrap()];
                    (parts.map(str::to_owned), url.port(), url.fragment().map(str::to_owned))
                };
                assert_eq!(parts(&made), parts(&parsed));
            }
        }
        let server = endpoint("https://h");
        for other in ["https://h:443/", "https://H/", "http://h/", "https://u@h/", "https://other/", "/x"] {
            assert_eq!(server.url_of(&other.parse().unwrap()), None, "{other}");
        }
    }

    #[test]
    fn hosts_that_cannot_work_are_errors_without_secrets() {
        for host in ["https://me:marked@h", "ftp://me:marked@h", "unix://relative", "host/server"] {
            let error = Endpoint::new(&Config::new(host)).unwrap_err();
            assert!(!format!("{error:?}").contains("marked"), "{error:?}");
        }
    }
}
