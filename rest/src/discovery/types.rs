use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use crate::{Error, GroupVersion};

/// The server's version, as `/version` tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerVersion {
    /// Such as `1`.
    pub major: String,
    /// Such as `36`, or `36+`.
    pub minor: String,
    /// Such as `v1.36.4`.
    pub git_version: String,
    /// The commit it was built from.
    pub git_commit: String,
    /// When it was built, as the server writes it.
    pub build_date: String,
    /// Such as `go1.26.6`.
    pub go_version: String,
    /// Such as `linux/amd64`.
    pub platform: String,
}

/// Everything that a server said it serves, and what it could not say.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ApiResources {
    /// The groups, in the server's order; the core group, whose name is empty, comes first.
    pub groups: Vec<ApiGroup>,
    /// The versions whose resources could not be had, and why: an extension server that is down, most often. They are left
    /// out of their groups.
    pub failures: Vec<(GroupVersion, Arc<DiscoveryError>)>,
}

/// One API group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiGroup {
    /// Its name; empty for the core group.
    pub name: String,
    /// The version that the server would rather be asked for.
    pub preferred_version: String,
    /// Its versions, in the server's order.
    pub versions: Vec<ApiVersion>,
}

/// One version of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiVersion {
    /// The version, such as `v1`.
    pub version: String,
    /// What it serves.
    pub resources: Vec<ApiResource>,
}

/// One resource in one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiResource {
    /// The group; empty for the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The resource's name in URLs, in the plural, such as `deployments`.
    pub name: String,
    /// The same in the singular, such as `deployment`; some servers leave it empty.
    pub singular_name: String,
    /// The kind of its objects, such as `Deployment`.
    pub kind: String,
    /// Whether its objects stand in namespaces.
    pub namespaced: bool,
    /// What can be done with it: `get`, `list`, `watch`, ...
    pub verbs: Vec<String>,
    /// Other names for people, such as `deploy`.
    pub short_names: Vec<String>,
    /// Groups of resources for people, such as `all`.
    pub categories: Vec<String>,
    /// What stands below its objects, such as `status` and `scale`.
    pub subresources: Vec<ApiSubresource>,
}

/// What stands below the objects of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiSubresource {
    /// Its name, such as `status`.
    pub name: String,
    /// The group of what it answers.
    pub group: String,
    /// The version of what it answers.
    pub version: String,
    /// The kind of what it answers.
    pub kind: String,
    /// What can be done with it.
    pub verbs: Vec<String>,
}

/// Why the resources of one version could not be had.
#[derive(Debug)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The server itself says that what it knows of this version is out of date.
    Stale,
    /// Asking failed.
    Request(Error),
}

impl ApiResources {
    /// The resources of `group_version`, if they could be had.
    pub fn version(&self, group_version: &GroupVersion) -> Option<&ApiVersion> {
        let group = self.groups.iter().find(|group| group.name == group_version.group)?;
        group.versions.iter().find(|version| version.version == group_version.version)
    }

    /// Why the resources of `group_version` could not be had, if so.
    pub fn failure(&self, group_version: &GroupVersion) -> Option<&Arc<DiscoveryError>> {
        self.failures.iter().find(|(failed, _)| failed == group_version).map(|(_, error)| error)
    }

    /// Puts in what asking for one version gave, in place of what stood there.
    pub(super) fn set(&mut self, of: GroupVersion, answer: Result<Vec<ApiResource>, DiscoveryError>) {
        self.failures.retain(|(failed, _)| *failed != of);
        let Some(group) = self.groups.iter_mut().find(|group| group.name == of.group) else { return };
        match answer {
            Ok(resources) => match group.versions.iter_mut().find(|v| v.version == of.version) {
                Some(version) => version.resources = resources,
                None => group.versions.push(ApiVersion { version: of.version.into_owned(), resources }),
            },
            Err(error) => {
                group.versions.retain(|version| version.version != of.version);
                self.failures.push((of, Arc::new(error)));
            }
        }
    }

    /// Each resource of each version.
    pub fn iter(&self) -> impl Iterator<Item = &ApiResource> {
        self.groups.iter().flat_map(|group| &group.versions).flat_map(|version| &version.resources)
    }

    /// Each resource once, in the version that the server prefers among those that have it.
    pub fn preferred(&self) -> impl Iterator<Item = &ApiResource> {
        self.groups.iter().flat_map(|group| {
            let versions = move || group.by_preference();
            versions().enumerate().flat_map(move |(place, version)| {
                version.resources.iter().filter(move |resource| {
                    !versions()
                        .take(place)
                        .any(|earlier| earlier.resources.iter().any(|other| other.name == resource.name))
                })
            })
        })
    }
}

impl ApiGroup {
    /// The versions, the preferred one first.
    pub fn by_preference(&self) -> impl Iterator<Item = &ApiVersion> {
        let preferred = |version: &&ApiVersion| version.version == self.preferred_version;
        self.versions.iter().filter(preferred).chain(self.versions.iter().filter(move |v| !preferred(v)))
    }
}

impl ApiResource {
    /// The group and version, for a client of it.
    pub fn group_version(&self) -> GroupVersion {
        GroupVersion::new(self.group.clone(), self.version.clone())
    }

    /// Whether `verb`, such as `list`, can be done with it.
    pub fn supports(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }

    /// What stands below its objects under `name`.
    pub fn subresource(&self, name: &str) -> Option<&ApiSubresource> {
        self.subresources.iter().find(|subresource| subresource.name == name)
    }
}

impl DiscoveryError {
    /// Whether asking again may help: the server was out of reach, overloaded or failed inside.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Stale => true,
            Self::Request(error) => match error.code() {
                Some(code) => code == 429 || code >= 500,
                None => matches!(error, Error::Transport { .. } | Error::Timeout { .. }),
            },
        }
    }
}

impl fmt::Display for DiscoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale => f.write_str("the server's own list of its resources is out of date"),
            Self::Request(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for DiscoveryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Stale => None,
            Self::Request(error) => error.source(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(version: &str, name: &str) -> ApiResource {
        ApiResource { version: version.into(), name: name.into(), ..ApiResource::default() }
    }

    #[test]
    fn each_resource_once_in_the_preferred_version() {
        let all = ApiResources {
            groups: vec![ApiGroup {
                name: "g".into(),
                preferred_version: "v1".into(),
                versions: vec![
                    ApiVersion {
                        version: "v2".into(),
                        resources: vec![resource("v2", "a"), resource("v2", "b")],
                    },
                    ApiVersion { version: "v1".into(), resources: vec![resource("v1", "a")] },
                    ApiVersion {
                        version: "v0".into(),
                        resources: vec![resource("v0", "b"), resource("v0", "c")],
                    },
                ],
            }],
            failures: Vec::new(),
        };
        let found: Vec<_> = all.preferred().map(|r| (r.version.as_str(), r.name.as_str())).collect();
        assert_eq!(found, [("v1", "a"), ("v2", "b"), ("v0", "c")]);
        assert_eq!(all.iter().count(), 5);
        assert!(all.version(&GroupVersion::new("g", "v0")).is_some());
        assert!(all.version(&GroupVersion::new("g", "v9")).is_none());
    }
}
