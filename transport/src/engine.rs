use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use rustls::ClientConfig;

use crate::classify::classify;
use crate::{Body, Error};

/// One pool of connections.
#[derive(Clone, Debug)]
pub(crate) struct Engine(reqwest::Client);

/// What an engine is made from, TLS apart.
#[derive(Clone, Debug)]
pub(crate) struct EngineOptions {
    pub(crate) connect_timeout: Duration,
    pub(crate) gzip: bool,
    pub(crate) unix_socket: Option<Arc<std::path::Path>>,
}

impl Engine {
    pub(crate) fn new(tls: ClientConfig, options: &EngineOptions) -> Result<Self, Error> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .gzip(options.gzip)
            .tcp_nodelay(true)
            .connect_timeout(options.connect_timeout);
        if let Some(path) = &options.unix_socket {
            builder = builder.unix_socket(path.as_ref());
        }
        let client = builder.build().map_err(|error| {
            Error::config("the HTTP client can't be built").with_source(error.without_url())
        })?;
        Ok(Self(client))
    }

    /// Sends one request once.
    pub(crate) async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Error> {
        let request = request.map(|body| match body.into_bytes() {
            Ok(bytes) => reqwest::Body::from(bytes),
            Err(stream) => reqwest::Body::wrap_stream(stream.into_data_stream().into_stream()),
        });
        let request = reqwest::Request::try_from(request).map_err(|error| {
            Error::config("the request's URI can't be used").with_source(error.without_url())
        })?;
        match self.0.execute(request).await {
            Ok(response) => {
                let response = Response::<reqwest::Body>::from(response);
                Ok(response
                    .map(|body| Body::wrap(body.map_err(|error| classify(error.without_url().into())))))
            }
            Err(error) => Err(classify(error.without_url().into())),
        }
    }
}
