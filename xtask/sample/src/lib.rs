//! Pods like those that an API server sends, for tests and benchmarks: always the same for the same number.

use serde_json::{Value, json};

/// The `n`th pod: some 10 KB of JSON, a third of it `managedFields`, with the last applied configuration among
/// its annotations.
pub fn pod(n: u64) -> Value {
    let app = ["web", "queue", "billing", "search", "mail"][(n % 5) as usize];
    let name = format!("{app}-{:010x}-{:05x}", mix(n) & 0xff_ffff_ffff, mix(n + 7) & 0xf_ffff);
    let namespace = format!("team-{:02}", n % 20);
    let containers: Vec<Value> = ["server", "proxy", "log-shipper"].iter().map(|c| container(c, n)).collect();
    let applied = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "annotations": {}},
        "spec": {"containers": [{"name": "server", "image": format!("registry.example.com/{app}:{}", n % 90)}]}});
    let labels = json!({"app.kubernetes.io/name": app, "app.kubernetes.io/instance": format!("{app}-{}", n % 40),
        "app.kubernetes.io/part-of": "shop", "pod-template-hash": format!("{:010x}", mix(n) & 0xff_ffff_ffff),
        "tier": if n.is_multiple_of(2) { "front" } else { "back" }});
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": format!("{applied}\n"),
                "prometheus.io/scrape": "true", "prometheus.io/port": "9090",
                "example.com/owner": format!("größte Teams, №{} ✓", n % 20),
            },
            "creationTimestamp": format!("2026-11-{:02}T{:02}:{:02}:00Z", n % 28 + 1, n % 24, n % 60),
            "generateName": format!("{app}-"),
            "generation": n % 9 + 1,
            "labels": labels,
            "managedFields": managed_fields(n),
            "name": name,
            "namespace": namespace,
            "ownerReferences": [{"apiVersion": "apps/v1", "blockOwnerDeletion": true, "controller": true,
                "kind": "ReplicaSet", "name": format!("{app}-{:010x}", mix(n)), "uid": uid(n + 1)}],
            "resourceVersion": (1_000_000 + n).to_string(),
            "uid": uid(n),
        },
        "spec": {
            "containers": containers,
            "dnsPolicy": "ClusterFirst",
            "enableServiceLinks": true,
            "nodeName": format!("node-{:03}.example.internal", mix(n) % 200),
            "preemptionPolicy": "PreemptLowerPriority",
            "priority": 0,
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {"fsGroup": 2000, "runAsNonRoot": true},
            "serviceAccountName": app,
            "terminationGracePeriodSeconds": 30,
            "tolerations": [
                {"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 300},
                {"effect": "NoExecute", "key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 300}],
            "volumes": [
                {"emptyDir": {}, "name": "scratch"},
                {"configMap": {"defaultMode": 420, "name": format!("{app}-config")}, "name": "config"},
                {"name": "kube-api-access", "projected": {"defaultMode": 420, "sources": [
                    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                    {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}}]}}],
        },
        "status": status(n),
    })
}

/// A list of the first `count` pods, as a server writes it.
pub fn pod_list(count: u64) -> String {
    let items: Vec<String> = (0..count).map(|n| pod(n).to_string()).collect();
    format!(
        r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"4711"}},"items":[{}]}}"#,
        items.join(",")
    ) + "\n"
}

fn container(name: &str, n: u64) -> Value {
    json!({
        "args": ["--listen=:8080", format!("--shard={}", n % 16), "--log-format=json"],
        "env": [
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
            {"name": "GOMAXPROCS", "value": "4"},
            {"name": "GREETING", "value": "say \"hello\"\n\tto C:\\path"},
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"key": "password", "name": "database"}}}],
        "image": format!("registry.example.com/team/{name}:v1.{}.{}", n % 30, n % 7),
        "imagePullPolicy": "IfNotPresent",
        "livenessProbe": {"failureThreshold": 3, "httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"},
            "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1},
        "name": name,
        "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
        "readinessProbe": {"failureThreshold": 3, "httpGet": {"path": "/ready", "port": 8080, "scheme": "HTTP"},
            "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1},
        "resources": {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "250m", "memory": "256Mi"}},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [
            {"mountPath": "/scratch", "name": "scratch"},
            {"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": "kube-api-access", "readOnly": true}],
    })
}

fn managed_fields(n: u64) -> Value {
    let container = json!({".": {}, "f:args": {}, "f:image": {}, "f:imagePullPolicy": {}, "f:name": {},
        "f:env": {".": {}, "k:{\"name\":\"POD_NAME\"}": {".": {}, "f:name": {}, "f:valueFrom": {".": {}, "f:fieldRef": {}}},
            "k:{\"name\":\"GOMAXPROCS\"}": {".": {}, "f:name": {}, "f:value": {}}},
        "f:livenessProbe": {".": {}, "f:failureThreshold": {}, "f:httpGet": {".": {}, "f:path": {}, "f:port": {}, "f:scheme": {}}},
        "f:ports": {".": {}, "k:{\"containerPort\":8080,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}, "f:name": {}, "f:protocol": {}}},
        "f:resources": {".": {}, "f:limits": {".": {}, "f:cpu": {}, "f:memory": {}}, "f:requests": {".": {}, "f:cpu": {}, "f:memory": {}}},
        "f:terminationMessagePath": {}, "f:terminationMessagePolicy": {},
        "f:volumeMounts": {".": {}, "k:{\"mountPath\":\"/scratch\"}": {".": {}, "f:mountPath": {}, "f:name": {}}}});
    let condition =
        json!({".": {}, "f:lastProbeTime": {}, "f:lastTransitionTime": {}, "f:status": {}, "f:type": {}});
    json!([
        {"apiVersion": "v1", "fieldsType": "FieldsV1", "manager": "kube-controller-manager", "operation": "Update",
            "time": format!("2026-11-{:02}T10:00:00Z", n % 28 + 1),
            "fieldsV1": {
                "f:metadata": {"f:annotations": {".": {}, "f:prometheus.io/scrape": {}, "f:prometheus.io/port": {}},
                    "f:generateName": {}, "f:labels": {".": {}, "f:app.kubernetes.io/name": {}, "f:tier": {}},
                    "f:ownerReferences": {".": {}, format!("k:{{\"uid\":\"{}\"}}", uid(n + 1)): {}}},
                "f:spec": {"f:containers": {"k:{\"name\":\"server\"}": container, "k:{\"name\":\"proxy\"}": container,
                        "k:{\"name\":\"log-shipper\"}": container},
                    "f:dnsPolicy": {}, "f:restartPolicy": {}, "f:schedulerName": {}, "f:volumes": {".": {},
                        "k:{\"name\":\"scratch\"}": {".": {}, "f:emptyDir": {}, "f:name": {}}}}}},
        {"apiVersion": "v1", "fieldsType": "FieldsV1", "manager": "kubelet", "operation": "Update",
            "subresource": "status", "time": format!("2026-11-{:02}T10:01:00Z", n % 28 + 1),
            "fieldsV1": {"f:status": {"f:conditions": {
                "k:{\"type\":\"Ready\"}": condition, "k:{\"type\":\"Initialized\"}": condition,
                "k:{\"type\":\"ContainersReady\"}": condition},
                "f:containerStatuses": {}, "f:hostIP": {}, "f:phase": {}, "f:podIP": {}, "f:startTime": {}}}}])
}

fn status(n: u64) -> Value {
    let time = format!("2026-11-{:02}T10:01:00Z", n % 28 + 1);
    let conditions: Vec<Value> = ["Initialized", "Ready", "ContainersReady", "PodScheduled"]
        .iter()
        .map(
            |kind| json!({"lastProbeTime": null, "lastTransitionTime": time, "status": "True", "type": kind}),
        )
        .collect();
    let statuses: Vec<Value> = ["server", "proxy", "log-shipper"]
        .iter()
        .map(|name| {
            json!({"containerID": format!("containerd://{:016x}{:016x}{:016x}", mix(n), mix(n + 1), mix(n + 2)),
                "image": format!("registry.example.com/team/{name}:v1.{}.{}", n % 30, n % 7),
                "imageID": format!("registry.example.com/team/{name}@sha256:{:016x}{:016x}", mix(n + 3), mix(n + 4)),
                "lastState": {}, "name": name, "ready": !n.is_multiple_of(11), "restartCount": n % 3, "started": true,
                "state": {"running": {"startedAt": time}}})
        })
        .collect();
    let phase = ["Running", "Running", "Running", "Pending", "Succeeded"][(n % 5) as usize];
    json!({"conditions": conditions, "containerStatuses": statuses, "hostIP": format!("10.0.{}.{}", n % 200, n % 250),
        "phase": phase,
        "podIP": format!("10.1.{}.{}", n % 200, n % 250), "qosClass": "Burstable", "startTime": time})
}

fn uid(n: u64) -> String {
    let (a, b) = (mix(n), mix(n ^ 0x55aa));
    format!("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff, b & 0xfff, b >> 16)
}

/// Spreads the bits of a number (the finisher of SplitMix64).
fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
