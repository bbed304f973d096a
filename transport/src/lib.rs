//! TLS, credentials, proxies, HTTP/2 and rotation: a `Config` becomes an HTTP client.

mod answer;
mod auth;
mod body;
mod builder;
mod bundle;
mod cache;
mod classify;
mod client;
mod dial;
mod dns;
mod endpoint;
mod engine;
mod error;
mod exchange;
mod gate;
mod gzip;
mod headers;
mod no_proxy;
mod observe;
mod proxy;
mod redirect;
mod replay;
mod rotation;
mod service;
mod tls;
mod tower;
mod transport;
mod upgrade;

pub use auth::ExecInfo;
pub use body::Body;
pub use builder::HttpClientBuilder;
pub use client::HttpClient;
pub use error::{BoxError, Error, ErrorKind};
pub use service::{BoxFuture, HttpService, RequestKind};
pub use tower::Layered;
pub use upgrade::Upgraded;
