use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use http::header::ACCEPT;

use super::aggregated::{self, Document, is_aggregated};
use super::types::{ApiGroup, ApiResource, ApiResources, ApiVersion, DiscoveryError, ServerVersion};
use super::unaggregated::{Groups, Resources, Versions};
use crate::{Error, GroupVersion, RestClient};

/// How long one question may take.
const TIMEOUT: Duration = Duration::from_secs(32);
/// How many versions are asked for at a time where the server doesn't tell them all at once.
const AT_ONCE: usize = 16;
/// How often all is asked for when a part of it fails.
const TRIES: u32 = 2;

/// Asks a server what it serves, anew at each call. [`CachedDiscovery`](super::CachedDiscovery) remembers.
///
/// Each of its requests has 32 seconds. All of its futures can be dropped at any time.
#[derive(Clone, Debug)]
pub struct Discovery {
    client: RestClient,
}

/// One of the two roots, as the server answered it.
enum Root {
    /// All that is below it.
    Whole(Document),
    /// Its groups, whose resources are still to be asked for.
    Groups(Vec<ApiGroup>),
}

impl Discovery {
    /// Discovery with the connections, credentials and limits of `client`, whatever group and version that is for.
    pub fn new(client: &RestClient) -> Self {
        Self { client: client.clone() }
    }

    /// The server's version.
    ///
    /// # Errors
    /// The request's.
    ///
    /// Cancellation: dropping the future ends the request.
    pub async fn server_version(&self) -> Result<ServerVersion, Error> {
        self.client.get().abs_path("/version").timeout(TIMEOUT).send().await.into_object()
    }

    /// All groups, versions and resources: with one or two requests where the server tells them all at once, with one a
    /// version otherwise. When a part fails, all is asked for once more; what fails then stands in
    /// [`ApiResources::failures`].
    ///
    /// # Errors
    /// Those of `/api`, but for 404, which means that there is no core group, and those of `/apis`.
    ///
    /// Cancellation: dropping the future ends the requests.
    pub async fn resources(&self) -> Result<ApiResources, Error> {
        let mut all = self.once().await?;
        for _ in 1..TRIES {
            if all.failures.is_empty() {
                break;
            }
            all = self.once().await?;
        }
        Ok(all)
    }

    /// The resources of one version.
    ///
    /// # Errors
    /// The request's; 404 where the version is not served.
    ///
    /// Cancellation: dropping the future ends the request.
    pub async fn resources_of(&self, group_version: &GroupVersion) -> Result<Vec<ApiResource>, Error> {
        let client = self.client.for_group_version(group_version.clone());
        let resources: Resources = client.get().timeout(TIMEOUT).send().await.into_object()?;
        Ok(resources.into_resources(group_version))
    }

    async fn once(&self) -> Result<ApiResources, Error> {
        let (core, named) = tokio::join!(self.core(), self.named());
        let mut all = ApiResources::default();
        let mut untold = Vec::new();
        for root in [core?, named?] {
            match root {
                Root::Whole(document) => document.add_to(&mut all),
                Root::Groups(groups) => {
                    untold.extend(groups.iter().flat_map(|group| {
                        let of = |version: &ApiVersion| {
                            GroupVersion::new(group.name.clone(), version.version.clone())
                        };
                        group.versions.iter().map(of)
                    }));
                    all.groups.extend(groups);
                }
            }
        }
        self.fill(&mut all, untold).await;
        Ok(all)
    }

    async fn core(&self) -> Result<Root, Error> {
        let result = self
            .client
            .get()
            .abs_path("/api")
            .header(ACCEPT, aggregated::ACCEPT)
            .timeout(TIMEOUT)
            .send()
            .await;
        if result.error().is_some_and(Error::is_not_found) {
            return Ok(Root::Groups(Vec::new()));
        }
        if is_aggregated(result.content_type()) {
            return result.into_object().map(Root::Whole);
        }
        let versions: Versions = result.into_object()?;
        Ok(Root::Groups(versions.into_group().into_iter().collect()))
    }

    async fn named(&self) -> Result<Root, Error> {
        let result = self
            .client
            .get()
            .abs_path("/apis")
            .header(ACCEPT, aggregated::ACCEPT)
            .timeout(TIMEOUT)
            .send()
            .await;
        if is_aggregated(result.content_type()) {
            return result.into_object().map(Root::Whole);
        }
        let groups: Groups = result.into_object()?;
        Ok(Root::Groups(groups.into_groups().collect()))
    }

    /// Asks for the resources of `versions`; those that fail go to the failures.
    async fn fill(&self, all: &mut ApiResources, versions: Vec<GroupVersion>) {
        let mut answers = stream::iter(versions)
            .map(|of| async move {
                let resources = self.resources_of(&of).await;
                (of, resources)
            })
            .buffered(AT_ONCE);
        while let Some((of, answer)) = answers.next().await {
            all.set(of, answer.map_err(DiscoveryError::Request));
        }
    }
}
