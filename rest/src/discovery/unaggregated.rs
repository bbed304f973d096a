//! The documents of servers that list their groups, and the resources of each version by itself.

use serde::Deserialize;

use super::types::{ApiGroup, ApiResource, ApiSubresource, ApiVersion};
use crate::GroupVersion;
use crate::meta::null_as_default;

/// The answer of `/api`.
#[derive(Default, Deserialize)]
pub(super) struct Versions {
    #[serde(default, deserialize_with = "null_as_default")]
    versions: Vec<String>,
}

/// The answer of `/apis`.
#[derive(Deserialize)]
pub(super) struct Groups {
    #[serde(default, deserialize_with = "null_as_default")]
    groups: Vec<Group>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Group {
    name: String,
    #[serde(deserialize_with = "null_as_default")]
    versions: Vec<Version>,
    #[serde(deserialize_with = "null_as_default")]
    preferred_version: Version,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Version {
    version: String,
}

/// The answer of `/api/v1` or `/apis/GROUP/VERSION`.
#[derive(Deserialize)]
pub(super) struct Resources {
    #[serde(default, deserialize_with = "null_as_default")]
    resources: Vec<Resource>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Resource {
    name: String,
    singular_name: String,
    namespaced: bool,
    group: String,
    version: String,
    kind: String,
    #[serde(deserialize_with = "null_as_default")]
    verbs: Vec<String>,
    #[serde(deserialize_with = "null_as_default")]
    short_names: Vec<String>,
    #[serde(deserialize_with = "null_as_default")]
    categories: Vec<String>,
}

impl Versions {
    /// The core group, its versions still empty; `None` when there are none.
    pub(super) fn into_group(self) -> Option<ApiGroup> {
        let preferred_version = self.versions.first()?.clone();
        Some(ApiGroup { name: String::new(), preferred_version, versions: empty(self.versions) })
    }
}

impl Groups {
    /// The groups, their versions still empty.
    pub(super) fn into_groups(self) -> impl Iterator<Item = ApiGroup> {
        self.groups.into_iter().map(|group| ApiGroup {
            name: group.name,
            preferred_version: group.preferred_version.version,
            versions: empty(group.versions.into_iter().map(|version| version.version)),
        })
    }
}

fn empty(versions: impl IntoIterator<Item = String>) -> Vec<ApiVersion> {
    versions.into_iter().map(|version| ApiVersion { version, resources: Vec::new() }).collect()
}

impl Resources {
    /// The resources of `of`, each with what stands below it.
    pub(super) fn into_resources(self, of: &GroupVersion) -> Vec<ApiResource> {
        let (below, tops): (Vec<_>, Vec<_>) =
            self.resources.into_iter().partition(|resource| resource.name.contains('/'));
        let mut found: Vec<ApiResource> = tops
            .into_iter()
            .map(|resource| ApiResource {
                group: of.group.to_string(),
                version: of.version.to_string(),
                name: resource.name,
                singular_name: resource.singular_name,
                kind: resource.kind,
                namespaced: resource.namespaced,
                verbs: resource.verbs,
                short_names: resource.short_names,
                categories: resource.categories,
                subresources: Vec::new(),
            })
            .collect();
        for resource in below {
            let Some((top, name)) = resource.name.split_once('/') else { continue };
            // One that stands alone, whose top can't be asked for itself, is left out: nothing maps to it.
            let Some(top) = found.iter_mut().find(|found| found.name == top) else { continue };
            let said = !resource.version.is_empty();
            top.subresources.push(ApiSubresource {
                name: name.to_owned(),
                group: if said { resource.group } else { of.group.to_string() },
                version: if said { resource.version } else { of.version.to_string() },
                kind: resource.kind,
                verbs: resource.verbs,
            });
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subresources_stand_below_their_resource() {
        let resources: Resources = serde_json::from_str(
            r#"{"resources":[
                {"name":"pods","singularName":"","namespaced":true,"kind":"Pod","verbs":["get","list"],"shortNames":["po"]},
                {"name":"pods/eviction","namespaced":true,"group":"policy","version":"v1","kind":"Eviction","verbs":["create"]},
                {"name":"pods/log","namespaced":true,"kind":"Pod","verbs":["get"]},
                {"name":"ghosts/status","kind":"Ghost","verbs":[]}]}"#,
        )
        .unwrap();
        let found = resources.into_resources(&GroupVersion::V1);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].short_names, ["po"]);
        let below: Vec<_> = found[0]
            .subresources
            .iter()
            .map(|s| (s.name.as_str(), s.group.as_str(), s.kind.as_str()))
            .collect();
        assert_eq!(below, [("eviction", "policy", "Eviction"), ("log", "", "Pod")]);
    }

    #[test]
    fn groups_and_versions() {
        let versions: Versions = serde_json::from_str(r#"{"versions":["v1"]}"#).unwrap();
        assert_eq!(versions.into_group().unwrap().preferred_version, "v1");
        assert!(Versions::default().into_group().is_none());
        let groups: Groups = serde_json::from_str(
            r#"{"groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}],
                "preferredVersion":{"groupVersion":"apps/v1","version":"v1"}}]}"#,
        )
        .unwrap();
        let groups: Vec<_> = groups.into_groups().collect();
        assert_eq!((groups[0].name.as_str(), groups[0].versions.len()), ("apps", 1));
    }
}
