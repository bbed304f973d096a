//! Tables, as kubectl prints them: the columns of the built-in kinds, and those that definitions bring.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::render::Include;
use super::request::Route;
use super::store::Stored;

pub(super) fn table(route: &Route, rows: Vec<Value>, metadata: Value, with_columns: bool) -> Value {
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
    let mut row = json!({"cells": cells(route, &object.value, now)});
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
        ("rbac.authorization.k8s.io", _) => "Name|Role|Age|*Users|*Groups|*ServiceAccounts",
        ("coordination.k8s.io", "leases") => "Name|Holder|Age",
        _ => "Name|Age",
    }
}

#[rustfmt::skip]
fn cells(route: &Route, o: &Value, now: Timestamp) -> Vec<Value> {
    if !route.resource.columns.is_empty() {
        let own = route.resource.columns.iter().map(|c| custom_cell(c, o, now));
        return std::iter::once(o["metadata"]["name"].clone()).chain(own).collect();
    }
    let name = || o["metadata"]["name"].clone();
    let age = || Value::from(age(&o["metadata"]["creationTimestamp"], now));
    let count = |v: &Value| v.as_u64().unwrap_or(0);
    let string = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let size = |v: &Value| v.as_object().map_or(0, serde_json::Map::len);
    let template = &o["spec"]["template"]["spec"];
    let status = &o["status"];
    match (&*route.resource.group, &*route.resource.plural) {
        ("", "pods") => pod(o, now),
        ("", "configmaps") => vec![name(), (size(&o["data"]) + size(&o["binaryData"])).to_string().into(), age()],
        ("", "secrets") => vec![name(), o["type"].clone(), size(&o["data"]).to_string().into(), age()],
        ("", "namespaces") => vec![name(), status["phase"].clone(), age()],
        ("", "services") => vec![name(), o["spec"]["type"].clone(), or_none(&string(&o["spec"]["clusterIP"])), external_ip(o), ports(&o["spec"]["ports"]).into(), age(), selector(&o["spec"]["selector"])],
        ("", "serviceaccounts") => vec![name(), o["secrets"].as_array().map_or(0, Vec::len).to_string().into(), age()],
        ("", "nodes") => node(o, now),
        ("", "events") | ("events.k8s.io", "events") => event(o, now),
        ("apps", "deployments") => vec![
            name(), format!("{}/{}", count(&status["readyReplicas"]), count(&o["spec"]["replicas"])).into(),
            count(&status["updatedReplicas"]).to_string().into(), count(&status["availableReplicas"]).to_string().into(), age(),
            containers(template, "name"), containers(template, "image"), selector(&o["spec"]["selector"])],
        ("apps", "replicasets") | ("", "replicationcontrollers") => vec![
            name(), count(&o["spec"]["replicas"]).into(), count(&status["replicas"]).into(), count(&status["readyReplicas"]).into(), age(),
            containers(template, "name"), containers(template, "image"), selector(&o["spec"]["selector"])],
        ("apps", "statefulsets") => vec![
            name(), format!("{}/{}", count(&status["readyReplicas"]), count(&o["spec"]["replicas"])).into(), age(),
            containers(template, "name"), containers(template, "image")],
        ("apps", "daemonsets") => vec![
            name(), count(&status["desiredNumberScheduled"]).into(), count(&status["currentNumberScheduled"]).into(), count(&status["numberReady"]).into(),
            count(&status["updatedNumberScheduled"]).into(), count(&status["numberAvailable"]).into(), selector(&template["nodeSelector"]), age(),
            containers(template, "name"), containers(template, "image"), selector(&o["spec"]["selector"])],
        ("batch", "jobs") => vec![
            name(), format!("{}/{}", count(&status["succeeded"]), o["spec"]["completions"].as_u64().unwrap_or(1)).into(),
            duration(&status["startTime"], &status["completionTime"], now).into(), age(),
            containers(template, "name"), containers(template, "image"), selector(&o["spec"]["selector"])],
        ("rbac.authorization.k8s.io", "roles" | "clusterroles") | ("apiextensions.k8s.io", "customresourcedefinitions") => vec![name(), o["metadata"]["creationTimestamp"].clone()],
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => vec![
            name(), format!("{}/{}", string(&o["roleRef"]["kind"]), string(&o["roleRef"]["name"])).into(), age(),
            subjects(o, "User"), subjects(o, "Group"), subjects(o, "ServiceAccount")],
        ("coordination.k8s.io", "leases") => vec![name(), string(&o["spec"]["holderIdentity"]).into(), age()],
        _ => vec![name(), age()],
    }
}

fn list(v: &Value) -> &[Value] {
    v.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn or_none(text: &str) -> Value {
    if text.is_empty() { "<none>".into() } else { text.into() }
}

fn containers(spec: &Value, field: &str) -> Value {
    let names: Vec<&str> = list(&spec["containers"]).iter().filter_map(|c| c[field].as_str()).collect();
    names.join(",").into()
}

fn subjects(binding: &Value, kind: &str) -> Value {
    let names: Vec<String> = list(&binding["subjects"])
        .iter()
        .filter(|s| s["kind"] == kind)
        .map(|s| {
            let name = s["name"].as_str().unwrap_or_default();
            match s["namespace"].as_str() {
                Some(namespace) if kind == "ServiceAccount" => format!("{namespace}/{name}"),
                _ => name.to_owned(),
            }
        })
        .collect();
    names.join(", ").into()
}

/// A label selector on one line, plain or with `matchLabels` and `matchExpressions`.
fn selector(selector: &Value) -> Value {
    let labels = selector.get("matchLabels").unwrap_or(selector);
    let mut parts: Vec<String> = labels
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(k, v)| Some(format!("{k}={}", v.as_str()?)))
        .collect();
    for e in list(&selector["matchExpressions"]) {
        let key = e["key"].as_str().unwrap_or_default();
        let values: Vec<&str> = list(&e["values"]).iter().filter_map(Value::as_str).collect();
        parts.push(match e["operator"].as_str() {
            Some("In") => format!("{key} in ({})", values.join(",")),
            Some("NotIn") => format!("{key} notin ({})", values.join(",")),
            Some("DoesNotExist") => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    or_none(&parts.join(","))
}

fn external_ip(service: &Value) -> Value {
    let spec = &service["spec"];
    let mut ips: Vec<&str> = list(&spec["externalIPs"]).iter().filter_map(Value::as_str).collect();
    match spec["type"].as_str() {
        Some("ExternalName") => spec["externalName"].clone(),
        Some("LoadBalancer") => {
            let ingress = list(&service["status"]["loadBalancer"]["ingress"]);
            let mut all: Vec<&str> =
                ingress.iter().filter_map(|i| i["ip"].as_str().or(i["hostname"].as_str())).collect();
            all.append(&mut ips);
            if all.is_empty() { "<pending>".into() } else { all.join(",").into() }
        }
        _ => or_none(&ips.join(",")),
    }
}

fn ports(ports: &Value) -> String {
    let parts: Vec<String> = list(ports)
        .iter()
        .map(|p| {
            let protocol = p["protocol"].as_str().unwrap_or("TCP");
            match p["nodePort"].as_u64() {
                Some(node) if node > 0 => format!("{}:{node}/{protocol}", p["port"]),
                _ => format!("{}/{protocol}", p["port"]),
            }
        })
        .collect();
    if parts.is_empty() { "<none>".to_owned() } else { parts.join(",") }
}

fn pod(o: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&o["spec"], &o["status"]);
    let statuses = list(&status["containerStatuses"]);
    let total = list(&spec["containers"]).len();
    let ready = statuses.iter().filter(|c| c["ready"] == true && c["state"]["running"].is_object()).count();
    let restarts: u64 = statuses.iter().filter_map(|c| c["restartCount"].as_u64()).sum();
    let string = |v: &Value| or_none(v.as_str().unwrap_or_default());
    let gates = list(&spec["readinessGates"]);
    let passed = gates
        .iter()
        .filter(|g| {
            list(&status["conditions"])
                .iter()
                .any(|c| c["type"] == g["conditionType"] && c["status"] == "True")
        })
        .count();
    vec![
        o["metadata"]["name"].clone(),
        format!("{ready}/{total}").into(),
        pod_reason(o).into(),
        restarts_cell(restarts, statuses, now),
        age(&o["metadata"]["creationTimestamp"], now).into(),
        string(&status["podIP"]),
        string(&spec["nodeName"]),
        string(&status["nominatedNodeName"]),
        if gates.is_empty() { "<none>".into() } else { format!("{passed}/{}", gates.len()).into() },
    ]
}

fn restarts_cell(restarts: u64, statuses: &[Value], now: Timestamp) -> Value {
    let last = statuses
        .iter()
        .filter_map(|c| c["lastState"]["terminated"]["finishedAt"].as_str()?.parse::<Timestamp>().ok())
        .max();
    match last {
        Some(last) if restarts > 0 => {
            format!("{restarts} ({} ago)", human(now.duration_since(last).as_secs())).into()
        }
        _ => restarts.to_string().into(),
    }
}

/// The word that says how a pod is doing.
fn pod_reason(o: &Value) -> String {
    let status = &o["status"];
    let text = |v: &Value| v.as_str().filter(|s| !s.is_empty()).map(str::to_owned);
    let mut reason = text(&status["reason"]).or(text(&status["phase"])).unwrap_or_default();
    let statuses = list(&status["containerStatuses"]);
    let mut running = false;
    for container in statuses.iter().rev() {
        let state = &container["state"];
        if let Some(waiting) = text(&state["waiting"]["reason"]) {
            reason = waiting;
        } else if state["terminated"].is_object() {
            reason = text(&state["terminated"]["reason"])
                .unwrap_or_else(|| format!("ExitCode:{}", state["terminated"]["exitCode"]));
        } else if container["ready"] == true && state["running"].is_object() {
            running = true;
        }
    }
    if reason == "Completed" && running {
        reason = "Running".to_owned();
    }
    if o["metadata"].get("deletionTimestamp").is_some() {
        return "Terminating".to_owned();
    }
    reason
}

fn node(o: &Value, now: Timestamp) -> Vec<Value> {
    let ready = list(&o["status"]["conditions"]).iter().find(|c| c["type"] == "Ready");
    let mut status = match ready.and_then(|c| c["status"].as_str()) {
        Some("True") => "Ready".to_owned(),
        Some(_) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if o["spec"]["unschedulable"] == true {
        status.push_str(",SchedulingDisabled");
    }
    let roles: Vec<&str> = o["metadata"]["labels"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(k, _)| k.strip_prefix("node-role.kubernetes.io/"))
        .collect();
    let address = |kind: &str| {
        let found = list(&o["status"]["addresses"]).iter().find(|a| a["type"] == kind);
        or_none(found.and_then(|a| a["address"].as_str()).unwrap_or_default())
    };
    let info = |key: &str| {
        let value = o["status"]["nodeInfo"][key].as_str().unwrap_or_default();
        Value::from(if value.is_empty() { "<unknown>" } else { value })
    };
    vec![
        o["metadata"]["name"].clone(),
        status.into(),
        or_none(&roles.join(",")),
        age(&o["metadata"]["creationTimestamp"], now).into(),
        o["status"]["nodeInfo"]["kubeletVersion"].as_str().unwrap_or_default().into(),
        address("InternalIP"),
        address("ExternalIP"),
        info("osImage"),
        info("kernelVersion"),
        info("containerRuntimeVersion"),
    ]
}

fn event(o: &Value, now: Timestamp) -> Vec<Value> {
    let either = |a: &str, b: &str| if o[a].is_null() { o[b].clone() } else { o[a].clone() };
    let about = either("involvedObject", "regarding");
    let string = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let seen = |field: &str, old: &str| {
        let time = either(field, old);
        let time = if time.is_null() { o["eventTime"].clone() } else { time };
        Value::from(age(&time, now))
    };
    let object = format!("{}/{}", string(&about["kind"]).to_lowercase(), string(&about["name"]));
    let source = either("source", "deprecatedSource");
    let source = match source["host"].as_str() {
        Some(host) => format!("{}, {host}", string(&source["component"])),
        None if source["component"].is_string() => string(&source["component"]),
        None => string(&either("reportingComponent", "reportingController")),
    };
    let count = either("count", "deprecatedCount");
    vec![
        seen("lastTimestamp", "deprecatedLastTimestamp"),
        string(&o["type"]).into(),
        string(&o["reason"]).into(),
        object.into(),
        string(&about["fieldPath"]).into(),
        source.into(),
        string(&either("message", "note")).trim().into(),
        seen("firstTimestamp", "deprecatedFirstTimestamp"),
        count.as_u64().filter(|c| *c > 0).unwrap_or(1).to_string().into(),
        o["metadata"]["name"].clone(),
    ]
}

/// A column of a definition: a simple JSON path (`.spec.a.b`, `.items[0].c`, `.list[?(@.type=="x")].c`).
fn custom_cell(column: &Value, o: &Value, now: Timestamp) -> Value {
    let found = simple_path(o, column["jsonPath"].as_str().unwrap_or_default());
    match (column["type"].as_str(), found) {
        (_, None) => Value::Null,
        (Some("date"), Some(time)) => age(time, now).into(),
        (Some("string"), Some(value)) if !value.is_string() => value.to_string().into(),
        (_, Some(value)) => value.clone(),
    }
}

fn simple_path<'a>(mut at: &'a Value, path: &str) -> Option<&'a Value> {
    let mut rest = path.trim_start_matches('.');
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (index, after) = inside.split_once(']')?;
            rest = after.trim_start_matches('.');
            at = if let Some(test) = index.strip_prefix("?(@.").and_then(|t| t.strip_suffix(')')) {
                let (field, value) = test.split_once("==")?;
                let value = value.trim().trim_matches(['"', '\'']);
                list(at).iter().find(|item| item[field.trim()] == value)?
            } else if let Ok(index) = index.parse::<usize>() {
                at.get(index)?
            } else {
                at.get(index.trim_matches(['"', '\'']))?
            };
            continue;
        }
        let mut end = rest.len();
        let mut escaped = false;
        for (i, c) in rest.char_indices() {
            if !escaped && (c == '.' || c == '[') {
                end = i;
                break;
            }
            escaped = c == '\\' && !escaped;
        }
        at = at.get(rest[..end].replace('\\', ""))?;
        rest = rest[end..].trim_start_matches('.');
    }
    Some(at)
}

fn duration(start: &Value, end: &Value, now: Timestamp) -> String {
    let time = |v: &Value| v.as_str().and_then(|s| s.parse::<Timestamp>().ok());
    match (time(start), time(end)) {
        (Some(start), Some(end)) => human(end.duration_since(start).as_secs()),
        (Some(start), None) => human(now.duration_since(start).as_secs()),
        _ => String::new(),
    }
}

/// How long ago, as kubectl says it.
pub(super) fn age(time: &Value, now: Timestamp) -> String {
    match time.as_str().and_then(|s| s.parse::<Timestamp>().ok()) {
        Some(time) => human(now.duration_since(time).as_secs()),
        None => "<unknown>".to_owned(),
    }
}

fn human(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    let two = |big: i64, big_unit: &str, small: i64, small_unit: &str| {
        if small == 0 { format!("{big}{big_unit}") } else { format!("{big}{big_unit}{small}{small_unit}") }
    };
    match seconds {
        s if s < -1 => "<invalid>".to_owned(),
        s if s < 0 => "0s".to_owned(),
        s if s < 2 * MINUTE => format!("{s}s"),
        s if s < 10 * MINUTE => two(s / MINUTE, "m", s % MINUTE, "s"),
        s if s < 3 * HOUR => format!("{}m", s / MINUTE),
        s if s < 8 * HOUR => two(s / HOUR, "h", s % HOUR / MINUTE, "m"),
        s if s < 2 * DAY => format!("{}h", s / HOUR),
        s if s < 8 * DAY => two(s / DAY, "d", s % DAY / HOUR, "h"),
        s if s < 2 * 365 * DAY => format!("{}d", s / DAY),
        s if s < 8 * 365 * DAY => two(s / (365 * DAY), "y", s % (365 * DAY) / DAY, "d"),
        s => format!("{}y", s / (365 * DAY)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        for (seconds, text) in [
            (-5, "<invalid>"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (11_000, "3h3m"),
            (86_400, "24h"),
            (172_800, "2d"),
            (180_000, "2d2h"),
            (864_000, "10d"),
            (86_400 * 800, "2y70d"),
            (86_400 * 365 * 9, "9y"),
        ] {
            assert_eq!(human(seconds), text);
        }
    }

    #[test]
    fn custom_columns_follow_their_path() {
        let o = json!({"spec": {"a.b": 1, "list": [{"type": "x", "v": "one"}, {"type": "y", "v": "two"}]}});
        let at = |path: &str| simple_path(&o, path).cloned();
        assert_eq!(at(".spec.list[1].v"), Some(json!("two")));
        assert_eq!(at(".spec.list[?(@.type==\"x\")].v"), Some(json!("one")));
        assert_eq!(at(".spec.a\\.b"), Some(json!(1)));
        assert_eq!(at(".spec.none.x"), None);
        assert_eq!(at(".spec.list[9]"), None);
    }

    #[test]
    fn a_pod_is_told_by_its_containers() {
        let pod = |status: Value| pod_reason(&json!({"metadata": {}, "status": status}));
        assert_eq!(pod(json!({"phase": "Pending"})), "Pending");
        let waiting = json!([{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]);
        assert_eq!(pod(json!({"phase": "Running", "containerStatuses": waiting})), "CrashLoopBackOff");
        let ended = json!([{"state": {"terminated": {"exitCode": 3}}}]);
        assert_eq!(pod(json!({"phase": "Failed", "containerStatuses": ended})), "ExitCode:3");
    }
}
