//! Id-tokens that are renewed at an issuer behind TLS.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use kubewire_config::{AuthProviderConfig, Config, Credentials, Secret};
use kubewire_transport::ErrorKind;
use serde_json::json;

use crate::support::pki::Ca;
use crate::support::server::{Asked, Server, handler, status, text};
use crate::support::{chain, client, get, request, send};

const HOUR: Duration = Duration::from_secs(3600);

/// An issuer, and how often it was asked for tokens.
pub struct Issuer {
    server: Server,
    renewals: Arc<AtomicUsize>,
}

impl Issuer {
    /// One that `ca` vouches for. Its id-tokens are good for an hour and hold `mark`.
    pub async fn start(ca: &Ca, mark: &'static str) -> Self {
        let renewals = Arc::<AtomicUsize>::default();
        let asked_for = Arc::clone(&renewals);
        let answer = handler(move |asked: Asked| {
            let renewals = Arc::clone(&asked_for);
            async move {
                let host = asked.request.uri().authority().map(ToString::to_string);
                match asked.request.uri().path() {
                    "/.well-known/openid-configuration" => {
                        let endpoint = format!("https://{}/token", host.unwrap());
                        text(json!({ "token_endpoint": endpoint }).to_string())
                    }
                    "/token" => {
                        let number = renewals.fetch_add(1, Ordering::SeqCst);
                        let answer = json!({
                            "id_token": token(&format!("{mark}{number}"), SystemTime::now() + HOUR),
                            "refresh_token": format!("{mark}refresh{number}"),
                        });
                        text(answer.to_string())
                    }
                    _ => status(404),
                }
            }
        });
        Self { server: Server::https(ca, answer).await, renewals }
    }

    /// Its settings in a kubeconfig, with an id-token that is over, and these.
    pub fn credentials(&self, mark: &str, more: &[(&str, &str)]) -> Credentials {
        let old = token(mark, SystemTime::now() - HOUR);
        let refresh = format!("{mark}refresh");
        let secret = format!("{mark}secret");
        let url = self.server.url();
        let mut config: BTreeMap<String, Secret> = [
            ("idp-issuer-url", url.as_str()),
            ("client-id", "me"),
            ("client-secret", &secret),
            ("id-token", &old),
            ("refresh-token", &refresh),
        ]
        .map(|(key, value)| (key.to_owned(), value.into()))
        .into();
        config.extend(more.iter().map(|&(key, value)| (key.to_owned(), value.into())));
        Credentials::AuthProvider(AuthProviderConfig { name: "oidc".to_owned(), config, origin: None })
    }
}

/// The mark stands in the open where the signature would be.
fn token(mark: &str, expires: SystemTime) -> String {
    let expires = expires.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    format!("e30.{}.{mark}", URL_SAFE_NO_PAD.encode(json!({ "exp": expires }).to_string()))
}

// BH-T15
#[tokio::test]
async fn the_issuers_own_authority_is_believed_and_one_renewal_serves_all_clients() {
    let ca = Ca::new("issuer");
    let issuer = Issuer::start(&ca, "token").await;
    let cluster = Server::http(handler(async |asked: Asked| {
        let sent = asked.request.headers()["authorization"].to_str().unwrap().to_owned();
        text(sent.rsplit('.').next().unwrap().to_owned())
    }))
    .await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), ca.pem()).unwrap();
    let data = STANDARD.encode(ca.pem());
    let settings = [
        ("idp-certificate-authority-data", data.as_str()),
        ("idp-certificate-authority", file.path().to_str().unwrap()),
    ];
    for (number, setting) in settings.into_iter().enumerate() {
        let credentials = issuer.credentials("", &[setting]);
        let config = Config { credentials, ..Config::new(cluster.url()) };
        let clients: Vec<_> = (0..5).map(|_| client(&config)).collect();
        let asking = clients.iter().cycle().take(20).map(|client| get(client, "/"));
        for answer in join_all(asking).await {
            assert_eq!(answer.unwrap(), (200, format!("token{number}")), "{setting:?}");
        }
        assert_eq!(issuer.renewals.load(Ordering::SeqCst), number + 1, "{setting:?}");
    }
}

#[tokio::test]
async fn an_issuer_of_another_authority_is_not_believed() {
    let issuer = Issuer::start(&Ca::new("issuer"), "token").await;
    let other = STANDARD.encode(Ca::new("other").pem());
    let credentials = issuer.credentials("", &[("idp-certificate-authority-data", &other)]);
    let client = client(&Config { credentials, ..Config::new("http://127.0.0.1:1") });
    let error = send(&client, request("/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credential, "{error:?}");
    let text = chain(&error);
    let url = issuer.server.url();
    assert!(text.contains(&format!("the OpenID issuer can't be asked at {url}")), "{text}");
    assert!(text.contains("TLS with") && text.contains("the CA data"), "{text}");
    assert_eq!(issuer.renewals.load(Ordering::SeqCst), 0);
}
