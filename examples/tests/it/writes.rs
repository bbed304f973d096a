//! `create_configmap`, `apply` and `raw_paths`, on the embedded API server and, where there is one, on a real one.

use crate::program::{Ran, run};

/// Runs the example on the embedded server and on the real one.
async fn on_both(name: &str, args: &[&str]) -> Vec<Ran> {
    let mut runs = vec![run(name, args).await];
    if let Some(server) = kubewire_envtest::server() {
        let kubeconfig = server.kubeconfig();
        let args = [&["--kubeconfig", kubeconfig.to_str().unwrap()], args].concat();
        runs.push(run(name, &args).await);
    }
    runs
}

#[tokio::test]
async fn create_configmap() {
    for ran in on_both("create_configmap", &["--name", "example-created", "colour=blue"]).await {
        let lines = ran.lines();
        assert!(lines[0].starts_with("configmap/example-created created, version "), "{lines:?}");
        assert_eq!(lines[1..], [r#"data: {"colour":"blue"}"#, "configmap/example-created deleted"]);
    }
    let ran = run("create_configmap", &["no-pair"]).await;
    assert!(!ran.success && ran.stderr.contains("KEY=VALUE"), "{}", ran.stderr);
}

#[tokio::test]
async fn apply() {
    for ran in on_both("apply", &["--name", "example-applied"]).await {
        let lines = ran.lines();
        assert_eq!(lines[0], r#"alice created {"colour":"red","size":"3"}"#);
        assert!(lines[1].starts_with("bob is refused: PATCH /api/v1/"), "{lines:?}");
        assert!(lines[1].contains(".data.colour"), "{lines:?}");
        assert_eq!(lines[2], r#"bob takes the field over: {"colour":"blue","size":"3"}"#);
    }
}

#[tokio::test]
async fn raw_paths() {
    for ran in on_both("raw_paths", &["/healthz", "/api/v1/namespaces?limit=1"]).await {
        let lines = ran.lines();
        assert_eq!(lines[..3], ["GET /healthz", "ok", "GET /api/v1/namespaces?limit=1"]);
        assert!(lines[3].contains(r#""kind":"NamespaceList""#), "{lines:?}");
    }
}
