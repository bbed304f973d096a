//! Objects in protobuf, as Go clients send them: the four bytes `k8s\0`, then a wrapper, then the object.

mod read;
mod write;

pub(in crate::fake) use read::decode;
pub(in crate::fake) use write::{encode, encode_list, encode_status, watch_frame};

const MAGIC: &[u8] = b"k8s\0";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::write::wrap;
    use super::{decode, encode};

    #[test]
    fn what_is_written_is_read_again() {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "a", "labels": {"x": "y", "e": ""}, "creationTimestamp": "2026-01-02T03:04:05Z", "generation": -1},
            "spec": {
                "volumes": [{"name": "v", "configMap": {"name": "c", "defaultMode": 420}}],
                "containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}],
                    "env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": false}}}],
                    "resources": {"limits": {"cpu": "100m"}},
                    "livenessProbe": {"httpGet": {"port": "http", "path": "/"}, "periodSeconds": 3}}],
                "hostNetwork": true,
            },
        });
        let bytes = encode("v1", "Pod", &pod).unwrap();
        assert_eq!(&bytes[..4], b"k8s\0");
        assert_eq!(decode(&bytes).unwrap(), pod);
        let secret =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "AAEC"}});
        assert_eq!(decode(&encode("v1", "Secret", &secret).unwrap()).unwrap(), secret);
    }

    #[test]
    fn cut_and_foreign_bytes_are_errors() {
        let whole = encode("v1", "Pod", &json!({"metadata": {"name": "abc", "labels": {"a": "b"}}})).unwrap();
        for end in 0..whole.len() {
            // A cut between two fields of the wrapper can't be told from a short object.
            let _ = decode(&whole[..end]);
        }
        assert!(decode(b"{}").is_err());
        assert!(decode(&wrap("v9", "Pod", b"")).is_err());
        assert!(decode(&wrap("v1", "Pod", b"\x0a\xff")).is_err());
        assert!(decode(&wrap("v1", "Pod", b"\x0b")).is_err());
        assert!(encode("v1", "Widget", &json!({})).is_none());
    }
}
