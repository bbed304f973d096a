use url::Url;

use crate::{Config, ConfigError, Credentials};

impl Config {
    /// The server's base URL: scheme, host, port and path prefix, which ends in `/`.
    ///
    /// An empty [`host`](Self::host) is localhost. Without a scheme it is https when a CA, a client certificate or
    /// insecure is set, else http. Query and fragment are dropped.
    ///
    /// ```
    /// use kubewire_config::Config;
    ///
    /// assert_eq!(Config::new("https://gate:8443/clusters/a?x=1").server_url()?.as_str(), "https://gate:8443/clusters/a/");
    /// assert_eq!(Config::new("127.0.0.1:8080").server_url()?.as_str(), "http://127.0.0.1:8080/");
    /// assert!(Config::new("host/server").server_url().is_err());
    /// # Ok::<(), kubewire_config::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::BadHost`] when the host is neither a URL nor `host` or `host:port`.
    pub fn server_url(&self) -> Result<Url, ConfigError> {
        let host = if self.host.is_empty() { "localhost" } else { &self.host };
        let bad = |problem: &str| ConfigError::BadHost {
            host: without_userinfo(host),
            problem: problem.to_owned(),
        };
        let has_scheme = host.find("://").is_some_and(|at| {
            host.bytes().take(at).all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
                && host.starts_with(|c: char| c.is_ascii_alphabetic())
        });
        let mut url = if has_scheme {
            Url::parse(host).map_err(|error| bad(&error.to_string()))?
        } else {
            let scheme = if self.is_tls_configured() { "https" } else { "http" };
            // An IPv6 address alone, without the brackets that a URL needs.
            let bare = host.parse::<std::net::Ipv6Addr>().is_ok();
            let text = if bare { format!("{scheme}://[{host}]") } else { format!("{scheme}://{host}") };
            let url = Url::parse(&text).map_err(|error| bad(&error.to_string()))?;
            if !matches!(url.path(), "" | "/") {
                return Err(bad(
                    "without a scheme it must be a host or host:port: write https:// in front of it",
                ));
            }
            url
        };
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("its scheme must be http or https"));
        }
        if !url.has_host() {
            return Err(bad("it names no host: write it as https://HOST:PORT"));
        }
        url.set_query(None);
        url.set_fragment(None);
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(url)
    }

    /// The path below the host under which an API group and version lives: `/api/v1`, `/apis/apps/v1`, or below
    /// [`api_path`](Self::api_path) where that is set.
    ///
    /// ```
    /// use kubewire_config::Config;
    ///
    /// let config = Config::new("localhost");
    /// assert_eq!(config.versioned_api_path("", "v1"), "/api/v1");
    /// assert_eq!(config.versioned_api_path("apps", "v1"), "/apis/apps/v1");
    /// ```
    pub fn versioned_api_path(&self, group: &str, version: &str) -> String {
        let base = match self.api_path.as_deref().map(|path| path.trim_matches('/')) {
            Some(path) => path,
            None if group.is_empty() => "api",
            None => "apis",
        };
        let mut path = String::with_capacity(base.len() + group.len() + version.len() + 3);
        for part in [base, group, version].into_iter().filter(|part| !part.is_empty()) {
            path.push('/');
            path.push_str(part);
        }
        path
    }

    /// Whether the settings ask for TLS even where the host does not say https: a CA, a client certificate or
    /// insecure is set.
    pub fn is_tls_configured(&self) -> bool {
        self.tls.insecure
            || self.tls.ca.is_some()
            || matches!(self.credentials, Credentials::ClientCertificate { .. })
    }
}

/// A host as errors show it: a user and a password before an `@` are left out.
fn without_userinfo(host: &str) -> String {
    let start = host.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = host.split_at(start);
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}[redacted]@{host}{path}"),
        None => host.to_owned(),
    }
}
