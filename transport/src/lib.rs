//! TLS, credentials, proxies, HTTP/2 and rotation: a [`Config`](kubewire_config::Config) becomes an HTTP client.
//!
//! ```no_run
//! use http_body_util::BodyExt;
//! use kubewire_config::Config;
//! use kubewire_transport::{Body, HttpClient, HttpService};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = HttpClient::new(&Config::infer()?)?;
//! let request = http::Request::get("/version").body(Body::empty())?;
//! let response = client.execute(request).await?;
//! println!("{} {:?}", response.status(), response.into_body().collect().await?.to_bytes());
//! # Ok(())
//! # }
//! ```
//!
//! Certificates, authorities and tokens that change while the client runs are taken over without a failed request.
//! [`HttpService`] is the seam: a test puts a fake in the client's place, and [`Layered`] puts tower's layers around it.

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
mod limits;
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
