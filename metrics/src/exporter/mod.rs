//! A `/metrics` endpoint for programs that have no HTTP server of their own.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! use kubewire_metrics::ClientMetrics;
//!
//! let metrics = ClientMetrics::new();
//! let exporter = metrics.serve("127.0.0.1:0").await?; // keep it: dropping it ends the endpoint
//! println!("scrape {}", exporter.url());
//! # Ok(())
//! # }
//! ```
//!
//! Prometheus finds it with
//!
//! ```yaml
//! scrape_configs:
//!   - job_name: my-controller
//!     static_configs:
//!       - targets: ["my-controller:8080"]
//! ```

mod answer;
mod negotiate;
mod openmetrics;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus::proto::MetricFamily;
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::task::{AbortHandle, JoinSet};

use crate::ClientMetrics;

/// How many connections are served at a time; more wait in the system's queue.
const MAX_CONNECTIONS: usize = 32;

/// How long one connection may take, from accepting it to the last byte of its one response.
const CONNECTION_TIME: Duration = Duration::from_secs(10);

/// The most bytes of a request's head.
const MAX_HEAD: usize = 8192;

/// How long to wait when no connection can be accepted, for lack of file descriptors for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type Gather = Arc<dyn Fn() -> Vec<MetricFamily> + Send + Sync>;

/// An HTTP/1.1 server that answers `GET` and `HEAD` of `/metrics`, and 404 elsewhere. It ends when this is dropped.
///
/// Scrapers get Prometheus' text format, or OpenMetrics where they ask for it, compressed with gzip where they accept
/// it. What clients can do to it is bounded: 32 connections at a time, one request and at most 10 seconds each, a head
/// of at most 8 KiB; bodies are not read. There is no encryption and no authentication: bind it to an address that
/// only scrapers reach.
#[derive(Debug)]
#[must_use = "the endpoint ends when the exporter is dropped"]
pub struct Exporter {
    address: SocketAddr,
    server: AbortHandle,
}

impl Exporter {
    /// Listens on `address` (port 0 takes a free one) and shows what `gather` gives, for example
    /// `move || registry.gather()` or `prometheus::gather`. `gather` is called once for each scrape, on a thread where
    /// it may block.
    ///
    /// # Errors
    /// That of the system when it cannot listen there.
    ///
    /// # Panics
    /// Outside a tokio runtime with its I/O and time drivers on.
    ///
    /// Cancellation: when the future is dropped, nothing listens.
    pub async fn bind(
        address: impl ToSocketAddrs,
        gather: impl Fn() -> Vec<MetricFamily> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(accept(listener, Arc::new(gather))).abort_handle();
        Ok(Self { address, server })
    }

    /// The address that it listens on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The URL to scrape.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, answer::PATH)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl ClientMetrics {
    /// Shows these metrics, and nothing else, at `http://address/metrics` until the exporter is dropped.
    /// [`Exporter::bind`] shows a whole registry.
    ///
    /// # Errors
    /// That of the system when it cannot listen there.
    ///
    /// # Panics
    /// Outside a tokio runtime with its I/O and time drivers on.
    ///
    /// Cancellation: when the future is dropped, nothing listens.
    pub async fn serve(&self, address: impl ToSocketAddrs) -> io::Result<Exporter> {
        let metrics = self.clone();
        Exporter::bind(address, move || metrics.gather()).await
    }
}

/// Serves until it is dropped, and its connections with it.
async fn accept(listener: TcpListener, gather: Gather) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, Arc::clone(&gather)));
                }
                Err(error) => {
                    tracing::warn!(%error, "the metrics endpoint could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}

async fn serve(stream: TcpStream, gather: Gather) {
    let service = service_fn(|request| answer::answer(request, Arc::clone(&gather)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(CONNECTION_TIME, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection to the metrics endpoint failed"),
        Err(_) => tracing::debug!("a connection to the metrics endpoint took too long"),
    }
}
