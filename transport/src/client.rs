use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use kubewire_config::Config;

use crate::auth::{Auth, AuthOptions};
use crate::builder::HttpClientBuilder;
use crate::endpoint::Endpoint;
use crate::exchange::Exchange;
use crate::headers::StandingHeaders;
use crate::observe::{HostObserver, Observer};
use crate::proxy::Proxies;
use crate::service::{BoxFuture, HttpService};
use crate::tls::{self, CaSource, IdentitySource};
use crate::transport::{Recipe, Transport};
use crate::{Body, BoxError, Error, ErrorKind, cache, dial};

/// An HTTP client for one API server and one user.
///
/// Cheap to clone: clones share everything. It must be used within a tokio runtime; it can be built anywhere.
///
/// A request with a relative URI goes to the config's server, below its path prefix. One to another host than the
/// server's goes there without any credential and without the client's certificate.
///
/// [`Config::timeout`] bounds a whole request: its credential, the connection, the answer's head and its body. Without
/// one (the default) only the making of a connection is bounded, by the settings of [`HttpClientBuilder`].
///
/// Up to ten redirects are followed: to another host only those of requests that read, and none from https to http. A
/// request that certainly was not processed is sent again, up to five times, and so, once, is one that the server answers
/// with 401 when there is a new credential. A body that is a stream allows none of this once it was read. As a tower
/// service the client therefore gathers a body whose length is known, up to 4 MiB.
///
/// # Errors
/// As [`execute`](HttpService::execute) says. They tell what was tried, on which host, and hold no secret.
///
/// # Cancellation
/// Dropping the future of a request, or the body of its answer, ends the request at once. A credential that it was
/// waiting for is still fetched where others wait for it too; else its program is killed.
#[derive(Clone)]
pub struct HttpClient(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) endpoint: Endpoint,
    pub(crate) headers: StandingHeaders,
    pub(crate) auth: Arc<Auth>,
    pub(crate) transport: Arc<Transport>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) compression: bool,
    /// Where the trusted authorities come from, as errors tell it.
    pub(crate) ca: CaSource,
    pub(crate) observer: Observer,
    pub(crate) host: HostObserver,
}

impl HttpClient {
    /// A client with every setting at its default.
    ///
    /// Files that the config names are read here, once, and without waiting for a runtime; no connection is made.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when the config can't work, with the field or file and why.
    pub fn new(config: &Config) -> Result<Self, Error> {
        Self::builder(config).build()
    }

    /// A client with settings of your own. Nothing is read or checked before [`HttpClientBuilder::build`].
    pub fn builder(config: &Config) -> HttpClientBuilder {
        HttpClientBuilder::new(config)
    }

    pub(crate) fn from_builder(mut builder: HttpClientBuilder) -> Result<Self, Error> {
        let http2 = builder.settle();
        let HttpClientBuilder { config, options, environment, observer, .. } = builder;
        check(&config)?;
        let endpoint = Endpoint::new(&config)?;
        let provider = tls::provider()?;
        let mut auth_options = AuthOptions::new(Arc::clone(&provider));
        auth_options.token_file_period = builder.token_file_period;
        auth_options.now = builder.clock;
        #[cfg(feature = "metrics")]
        {
            auth_options.metrics = observer.exec_plugins();
        }
        let auth = Auth::new(&config, auth_options)?;
        let proxies_elsewhere = match &config.proxy {
            Some(proxy) => Proxies::Fixed(proxy.clone()),
            None => Proxies::from_environment(&*environment)?,
        };
        let proxies =
            if endpoint.unix_socket().is_none() && proxies_elsewhere.proxy_for(endpoint.target()).is_some() {
                proxies_elsewhere.clone()
            } else {
                Proxies::Direct
            };
        let server_name = match &config.tls.server_name {
            Some(name) if !name.is_empty() => Some(dial::server_name(name)?),
            _ => None,
        };
        let ca = CaSource::new(config.tls.ca.as_ref());
        let recipe = Recipe {
            options,
            insecure: config.tls.insecure,
            https: endpoint.is_https(),
            ca: ca.clone(),
            identity: config.credentials.certificate().map(IdentitySource::new),
            certificates: auth.certificates(),
            server_name: server_name.filter(|_| endpoint.is_https()),
            alpn: tls::alpn(&config.tls, http2),
            proxies,
            proxies_elsewhere,
            unix_socket: endpoint.unix_socket().cloned(),
            observer: observer.clone(),
        };
        let transport = cache::transport(recipe, &provider, builder.shared)?;
        let inner = Inner {
            headers: StandingHeaders::new(&config)?,
            timeout: config.timeout.filter(|timeout| !timeout.is_zero()),
            compression: !config.disable_compression,
            host: observer.host(endpoint.authority()),
            endpoint,
            auth,
            transport,
            ca,
            observer,
        };
        Ok(Self(Arc::new(inner)))
    }
}

/// What can't work, whatever the server.
fn check(config: &Config) -> Result<(), Error> {
    if config.tls.insecure && config.tls.ca.is_some() {
        return Err(Error::config(
            "insecure is set together with a CA: drop one, since an insecure client verifies nothing",
        ));
    }
    Ok(())
}

impl HttpService for HttpClient {
    fn execute(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, Error>> {
        Exchange::run(&self.0, request)
    }
}

/// The size up to which a body of known length is gathered, so that its request can be sent again.
const GATHERED: u64 = 4 * 1024 * 1024;

impl<B> tower_service::Service<Request<B>> for HttpClient
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response<Body>, Error>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let client = Arc::clone(&self.0);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let failed = |error: B::Error| Error::new(ErrorKind::Body, error);
            let body = match body.size_hint().exact() {
                Some(length) if length <= GATHERED => {
                    Body::from(body.collect().await.map_err(failed)?.to_bytes())
                }
                _ => Body::wrap(body.map_err(failed)),
            };
            Exchange::run(&client, Request::from_parts(parts, body)).await
        })
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("url", &self.0.endpoint.url().as_str()).finish_non_exhaustive()
    }
}
