//! `list_pods` on the embedded API server and, where there is one, on a real one.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kubewire_config::Config;
use kubewire_rest::fake::ApiServer;
use kubewire_rest::{GroupVersion, RestClient};
use serde_json::json;
use tokio::task::JoinSet;

use crate::program::run;

const HEADER: [&str; 6] = ["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"];

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// A kubeconfig in a file of its own.
fn file(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("config");
    fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn without_a_cluster_it_says_so_and_shows_made_up_pods() {
    let ran = run("list_pods", &["-A"]).await;
    let lines = ran.lines();
    assert_eq!(words(lines[0]), HEADER);
    assert!(lines.len() >= 4, "{lines:?}");
    assert!(lines[1..].iter().all(|line| words(line).len() >= 6), "{lines:?}");
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("No cluster is configured"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_wrong_path_is_named() {
    let ran = run("list_pods", &["--kubeconfig", "/nowhere/config"]).await;
    assert!(ran.error().contains("/nowhere/config"), "{}", ran.stderr);
}

#[tokio::test]
async fn an_unknown_context_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "contexts: [{name: a, context: {}}]\n");
    let ran = run("list_pods", &["--kubeconfig", path.to_str().unwrap(), "--context", "b"]).await;
    assert!(ran.error().contains("\"b\""), "{}", ran.stderr);
}

#[tokio::test]
async fn a_refused_connection_names_the_server() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        folder.path(),
        &format!(
            "clusters: [{{name: a, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\ncontexts: [{{name: a, context: \
             {{cluster: a, user: a}}}}]\nusers: [{{name: a, user: {{}}}}]\ncurrent-context: a\n"
        ),
    );
    let ran = run("list_pods", &["--kubeconfig", path.to_str().unwrap()]).await;
    let error = ran.error();
    assert!(error.contains(&format!("127.0.0.1:{port}")) && error.contains("refused"), "{error}");
}

#[tokio::test]
async fn a_certificate_of_a_stranger_is_refused() {
    let server = ApiServer::builder().tls(true).start().await.unwrap();
    let other = ApiServer::builder().tls(true).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), &other.kubeconfig().replace(&other.url(), &server.url()));
    let ran = run("list_pods", &["--kubeconfig", path.to_str().unwrap()]).await;
    let error = ran.error();
    assert!(error.contains("certificate") && error.contains(server.url().as_str()), "{error}");
}

#[tokio::test]
async fn a_wrong_token_is_unauthorized() {
    let server = ApiServer::builder().tls(true).token("right-one").start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), &server.kubeconfig().replace("right-one", "wrong-one"));
    let ran = run("list_pods", &["--kubeconfig", path.to_str().unwrap()]).await;
    let error = ran.error();
    assert!(error.contains("Unauthorized") || error.contains("401"), "{error}");
    assert!(!error.contains("wrong-one"), "{error}");
}

#[tokio::test]
async fn three_pages_on_the_embedded_server() {
    let server = ApiServer::builder().tls(true).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), &server.kubeconfig());
    three_pages(&path, server.config()).await;
}

#[tokio::test]
async fn three_pages_on_the_real_server() {
    let Some(server) = kubewire_envtest::server() else { return };
    for path in [server.kubeconfig(), server.token_kubeconfig()] {
        three_pages(&path, Config::from_kubeconfig(&path).unwrap()).await;
    }
}

#[tokio::test]
async fn a_user_without_rights_is_told_what_is_missing() {
    let Some(server) = kubewire_envtest::server() else { return };
    let path = server.user_kubeconfig();
    let ran = run("list_pods", &["--kubeconfig", path.to_str().unwrap(), "-n", "kube-system"]).await;
    let error = ran.error();
    for word in ["token-user", "list", "pods", "kube-system", "forbidden"] {
        assert!(error.contains(word), "{word}: {error}");
    }
}

/// Makes 1,200 pods in a namespace of their own and lists them 500 at a time.
async fn three_pages(kubeconfig: &Path, config: Config) {
    const PODS: usize = 1200;
    let client = RestClient::for_config(&config.without_rate_limit(), GroupVersion::V1).unwrap();
    let namespace: kubewire_rest::Object = client
        .post()
        .resource("namespaces")
        .body(&json!({"metadata": {"generateName": "pages-"}, "apiVersion": "v1", "kind": "Namespace"}))
        .send()
        .await
        .into_object()
        .unwrap();
    let namespace: Arc<str> = namespace.metadata.name.into();
    // Eight at a time: enough to be quick, few enough for any server.
    let mut tasks = JoinSet::new();
    for worker in 0..8 {
        let (client, namespace) = (client.clone(), Arc::clone(&namespace));
        tasks.spawn(async move {
            for index in (worker..PODS).step_by(8) {
                let pod = json!({
                    "apiVersion": "v1", "kind": "Pod",
                    "metadata": {"name": format!("pod-{index:04}")},
                    "spec": {"containers": [{"name": "main", "image": "example/main:1"}]},
                });
                client.post().namespace(&namespace).resource("pods").body(&pod).send().await.check().unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }

    let args =
        ["--kubeconfig", kubeconfig.to_str().unwrap(), "-n", &namespace, "--limit", "500", "--metrics"];
    let ran = run("list_pods", &args).await;
    let lines = ran.lines();
    let table: Vec<&str> = lines.iter().copied().take_while(|line| !line.is_empty()).collect();
    assert_eq!(words(table[0]), HEADER);
    let names: Vec<&str> = table[1..].iter().map(|line| words(line)[1]).collect();
    let expected: Vec<String> = (0..PODS).map(|index| format!("pod-{index:04}")).collect();
    assert_eq!(names, expected);
    assert!(table[1..].iter().all(|line| line.starts_with(&*namespace)));

    let host = url_host(kubeconfig);
    for line in [
        format!("rest_client_requests_total{{code=\"200\",host=\"{host}\",method=\"GET\"}} 3"),
        format!("rest_client_request_duration_seconds_count{{host=\"{host}\",verb=\"GET\"}} 3"),
        format!("rest_client_request_size_bytes_count{{host=\"{host}\",verb=\"GET\"}} 3"),
        format!("rest_client_response_size_bytes_count{{host=\"{host}\",verb=\"GET\"}} 3"),
        format!("rest_client_rate_limiter_duration_seconds_count{{host=\"{host}\",verb=\"GET\"}} 3"),
    ] {
        assert!(lines.contains(&line.as_str()), "no {line} in\n{}", ran.stdout);
    }
    assert!(!ran.stdout.contains("rest_client_request_retries_total{"), "{}", ran.stdout);
}

fn url_host(kubeconfig: &Path) -> String {
    let config = Config::from_kubeconfig(kubeconfig).unwrap();
    let url = config.server_url().unwrap();
    format!("{}:{}", url.host_str().unwrap(), url.port_or_known_default().unwrap())
}
