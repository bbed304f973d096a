use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::Either;
use http::uri::Scheme;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tower_layer::Layer as _;

use crate::builder::Options;
use crate::classify::classify;
use crate::dial::{self, Dialer};
use crate::dns::Resolver;
use crate::endpoint::Endpoint;
use crate::gate::{Gate, Gated};
use crate::observe::Observer;
use crate::proxy::{self, Proxies, Target};
use crate::rotation::Freshness;
use crate::{Body, BoxError, Error};

/// One pool of connections: reqwest's, or the one beneath it with connections of our own making.
#[derive(Clone)]
pub(crate) enum Engine {
    Straight(reqwest::Client),
    Dialed(Arc<DialedClient>),
}

pub(crate) struct DialedClient {
    client: Client<Gated<Dialer>, Body>,
    proxies: Proxies,
}

/// Between two probes of a TCP connection that is idle and doesn't answer, and how many are left without an answer.
const PROBE_PAUSE: Duration = Duration::from_secs(15);
const PROBES: u32 = 3;
/// How long TCP may wait for what was sent to be acknowledged.
#[cfg(any(target_os = "android", target_os = "linux"))]
const UNANSWERED: Duration = Duration::from_secs(30);

/// The largest frame of HTTP/2, in bytes, that a server may send. Frames are put together before their bytes are seen:
/// with the 16 KiB that every server may send, that costs a tenth of what it takes to read a long list. Whenever 64 KiB
/// are freed, glibc puts all free memory together and may give it back: a frame's memory stays below that.
const FRAME: u32 = 56 << 10;

/// What an engine is made from.
pub(crate) struct Parts<'a> {
    pub(crate) options: &'a Options,
    pub(crate) tls: ClientConfig,
    pub(crate) proxy_tls: Option<&'a Arc<ClientConfig>>,
    pub(crate) server_name: Option<ServerName<'static>>,
    pub(crate) proxies: &'a Proxies,
    pub(crate) unix_socket: Option<&'a Arc<Path>>,
    pub(crate) freshness: Freshness,
    pub(crate) observer: &'a Observer,
}

impl Parts<'_> {
    fn gate(&self) -> Gate {
        let multiplexed = self.tls.alpn_protocols.iter().any(|protocol| protocol == b"h2");
        Gate::new(multiplexed, self.options.limits, self.freshness.clone())
    }
}

impl Engine {
    /// For what is asked for once and then takes its time: reqwest, wherever it can make the connection.
    pub(crate) fn new(parts: Parts<'_>) -> Result<Self, Error> {
        match (&parts.server_name, parts.proxies) {
            (None, Proxies::Direct) => Self::straight(parts),
            _ => Ok(Self::dialed(parts)),
        }
    }

    /// For calls that come one after the other. reqwest costs each of them more than all that we do above it, for what
    /// this client does itself or has turned off, so its pool is asked without it.
    pub(crate) fn for_calls(parts: Parts<'_>) -> Result<Self, Error> {
        match parts.unix_socket {
            Some(_) => Self::new(parts),
            None => Ok(Self::dialed(parts)),
        }
    }

    fn straight(parts: Parts<'_>) -> Result<Self, Error> {
        let gate = parts.gate();
        let options = parts.options;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(parts.tls)
            // With none allowed, no request is kept for one either.
            .retry(reqwest::retry::never().max_retries_per_request(0))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .dns_resolver(Resolver(parts.observer.clone()))
            .connector_layer(gate)
            .tcp_nodelay(true)
            .tcp_keepalive(options.tcp_keepalive)
            .tcp_keepalive_interval(PROBE_PAUSE)
            .tcp_keepalive_retries(PROBES)
            .pool_idle_timeout(options.idle_timeout)
            .pool_max_idle_per_host(options.max_idle)
            .http2_max_frame_size(FRAME)
            .http2_initial_stream_window_size(options.stream_window)
            .http2_initial_connection_window_size(options.connection_window);
        if let Some(ping) = options.ping {
            builder = builder
                .http2_keep_alive_interval(ping.interval)
                .http2_keep_alive_timeout(ping.timeout)
                .http2_keep_alive_while_idle(true);
        }
        #[cfg(any(target_os = "android", target_os = "linux"))]
        {
            builder = builder.tcp_user_timeout(UNANSWERED);
        }
        #[cfg(unix)]
        if let Some(path) = parts.unix_socket {
            builder = builder.unix_socket(path.as_ref());
        }
        let failed = |error: reqwest::Error| {
            Error::config("the HTTP client can't be built").with_source(error.without_url())
        };
        builder.build().map(Self::Straight).map_err(failed)
    }

    fn dialed(parts: Parts<'_>) -> Self {
        let gate = parts.gate();
        let options = parts.options;
        let mut http = HttpConnector::new_with_resolver(Resolver(parts.observer.clone()));
        http.set_keepalive(Some(options.tcp_keepalive));
        http.set_keepalive_interval(Some(PROBE_PAUSE));
        http.set_keepalive_retries(Some(PROBES));
        #[cfg(any(target_os = "android", target_os = "linux"))]
        http.set_tcp_user_timeout(Some(UNANSWERED));
        http.set_nodelay(true);
        let tls = Arc::new(parts.tls);
        let dialer = Dialer::new(dial::Settings {
            http,
            proxies: parts.proxies.clone(),
            proxy_tls: Arc::clone(parts.proxy_tls.unwrap_or(&tls)),
            tls,
            server_name: parts.server_name,
        });
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(options.idle_timeout)
            .pool_max_idle_per_host(options.max_idle)
            .http2_max_frame_size(FRAME)
            .http2_initial_stream_window_size(options.stream_window)
            .http2_initial_connection_window_size(options.connection_window);
        if let Some(ping) = options.ping {
            builder
                .http2_keep_alive_interval(ping.interval)
                .http2_keep_alive_timeout(ping.timeout)
                .http2_keep_alive_while_idle(true);
        }
        let proxies = parts.proxies.clone();
        Self::Dialed(Arc::new(DialedClient { client: builder.build(gate.layer(dialer)), proxies }))
    }

    /// Sends one request once: mostly to `server`. The future is small, as the request goes into the engine at once;
    /// nothing is sent before it is polled.
    pub(crate) fn send(
        &self,
        request: Request<Body>,
        server: &Endpoint,
    ) -> impl Future<Output = Result<Response<EngineBody>, Error>> + Send + use<> {
        let sent = match self {
            Self::Straight(client) => {
                Either::Left(straight_request(request, server).map(|request| client.execute(request)))
            }
            Self::Dialed(dialed) => {
                let request = with_proxy_authorization(request, &dialed.proxies);
                Either::Right(dialed.client.request(request))
            }
        };
        async move {
            match sent {
                Either::Left(answer) => match answer?.await {
                    Ok(response) => Ok(Response::<reqwest::Body>::from(response).map(EngineBody::Straight)),
                    Err(error) => Err(classify(error.without_url().into())),
                },
                Either::Right(answer) => match answer.await {
                    Ok(response) => Ok(response.map(EngineBody::Dialed)),
                    Err(error) => Err(classify(error.into())),
                },
            }
        }
    }
}

/// The request as reqwest wants it. Its own conversion parses the URL from its text, host and all.
fn straight_request(request: Request<Body>, server: &Endpoint) -> Result<reqwest::Request, Error> {
    let request = request.map(|body| match body.into_bytes() {
        Ok(bytes) => reqwest::Body::from(bytes),
        Err(stream) => reqwest::Body::wrap_stream(stream.into_data_stream()),
    });
    let Some(url) = server.url_of(request.uri()) else {
        return reqwest::Request::try_from(request).map_err(|error| {
            Error::config("the request's URI can't be used").with_source(error.without_url())
        });
    };
    let (parts, body) = request.into_parts();
    let mut request = reqwest::Request::new(parts.method, url);
    *request.headers_mut() = parts.headers;
    *request.version_mut() = parts.version;
    *request.body_mut() = Some(body);
    Ok(request)
}

/// Plain http has no tunnel: each request goes to the proxy, and tells it user and password.
fn with_proxy_authorization(mut request: Request<Body>, proxies: &Proxies) -> Request<Body> {
    let uri = request.uri();
    if uri.scheme() != Some(&Scheme::HTTP) {
        return request;
    }
    let target =
        Target { https: false, host: uri.host().unwrap_or_default(), port: uri.port_u16().unwrap_or(80) };
    let proxy = proxies.proxy_for(target).filter(|proxy| proxy.expose().scheme().starts_with("http"));
    if let Some(user) = proxy.and_then(proxy::authorization) {
        request.headers_mut().insert(http::header::PROXY_AUTHORIZATION, user);
    }
    request
}

/// An engine's answer.
#[derive(Debug)]
pub(crate) enum EngineBody {
    Straight(reqwest::Body),
    Dialed(hyper::body::Incoming),
}

impl http_body::Body for EngineBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.get_mut() {
            Self::Straight(body) => {
                Pin::new(body).poll_frame(cx).map_err(|error| classify(BoxError::from(error.without_url())))
            }
            Self::Dialed(body) => Pin::new(body).poll_frame(cx).map_err(|error| classify(error.into())),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Straight(body) => body.is_end_stream(),
            Self::Dialed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Straight(body) => body.size_hint(),
            Self::Dialed(body) => body.size_hint(),
        }
    }
}

/// How often HTTP/2 connections are asked whether they live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ping {
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
}
