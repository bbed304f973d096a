//! Tables, as kubectl prints them: the columns of the built-in kinds, and those that definitions bring.

mod ages;
mod cells;
mod custom;
mod pods;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::render::Include;
use super::request::Route;
use super::store::Stored;

pub(super) use cells::selector_text;

pub(super) fn table(route: &Route, rows: &[Value], metadata: &Value, with_columns: bool) -> Value {
    let columns = if with_columns { definitions(route) } else { Value::Null };
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": columns, "rows": rows})
}

fn definitions(route: &Route) -> Value {
    if !route.resource.columns.is_empty() {
        let name =
            json!({"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0});
        let own = route.resource.columns.iter().map(|c| {
            json!({"name": c["name"], "type": c["type"], "format": c["format"].as_str().unwrap_or_default(),
                "description": c["description"].as_str().unwrap_or_default(),
                "priority": c["priority"].as_u64().unwrap_or(0)})
        });
        return std::iter::once(name).chain(own).collect();
    }
    columns(route).split('|').map(column).collect()
}

fn column(text: &str) -> Value {
    let name = text.trim_start_matches(['*', '#', '!']);
    let kind = match text.as_bytes()[0] {
        b'#' => "integer",
        b'!' => "date",
        _ => "string",
    };
    let format = if name == "Name" { "name" } else { "" };
    json!({"name": name, "type": kind, "format": format, "description": "", "priority": u8::from(text.starts_with('*'))})
}
/// One row.
pub(super) fn row(route: &Route, object: &Stored, include: Include, now: Timestamp) -> Value {
    let own = &route.resource.columns;
    let cells = if own.is_empty() {
        cells::cells(route, &object.value, now)
    } else {
        custom::cells(own, &object.value, now)
    };
    let mut row = json!({"cells": cells});
    match include {
        Include::Nothing => {}
        Include::Metadata => row["object"] = super::render::partial(object),
        Include::Object => {
            let mut full = object.value.clone();
            full["kind"] = route.resource.kind.clone().into();
            full["apiVersion"] = route.group_version().into();
            row["object"] = full;
        }
    }
    row
}
/// The columns of a built-in kind: `*` marks those of `-o wide`, `#` integers, `!` dates.
fn columns(route: &Route) -> &'static str {
    match (&*route.resource.group, &*route.resource.plural) {
        ("", "pods") => "Name|Ready|Status|Restarts|Age|*IP|*Node|*Nominated Node|*Readiness Gates",
        ("", "configmaps") => "Name|Data|Age",
        ("", "secrets") => "Name|Type|Data|Age",
        ("", "namespaces") => "Name|Status|Age",
        ("", "services") => "Name|Type|Cluster-IP|External-IP|Port(s)|Age|*Selector",
        ("", "serviceaccounts") => "Name|Secrets|Age",
        ("", "nodes") => {
            "Name|Status|Roles|Age|Version|*Internal-IP|*External-IP|*OS-Image|*Kernel-Version|*Container-Runtime"
        }
        ("" | "events.k8s.io", "events") => {
            "Last Seen|Type|Reason|Object|*Subobject|*Source|Message|*First Seen|*Count|*Name"
        }
        ("apps", "deployments") => "Name|Ready|Up-to-date|Available|Age|*Containers|*Images|*Selector",
        ("apps", "replicasets") | ("", "replicationcontrollers") => {
            "Name|#Desired|#Current|#Ready|Age|*Containers|*Images|*Selector"
        }
        ("apps", "statefulsets") => "Name|Ready|Age|*Containers|*Images",
        ("apps", "daemonsets") => {
            "Name|#Desired|#Current|#Ready|#Up-to-date|#Available|Node Selector|Age|*Containers|*Images|*Selector"
        }
        ("batch", "jobs") => "Name|Completions|Duration|Age|*Containers|*Images|*Selector",
        ("rbac.authorization.k8s.io", "roles" | "clusterroles")
        | ("apiextensions.k8s.io", "customresourcedefinitions") => "Name|!Created At",
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => {
            "Name|Role|Age|*Users|*Groups|*ServiceAccounts"
        }
        ("coordination.k8s.io", "leases") => "Name|Holder|Age",
        ("", "endpoints") => "Name|Endpoints|Age",
        ("", "persistentvolumes") => {
            "Name|Capacity|Access Modes|Reclaim Policy|Status|Claim|StorageClass|Reason|Age|*VolumeMode"
        }
        ("", "persistentvolumeclaims") => {
            "Name|Status|Volume|Capacity|Access Modes|StorageClass|Age|*VolumeMode"
        }
        ("", "resourcequotas") => "Name|Age|Request|Limit",
        ("", "limitranges") => "Name|!Created At",
        ("autoscaling", _) => "Name|Reference|Targets|MinPods|MaxPods|Replicas|Age",
        ("batch", "cronjobs") => {
            "Name|Schedule|Suspend|Active|Last Schedule|Age|*Containers|*Images|*Selector"
        }
        ("networking.k8s.io", "ingresses") => "Name|Class|Hosts|Address|Ports|Age",
        ("networking.k8s.io", "ingressclasses") => "Name|Controller|Parameters|Age",
        ("networking.k8s.io", "networkpolicies") => "Name|Pod-Selector|Age",
        ("policy", "poddisruptionbudgets") => "Name|Min Available|Max Unavailable|#Allowed Disruptions|Age",
        ("scheduling.k8s.io", _) => "Name|#Value|Global-Default|Age",
        ("storage.k8s.io", "storageclasses") => {
            "Name|Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age"
        }
        _ => "Name|Age",
    }
}
