//! Against a real API server: skipped where `KUBEBUILDER_ASSETS` is unset.

use std::path::Path;

use base64::Engine as _;
use http::Request;
use http_body_util::BodyExt as _;
use kubewire_config::{ClientCertificate, Config, Credentials, Pem, Secret, TlsConfig};
use kubewire_transport::{Body, HttpClient, HttpService as _};
use serde_json::Value;

/// The one cluster and user of a kubeconfig.
fn config(path: &Path) -> Config {
    let file: Value = serde_yaml::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let (cluster, user) = (&file["clusters"][0]["cluster"], &file["users"][0]["user"]);
    let data = |value: &Value| {
        value.as_str().map(|text| base64::engine::general_purpose::STANDARD.decode(text).unwrap())
    };
    let file_or_data = |of: &Value, key: &str| -> Option<Pem<Vec<u8>>> {
        data(&of[format!("{key}-data")])
            .map(Pem::Data)
            .or_else(|| of[key].as_str().map(|path| Pem::File(path.into())))
    };
    let credentials = if let Some(certificate) = file_or_data(user, "client-certificate") {
        let key = match file_or_data(user, "client-key").unwrap() {
            Pem::File(path) => Pem::File(path),
            Pem::Data(data) => Pem::Data(Secret::new(data)),
        };
        Credentials::client_certificate(ClientCertificate { certificate, key })
    } else {
        Credentials::bearer(user["token"].as_str().unwrap())
    };
    Config {
        tls: TlsConfig { ca: file_or_data(cluster, "certificate-authority"), ..TlsConfig::default() },
        credentials,
        ..Config::new(cluster["server"].as_str().unwrap())
    }
}

async fn get(client: &HttpClient, path: &str) -> (u16, Value) {
    let response = client.execute(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn pods_are_listed_with_a_certificate_and_with_a_token() {
    let Some(server) = kubewire_envtest::server() else { return };
    for path in [server.kubeconfig(), server.token_kubeconfig()] {
        let client = HttpClient::new(&config(&path)).unwrap();
        let (status, list) = get(&client, "/api/v1/pods").await;
        assert_eq!(status, 200, "{list}");
        assert_eq!(list["kind"], "PodList");
    }
    let client = HttpClient::new(&config(&server.user_kubeconfig())).unwrap();
    let (status, refusal) = get(&client, "/api/v1/pods").await;
    assert_eq!(status, 403, "{refusal}");
    assert!(refusal["message"].as_str().unwrap().contains("token-user"), "{refusal}");
}
