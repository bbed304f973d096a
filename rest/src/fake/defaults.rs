//! What the server fills in where the client says nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::kinds::Resource;
use super::state::State;

pub(super) fn set_defaults(state: &State, resource: &Resource, object: &mut Value) {
    match (&*resource.group, &*resource.plural) {
        ("", "namespaces") => {
            default(&mut object["spec"]["finalizers"], json!(["kubernetes"]));
            default(&mut object["status"]["phase"], json!("Active"));
        }
        ("", "pods") => pod(object),
        ("", "services") => service(state, object),
        ("", "secrets") => {
            default(&mut object["type"], json!("Opaque"));
            encode_string_data(object);
        }
        ("", "persistentvolumeclaims") => {
            fill(&mut object["spec"], json!({"volumeMode": "Filesystem"}));
            fill(&mut object["status"], json!({"phase": "Pending"}));
        }
        ("", "persistentvolumes") => {
            fill(
                &mut object["spec"],
                json!({"volumeMode": "Filesystem", "persistentVolumeReclaimPolicy": "Retain"}),
            );
            fill(&mut object["status"], json!({"phase": "Pending"}));
        }
        ("policy", "poddisruptionbudgets") => {
            let status =
                json!({"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0});
            fill(&mut object["status"], status);
        }
        ("autoscaling", "horizontalpodautoscalers") => {
            let target = if object["apiVersion"] == "autoscaling/v1" {
                json!({"minReplicas": 1, "targetCPUUtilizationPercentage": 80})
            } else {
                json!({"minReplicas": 1, "metrics": [{"type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]})
            };
            fill(&mut object["spec"], target);
            fill(&mut object["status"], json!({"currentReplicas": 0, "desiredReplicas": 0}));
        }
        ("", "resourcequotas") => fill(&mut object["status"], json!({})),
        ("", "replicationcontrollers") => {
            workload(object, json!({"replicas": 1}), json!({"replicas": 0}));
        }
        ("apps", "deployments") => {
            let rolling = json!({"maxSurge": "25%", "maxUnavailable": "25%"});
            let defaults = json!({"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
                "strategy": {"type": "RollingUpdate"}});
            workload(object, defaults, json!({}));
            if object["spec"]["strategy"]["type"] == "RollingUpdate" {
                fill(&mut object["spec"]["strategy"]["rollingUpdate"], rolling);
            }
        }
        ("apps", "replicasets") => workload(object, json!({"replicas": 1}), json!({"replicas": 0})),
        ("apps", "statefulsets") => {
            let defaults = json!({"replicas": 1, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady",
                "updateStrategy": {"type": "RollingUpdate"}});
            workload(object, defaults, json!({"replicas": 0}));
            if object["spec"]["updateStrategy"]["type"] == "RollingUpdate" {
                fill(&mut object["spec"]["updateStrategy"]["rollingUpdate"], json!({"partition": 0}));
            }
        }
        ("apps", "daemonsets") => {
            let defaults = json!({"revisionHistoryLimit": 10, "updateStrategy": {"type": "RollingUpdate"}});
            let status = json!({"currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0});
            workload(object, defaults, status);
            if object["spec"]["updateStrategy"]["type"] == "RollingUpdate" {
                fill(&mut object["spec"]["updateStrategy"]["rollingUpdate"], json!({"maxUnavailable": 1}));
            }
        }
        ("batch", "jobs") => job(object),
        ("batch", "cronjobs") => {
            let defaults = json!({"concurrencyPolicy": "Allow", "suspend": false, "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1});
            fill(&mut object["spec"], defaults);
            template(&mut object["spec"]["jobTemplate"]["spec"]["template"]);
            fill(&mut object["status"], json!({}));
        }
        ("networking.k8s.io", "ingresses") => fill(&mut object["status"], json!({"loadBalancer": {}})),
        ("networking.k8s.io", "networkpolicies") => {
            let egress = object["spec"].get("egress").is_some();
            let types = if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
            fill(&mut object["spec"], json!({"policyTypes": types}));
        }
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => {
            default(&mut object["roleRef"]["apiGroup"], json!("rbac.authorization.k8s.io"));
            for subject in object["subjects"].as_array_mut().into_iter().flatten() {
                if subject["kind"] != "ServiceAccount" {
                    default(&mut subject["apiGroup"], json!("rbac.authorization.k8s.io"));
                }
            }
        }
        ("storage.k8s.io", "storageclasses") => {
            fill(object, json!({"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}));
        }
        ("apiextensions.k8s.io", "customresourcedefinitions") => definition(state, object),
        _ => {}
    }
}

fn default(place: &mut Value, value: Value) {
    if place.is_null() {
        *place = value;
    }
}

/// Sets those of `defaults` that are not there.
fn fill(place: &mut Value, defaults: Value) {
    if place.is_null() {
        *place = Value::Object(Map::new());
    }
    if let (Some(map), Value::Object(defaults)) = (place.as_object_mut(), defaults) {
        for (key, value) in defaults {
            let place = map.entry(key).or_insert(Value::Null);
            match (&place, value.is_object()) {
                (Value::Object(_), true) => fill(place, value),
                (Value::Null, _) => *place = value,
                _ => {}
            }
        }
    }
}

fn encode_string_data(secret: &mut Value) {
    let Some(Value::Object(plain)) = secret.as_object_mut().and_then(|o| o.remove("stringData")) else {
        return;
    };
    for (key, value) in plain {
        secret["data"][key] = STANDARD.encode(value.as_str().unwrap_or_default()).into();
    }
}

fn workload(object: &mut Value, spec: Value, status: Value) {
    fill(&mut object["spec"], spec);
    template(&mut object["spec"]["template"]);
    fill(&mut object["status"], status);
}

fn template(template: &mut Value) {
    if template.is_object() {
        default(&mut template["metadata"], json!({}));
        pod_spec(&mut template["spec"]);
    }
}

fn pod(object: &mut Value) {
    pod_spec(&mut object["spec"]);
    let lasts = |key: &str| json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
    let spec = json!({
        "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority", "priority": 0,
        "tolerations": [lasts("node.kubernetes.io/not-ready"), lasts("node.kubernetes.io/unreachable")],
    });
    fill(&mut object["spec"], spec);
    let class = quality_of_service(&object["spec"]);
    fill(&mut object["status"], json!({"phase": "Pending", "qosClass": class}));
}

fn quality_of_service(spec: &Value) -> &'static str {
    let containers = spec["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let set = |c: &Value, kind: &str| c["resources"][kind].as_object().is_some_and(|r| !r.is_empty());
    if containers.iter().all(|c| !set(c, "limits") && !set(c, "requests")) {
        return "BestEffort";
    }
    let guaranteed = containers.iter().all(|c| {
        let (limits, requests) = (&c["resources"]["limits"], &c["resources"]["requests"]);
        ["cpu", "memory"].iter().all(|r| limits.get(r).is_some() && limits.get(r) == requests.get(r))
    });
    if guaranteed { "Guaranteed" } else { "Burstable" }
}

fn pod_spec(spec: &mut Value) {
    if !spec.is_object() {
        return;
    }
    fill(
        spec,
        json!({
            "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
            "securityContext": {}, "terminationGracePeriodSeconds": 30,
        }),
    );
    if let Some(account) = spec["serviceAccountName"].as_str().map(str::to_owned) {
        default(&mut spec["serviceAccount"], account.into());
    }
    for kind in ["containers", "initContainers"] {
        for container in spec.get_mut(kind).and_then(Value::as_array_mut).into_iter().flatten() {
            if container.is_object() {
                container_defaults(container);
            }
        }
    }
    for volume in spec.get_mut("volumes").and_then(Value::as_array_mut).into_iter().flatten() {
        for kind in ["configMap", "secret", "projected", "downwardAPI"] {
            if volume.get(kind).is_some() {
                fill(&mut volume[kind], json!({"defaultMode": 420}));
            }
        }
        if volume.get("hostPath").is_some() {
            fill(&mut volume["hostPath"], json!({"type": ""}));
        }
    }
}

fn container_defaults(container: &mut Value) {
    let image = container["image"].as_str().unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    let latest = !image.contains('@') && (!name.contains(':') || name.ends_with(":latest"));
    fill(
        container,
        json!({
            "imagePullPolicy": if latest { "Always" } else { "IfNotPresent" }, "resources": {},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        }),
    );
    if let Value::Object(limits) = container["resources"]["limits"].clone() {
        fill(&mut container["resources"]["requests"], Value::Object(limits));
    }
    if let Some(resources) = container["resources"].as_object_mut() {
        resources.retain(|_, v| !v.is_null());
    }
    for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        default(&mut port["protocol"], json!("TCP"));
    }
    for variable in container.get_mut("env").and_then(Value::as_array_mut).into_iter().flatten() {
        if variable["valueFrom"]["fieldRef"].is_object() {
            default(&mut variable["valueFrom"]["fieldRef"]["apiVersion"], json!("v1"));
        } else if variable["valueFrom"].is_null()
            && let Some(map) = variable.as_object_mut()
        {
            map.remove("valueFrom");
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.get_mut(probe).filter(|p| p.is_object()) else { continue };
        fill(
            probe,
            json!({"failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1}),
        );
        if probe.get("httpGet").is_some() {
            fill(&mut probe["httpGet"], json!({"path": "/", "scheme": "HTTP"}));
        }
    }
}

fn job(object: &mut Value) {
    let uid = object["metadata"]["uid"].clone();
    let name = object["metadata"]["name"].clone();
    workload(object, json!({"backoffLimit": 6, "completions": 1, "parallelism": 1}), json!({}));
    if object["spec"]["manualSelector"] != true && object["spec"]["selector"].is_null() {
        object["spec"]["selector"] = json!({"matchLabels": {"controller-uid": uid}});
        fill(
            &mut object["spec"]["template"]["metadata"]["labels"],
            json!({"controller-uid": uid, "job-name": name}),
        );
    }
}

fn service(state: &State, object: &mut Value) {
    fill(&mut object["spec"], json!({"type": "ClusterIP", "sessionAffinity": "None"}));
    let spec = &mut object["spec"];
    let exposed = matches!(spec["type"].as_str(), Some("NodePort" | "LoadBalancer"));
    if spec["type"] != "ExternalName" {
        let address = format!("10.0.{}.{}", state.random.below(256), 1 + state.random.below(254));
        default(&mut spec["clusterIP"], address.into());
        let address = spec["clusterIP"].clone();
        default(&mut spec["clusterIPs"], json!([address]));
    }
    if exposed {
        default(&mut spec["externalTrafficPolicy"], json!("Cluster"));
    }
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        default(&mut port["protocol"], json!("TCP"));
        let number = port["port"].clone();
        if port["targetPort"].is_null() || port["targetPort"] == 0 {
            port["targetPort"] = number;
        }
        if exposed && port["nodePort"].as_u64().unwrap_or(0) == 0 {
            port["nodePort"] = (30_000 + state.random.below(2768)).into();
        }
    }
    fill(&mut object["status"], json!({"loadBalancer": {}}));
}

/// A definition is served at once: its conditions say so.
fn definition(state: &State, object: &mut Value) {
    let names = &mut object["spec"]["names"];
    let kind = names["kind"].as_str().unwrap_or_default().to_owned();
    fill(names, json!({"singular": kind.to_lowercase(), "listKind": format!("{kind}List")}));
    fill(&mut object["spec"], json!({"conversion": {"strategy": "None"}}));
    let names = object["spec"]["names"].clone();
    let versions = object["spec"]["versions"].as_array().cloned().unwrap_or_default();
    let stored: Vec<&Value> = versions.iter().filter(|v| v["storage"] == true).map(|v| &v["name"]).collect();
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": state.clock.stamp()});
    let conditions = json!([
        condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ]);
    fill(
        &mut object["status"],
        json!({"acceptedNames": names, "storedVersions": stored, "conditions": conditions}),
    );
}
