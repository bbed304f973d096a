use std::fmt;

use http::{Method, Uri};

use crate::RestClient;

/// What a request was about: its method, path and host. The query is left out, since it may hold anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The HTTP method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// The scheme, host and port.
    pub server: String,
    /// How many attempts were made; 0 when nothing was sent.
    pub attempts: u32,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} on {}", self.method, self.path, self.server)?;
        if self.attempts > 1 {
            write!(f, " ({} attempts)", self.attempts)?;
        }
        Ok(())
    }
}

/// The same as it stands at hand while a request runs; cheap to make.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) client: RestClient,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) attempts: u32,
}

impl Place {
    pub(crate) fn target(&self) -> Target {
        Target {
            method: self.method.clone(),
            path: self.uri.path().to_owned(),
            server: self.client.0.base.origin.clone(),
            attempts: self.attempts,
        }
    }
}
