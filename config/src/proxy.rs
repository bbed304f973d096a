use std::fmt;
use std::str::FromStr;

use url::Url;

/// The URL of a proxy: its scheme is `http`, `https`, `socks5` or `socks5h`, and it may hold a user and a password, which
/// `Debug` and `Display` leave out.
///
/// ```
/// use kubewire_config::ProxyUrl;
///
/// let proxy: ProxyUrl = "socks5://me:secret@proxy:1080".parse()?;
/// assert_eq!(proxy.to_string(), "socks5://[redacted]@proxy:1080");
/// assert!("ftp://proxy".parse::<ProxyUrl>().is_err());
/// # Ok::<(), kubewire_config::ProxyUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ProxyUrl(Url);

/// A proxy URL that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyUrlError {
    /// It is no URL.
    #[error("the proxy URL can't be parsed ({0}): write it as http://HOST:PORT, https://... or socks5://...")]
    Parse(#[from] url::ParseError),
    /// It has no host.
    #[error("the proxy URL has no host: write it as http://HOST:PORT")]
    NoHost,
    /// Its scheme is none of those that work.
    #[error("the proxy URL's scheme {0:?} is not supported: use http, https or socks5")]
    Scheme(String),
}

impl ProxyUrl {
    /// The whole URL, with user and password. Keep it out of logs and errors.
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

impl FromStr for ProxyUrl {
    type Err = ProxyUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text)?;
        if !matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") {
            return Err(ProxyUrlError::Scheme(url.scheme().to_owned()));
        }
        if !url.has_host() {
            return Err(ProxyUrlError::NoHost);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.0.scheme())?;
        if !self.0.username().is_empty() || self.0.password().is_some() {
            f.write_str("[redacted]@")?;
        }
        f.write_str(self.0.host_str().unwrap_or_default())?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
