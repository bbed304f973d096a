use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use tokio_util::sync::CancellationToken;

use crate::builder::Options;
use crate::engine::{Engine, Parts};
use crate::observe::Observer;
use crate::proxy::Proxies;
use crate::rotation::Freshness;
use crate::service::BoxFuture;
use crate::tls::{self, Trust};
use crate::{Error, RequestKind};

/// All connections of one identity and one set of trusted authorities.
///
/// When either changes, a new bundle takes this one's place. Requests under way end on the old one's connections; with
/// the last of them these close.
pub(crate) struct Bundle {
    plan: Plan,
    normal: Engine,
    long_lived: Mutex<Vec<Shard>>,
    upgrades: OnceLock<Engine>,
    elsewhere: OnceLock<Engine>,
    retired: CancellationToken,
}

/// What a bundle's engines are made from.
pub(crate) struct Plan {
    pub(crate) options: Options,
    /// For the server, with the client's certificate.
    pub(crate) tls: ClientConfig,
    /// For other hosts that a redirect leads to: without it.
    pub(crate) anonymous: Anonymous,
    /// For https proxies, if there are any: without it too.
    pub(crate) proxy_tls: Option<Arc<ClientConfig>>,
    pub(crate) server_name: Option<ServerName<'static>>,
    pub(crate) proxies: Proxies,
    pub(crate) proxies_elsewhere: Proxies,
    pub(crate) unix_socket: Option<Arc<Path>>,
    pub(crate) freshness: Freshness,
    pub(crate) observer: Observer,
}

/// What a TLS configuration without the client's certificate is made from, should one be needed.
pub(crate) struct Anonymous {
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) trust: Trust,
    pub(crate) alpn: Vec<Vec<u8>>,
}

/// The connection of some long-lived answers, and how many there are.
struct Shard {
    engine: Engine,
    open: Arc<AtomicUsize>,
}

/// A long-lived answer's place on its connection, free again when it is dropped.
pub(crate) struct Place {
    open: Arc<AtomicUsize>,
    retired: CancellationToken,
    drain: Duration,
}

impl Bundle {
    pub(crate) fn new(plan: Plan) -> Result<Self, Error> {
        let normal = Engine::for_calls(plan.parts(plan.tls.clone()))?;
        Ok(Self {
            plan,
            normal,
            long_lived: Mutex::default(),
            upgrades: OnceLock::new(),
            elsewhere: OnceLock::new(),
            retired: CancellationToken::new(),
        })
    }

    /// Lets the long-lived answers know that their time to drain begins. The rest ends by itself.
    pub(crate) fn retire(&self) {
        self.retired.cancel();
    }

    /// The connections for requests of `kind` to the server.
    pub(crate) fn engine(&self, kind: RequestKind) -> Result<(Engine, Option<Place>), Error> {
        match kind {
            RequestKind::Normal => Ok((self.normal.clone(), None)),
            RequestKind::LongLived => self.long_lived().map(|(engine, place)| (engine, Some(place))),
            RequestKind::Upgrade => {
                let make = || {
                    let mut tls = self.plan.tls.clone();
                    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
                    Engine::new(self.plan.parts(tls))
                };
                Ok((lazy(&self.upgrades, make)?, None))
            }
        }
    }

    /// The connections to other hosts than the server: they never present the client's certificate.
    pub(crate) fn elsewhere(&self) -> Result<Engine, Error> {
        lazy(&self.elsewhere, || {
            let Anonymous { provider, trust, alpn } = &self.plan.anonymous;
            Engine::new(Parts {
                options: &self.plan.options,
                tls: tls::client_config(provider, trust, None, alpn)?,
                proxy_tls: self.plan.proxy_tls.as_ref(),
                server_name: None,
                proxies: &self.plan.proxies_elsewhere,
                unix_socket: None,
                freshness: Freshness::default(),
                observer: &self.plan.observer,
            })
        })
    }

    /// The first connection with room for one more, else a new one. A server bounds the streams of a connection: one
    /// more would wait until another ends, which a watch does not do soon.
    fn long_lived(&self) -> Result<(Engine, Place), Error> {
        let mut shards = self.long_lived.lock().unwrap_or_else(PoisonError::into_inner);
        let room = self.plan.options.long_lived_per_connection;
        let index = match shards.iter().position(|shard| shard.open.load(Ordering::Relaxed) < room) {
            Some(index) => index,
            None => {
                let engine = Engine::new(self.plan.parts(self.plan.tls.clone()))?;
                shards.push(Shard { engine, open: Arc::default() });
                shards.len() - 1
            }
        };
        let shard = &shards[index];
        shard.open.fetch_add(1, Ordering::Relaxed);
        let place = Place {
            open: Arc::clone(&shard.open),
            retired: self.retired.clone(),
            drain: self.plan.options.drain,
        };
        Ok((shard.engine.clone(), place))
    }
}

impl Plan {
    fn parts(&self, tls: ClientConfig) -> Parts<'_> {
        Parts {
            options: &self.options,
            tls,
            proxy_tls: self.proxy_tls.as_ref(),
            server_name: self.server_name.clone(),
            proxies: &self.proxies,
            unix_socket: self.unix_socket.as_ref(),
            freshness: self.freshness.clone(),
            observer: &self.observer,
        }
    }
}

impl Place {
    /// Waits until the bundle is retired and its time to drain is over.
    pub(crate) fn drained(&self) -> BoxFuture<'static, ()> {
        let (retired, drain) = (self.retired.clone(), self.drain);
        Box::pin(async move {
            retired.cancelled_owned().await;
            tokio::time::sleep(drain).await;
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

fn lazy(cell: &OnceLock<Engine>, make: impl FnOnce() -> Result<Engine, Error>) -> Result<Engine, Error> {
    match cell.get() {
        Some(engine) => Ok(engine.clone()),
        None => {
            let engine = make()?;
            Ok(cell.get_or_init(|| engine).clone())
        }
    }
}
