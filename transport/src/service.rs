use std::future::Future;
use std::pin::Pin;

use http::{Request, Response};

use crate::{Body, Error};

/// A boxed future that can be sent to another thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Something that answers HTTP requests: the seam between the REST client above and the network beneath.
///
/// `HttpClient` is the real one. Tests and users may bring their own: a fake, a recorder, a layer
/// around another service.
///
/// The request's URI is absolute. Its [`RequestKind`], when it is not [`Normal`](RequestKind::Normal), stands in its
/// extensions.
pub trait HttpService: Send + Sync + 'static {
    /// Sends one request and gives the answer as soon as its head is there.
    ///
    /// # Errors
    /// An error means that there was no answer, and its [`ErrorKind`](crate::ErrorKind) why; an answer with an error code
    /// is an `Ok`. [`Error::is_not_processed`] says whether the server certainly did nothing. What goes wrong after the
    /// head is an error of the answer's body.
    ///
    /// # Cancellation
    /// Dropping the future, or the answer's body, ends the request at once. The server may have done what it asked.
    fn execute(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, Error>>;
}

/// What sort of exchange a request begins, for those who keep connections apart.
///
/// It stands in the request's extensions. Without it, `HttpClient` takes a request with the header `Connection:
/// Upgrade` for an upgrade, one whose query says `watch=true` or `follow=true` for a long-lived one, and all others
/// for normal ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestKind {
    /// A question and an answer.
    #[default]
    Normal,
    /// An answer that stays open for long, such as a watch or a followed log: kept on connections of its own, so that
    /// it takes no stream from the others.
    LongLived,
    /// The connection itself is asked for (HTTP/1.1 `Upgrade`).
    Upgrade,
}
