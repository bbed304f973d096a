//! Many pods in protobuf say what they say in JSON.

use kubewire_rest::{Config, List, Protobuf};
use serde_json::{Value, json};

use super::scale::Many;
use crate::protobuf::fields::Fields;

/// The spec of a pod with a field of every kind.
fn spec() -> Value {
    json!({
        "automountServiceAccountToken": false,
        "nodeSelector": {"disk": "ssd", "empty": ""},
        "securityContext": {"runAsUser": 0, "runAsNonRoot": false, "supplementalGroups": [0, 2_147_483_647]},
        "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": -1}],
        "volumes": [
            {"name": "map", "configMap": {"name": "c", "optional": false, "items": [{"key": "k", "path": "p", "mode": 0}]}},
            {"name": "dir", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "plain", "emptyDir": {}},
        ],
        "containers": [{
            "name": "main", "image": "example.com/none", "command": ["sh", "", "a \"quoted\"\n\ttext €😀"],
            "ports": [{"name": "http", "containerPort": 80}],
            "env": [
                {"name": "PLAIN", "value": "<&>\u{2028}"},
                {"name": "OWN", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "KEY", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k", "optional": true}}},
            ],
            "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "100m", "memory": "1Gi"}},
            "volumeMounts": [{"name": "map", "mountPath": "/map", "readOnly": true}],
            "livenessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 3},
            "readinessProbe": {"tcpSocket": {"port": 80}},
            "securityContext": {"privileged": false},
        }, {"name": "bare", "image": "example.com/none"}],
    })
}

/// Reads one version of many pods in both forms, and compares every field.
async fn both_agree(config: &Config) {
    let many = Many::pods(config, &spec());
    many.create_all().await;
    let json: List<Value> = many.all().list().await.unwrap();
    let request = many.all().param("resourceVersion", &json.metadata.resource_version);
    let request = request.param("resourceVersionMatch", "Exact");
    let protobuf: List<Protobuf<Fields>> = request.list().await.unwrap();
    assert_eq!(protobuf.metadata, json.metadata);
    assert_eq!((protobuf.items.len(), json.items.len()), (many.count, many.count));
    for (message, mut pod) in protobuf.items.iter().zip(json.items) {
        // Protobuf has them in the list's wrapper alone.
        for name in ["apiVersion", "kind"] {
            pod.as_object_mut().unwrap().remove(name);
        }
        assert_eq!(message.as_pod(), pod);
    }
    eprintln!("{} pods in both forms", many.count);
    many.delete_all().await;
}

#[cfg(feature = "fake")]
#[tokio::test]
async fn both_agree_on_the_embedded_server() {
    let server = kubewire_rest::fake::ApiServer::start().await.unwrap();
    both_agree(&server.config()).await;
}

#[tokio::test]
async fn both_agree_on_the_real_server() {
    let Some(server) = kubewire_envtest::server() else { return };
    both_agree(&Config::from_kubeconfig(server.kubeconfig()).unwrap()).await;
}
