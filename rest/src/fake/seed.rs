//! What stands in a fresh server: namespaces, a node, and believable pods.

use std::time::Duration;

use serde_json::{Value, json};

use super::clock::stamp;
use super::state::State;
use super::store::Write;

pub(super) fn plant(state: &State, pods: usize) {
    let now = state.clock.now();
    let ago = |seconds: u64| stamp(now.saturating_sub(Duration::from_secs(seconds)).unwrap_or(now));
    let day = 86_400;
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        let namespace = json!({
            "metadata": {"name": name, "creationTimestamp": ago(3 * day), "labels": {"kubernetes.io/metadata.name": name}},
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}});
        put(state, "/namespaces", "", namespace);
    }
    if pods == 0 {
        return;
    }
    put(state, "/nodes", "", node(&ago(3 * day)));
    for n in 0..pods {
        let age = [40, 3_700, 93_000, 260_000, 7_200][n % 5] + n as u64;
        let sample = &SAMPLES[n % SAMPLES.len()];
        put(
            state,
            "/pods",
            sample.namespace,
            sample.pod(state, n, &ago(age), &ago(age.saturating_sub(4)), &ago(age / 2)),
        );
    }
}

fn put(state: &State, resource: &str, namespace: &str, mut object: Value) {
    object["metadata"]["uid"] = state.random.uid().into();
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let written = state.store.write(resource, &(namespace.to_owned(), name), |_| Ok(Write::Put(object)));
    debug_assert!(written.is_ok(), "the writer above never refuses");
}

struct Sample {
    namespace: &'static str,
    app: &'static str,
    image: &'static str,
    sidecar: Option<&'static str>,
    restarts: u64,
    /// Why the container is not running, if it isn't.
    waiting: Option<&'static str>,
}

const SAMPLES: [Sample; 5] = [
    Sample {
        namespace: "default",
        app: "web",
        image: "nginx:1.27",
        sidecar: None,
        restarts: 0,
        waiting: None,
    },
    Sample {
        namespace: "default",
        app: "api",
        image: "ghcr.io/example/api:2.4.1",
        sidecar: Some("envoyproxy/envoy:v1.31.0"),
        restarts: 1,
        waiting: None,
    },
    Sample {
        namespace: "kube-system",
        app: "coredns",
        image: "registry.k8s.io/coredns/coredns:v1.11.3",
        sidecar: None,
        restarts: 0,
        waiting: None,
    },
    Sample {
        namespace: "default",
        app: "worker",
        image: "ghcr.io/example/worker:0.9.0",
        sidecar: None,
        restarts: 17,
        waiting: Some("CrashLoopBackOff"),
    },
    Sample {
        namespace: "default",
        app: "batch",
        image: "ghcr.io/example/batch:missing",
        sidecar: None,
        restarts: 0,
        waiting: Some("ImagePullBackOff"),
    },
];

impl Sample {
    fn pod(&self, state: &State, n: usize, created: &str, started: &str, restarted: &str) -> Value {
        let name = format!(
            "{}-{:x}-{}",
            self.app,
            0x5d4f_8c7b_u64 + (n % SAMPLES.len()) as u64,
            state.random.suffix()
        );
        let mut containers = vec![container(self.app, self.image)];
        let mut statuses = vec![self.status(self.app, self.image, started, restarted)];
        if let Some(image) = self.sidecar {
            containers.push(container("proxy", image));
            statuses.push(json!({"name": "proxy", "image": image, "imageID": "", "ready": true, "started": true, "restartCount": 0,
                "state": {"running": {"startedAt": started}}, "lastState": {}}));
        }
        let ready = if self.waiting.is_none() { "True" } else { "False" };
        let never_ran = self.waiting == Some("ImagePullBackOff");
        let condition = |kind: &str, status: &str| json!({"type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": started});
        let ip = format!("10.244.0.{}", n % 250 + 2);
        json!({
            "metadata": {"name": name, "namespace": self.namespace, "creationTimestamp": created, "labels": {"app": self.app}},
            "spec": {"containers": containers, "nodeName": "node-1", "restartPolicy": "Always", "dnsPolicy": "ClusterFirst",
                "serviceAccountName": "default", "terminationGracePeriodSeconds": 30, "schedulerName": "default-scheduler",
                "securityContext": {}, "enableServiceLinks": true, "priority": 0},
            "status": {"phase": if never_ran { "Pending" } else { "Running" }, "qosClass": "BestEffort", "startTime": created,
                "hostIP": "192.168.1.10", "podIP": ip, "podIPs": [{"ip": ip}],
                "conditions": [condition("Initialized", "True"), condition("Ready", ready), condition("ContainersReady", ready), condition("PodScheduled", "True")],
                "containerStatuses": statuses},
        })
    }

    fn status(&self, name: &str, image: &str, started: &str, restarted: &str) -> Value {
        let state = match self.waiting {
            Some(reason) => json!({"waiting": {"reason": reason}}),
            None => json!({"running": {"startedAt": if self.restarts > 0 { restarted } else { started }}}),
        };
        let last = if self.restarts > 0 {
            json!({"terminated": {"exitCode": 1, "reason": "Error", "startedAt": started, "finishedAt": restarted}})
        } else {
            json!({})
        };
        json!({"name": name, "image": image, "imageID": "", "ready": self.waiting.is_none(), "started": self.waiting.is_none(),
            "restartCount": self.restarts, "state": state, "lastState": last})
    }
}

fn container(name: &str, image: &str) -> Value {
    json!({"name": name, "image": image, "resources": {}, "imagePullPolicy": "IfNotPresent",
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"})
}

fn node(created: &str) -> Value {
    json!({
        "metadata": {"name": "node-1", "creationTimestamp": created, "labels": {"kubernetes.io/hostname": "node-1", "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64", "node-role.kubernetes.io/worker": ""}},
        "spec": {"podCIDR": "10.244.0.0/24"},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.168.1.10"}, {"type": "Hostname", "address": "node-1"}],
            "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}, "capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "", "lastHeartbeatTime": created, "lastTransitionTime": created}],
            "nodeInfo": {"architecture": "amd64", "bootID": "", "containerRuntimeVersion": "containerd://2.0.0", "kernelVersion": "6.1.0",
                "kubeProxyVersion": "", "kubeletVersion": "v1.34.0", "machineID": "", "operatingSystem": "linux", "osImage": "Linux", "systemUUID": ""}},
    })
}
