use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arc_swap::ArcSwap;
use futures_util::future::{Either, select};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::builder::Options;
use crate::bundle::{Anonymous, Bundle, Place, Plan};
use crate::engine::Engine;
use crate::observe::Observer;
use crate::proxy::Proxies;
use crate::rotation::{Files, Freshness, Link};
use crate::tls::{self, CaSource, IdentitySource, Trust};
use crate::{Error, RequestKind, cache};

/// The certificate that a credential program gave, and its changes.
pub(crate) type Certificates = watch::Receiver<Option<Arc<CertifiedKey>>>;

/// All that makes connections what they are. Clients with equal recipes can share theirs.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) options: Options,
    pub(crate) insecure: bool,
    /// Whether the server speaks TLS at all.
    pub(crate) https: bool,
    pub(crate) ca: CaSource,
    pub(crate) identity: Option<IdentitySource>,
    pub(crate) certificates: Option<Certificates>,
    pub(crate) server_name: Option<ServerName<'static>>,
    pub(crate) alpn: Vec<Vec<u8>>,
    /// For connections to the server.
    pub(crate) proxies: Proxies,
    /// For connections to other hosts that redirects lead to.
    pub(crate) proxies_elsewhere: Proxies,
    pub(crate) unix_socket: Option<Arc<Path>>,
    pub(crate) observer: Observer,
}

impl PartialEq for Recipe {
    fn eq(&self, other: &Self) -> bool {
        let certificates = match (&self.certificates, &other.certificates) {
            (None, None) => true,
            (Some(one), Some(other)) => one.same_channel(other),
            _ => false,
        };
        certificates
            && self.options == other.options
            && self.insecure == other.insecure
            && self.https == other.https
            && self.ca == other.ca
            && self.identity == other.identity
            && self.server_name == other.server_name
            && self.alpn == other.alpn
            && self.proxies == other.proxies
            && self.proxies_elsewhere == other.proxies_elsewhere
            && self.unix_socket == other.unix_socket
            && self.observer == other.observer
    }
}

/// The connections made by one [`Recipe`], whose certificates are kept fresh.
pub(crate) struct Transport {
    recipe: Arc<Recipe>,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<Generation>,
    /// Held while certificates are looked at and changed.
    state: tokio::sync::Mutex<State>,
    link: Link,
    watched: Arc<AtomicBool>,
    watch: Mutex<Option<AbortHandle>>,
}

struct Generation {
    number: u64,
    identity: Option<Arc<CertifiedKey>>,
    bundle: Bundle,
}

struct State {
    files: Option<Files>,
    trust: Trust,
}

impl Transport {
    pub(crate) fn new(recipe: Arc<Recipe>, provider: &Arc<CryptoProvider>) -> Result<Arc<Self>, Error> {
        let (trust, ca_content) = if recipe.insecure {
            (Trust::Anything, Vec::new())
        } else {
            match tls::load_roots(&recipe.ca) {
                Ok((roots, content)) => (Trust::Roots(roots), content),
                // A server without TLS needs nobody to vouch for it.
                Err(_) if !recipe.https && recipe.ca == CaSource::System => (Trust::Nothing, Vec::new()),
                Err(error) => return Err(error),
            }
        };
        let loaded =
            recipe.identity.as_ref().map(|source| tls::load_identity(source, provider)).transpose()?;
        let (mut identity, identity_content) = loaded.unzip();
        if let Some(certificates) = &recipe.certificates {
            identity.clone_from(&certificates.borrow());
        }
        let files = Files::new((&recipe.ca, ca_content), recipe.identity.as_ref().zip(identity_content));
        let state = State { files, trust };
        let link = Link::default();
        let first = generation(&recipe, provider, &link, 0, &state.trust, identity)?;
        let transport = Arc::new(Self {
            recipe,
            provider: Arc::clone(provider),
            current: ArcSwap::from_pointee(first),
            state: tokio::sync::Mutex::new(state),
            link,
            watched: Arc::default(),
            watch: Mutex::default(),
        });
        transport.link.get_or_init(|| Arc::downgrade(&transport));
        Ok(transport)
    }

    /// The connections in force for requests of `kind` to the server, and their generation.
    pub(crate) async fn engine(&self, kind: RequestKind) -> Result<(Engine, Option<Place>, u64), Error> {
        self.keep_watch();
        self.take_over_certificate().await?;
        let current = self.current.load();
        let (engine, place) = current.bundle.engine(kind)?;
        Ok((engine, place, current.number))
    }

    /// The connections to other hosts.
    pub(crate) fn elsewhere(&self) -> Result<Engine, Error> {
        self.current.load().bundle.elsewhere()
    }

    /// Reads the files again unless that was done after `since`, and returns the generation in force then.
    pub(crate) async fn look_since(&self, since: Instant) -> u64 {
        let mut state = self.state.lock().await;
        if state.files.as_ref().is_some_and(|files| !files.looked_at_after(since)) {
            self.look(&mut state).await;
        }
        self.current.load().number
    }

    /// Reads the files again unless that was done a moment ago, and returns the generation in force then.
    pub(crate) async fn look_before_handshake(&self) -> u64 {
        let now = Instant::now();
        self.look_since(now.checked_sub(self.recipe.options.file_pause).unwrap_or(now)).await
    }

    async fn look(&self, state: &mut State) {
        let Some(files) = &mut state.files else { return };
        let found = files.look(&self.provider, &self.recipe.observer).await;
        if found.roots.is_none() && found.identity.is_none() {
            return;
        }
        if let Some(roots) = found.roots
            && !self.recipe.insecure
        {
            state.trust = Trust::Roots(roots);
        }
        let identity = found.identity.or_else(|| self.current.load().identity.clone());
        if let Err(error) = self.replace(&state.trust, identity) {
            tracing::warn!(%error, "new certificates can't be used, the old ones stay");
        }
    }

    /// Uses the certificate that the credential program gave last.
    async fn take_over_certificate(&self) -> Result<(), Error> {
        let Some(certificates) = &self.recipe.certificates else { return Ok(()) };
        let is_current = || same(&certificates.borrow(), &self.current.load().identity);
        if is_current() {
            return Ok(());
        }
        let state = self.state.lock().await;
        if is_current() {
            return Ok(());
        }
        let identity = certificates.borrow().clone();
        self.replace(&state.trust, identity)
    }

    fn replace(&self, trust: &Trust, identity: Option<Arc<CertifiedKey>>) -> Result<(), Error> {
        let number = self.current.load().number + 1;
        let next = generation(&self.recipe, &self.provider, &self.link, number, trust, identity)?;
        let old = self.current.swap(Arc::new(next));
        old.bundle.retire();
        tracing::debug!(generation = number, "certificates changed: new connections from here on");
        Ok(())
    }

    /// Starts the task that looks at the files, and at the program's certificate, while no request does. It runs
    /// in the runtime of the request that found it missing, and ends with that runtime or with the last client.
    fn keep_watch(&self) {
        if self.watched.load(Ordering::Relaxed) || self.watched.swap(true, Ordering::AcqRel) {
            return;
        }
        let changing = self.recipe.certificates.is_some() || {
            // Whoever holds the lock is looking at files.
            self.state.try_lock().map_or(true, |state| state.files.is_some())
        };
        if !changing {
            return;
        }
        let Some(transport) = self.link.get().cloned() else { return };
        let mark = Watched(Arc::clone(&self.watched));
        let task = tokio::spawn(watch(transport, self.recipe.certificates.clone(), mark));
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
    }
}

/// Says that nobody watches any more when the task ends, whatever ends it.
struct Watched(Arc<AtomicBool>);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

async fn watch(transport: Weak<Transport>, mut certificates: Option<Certificates>, mark: Watched) {
    loop {
        let pause = {
            let Some(transport) = transport.upgrade() else { break };
            let period = transport.recipe.options.file_period;
            let state = transport.state.lock().await;
            state.files.as_ref().map(|files| files.pause(period))
        };
        let due = pin!(async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        });
        let changed = pin!(async {
            match &mut certificates {
                Some(certificates) => certificates.changed().await.is_ok(),
                None => std::future::pending().await,
            }
        });
        match select(due, changed).await {
            Either::Left(_) => {
                let Some(transport) = transport.upgrade() else { break };
                let mut state = transport.state.lock().await;
                transport.look(&mut state).await;
            }
            Either::Right((true, _)) => {
                let Some(transport) = transport.upgrade() else { break };
                if let Err(error) = transport.take_over_certificate().await {
                    tracing::warn!(%error, "the credential program's certificate can't be used");
                }
            }
            // The program's credentials are gone, and with them their changes.
            Either::Right((false, _)) => break,
        }
    }
    drop(mark);
}

impl Drop for Transport {
    fn drop(&mut self) {
        let task = self.watch.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            task.abort();
            self.recipe.observer.file_watch_ended();
        }
        cache::forget(&self.recipe);
    }
}

fn same(one: &Option<Arc<CertifiedKey>>, other: &Option<Arc<CertifiedKey>>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        _ => false,
    }
}

fn generation(
    recipe: &Recipe,
    provider: &Arc<CryptoProvider>,
    link: &Link,
    number: u64,
    trust: &Trust,
    identity: Option<Arc<CertifiedKey>>,
) -> Result<Generation, Error> {
    let bundle = Bundle::new(Plan {
        options: recipe.options.clone(),
        tls: tls::client_config(provider, trust, identity.clone(), &recipe.alpn)?,
        proxy_tls: proxy_tls(recipe, provider, trust)?,
        anonymous: Anonymous {
            provider: Arc::clone(provider),
            trust: trust.clone(),
            alpn: recipe.alpn.clone(),
        },
        server_name: recipe.server_name.clone(),
        proxies: recipe.proxies.clone(),
        proxies_elsewhere: recipe.proxies_elsewhere.clone(),
        unix_socket: recipe.unix_socket.clone(),
        freshness: Freshness::new(link, number),
        observer: recipe.observer.clone(),
    })?;
    Ok(Generation { number, identity, bundle })
}

/// For https proxies: the config's authorities and the system's both vouch for them.
fn proxy_tls(
    recipe: &Recipe,
    provider: &Arc<CryptoProvider>,
    trust: &Trust,
) -> Result<Option<Arc<rustls::ClientConfig>>, Error> {
    if !recipe.proxies_elsewhere.use_tls() && !recipe.proxies.use_tls() {
        return Ok(None);
    }
    let trust = match trust {
        Trust::Roots(roots) => {
            let mut roots = rustls::RootCertStore::clone(roots);
            if let Ok(system) = tls::system() {
                roots.extend(system.roots.iter().cloned());
            }
            Trust::Roots(Arc::new(roots))
        }
        Trust::Anything => Trust::Anything,
        Trust::Nothing => Trust::Nothing,
    };
    Ok(Some(Arc::new(tls::client_config(provider, &trust, None, &[])?)))
}
