use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kubewire_config::Config;

use crate::auth::{Auth, AuthOptions};
use crate::endpoint::Endpoint;
use crate::engine::{Engine, EngineOptions};
use crate::headers::StandingHeaders;
use crate::service::{BoxFuture, HttpService};
use crate::tls::{self, CaSource, IdentitySource, Trust};
use crate::{Body, BoxError, Error};

/// An HTTP client for one API server and one user.
///
/// Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct HttpClient(Arc<Inner>);

struct Inner {
    endpoint: Endpoint,
    headers: StandingHeaders,
    auth: Arc<Auth>,
    engine: Engine,
}

impl HttpClient {
    /// A client with every knob at its default.
    ///
    /// Files that the config names are read here, once, without waiting for a runtime.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the config can't work, with the field or file and why.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let endpoint = Endpoint::new(config)?;
        let provider = tls::provider()?;
        let trust = if config.tls.insecure {
            Trust::Anything
        } else {
            Trust::Roots(Arc::new(tls::load_roots(&CaSource::new(config.tls.ca.as_ref()))?))
        };
        let identity = config
            .credentials
            .certificate()
            .map(|pair| tls::load_identity(&IdentitySource::new(pair), &provider))
            .transpose()?
            .map(Arc::new);
        let alpn = tls::alpn(&config.tls, true);
        let tls = tls::client_config(&provider, &trust, identity, &alpn)?;
        let options = EngineOptions {
            connect_timeout: Duration::from_secs(30),
            gzip: !config.disable_compression,
            unix_socket: endpoint.unix_socket().cloned(),
        };
        let inner = Inner {
            headers: StandingHeaders::new(config)?,
            auth: Auth::new(config, AuthOptions::new(provider))?,
            engine: Engine::new(tls, &options)?,
            endpoint,
        };
        Ok(Self(Arc::new(inner)))
    }
}

impl Inner {
    async fn execute(&self, request: Request<Body>) -> Result<Response<Body>, Error> {
        let (mut parts, body) = request.into_parts();
        parts.uri = self.endpoint.resolve(parts.uri)?;
        self.headers.identify(&mut parts.headers);
        if !self.endpoint.is_origin_of(&parts.uri) {
            return self.send(Request::from_parts(parts, body)).await;
        }
        self.headers.impersonate(&mut parts.headers);
        let spare = body.try_clone().map(|body| (parts.clone(), body));
        let stamp = self.auth.authorize(&mut parts.headers).await?;
        let response = self.send(Request::from_parts(parts, body)).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let Some((mut parts, body)) = spare else { return Ok(response) };
        if !self.auth.refresh(&stamp).await {
            return Ok(response);
        }
        self.auth.authorize(&mut parts.headers).await?;
        self.send(Request::from_parts(parts, body)).await
    }

    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Error> {
        self.engine.send(request).await
    }
}

impl HttpService for HttpClient {
    fn execute(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, Error>> {
        Box::pin(self.0.execute(request))
    }
}

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
            let request = request
                .map(|body| Body::wrap(body.map_err(|error| Error::new(crate::ErrorKind::Body, error))));
            client.execute(request).await
        })
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("url", &self.0.endpoint.url().as_str()).finish_non_exhaustive()
    }
}
