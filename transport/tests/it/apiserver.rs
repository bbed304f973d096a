//! Against a real API server: skipped where `KUBEBUILDER_ASSETS` is unset.

use std::path::{Path, PathBuf};

use http::Request;
use kubewire_config::{
    ClientCertificate, Config, Credentials, ExecConfig, Impersonation, InteractiveMode, Pem, TlsConfig,
};
use kubewire_transport::{Body, HttpClient};
use serde_json::{Value, json};
use url::Url;

use crate::support::proxies::Proxy;
use crate::support::{bytes, client, request, send, watch};

async fn json(client: &HttpClient, request: Request<Body>) -> (u16, Value) {
    let response = send(client, request).await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&bytes(response).await.unwrap()).unwrap())
}

async fn get(client: &HttpClient, path: &str) -> (u16, Value) {
    json(client, request(path)).await
}

/// What the server says about `client` when it lists pods: "list" or the message of the refusal.
async fn listing(client: &HttpClient) -> String {
    match get(client, "/api/v1/pods").await {
        (200, list) => {
            assert_eq!(list["kind"], "PodList");
            "list".to_owned()
        }
        (_, refusal) => refusal["message"].as_str().unwrap().to_owned(),
    }
}

fn config(path: PathBuf) -> Config {
    Config::from_kubeconfig(path).unwrap()
}

fn token(config: &Config) -> String {
    let Credentials::Bearer(bearer) = &config.credentials else { panic!("no token") };
    bearer.token.as_ref().unwrap().expose().clone()
}

#[tokio::test]
async fn certificates_and_tokens_are_accepted() {
    let Some(server) = kubewire_envtest::server() else { return };
    for path in [server.kubeconfig(), server.token_kubeconfig()] {
        assert_eq!(listing(&client(&config(path))).await, "list");
    }
    let user = client(&config(server.user_kubeconfig()));
    assert!(listing(&user).await.contains(r#"User "token-user" cannot list"#));
    let anonymous = Config { credentials: Credentials::None, ..config(server.user_kubeconfig()) };
    assert!(listing(&client(&anonymous)).await.contains(r#"User "system:anonymous" cannot list"#));
}

#[tokio::test]
async fn certificate_files_are_accepted() {
    let Some(server) = kubewire_envtest::server() else { return };
    let config = config(server.kubeconfig());
    let dir = tempfile::tempdir().unwrap();
    let pair = config.credentials.certificate().unwrap();
    let (Pem::Data(certificate), Pem::Data(key)) = (&pair.certificate, &pair.key) else { panic!("no data") };
    let (certificate_file, key_file) = (dir.path().join("a.crt"), dir.path().join("a.key"));
    std::fs::write(&certificate_file, certificate).unwrap();
    std::fs::write(&key_file, key.expose()).unwrap();
    let files = ClientCertificate { certificate: Pem::File(certificate_file), key: Pem::File(key_file) };
    let with_files = Config { credentials: Credentials::client_certificate(files), ..config };
    assert_eq!(listing(&client(&with_files)).await, "list");
}

#[tokio::test]
async fn bh_t7_another_token_in_the_file_is_another_user() {
    let Some(server) = kubewire_envtest::server() else { return };
    let admin = config(server.token_kubeconfig());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    std::fs::write(&path, "no token of this server").unwrap();
    let config_with_file = Config { credentials: Credentials::token_file(&path), ..admin.clone() };
    let client = client(&config_with_file);
    assert_eq!(get(&client, "/api/v1/pods").await.0, 401);
    // The next 401 makes it look at the file again, and nobody sees that one.
    std::fs::write(&path, format!("{}\n", token(&admin))).unwrap();
    assert_eq!(listing(&client).await, "list");
    let short = HttpClient::builder(&config_with_file)
        .token_file_period(std::time::Duration::from_millis(10))
        .build()
        .unwrap();
    assert_eq!(listing(&short).await, "list");
    std::fs::write(&path, token(&config(server.user_kubeconfig()))).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert!(listing(&short).await.contains("token-user"));
}

/// A program that prints `status` as an ExecCredential.
fn plugin(dir: &Path, status: &Value) -> Credentials {
    let output = dir.join("credential.json");
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status,
    });
    std::fs::write(&output, credential.to_string()).unwrap();
    Credentials::Exec(Box::new(ExecConfig {
        command: "cat".into(),
        args: vec![output.display().to_string().into()],
        interactive_mode: InteractiveMode::Never,
        ..ExecConfig::default()
    }))
}

#[tokio::test]
async fn bh_t11_credential_programs_give_tokens_and_certificates() {
    let Some(server) = kubewire_envtest::server() else { return };
    let by_token = config(server.token_kubeconfig());
    let dir = tempfile::tempdir().unwrap();
    let credentials = plugin(dir.path(), &json!({"token": token(&by_token)}));
    assert_eq!(listing(&client(&Config { credentials, ..by_token.clone() })).await, "list");

    let by_certificate = config(server.kubeconfig());
    let pair = by_certificate.credentials.certificate().unwrap();
    let (Pem::Data(certificate), Pem::Data(key)) = (&pair.certificate, &pair.key) else { panic!("no data") };
    let dir = tempfile::tempdir().unwrap();
    let status = json!({
        "clientCertificateData": String::from_utf8_lossy(certificate),
        "clientKeyData": String::from_utf8_lossy(key.expose()),
    });
    let credentials = plugin(dir.path(), &status);
    assert_eq!(listing(&client(&Config { credentials, ..by_certificate })).await, "list");
}

#[tokio::test]
async fn bh_t6_the_server_sees_whom_the_client_acts_as() {
    let Some(server) = kubewire_envtest::server() else { return };
    let admin = config(server.token_kubeconfig());
    let acting = |whom: Impersonation| client(&Config { impersonate: Some(whom), ..admin.clone() });
    let jane = Impersonation { user: "jane".to_owned(), ..Impersonation::default() };
    assert!(listing(&acting(jane.clone())).await.contains(r#"User "jane" cannot list"#));
    let master = Impersonation { groups: vec!["others".into(), "system:masters".into()], ..jane.clone() };
    assert_eq!(listing(&acting(master)).await, "list");

    // One who may act as jane, but not with extra attributes: the refusal tells which one the server saw.
    let direct = client(&admin);
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "act-as-jane"},
        "rules": [{"apiGroups": [""], "resources": ["users"], "resourceNames": ["jane"], "verbs": ["impersonate"]}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "act-as-jane"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "act-as-jane"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "token-user"}],
    });
    for (plural, object) in [("clusterroles", role), ("clusterrolebindings", binding)] {
        let request = Request::post(format!("/apis/rbac.authorization.k8s.io/v1/{plural}"))
            .header("content-type", "application/json")
            .body(Body::from(object.to_string()))
            .unwrap();
        let (code, answer) = json(&direct, request).await;
        assert!(matches!(code, 201 | 409), "{answer}");
    }
    let extra =
        Impersonation { extra: [("example.org/team".to_owned(), vec!["1".to_owned()])].into(), ..jane };
    let user = client(&Config { impersonate: Some(extra), ..config(server.user_kubeconfig()) });
    // The server learns of the role a moment later.
    let message = crate::support::soon("the role is known", async {
        loop {
            let message = listing(&user).await;
            if message.contains("userextras") {
                break message;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    assert!(message.contains("userextras/example.org/team"), "{message}");
}

#[tokio::test]
async fn bh_t5_proxies_and_server_names_lead_to_it() {
    let Some(server) = kubewire_envtest::server() else { return };
    let direct = config(server.token_kubeconfig());
    let url = Url::parse(&direct.host).unwrap();
    let address = format!("127.0.0.1:{}", url.port().unwrap()).parse().unwrap();
    let named = |name: &str| TlsConfig { server_name: Some(name.to_owned()), ..direct.tls.clone() };
    let http = Proxy::http(address, Some(("me", "pw"))).await;
    let socks = Proxy::socks(address, Some(("me", "pw"))).await;
    for proxy in [
        None,
        Some(format!("http://me:pw@{}", http.address)),
        Some(format!("socks5://me:pw@{}", socks.address)),
    ] {
        // The certificate has names that lead nowhere from here: a proxy knows the way.
        let host = if proxy.is_some() {
            "https://kubernetes.default.svc:6443".to_owned()
        } else {
            direct.host.clone()
        };
        let base = Config { host, proxy: proxy.map(|url| url.parse().unwrap()), ..direct.clone() };
        assert_eq!(listing(&client(&base)).await, "list");
        let other = Config { tls: named("kubernetes"), ..base.clone() };
        assert_eq!(listing(&client(&other)).await, "list");
        let wrong = Config { tls: named("kubernetes.example.com"), ..base };
        let error = send(&client(&wrong), request("/")).await.unwrap_err();
        assert_eq!(error.kind(), kubewire_transport::ErrorKind::Tls, "{error:?}");
    }
}

#[tokio::test]
async fn watches_and_compressed_lists_arrive() {
    use http_body_util::BodyExt as _;

    let Some(server) = kubewire_envtest::server() else { return };
    let client = client(&config(server.kubeconfig()));
    let path = "/api/v1/namespaces?watch=true&resourceVersion=0&timeoutSeconds=60";
    let mut watching = send(&client, watch(path)).await.unwrap().into_body();
    let first = crate::support::soon("an event", watching.frame()).await.unwrap().unwrap();
    assert!(first.into_data().unwrap().starts_with(br#"{"type":"ADDED""#));
    // The OpenAPI document is large enough to be compressed.
    let (code, document) = get(&client, "/openapi/v2").await;
    assert_eq!(code, 200);
    assert_eq!(document["swagger"], "2.0");
}
