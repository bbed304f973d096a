//! The cells of the built-in kinds.

use jiff::Timestamp;
use serde_json::Value;

use super::super::request::Route;
use super::ages::{age, duration};
use super::pods::{event, node, pod};

#[rustfmt::skip]
pub(super) fn cells(route: &Route, o: &Value, now: Timestamp) -> Vec<Value> {
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
        ("", "endpoints") => vec![name(), endpoints(o), age()],
        ("", "persistentvolumes" | "persistentvolumeclaims") => volume(route, o, age()),
        ("", "resourcequotas") => vec![name(), age(), quota(o, false).into(), quota(o, true).into()],
        ("", "limitranges") => vec![name(), o["metadata"]["creationTimestamp"].clone()],
        ("autoscaling", _) => autoscaler(o, age()),
        ("batch", "cronjobs") => {
            let inner = &o["spec"]["jobTemplate"]["spec"];
            let pod = &inner["template"]["spec"];
            let last = &status["lastScheduleTime"];
            vec![
                name(), o["spec"]["schedule"].clone(), if o["spec"]["suspend"] == true { "True".into() } else { "False".into() },
                list(&status["active"]).len().to_string().into(), if last.is_null() { "<none>".into() } else { super::ages::age(last, now).into() }, age(),
                containers(pod, "name"), containers(pod, "image"), selector(&inner["selector"])]
        }
        ("networking.k8s.io", "ingresses") => ingress(o, age()),
        ("networking.k8s.io", "ingressclasses") => {
            let p = &o["spec"]["parameters"];
            let parameters = if p.is_object() { format!("{}/{}", string(&p["kind"]), string(&p["name"])) } else { "<none>".to_owned() };
            vec![name(), o["spec"]["controller"].clone(), parameters.into(), age()]
        }
        ("networking.k8s.io", "networkpolicies") => vec![name(), selector(&o["spec"]["podSelector"]), age()],
        ("policy", "poddisruptionbudgets") => {
            let or_not = |v: &Value| match v {
                Value::Null => "N/A".to_owned(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            vec![name(), or_not(&o["spec"]["minAvailable"]).into(), or_not(&o["spec"]["maxUnavailable"]).into(),
                count(&status["disruptionsAllowed"]).into(), age()]
        }
        ("scheduling.k8s.io", _) => vec![name(), o["value"].clone(), (o["globalDefault"] == true).into(), age()],
        ("storage.k8s.io", "storageclasses") => {
            let default = o["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true";
            let shown = if default { format!("{} (default)", string(&o["metadata"]["name"])) } else { string(&o["metadata"]["name"]) };
            vec![shown.into(), o["provisioner"].clone(), o["reclaimPolicy"].clone(), o["volumeBindingMode"].clone(),
                (o["allowVolumeExpansion"] == true).to_string().into(), age()]
        }
        _ => vec![name(), age()],
    }
}
pub(super) fn list(v: &Value) -> &[Value] {
    v.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn or_none(text: &str) -> Value {
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

fn selector(selector: &Value) -> Value {
    or_none(&selector_text(selector))
}

/// A label selector on one line, plain or with `matchLabels` and `matchExpressions`.
pub(in crate::fake) fn selector_text(selector: &Value) -> String {
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
    parts.join(",")
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

fn endpoints(o: &Value) -> Value {
    let mut all = Vec::new();
    for subset in list(&o["subsets"]) {
        for address in list(&subset["addresses"]) {
            let ip = address["ip"].as_str().unwrap_or_default();
            let ports = list(&subset["ports"]);
            if ports.is_empty() {
                all.push(ip.to_owned());
            }
            all.extend(ports.iter().map(|p| format!("{ip}:{}", p["port"])));
        }
    }
    let more = all.len().saturating_sub(3);
    all.truncate(3);
    let mut text = all.join(",");
    if more > 0 {
        text.push_str(&format!(" + {more} more..."));
    }
    or_none(&text)
}

fn access_modes(modes: &Value) -> Value {
    let short = |mode: &Value| match mode.as_str() {
        Some("ReadWriteOnce") => "RWO",
        Some("ReadOnlyMany") => "ROX",
        Some("ReadWriteMany") => "RWX",
        Some("ReadWriteOncePod") => "RWOP",
        _ => "",
    };
    list(modes).iter().map(short).collect::<Vec<_>>().join(",").into()
}

fn volume(route: &Route, o: &Value, age: Value) -> Vec<Value> {
    let (spec, status) = (&o["spec"], &o["status"]);
    let string = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let mut phase = string(&status["phase"]);
    if o["metadata"].get("deletionTimestamp").is_some() {
        "Terminating".clone_into(&mut phase);
    }
    let name = o["metadata"]["name"].clone();
    let class = Value::from(string(&spec["storageClassName"]));
    let mode = match spec["volumeMode"].as_str() {
        Some(mode) => mode.into(),
        None => "<unset>".into(),
    };
    if route.resource.plural == "persistentvolumeclaims" {
        let bound = !string(&spec["volumeName"]).is_empty();
        let (capacity, modes) = if bound {
            (string(&status["capacity"]["storage"]).into(), access_modes(&status["accessModes"]))
        } else {
            ("".into(), "".into())
        };
        return vec![
            name,
            phase.into(),
            string(&spec["volumeName"]).into(),
            capacity,
            modes,
            class,
            age,
            mode,
        ];
    }
    let claim = match &spec["claimRef"] {
        Value::Null => String::new(),
        claim => format!("{}/{}", string(&claim["namespace"]), string(&claim["name"])),
    };
    vec![
        name,
        string(&spec["capacity"]["storage"]).into(),
        access_modes(&spec["accessModes"]),
        string(&spec["persistentVolumeReclaimPolicy"]).into(),
        phase.into(),
        claim.into(),
        class,
        string(&status["reason"]).into(),
        age,
        mode,
    ]
}

/// `pods: 1/3, requests.cpu: 0/1`: the limits, or all but them.
fn quota(o: &Value, limits: bool) -> String {
    let text = |v: &Value| v.as_str().map_or_else(|| "0".to_owned(), str::to_owned);
    let hard = o["status"]["hard"].as_object().into_iter().flatten();
    let parts: Vec<String> = hard
        .filter(|(name, _)| name.starts_with("limits") == limits)
        .map(|(name, hard)| format!("{name}: {}/{}", text(&o["status"]["used"][name]), text(hard)))
        .collect();
    parts.join(", ")
}

fn autoscaler(o: &Value, age: Value) -> Vec<Value> {
    let spec = &o["spec"];
    let string = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let metric = list(&spec["metrics"]).first();
    let percent = spec["targetCPUUtilizationPercentage"].as_u64();
    let targets = match (percent, metric) {
        (Some(percent), _) => format!("<unknown>/{percent}%"),
        (None, Some(metric)) => match metric["resource"]["target"]["averageUtilization"].as_u64() {
            Some(percent) => format!("{}: <unknown>/{percent}%", string(&metric["resource"]["name"])),
            None => "<unknown>".to_owned(),
        },
        (None, None) => "<none>".to_owned(),
    };
    let reference = &spec["scaleTargetRef"];
    vec![
        o["metadata"]["name"].clone(),
        format!("{}/{}", string(&reference["kind"]), string(&reference["name"])).into(),
        targets.into(),
        spec["minReplicas"].as_u64().map_or_else(|| "<unset>".to_owned(), |n| n.to_string()).into(),
        spec["maxReplicas"].as_u64().unwrap_or(0).to_string().into(),
        o["status"]["currentReplicas"].as_u64().unwrap_or(0).to_string().into(),
        age,
    ]
}

fn ingress(o: &Value, age: Value) -> Vec<Value> {
    let rules = list(&o["spec"]["rules"]);
    let hosts: Vec<&str> =
        rules.iter().filter_map(|r| r["host"].as_str()).filter(|h| !h.is_empty()).collect();
    let addresses: Vec<&str> = list(&o["status"]["loadBalancer"]["ingress"])
        .iter()
        .filter_map(|i| i["ip"].as_str().or(i["hostname"].as_str()))
        .collect();
    let class = o["spec"]["ingressClassName"]
        .as_str()
        .or(o["metadata"]["annotations"]["kubernetes.io/ingress.class"].as_str())
        .unwrap_or("<none>");
    vec![
        o["metadata"]["name"].clone(),
        class.into(),
        if hosts.is_empty() { "*".into() } else { hosts.join(",").into() },
        addresses.join(",").into(),
        if list(&o["spec"]["tls"]).is_empty() { "80".into() } else { "80, 443".into() },
        age,
    ]
}
