//! `watch_pods` on the embedded API server and on one that makes no changes by itself.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use kubewire_rest::fake::ApiServer;
use serde_json::json;

use crate::program::{command, run};

#[tokio::test]
async fn on_the_embedded_server_pods_come_run_and_go() {
    let ran = run("watch_pods", &["--count", "4"]).await;
    let lines = ran.lines();
    assert!(lines[0].contains("pods at version"), "{lines:?}");
    let words: Vec<Vec<&str>> = lines[1..].iter().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["ADDED", "default/visitor-1", "Pending"]);
    assert_eq!(words[1], ["MODIFIED", "default/visitor-1", "Running"]);
    assert_eq!(words[2], ["DELETED", "default/visitor-1", "Running"]);
    assert_eq!(words[3][..2], ["ADDED", "default/visitor-2"]);
    assert_eq!(words.len(), 4);
}

#[tokio::test]
async fn a_reader_that_goes_ends_them_quietly() {
    for name in
        ["watch_pods", "list_watch", "pod_cache", "discovery", "raw_paths", "list_pods", "stream_pods"]
    {
        let home = tempfile::tempdir().unwrap();
        let mut command = command(name, &[], home.path());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ended = tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert!(ended.status.success() && stderr.lines().count() == 1, "{name}: {stderr}");
    }
}

#[tokio::test]
async fn on_a_server_somebody_else_changes() {
    let server = ApiServer::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    fs::write(&path, server.kubeconfig()).unwrap();
    let objects = server.objects();
    let changes = tokio::spawn(async move {
        for number in 0.. {
            let name = format!("pod-{number}");
            let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "far"},
                "spec": {"containers": [{"name": "main", "image": "i"}]}});
            objects.put(pod).unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let ran = run("watch_pods", &["--kubeconfig", path.to_str().unwrap(), "-A", "--count", "3"]).await;
    changes.abort();
    let lines = ran.lines();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(
        lines[1..].iter().all(|line| line.starts_with("ADDED") && line.contains("far/pod-")),
        "{lines:?}"
    );
}
