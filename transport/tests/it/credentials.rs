//! Credentials against a real API server: skipped where `KUBEBUILDER_ASSETS` is unset.

use http::Request;
use http_body_util::BodyExt as _;
use kubewire_config::{Config, Credentials, Impersonation, Pem};
use kubewire_envtest::Server;
use kubewire_transport::{Body, HttpClient, HttpService as _};
use serde_json::{Value, json};

use crate::program::{Program, credential};

fn admin(server: &Server) -> Config {
    Config::from_kubeconfig(server.kubeconfig()).unwrap()
}

fn token(path: std::path::PathBuf) -> String {
    match Config::from_kubeconfig(path).unwrap().credentials {
        Credentials::Bearer(bearer) => bearer.token.unwrap().expose().clone(),
        other => panic!("{other:?}"),
    }
}

/// Status and message of a list of pods.
async fn pods(client: &HttpClient) -> (u16, String) {
    send(client, Request::get("/api/v1/pods").body(Body::empty()).unwrap()).await
}

async fn send(client: &HttpClient, request: Request<Body>) -> (u16, String) {
    let response = client.execute(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&bytes).unwrap();
    (status, body["message"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_program_gives_a_token() {
    let Some(server) = kubewire_envtest::server() else { return };
    let program = Program::printing(&credential(&json!({ "token": "not known" })));
    let client = HttpClient::new(&Config { credentials: program.credentials(), ..admin(server) }).unwrap();
    assert_eq!(pods(&client).await.0, 401);
    assert_eq!(program.runs(), 2, "the 401 asks for another");

    program.print(&credential(&json!({ "token": token(server.token_kubeconfig()) })));
    assert_eq!(pods(&client).await, (200, String::new()), "the caller does not see the 401");
    assert_eq!(pods(&client).await.0, 200);
    assert_eq!(program.runs(), 3);
}

#[tokio::test]
async fn a_kubeconfig_names_the_program() {
    let Some(server) = kubewire_envtest::server() else { return };
    let program = Program::script("printf '%s' \"$KUBERNETES_EXEC_INFO\" > info\ncat output");
    program.print(&credential(&json!({ "token": token(server.token_kubeconfig()) })));
    let mut file: Value = serde_yaml::from_slice(&std::fs::read(server.kubeconfig()).unwrap()).unwrap();
    file["users"][0]["user"] = json!({ "exec": {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "sh",
        "args": [program.path("script")],
        "env": [{ "name": "FOLDER", "value": program.path("") }],
        "interactiveMode": "Never",
        "provideClusterInfo": true,
    } });
    program.write("kubeconfig", &file.to_string());
    let config = Config::from_kubeconfig(program.path("kubeconfig")).unwrap();
    assert_eq!(pods(&HttpClient::new(&config).unwrap()).await.0, 200);

    let info = std::fs::read_to_string(program.path("info")).unwrap();
    let told = kubewire_transport::ExecInfo::parse(&info).unwrap();
    let client = HttpClient::new(&told.config).unwrap();
    assert_eq!(pods(&client).await.0, 403, "the config that a program is told of is anonymous");
}

#[tokio::test]
async fn a_program_gives_a_certificate() {
    let Some(server) = kubewire_envtest::server() else { return };
    let config = admin(server);
    let pair = config.credentials.certificate().unwrap();
    let (Pem::Data(certificate), Pem::Data(key)) = (&pair.certificate, &pair.key) else {
        panic!("the kubeconfig holds data");
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let program = Program::printing(&credential(&json!({
        "clientCertificateData": text(certificate),
        "clientKeyData": text(key.expose()),
    })));
    let client = HttpClient::new(&Config { credentials: program.credentials(), ..config.clone() }).unwrap();
    assert_eq!(pods(&client).await, (200, String::new()));
    assert_eq!(program.runs(), 1);
}

#[tokio::test]
async fn a_token_file_rotates() {
    let Some(server) = kubewire_envtest::server() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let write = |token: &str| std::fs::write(&path, token).unwrap();
    let config = Config { credentials: Credentials::token_file(&path), ..admin(server) };

    write(&token(server.user_kubeconfig()));
    let client = HttpClient::builder(&config).token_file_period(std::time::Duration::ZERO).build().unwrap();
    let (status, message) = pods(&client).await;
    assert_eq!(status, 403);
    assert!(message.contains(r#"User "token-user" cannot list"#), "{message}");
    write(&token(server.token_kubeconfig()));
    assert_eq!(pods(&client).await.0, 200, "the file is read again by time");

    write("not known");
    let client = HttpClient::new(&config).unwrap();
    assert_eq!(pods(&client).await.0, 401);
    write(&token(server.token_kubeconfig()));
    assert_eq!(pods(&client).await, (200, String::new()), "the file is read again for a 401");
}

#[tokio::test]
async fn a_user_and_groups_are_impersonated() {
    let Some(server) = kubewire_envtest::server() else { return };
    let act_as = |whom| HttpClient::new(&Config { impersonate: Some(whom), ..admin(server) }).unwrap();
    let jane = Impersonation { user: "jane".to_owned(), ..Impersonation::default() };
    let (status, message) = pods(&act_as(jane.clone())).await;
    assert_eq!(status, 403);
    assert!(message.contains(r#"User "jane" cannot list"#), "{message}");

    let groups = vec!["others".to_owned(), "system:masters".to_owned()];
    assert_eq!(pods(&act_as(Impersonation { groups, ..jane.clone() })).await.0, 200);

    let own = Request::get("/api/v1/pods").header("Impersonate-User", "joe").body(Body::empty());
    let (_, message) = send(&act_as(jane), own.unwrap()).await;
    assert!(message.contains(r#"User "joe" cannot list"#), "{message}");
}

/// The server names the extra key that it does not let a user impersonate: as it was meant, not as it was sent.
#[tokio::test]
async fn extra_keys_reach_the_server_as_they_are() {
    let Some(server) = kubewire_envtest::server() else { return };
    let client = HttpClient::new(&admin(server)).unwrap();
    let api = "rbac.authorization.k8s.io";
    let name = format!("impersonators-{}", std::process::id());
    let role = json!({
        "apiVersion": format!("{api}/v1"), "kind": "ClusterRole", "metadata": { "name": name },
        "rules": [{ "apiGroups": [""], "resources": ["users", "groups"], "verbs": ["impersonate"] }],
    });
    let binding = json!({
        "apiVersion": format!("{api}/v1"), "kind": "ClusterRoleBinding", "metadata": { "name": name },
        "roleRef": { "apiGroup": api, "kind": "ClusterRole", "name": name },
        "subjects": [{ "apiGroup": api, "kind": "User", "name": "token-user" }],
    });
    for (resource, object) in [("clusterroles", &role), ("clusterrolebindings", &binding)] {
        let request = Request::post(format!("/apis/{api}/v1/{resource}"))
            .header("Content-Type", "application/json")
            .body(Body::from(object.to_string()));
        let (status, message) = send(&client, request.unwrap()).await;
        assert_eq!(status, 201, "{message}");
    }

    let whom = Impersonation {
        user: "jane".to_owned(),
        groups: vec!["nobodies".to_owned()],
        extra: [("example.org/a b@c".to_owned(), vec!["value".to_owned()])].into(),
        ..Impersonation::default()
    };
    let config =
        Config { impersonate: Some(whom), ..Config::from_kubeconfig(server.user_kubeconfig()).unwrap() };
    let client = HttpClient::new(&config).unwrap();
    // The server learns of new rights after a moment.
    let message = tokio::time::timeout(std::time::Duration::from_secs(30), async {
        loop {
            let (status, message) = pods(&client).await;
            assert_eq!(status, 403);
            if !message.contains(r#"cannot impersonate resource "users""#) {
                return message;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    let message = message.await.unwrap();
    assert!(message.contains(r#"resource "userextras/example.org/a b@c""#), "{message}");
}
