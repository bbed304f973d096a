//! Where the server is, taken apart once.

use kubewire_config::Config;
use url::{Position, Url};

use crate::error::ClientError;

/// A server's address.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    /// Scheme, host and port, as in `https://10.0.0.1:6443`.
    pub(crate) origin: String,
    /// The path in front of every other, percent-encoded: it begins and ends with a slash.
    pub(crate) path: String,
    /// The host and, where it is not the scheme's own, the port: the label of metrics.
    pub(crate) host: String,
    /// All of it.
    pub(crate) url: Url,
}

impl Base {
    pub(crate) fn new(config: &Config) -> Result<Self, ClientError> {
        // The socket's path is the transport's business; above it the server has a name like any other.
        if config.host.starts_with("unix://") {
            let url = Config::new("http://localhost").server_url();
            return url.map(Self::from_url).map_err(|error| ClientError::Host(error.to_string()));
        }
        config.server_url().map(Self::from_url).map_err(|error| ClientError::Host(error.to_string()))
    }

    fn from_url(url: Url) -> Self {
        let host = url[Position::BeforeHost..Position::AfterPort].to_owned();
        Self { origin: format!("{}://{host}", url.scheme()), path: url.path().to_owned(), host, url }
    }
}
