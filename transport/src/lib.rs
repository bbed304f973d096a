//! TLS, credentials, proxies, HTTP/2 and rotation: a `Config` becomes an HTTP client.

#[allow(dead_code, reason = "exec programs and providers are written at the same time")]
mod auth;
mod body;
mod classify;
mod client;
mod endpoint;
mod engine;
mod error;
mod headers;
mod service;
mod tls;

pub use auth::ExecInfo;
pub use body::Body;
pub use client::HttpClient;
pub use error::{BoxError, Error, ErrorKind};
pub use service::{BoxFuture, HttpService, RequestKind};
