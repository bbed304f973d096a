//! The document that lists groups, versions and resources at once.

use std::sync::Arc;

use serde::Deserialize;

use super::types::{ApiGroup, ApiResource, ApiResources, ApiSubresource, ApiVersion, DiscoveryError};
use crate::GroupVersion;
use crate::meta::null_as_default;

/// What to ask for: the document at once, or else the list of versions or groups.
pub(super) const ACCEPT: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// Whether the content type is the document's. Its parameters may come in any order.
pub(super) fn is_aggregated(content_type: &str) -> bool {
    let Ok(media) = content_type.parse::<mime::Mime>() else { return false };
    let has = |name: &str, value: &str| media.get_param(name).is_some_and(|found| found == value);
    media.essence_str() == "application/json"
        && has("g", "apidiscovery.k8s.io")
        && has("v", "v2")
        && has("as", "APIGroupDiscoveryList")
}

#[derive(Deserialize)]
pub(super) struct Document {
    #[serde(default, deserialize_with = "null_as_default")]
    items: Vec<Group>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Group {
    metadata: Name,
    #[serde(deserialize_with = "null_as_default")]
    versions: Vec<Version>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Name {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Version {
    version: String,
    freshness: String,
    #[serde(deserialize_with = "null_as_default")]
    resources: Vec<Resource>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Kind {
    group: String,
    version: String,
    kind: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Resource {
    resource: String,
    #[serde(deserialize_with = "null_as_default")]
    response_kind: Kind,
    scope: String,
    singular_resource: String,
    #[serde(deserialize_with = "null_as_default")]
    verbs: Vec<String>,
    #[serde(deserialize_with = "null_as_default")]
    short_names: Vec<String>,
    #[serde(deserialize_with = "null_as_default")]
    categories: Vec<String>,
    #[serde(deserialize_with = "null_as_default")]
    subresources: Vec<Subresource>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Subresource {
    subresource: String,
    #[serde(deserialize_with = "null_as_default")]
    response_kind: Kind,
    #[serde(deserialize_with = "null_as_default")]
    verbs: Vec<String>,
}

impl Document {
    /// Adds what the document says to `all`. Versions that are out of date are failures.
    pub(super) fn add_to(self, all: &mut ApiResources) {
        for group in self.items {
            let mut found = ApiGroup {
                // The server lists its favourite first.
                preferred_version: group.versions.first().map(|v| v.version.clone()).unwrap_or_default(),
                name: group.metadata.name,
                versions: Vec::new(),
            };
            for version in group.versions {
                if version.freshness == "Stale" {
                    let stale = GroupVersion::new(found.name.clone(), version.version);
                    all.failures.push((stale, Arc::new(DiscoveryError::Stale)));
                    continue;
                }
                let resources =
                    version.resources.into_iter().map(|r| r.into_resource(&found.name, &version.version));
                found.versions.push(ApiVersion { resources: resources.collect(), version: version.version });
            }
            all.groups.push(found);
        }
    }
}

impl Resource {
    fn into_resource(self, group: &str, version: &str) -> ApiResource {
        ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            name: self.resource,
            singular_name: self.singular_resource,
            kind: self.response_kind.kind,
            namespaced: self.scope == "Namespaced",
            verbs: self.verbs,
            short_names: self.short_names,
            categories: self.categories,
            subresources: self.subresources.into_iter().map(|s| s.into_subresource(group, version)).collect(),
        }
    }
}

impl Subresource {
    fn into_subresource(self, group: &str, version: &str) -> ApiSubresource {
        let or = |said: String, default: &str| if said.is_empty() { default.to_owned() } else { said };
        // A kind of the core group has an empty group; only the version tells whether anything was said.
        let said = !self.response_kind.version.is_empty();
        ApiSubresource {
            name: self.subresource,
            group: if said { self.response_kind.group } else { group.to_owned() },
            version: or(self.response_kind.version, version),
            kind: self.response_kind.kind,
            verbs: self.verbs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // BH-D1
    #[test]
    fn parameters_match_in_any_order() {
        for yes in [
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
            "application/json; as=APIGroupDiscoveryList; v=v2; g=apidiscovery.k8s.io",
            "application/json;charset=utf-8;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList",
        ] {
            assert!(is_aggregated(yes), "{yes}");
        }
        for no in [
            "application/json",
            "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
            "application/json;v=v2;as=APIGroupDiscoveryList",
            "application/cbor;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
            "",
            ";",
        ] {
            assert!(!is_aggregated(no), "{no}");
        }
    }

    // BH-D2
    #[test]
    fn stale_versions_are_failures() {
        let document: Document = serde_json::from_str(
            r#"{"items":[{"metadata":{"name":"x.io"},"versions":[
                {"version":"v2","freshness":"Stale","resources":[{"resource":"as"}]},
                {"version":"v1","freshness":"Current","resources":[{"resource":"as","scope":"Namespaced",
                  "responseKind":{"group":"x.io","version":"v1","kind":"A"},"singularResource":"a","verbs":["get"],
                  "subresources":[{"subresource":"scale","verbs":["get"],
                    "responseKind":{"group":"autoscaling","version":"v1","kind":"Scale"}},
                    {"subresource":"status","responseKind":null,"verbs":null}]}]}]}]}"#,
        )
        .unwrap();
        let mut all = ApiResources::default();
        document.add_to(&mut all);
        assert_eq!(all.failures.len(), 1);
        assert_eq!(all.failures[0].0, GroupVersion::new("x.io", "v2"));
        assert!(all.failures[0].1.is_transient());
        let group = &all.groups[0];
        assert_eq!((group.preferred_version.as_str(), group.versions.len()), ("v2", 1));
        let a = &group.versions[0].resources[0];
        assert!(a.namespaced && a.supports("get") && !a.supports("list"));
        assert_eq!(a.subresource("scale").unwrap().group, "autoscaling");
        assert_eq!(a.subresource("status").unwrap().group, "x.io");
        assert_eq!(a.subresource("status").unwrap().version, "v1");
    }
}
