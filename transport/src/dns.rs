use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Instant;

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

use crate::observe::Observer;
use crate::service::BoxFuture;

/// The system's resolver, watched.
#[derive(Clone, Debug)]
pub(crate) struct Resolver(pub(crate) Observer);

/// A name that was not found.
#[derive(Debug)]
pub(crate) struct LookupError(io::Error);

impl Resolver {
    fn lookup(
        &self,
        name: String,
    ) -> BoxFuture<'static, Result<std::vec::IntoIter<SocketAddr>, LookupError>> {
        let observer = self.0.clone();
        Box::pin(async move {
            let start = Instant::now();
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            observer.dns_lookup(&name, start.elapsed());
            Ok(found.map_err(LookupError)?.collect::<Vec<_>>().into_iter())
        })
    }
}

impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let lookup = self.lookup(name.as_str().to_owned());
        Box::pin(async move {
            let found: reqwest::dns::Addrs = Box::new(lookup.await?);
            Ok(found)
        })
    }
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = LookupError;
    type Future = BoxFuture<'static, Result<Self::Response, LookupError>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), LookupError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        self.lookup(name.as_str().to_owned())
    }
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name was not found")
    }
}

impl std::error::Error for LookupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
