use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::fetch::Discovery;
use super::types::{ApiResource, ApiResources, DiscoveryError};
use crate::{Error, GroupVersion};

/// For how long after it was filled a cache is fresh, by default.
const FRESH_FOR: Duration = Duration::from_secs(10);

/// [`Discovery`] that remembers. Cheap to clone; clones share what they remember.
///
/// What it has stays until [`invalidate`](Self::invalidate): a version that it doesn't know is an error until then. Versions that
/// failed in passing (out of reach, overloaded, failed inside) are asked for again. However many ask at once, the
/// server is asked once. All of its futures can be dropped at any time.
#[derive(Clone, Debug)]
pub struct CachedDiscovery {
    discovery: Discovery,
    fresh_for: Duration,
    known: Arc<Mutex<Option<Known>>>,
}

#[derive(Debug)]
struct Known {
    resources: Arc<ApiResources>,
    at: Instant,
}

impl CachedDiscovery {
    /// A cache that is still empty.
    pub fn new(discovery: Discovery) -> Self {
        Self { discovery, fresh_for: FRESH_FOR, known: Arc::default() }
    }

    /// How long after it was filled the cache counts as fresh: 10 seconds by default.
    #[must_use]
    pub fn fresh_for(mut self, time: Duration) -> Self {
        self.fresh_for = time;
        self
    }

    /// What it asks when it has to.
    pub fn discovery(&self) -> &Discovery {
        &self.discovery
    }

    /// Everything that the server serves; asked for at the first call only.
    ///
    /// # Errors
    /// Those of [`Discovery::resources`]. An error is not remembered.
    ///
    /// Cancellation: one caller asks while the others wait. When its future is dropped, its requests end, and the next one asks.
    pub async fn resources(&self) -> Result<Arc<ApiResources>, Error> {
        let mut known = self.known.lock().await;
        if let Some(known) = &*known {
            return Ok(Arc::clone(&known.resources));
        }
        let resources = Arc::new(self.discovery.resources().await?);
        *known = Some(Known { resources: Arc::clone(&resources), at: Instant::now() });
        Ok(resources)
    }

    /// The resources of one version, `None` when the server doesn't serve it. Where it failed in passing before, it is asked for
    /// again.
    ///
    /// # Errors
    /// Those of [`Discovery::resources`], and the version's own.
    ///
    /// Cancellation: as for [`resources`](Self::resources).
    pub async fn resources_of(
        &self,
        group_version: &GroupVersion,
    ) -> Result<Option<Vec<ApiResource>>, Arc<DiscoveryError>> {
        let all = self.resources().await.map_err(|error| Arc::new(DiscoveryError::Request(error)))?;
        if let Some(version) = all.version(group_version) {
            return Ok(Some(version.resources.clone()));
        }
        match all.failure(group_version) {
            None => Ok(None),
            Some(error) if !error.is_transient() => Err(Arc::clone(error)),
            Some(_) => self.again(group_version).await,
        }
    }

    async fn again(&self, of: &GroupVersion) -> Result<Option<Vec<ApiResource>>, Arc<DiscoveryError>> {
        let mut known = self.known.lock().await;
        // Somebody else may have asked while this waited.
        if let Some(version) = known.as_ref().and_then(|known| known.resources.version(of)) {
            return Ok(Some(version.resources.clone()));
        }
        match self.discovery.resources_of(of).await {
            Ok(resources) => {
                if let Some(known) = &mut *known {
                    Arc::make_mut(&mut known.resources).set(of.clone(), Ok(resources.clone()));
                }
                Ok(Some(resources))
            }
            Err(error) => Err(Arc::new(DiscoveryError::Request(error))),
        }
    }

    /// Whether it was filled so recently that asking again is of no use; an empty one is not. Waits while somebody asks.
    ///
    /// Cancellation safe.
    pub async fn is_fresh(&self) -> bool {
        self.known.lock().await.as_ref().is_some_and(|known| known.at.elapsed() < self.fresh_for)
    }

    /// Forgets everything, once whoever asks just now has its answer.
    ///
    /// Cancellation: when the future is dropped before it is ready, nothing is forgotten.
    pub async fn invalidate(&self) {
        *self.known.lock().await = None;
    }
}
