//! TLS, credentials, proxies, HTTP/2 and rotation: a `Config` becomes an HTTP client.

#[allow(dead_code, reason = "the HTTP client that calls it is written at the same time")]
mod auth;
mod body;
mod error;
mod service;

pub use body::Body;
pub use error::{BoxError, Error, ErrorKind};
pub use service::{BoxFuture, HttpService, RequestKind};
