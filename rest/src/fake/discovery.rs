//! What the server serves: /api, /apis, and the aggregated form that has all of it in one answer.

use std::sync::Arc;

use http::{HeaderValue, Response, header};
use kubewire_transport::Body;
use serde_json::{Value, json};

use super::kinds::{Registry, Resource};
use super::status::{ApiError, json_response};

/// The media type of the aggregated form.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Answers a discovery path, or says that it is none.
pub(super) fn answer(
    registry: &Registry,
    path: &str,
    accept: &str,
) -> Option<Result<Response<Body>, ApiError>> {
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let found = match &parts[..] {
        ["api"] if wants_aggregated(accept) => return Some(Ok(aggregated(registry, true))),
        ["apis"] if wants_aggregated(accept) => return Some(Ok(aggregated(registry, false))),
        ["api"] => Some(json!({"kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}]})),
        ["apis"] => {
            let groups: Vec<Value> = groups(registry).iter().map(|g| group(registry, g)).collect();
            Some(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
        }
        ["apis", name] => groups(registry).contains(name).then(|| {
            let mut group = group(registry, name);
            group["kind"] = "APIGroup".into();
            group["apiVersion"] = "v1".into();
            group
        }),
        ["api", version] => resource_list(registry, "", version),
        ["apis", group, version] => resource_list(registry, group, version),
        _ => return None,
    };
    found.map(|value| Ok(json_response(200, &value)))
}

fn wants_aggregated(accept: &str) -> bool {
    accept.split(',').any(|clause| {
        let mut parts = clause.split(';').map(str::trim);
        let params: Vec<&str> = parts.by_ref().skip(1).collect();
        clause.trim().starts_with("application/json")
            && ["g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"]
                .iter()
                .all(|p| params.contains(p))
    })
}

/// The named groups, in the order of their first resource.
fn groups(registry: &Registry) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for resource in registry.all().iter().filter(|r| !r.group.is_empty()) {
        if !names.contains(&&*resource.group) {
            names.push(&resource.group);
        }
    }
    names
}

fn versions<'a>(registry: &'a Registry, group: &str) -> Vec<&'a str> {
    let mut versions: Vec<&str> = Vec::new();
    for version in registry.all().iter().filter(|r| r.group == group).flat_map(|r| &r.versions) {
        if !versions.contains(&&**version) {
            versions.push(version);
        }
    }
    versions
}

fn group(registry: &Registry, name: &str) -> Value {
    let versions: Vec<Value> = versions(registry, name)
        .iter()
        .map(|v| json!({"groupVersion": format!("{name}/{v}"), "version": v}))
        .collect();
    json!({"name": name, "versions": versions, "preferredVersion": versions.first()})
}

fn resources<'a>(registry: &'a Registry, group: &str, version: &str) -> Vec<&'a Arc<Resource>> {
    let mut found: Vec<&Arc<Resource>> = registry
        .all()
        .iter()
        .filter(|r| r.group == group && r.versions.iter().any(|v| v == version))
        .collect();
    found.sort_by(|a, b| a.plural.cmp(&b.plural));
    found
}

/// Verbs and, where it is another group's, the kind of a subresource: `(kind, group, version, verbs)`.
fn subresource<'a>(
    resource: &'a Resource,
    name: &str,
) -> (&'a str, Option<(&'a str, &'a str)>, &'a [&'a str]) {
    const CHANGE: &[&str] = &["get", "patch", "update"];
    match name {
        "scale" => ("Scale", Some(("autoscaling", "v1")), CHANGE),
        "eviction" => ("Eviction", Some(("policy", "v1")), &["create"]),
        "token" => ("TokenRequest", Some(("authentication.k8s.io", "v1")), &["create"]),
        "binding" => ("Binding", None, &["create"]),
        "log" => (&resource.kind, None, &["get"]),
        "attach" => ("PodAttachOptions", None, &["create", "get"]),
        "exec" => ("PodExecOptions", None, &["create", "get"]),
        "portforward" => ("PodPortForwardOptions", None, &["create", "get"]),
        "proxy" => {
            let kind = match &*resource.plural {
                "nodes" => "NodeProxyOptions",
                "services" => "ServiceProxyOptions",
                _ => "PodProxyOptions",
            };
            (kind, None, &["create", "delete", "get", "patch", "update"])
        }
        "finalize" => (&resource.kind, None, &["update"]),
        _ => (&resource.kind, None, CHANGE),
    }
}

fn resource_list(registry: &Registry, group: &str, version: &str) -> Option<Value> {
    if !registry.has_version(group, version) {
        return None;
    }
    let mut list = Vec::new();
    for r in resources(registry, group, version) {
        let mut entry = json!({"name": r.plural, "singularName": r.singular, "namespaced": r.namespaced, "kind": r.kind, "verbs": r.verbs()});
        if !r.short_names.is_empty() {
            entry["shortNames"] = json!(r.short_names);
        }
        if !r.categories.is_empty() {
            entry["categories"] = json!(r.categories);
        }
        list.push(entry);
        for sub in &r.subresources {
            let (kind, own, verbs) = subresource(r, sub);
            let mut entry = json!({"name": format!("{}/{sub}", r.plural), "singularName": "", "namespaced": r.namespaced, "kind": kind, "verbs": verbs});
            if let Some((group, version)) = own {
                entry["group"] = group.into();
                entry["version"] = version.into();
            }
            list.push(entry);
        }
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    Some(
        json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": list}),
    )
}

fn aggregated(registry: &Registry, core: bool) -> Response<Body> {
    let names = if core { vec![""] } else { groups(registry) };
    let items: Vec<Value> = names
        .iter()
        .map(|name| {
            let versions: Vec<Value> = versions(registry, name)
                .iter()
                .map(|version| {
                    let resources: Vec<Value> =
                        resources(registry, name, version).iter().map(|r| described(r, version)).collect();
                    json!({"version": version, "resources": resources, "freshness": "Current"})
                })
                .collect();
            let metadata = if core {
                json!({"creationTimestamp": null})
            } else {
                json!({"name": name, "creationTimestamp": null})
            };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    let list = json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items});
    let mut response = json_response(200, &list);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(AGGREGATED));
    response
}

fn described(r: &Resource, version: &str) -> Value {
    let mut entry = json!({
        "resource": r.plural,
        "responseKind": {"group": r.group, "version": version, "kind": r.kind},
        "scope": if r.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": r.singular,
        "verbs": r.verbs(),
    });
    if !r.short_names.is_empty() {
        entry["shortNames"] = json!(r.short_names);
    }
    if !r.categories.is_empty() {
        entry["categories"] = json!(r.categories);
    }
    if !r.subresources.is_empty() {
        entry["subresources"] = r
            .subresources
            .iter()
            .map(|sub| {
                let (kind, own, verbs) = subresource(r, sub);
                let (group, version) = own.unwrap_or((&r.group, version));
                json!({"subresource": sub, "responseKind": {"group": group, "version": version, "kind": kind}, "verbs": verbs})
            })
            .collect();
    }
    entry
}
