use std::fmt;

use super::cache::CachedDiscovery;
use super::fetch::Discovery;
use super::types::{ApiResource, ApiResources};
use crate::{Error, GroupVersion};

/// Finds the resource of a kind, or of a word that a person typed.
///
/// It remembers what the server serves. When something isn't there and what it remembers is not
/// [fresh](CachedDiscovery::is_fresh), it asks once more: so a kind that came after it is found. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RestMapper {
    cache: CachedDiscovery,
}

/// Why there is no resource for a kind or a word.
#[derive(Debug)]
#[non_exhaustive]
pub enum MapperError {
    /// The server serves nothing of the kind.
    NoKind {
        /// The group; empty for the core group.
        group: String,
        /// The version, if one was asked for.
        version: Option<String>,
        /// The kind.
        kind: String,
        /// The versions that could not be asked for, where it may stand.
        failed: Vec<GroupVersion>,
    },
    /// The server serves nothing of the name.
    NoResource {
        /// What was looked for.
        word: String,
        /// The versions that could not be asked for, where it may stand.
        failed: Vec<GroupVersion>,
    },
    /// What the server serves is not known.
    Discovery(Error),
}

impl RestMapper {
    /// A mapper that asks `discovery`.
    pub fn new(discovery: Discovery) -> Self {
        Self::cached(CachedDiscovery::new(discovery))
    }

    /// A mapper on a cache that others use too.
    pub fn cached(cache: CachedDiscovery) -> Self {
        Self { cache }
    }

    /// The resource of `kind` in `group` (empty for the core group), in the version that the server prefers among those that
    /// have it.
    ///
    /// # Errors
    /// There is none, or what the server serves can't be had.
    ///
    /// Cancellation: as for [`CachedDiscovery::resources`].
    pub async fn for_kind(&self, group: &str, kind: &str) -> Result<ApiResource, MapperError> {
        let find = |all: &ApiResources| {
            all.preferred().find(|resource| resource.group == group && resource.kind == kind).cloned()
        };
        self.find(find, |failed| MapperError::NoKind {
            group: group.to_owned(),
            version: None,
            kind: kind.to_owned(),
            failed: of_group(failed, Some(group)),
        })
        .await
    }

    /// The resource of `kind` in one version.
    ///
    /// # Errors
    /// There is none, or what the server serves can't be had.
    ///
    /// Cancellation: as for [`CachedDiscovery::resources`].
    pub async fn for_version_kind(
        &self,
        group_version: &GroupVersion,
        kind: &str,
    ) -> Result<ApiResource, MapperError> {
        let find = |all: &ApiResources| {
            let version = all.version(group_version)?;
            version.resources.iter().find(|resource| resource.kind == kind).cloned()
        };
        self.find(find, |failed| MapperError::NoKind {
            group: group_version.group.to_string(),
            version: Some(group_version.version.to_string()),
            kind: kind.to_owned(),
            failed: of_group(failed, Some(&group_version.group)),
        })
        .await
    }

    /// The resource that a person means: `pods`, `pod`, `po`, `Pod`, `deployments.apps` or `deployments.v1.apps`. The first
    /// group that has it wins, in the server's order; a name wins over a short name.
    ///
    /// # Errors
    /// There is none, or what the server serves can't be had.
    ///
    /// Cancellation: as for [`CachedDiscovery::resources`].
    pub async fn for_word(&self, word: &str) -> Result<ApiResource, MapperError> {
        let find = |all: &ApiResources| find_word(all, word);
        self.find(find, |failed| MapperError::NoResource {
            word: word.to_owned(),
            failed: of_group(failed, None),
        })
        .await
    }

    async fn find(
        &self,
        find: impl Fn(&ApiResources) -> Option<ApiResource>,
        missing: impl FnOnce(&ApiResources) -> MapperError,
    ) -> Result<ApiResource, MapperError> {
        let all = self.cache.resources().await.map_err(MapperError::Discovery)?;
        if let Some(found) = find(&all) {
            return Ok(found);
        }
        if self.cache.is_fresh().await {
            return Err(missing(&all));
        }
        self.cache.invalidate().await;
        let all = self.cache.resources().await.map_err(MapperError::Discovery)?;
        find(&all).ok_or_else(|| missing(&all))
    }
}

fn of_group(all: &ApiResources, group: Option<&str>) -> Vec<GroupVersion> {
    let of = |version: &&GroupVersion| group.is_none_or(|group| version.group == group);
    all.failures.iter().map(|(version, _)| version).filter(of).cloned().collect()
}

fn find_word(all: &ApiResources, word: &str) -> Option<ApiResource> {
    let (name, rest) = word.split_once('.').map_or((word, None), |(name, rest)| (name, Some(rest)));
    let name = name.to_lowercase();
    let plain = |resource: &&ApiResource| {
        resource.name == name || resource.singular_name == name || resource.kind.to_lowercase() == name
    };
    let short = |resource: &&ApiResource| resource.short_names.contains(&name);
    match rest {
        None => all.preferred().find(plain).or_else(|| all.preferred().find(short)).cloned(),
        Some(group) => {
            let of = |resource: &&ApiResource| resource.group == group;
            let whole = all.preferred().filter(of).find(|r| plain(r) || short(r));
            // Or a version, then the group.
            let versioned = || {
                let (version, group) = group.split_once('.').unwrap_or((group, ""));
                let of = |r: &&ApiResource| r.group == group && r.version == version;
                all.iter().filter(of).find(|r| plain(r) || short(r))
            };
            whole.or_else(versioned).cloned()
        }
    }
}

impl fmt::Display for MapperError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = match self {
            Self::NoKind { group, version, kind, failed } => {
                write!(f, "the server has no kind {kind:?} in ")?;
                match (version, group.as_str()) {
                    (None, "") => f.write_str("the core group")?,
                    (None, group) => write!(f, "the group {group}")?,
                    (Some(version), "") => f.write_str(version)?,
                    (Some(version), group) => write!(f, "{group}/{version}")?,
                }
                failed
            }
            Self::NoResource { word, failed } => {
                write!(f, "the server has no resource {word:?}")?;
                failed
            }
            Self::Discovery(error) => return fmt::Display::fmt(error, f),
        };
        for (place, version) in failed.iter().enumerate() {
            write!(f, "{}{version}", if place == 0 { "; not known is what it has in " } else { ", " })?;
        }
        Ok(())
    }
}

impl std::error::Error for MapperError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Discovery(error) => error.source(),
            _ => None,
        }
    }
}
