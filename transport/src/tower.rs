use std::future::poll_fn;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tower_service::Service;

use crate::classify::classify;
use crate::service::BoxFuture;
use crate::{Body, BoxError, Error, HttpService};

/// Makes any tower service an [`HttpService`], so that tower's layers can stand around an
/// [`HttpClient`](crate::HttpClient), which is a tower service itself.
///
/// The service is cloned for each request. An [`Error`] somewhere in its errors keeps its kind.
///
/// ```no_run
/// use kubewire_config::Config;
/// use kubewire_transport::{HttpClient, HttpService, Layered};
///
/// # fn layer(client: HttpClient) -> HttpClient { client }
/// let client = HttpClient::new(&Config::new("http://127.0.0.1:8001"))?;
/// // layer() stands for tower::ServiceBuilder::new().layer(...).service(client).
/// let service: std::sync::Arc<dyn HttpService> = std::sync::Arc::new(Layered::new(layer(client)));
/// # Ok::<(), kubewire_transport::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Layered<S>(S);

impl<S> Layered<S> {
    /// An [`HttpService`] made of a tower service.
    pub fn new(service: S) -> Self {
        Self(service)
    }
}

impl<S, B> HttpService for Layered<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn execute(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, Error>> {
        let mut service = self.0.clone();
        Box::pin(async move {
            poll_fn(|cx| service.poll_ready(cx)).await.map_err(error)?;
            let response = service.call(request).await.map_err(error)?;
            Ok(response.map(|body| Body::wrap(body.map_err(error))))
        })
    }
}

/// Our own error where it is one, else one of the kind that its chain tells.
fn error(error: impl Into<BoxError>) -> Error {
    match error.into().downcast::<Error>() {
        Ok(ours) => *ours,
        Err(other) => classify(other),
    }
}
