//! Connections of our own making: those of calls, and the ones that reqwest can't make, through proxies and to servers
//! whose certificate has another name than the URL's host.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::uri::Scheme;
use http::{Method, Request, Uri};
use http_body_util::Empty;
use hyper_util::client::legacy::connect::proxy::SocksV5;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use kubewire_config::ProxyUrl;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::classify::classify_connect;
use crate::dns::Resolver;
use crate::endpoint;
use crate::proxy::{self, Proxies, Target};
use crate::service::BoxFuture;
use crate::{BoxError, Error, ErrorKind, limits};

/// A byte stream, as hyper likes it.
trait Io: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static {}

impl<T: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static> Io for T {}

type BoxIo = Box<dyn Io>;

/// Makes connections by way of [`Proxies`].
#[derive(Clone)]
pub(crate) struct Dialer(Arc<Settings>);

/// What a [`Dialer`] is made from.
pub(crate) struct Settings {
    pub(crate) http: HttpConnector<Resolver>,
    pub(crate) proxies: Proxies,
    /// For servers.
    pub(crate) tls: Arc<ClientConfig>,
    /// For https proxies: it knows no client certificate.
    pub(crate) proxy_tls: Arc<ClientConfig>,
    /// The server's name in its certificate, where that is not the URL's host.
    pub(crate) server_name: Option<ServerName<'static>>,
}

/// What a [`Dialer`] makes.
pub(crate) struct Dialed {
    io: BoxIo,
    http2: bool,
    forwarded: bool,
}

impl Dialer {
    pub(crate) fn new(mut settings: Settings) -> Self {
        settings.http.enforce_http(false);
        Self(Arc::new(settings))
    }
}

impl Service<Uri> for Dialer {
    type Response = Dialed;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Dialed, BoxError>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let settings = Arc::clone(&self.0);
        Box::pin(async move { settings.connect(uri).await.map_err(Into::into) })
    }
}

impl Settings {
    async fn connect(&self, uri: Uri) -> Result<Dialed, Error> {
        let target = target(&uri)?;
        let (io, forwarded) = match self.proxies.proxy_for(target) {
            None => (self.tcp(uri.clone()).await?, false),
            Some(proxy) => {
                let failed = |error: Error| {
                    Error::new(error.kind(), error)
                        .context(format!("no way through the proxy {proxy}"))
                        .not_processed()
                };
                match proxy.expose().scheme() {
                    "socks5" | "socks5h" => (self.socks(proxy, uri.clone()).await.map_err(failed)?, false),
                    _ => {
                        let io = self.to_proxy(proxy).await.map_err(failed)?;
                        if target.https {
                            (tunnel(io, proxy, &uri).await.map_err(failed)?, false)
                        } else {
                            (io, true)
                        }
                    }
                }
            }
        };
        if !target.https {
            return Ok(Dialed { io, http2: false, forwarded });
        }
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => server_name(target.host)?,
        };
        let (io, http2) = handshake(io, &self.tls, name).await?;
        Ok(Dialed { io, http2, forwarded })
    }

    async fn tcp(&self, uri: Uri) -> Result<BoxIo, Error> {
        let mut http = self.http.clone();
        match http.call(uri).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(classify_connect(error)),
        }
    }

    /// A connection to an http or https proxy itself.
    async fn to_proxy(&self, proxy: &ProxyUrl) -> Result<BoxIo, Error> {
        let uri = proxy_uri(proxy)?;
        let host = uri.host().unwrap_or_default().to_owned();
        let https = uri.scheme() == Some(&Scheme::HTTPS);
        let io = self.tcp(uri).await?;
        if !https {
            return Ok(io);
        }
        let (io, _) = handshake(io, &self.proxy_tls, server_name(bare(&host))?).await?;
        limits::handshake_is_over();
        Ok(io)
    }

    async fn socks(&self, proxy: &ProxyUrl, uri: Uri) -> Result<BoxIo, Error> {
        let at = proxy_uri(proxy)?;
        let io = self.tcp(at.clone()).await?;
        let mut socks = SocksV5::new(at, Ready(Some(io)));
        if let Some((user, password)) = proxy::user_info(proxy) {
            socks = socks.with_auth(user, password);
        }
        // Without a port in the URI it would take 443.
        let uri = with_port(&uri)?;
        socks.call(uri).await.map_err(|error| Error::new(ErrorKind::Connect, error).not_processed())
    }
}

/// Asks an http proxy for a tunnel to `uri`'s host.
async fn tunnel(io: BoxIo, proxy: &ProxyUrl, uri: &Uri) -> Result<BoxIo, Error> {
    let authority = with_port(uri)?.authority().map(ToString::to_string).unwrap_or_default();
    let mut request = Request::new(Empty::<Bytes>::new());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() =
        authority.parse().map_err(|error| Error::new(ErrorKind::Config, BoxError::from(error)))?;
    if let Ok(host) = authority.parse() {
        request.headers_mut().insert(http::header::HOST, host);
    }
    if let Some(user) = proxy::authorization(proxy) {
        request.headers_mut().insert(http::header::PROXY_AUTHORIZATION, user);
    }
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(io).await.map_err(classify_connect)?;
    // The tunnel is the connection itself: this ends when it is handed over.
    let driver = tokio::spawn(connection.with_upgrades());
    let response = match sender.send_request(request).await {
        Ok(response) => response,
        Err(error) => {
            driver.abort();
            return Err(classify_connect(error));
        }
    };
    if !response.status().is_success() {
        driver.abort();
        let hint = match response.status() {
            http::StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                ": check the user and the password in the proxy's URL"
            }
            _ => "",
        };
        let text = format!("it answered {} to CONNECT {authority}{hint}", response.status());
        return Err(Error::new(ErrorKind::Connect, text).not_processed());
    }
    match hyper::upgrade::on(response).await {
        Ok(upgraded) => Ok(Box::new(upgraded)),
        Err(error) => Err(classify_connect(error)),
    }
}

async fn handshake(
    io: BoxIo,
    tls: &Arc<ClientConfig>,
    name: ServerName<'static>,
) -> Result<(BoxIo, bool), Error> {
    let failed = |error| classify_connect(error).context("the TLS handshake failed");
    let stream = TlsConnector::from(Arc::clone(tls)).connect(name, TokioIo::new(io)).await.map_err(failed)?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    Ok((Box::new(TokioIo::new(stream)), http2))
}

fn target(uri: &Uri) -> Result<Target<'_>, Error> {
    let (Some(scheme), Some(host)) = (uri.scheme(), uri.host()) else {
        return Err(Error::config("the request's URI has no scheme or no host"));
    };
    let port = endpoint::port(scheme, uri.port_u16());
    Ok(Target { https: *scheme == Scheme::HTTPS, host: bare(host), port })
}

/// The host without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

pub(crate) fn server_name(name: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(name.to_owned())
        .map_err(|error| Error::config(format!("{name:?} is no server's name")).with_source(error))
}

/// The proxy's address, without user and password.
fn proxy_uri(proxy: &ProxyUrl) -> Result<Uri, Error> {
    let url = proxy.expose();
    let port = url.port_or_known_default().unwrap_or(1080);
    let scheme = if url.scheme() == "https" { "https" } else { "http" };
    let host = url.host_str().unwrap_or_default();
    format!("{scheme}://{host}:{port}").parse().map_err(|error: http::uri::InvalidUri| {
        Error::config("the proxy URL can't be used").with_source(error)
    })
}

fn with_port(uri: &Uri) -> Result<Uri, Error> {
    let Target { port, .. } = target(uri)?;
    let host = uri.host().unwrap_or_default();
    format!("http://{host}:{port}").parse().map_err(|error: http::uri::InvalidUri| {
        Error::config("the server's URL can't be used").with_source(error)
    })
}

/// A connector whose connection is there already.
struct Ready(Option<BoxIo>);

impl Service<Uri> for Ready {
    type Response = BoxIo;
    type Error = Error;
    type Future = std::future::Ready<Result<BoxIo, Error>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _uri: Uri) -> Self::Future {
        let used = || Error::new(ErrorKind::Connect, "the connection to the proxy was used already");
        std::future::ready(self.0.take().ok_or_else(used))
    }
}

impl Connection for Dialed {
    fn connected(&self) -> Connected {
        let connected = Connected::new().proxy(self.forwarded);
        if self.http2 { connected.negotiated_h2() } else { connected }
    }
}

impl hyper::rt::Read for Dialed {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl hyper::rt::Write for Dialed {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        std::pin::Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        std::pin::Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }
}
