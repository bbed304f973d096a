//! `pod_cache` on the embedded API server, and on a real one where there is one.

use crate::program::run;

#[tokio::test]
async fn on_the_embedded_server_it_counts_and_follows() {
    let ran = run("pod_cache", &["--count", "3"]).await;
    let lines = ran.lines();
    assert!(lines[0].contains(" pods in ") && lines[0].contains(" Running"), "{lines:?}");
    let words: Vec<Vec<&str>> = lines[1..4].iter().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["ADDED", "default/visitor-1", "Pending", "1", "container"]);
    assert_eq!(words[1][..3], ["UPDATED", "default/visitor-1", "Running"]);
    assert_eq!(words[2][..2], ["REMOVED", "default/visitor-1"]);
    assert_eq!(lines.len(), 5);
}

#[tokio::test]
async fn on_a_real_server_it_counts() {
    let Some(server) = kubewire_envtest::server() else { return };
    let kubeconfig = server.kubeconfig();
    let args = ["--kubeconfig", kubeconfig.to_str().unwrap(), "-A", "--count", "0"];
    let ran = run("pod_cache", &args).await;
    let lines = ran.lines();
    assert!(lines.len() == 2 && lines.iter().all(|line| line.contains(" pods in ")), "{lines:?}");
}
