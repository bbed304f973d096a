//! Certificate files that change while the client runs.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use kubewire_config::Secret;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use tokio::time::Instant;

use crate::Error;
use crate::observe::{CaLook, Observer};
use crate::tls::{self, CaSource, FileContent, IdentitySource};
use crate::transport::Transport;

/// The first pause after files that could not be used; it doubles until it is the period.
const FIRST_RETRY: Duration = Duration::from_millis(5);

/// The files that are read again, and what they held last.
pub(crate) struct Files {
    ca: Option<Watched<CaSource>>,
    identity: Option<Watched<IdentitySource>>,
    looked_at: Option<Instant>,
    retry: Option<Duration>,
}

struct Watched<T> {
    source: T,
    paths: Vec<PathBuf>,
    /// What is in use.
    content: Vec<FileContent>,
}

/// What a look at the files found new.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) roots: Option<Arc<RootCertStore>>,
    pub(crate) identity: Option<Arc<CertifiedKey>>,
}

impl Files {
    /// The files among these sources, each with its content in use. `None` when there are none.
    pub(crate) fn new(
        ca: (&CaSource, Vec<FileContent>),
        identity: Option<(&IdentitySource, Vec<FileContent>)>,
    ) -> Option<Self> {
        let ca = match ca {
            (source @ CaSource::File(path), content) => {
                Some(Watched { source: source.clone(), paths: vec![path.clone()], content })
            }
            _ => None,
        };
        let identity = identity.and_then(|(source, content)| {
            let (certificate, key) = source.files()?;
            let paths = vec![certificate.clone(), key.clone()];
            Some(Watched { source: source.clone(), paths, content })
        });
        let any = ca.is_some() || identity.is_some();
        any.then(|| Self { ca, identity, looked_at: Some(Instant::now()), retry: None })
    }

    /// When to look again, at the latest.
    pub(crate) fn pause(&self, period: Duration) -> Duration {
        self.retry.map_or(period, |retry| retry.min(period))
    }

    /// Whether the files were looked at after `then`.
    pub(crate) fn looked_at_after(&self, then: Instant) -> bool {
        self.looked_at.is_some_and(|looked_at| looked_at > then)
    }

    /// Reads the files. What can't be used is reported, and what is in use stays.
    pub(crate) async fn look(&mut self, provider: &CryptoProvider, observer: &Observer) -> Found {
        let mut found = Found::default();
        let mut failed = false;
        if let Some(ca) = &mut self.ca {
            let look = match ca.read().await {
                Err(_) => CaLook::ReadError,
                Ok(None) => CaLook::Unchanged,
                Ok(Some(content)) if content.iter().all(|file| file.expose().is_empty()) => CaLook::Empty,
                Ok(Some(content)) => match tls::parse_roots(&ca.source, &content) {
                    Ok(roots) => {
                        found.roots = Some(Arc::new(roots));
                        ca.content = content;
                        CaLook::Updated
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the certificate authorities in use stay");
                        CaLook::ParseError
                    }
                },
            };
            failed |= !matches!(look, CaLook::Updated | CaLook::Unchanged);
            observer.ca_looked_at(look);
        }
        if let Some(identity) = &mut self.identity {
            match identity.read().await {
                Err(error) => {
                    failed = true;
                    tracing::warn!(%error, "the client certificate in use stays");
                }
                Ok(None) => {}
                Ok(Some(content)) => match tls::parse_identity(&identity.source, &content, provider) {
                    Ok(pair) => {
                        found.identity = Some(Arc::new(pair));
                        identity.content = content;
                    }
                    Err(error) => {
                        failed = true;
                        tracing::warn!(%error, "the client certificate in use stays");
                    }
                },
            }
        }
        self.retry = failed.then(|| self.retry.map_or(FIRST_RETRY, |retry| retry.saturating_mul(2)));
        self.looked_at = Some(Instant::now());
        found
    }
}

impl<T> Watched<T> {
    /// The files' content if it is not the one in use.
    async fn read(&self) -> Result<Option<Vec<FileContent>>, Error> {
        let mut content = Vec::with_capacity(self.paths.len());
        for path in &self.paths {
            let read = tokio::fs::read(path).await.map_err(|error| {
                Error::config(format!("{} can't be read", path.display())).with_source(error)
            })?;
            content.push(Secret::new(read));
        }
        Ok((content != self.content).then_some(content))
    }
}

/// Asked before each handshake: whether the certificates that it would use are the newest.
#[derive(Clone, Default)]
pub(crate) struct Freshness(Option<(Link, u64)>);

/// Leads from a transport's connections back to it.
pub(crate) type Link = Arc<OnceLock<Weak<Transport>>>;

impl Freshness {
    pub(crate) fn new(link: &Link, generation: u64) -> Self {
        Self(Some((Arc::clone(link), generation)))
    }

    pub(crate) async fn is_current(&self) -> bool {
        let Some((link, generation)) = &self.0 else { return true };
        match link.get().and_then(Weak::upgrade) {
            Some(transport) => transport.look_before_handshake().await == *generation,
            // A request outlives its client: it may still connect.
            None => true,
        }
    }
}
