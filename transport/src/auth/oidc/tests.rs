//! Against an issuer on loopback.

use std::convert::Infallible;
use std::sync::Mutex as StdMutex;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

/// An issuer that answers as it is told, and keeps what it was asked.
#[derive(Clone)]
struct Server {
    url: String,
    state: Arc<StdMutex<State>>,
}

struct State {
    metadata: (StatusCode, String),
    answer: (StatusCode, String),
    /// Of each request for tokens: the Authorization header, and the form.
    asked: Vec<(Option<String>, BTreeMap<String, String>)>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/realm", listener.local_addr().unwrap());
        let metadata = (StatusCode::OK, json!({ "token_endpoint": format!("{url}/token") }).to_string());
        let answer = (StatusCode::OK, String::new());
        let state = State { metadata, answer, asked: Vec::new() };
        let server = Self { url, state: Arc::new(StdMutex::new(state)) };
        let answering = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = answering.clone();
                let service = hyper::service::service_fn(move |request| server.clone().answer(request));
                let serving = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(serving);
            }
        });
        server
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let mut state = self.state.lock().unwrap();
        let (status, text) = match (head.method.as_str(), head.uri.path()) {
            ("GET", "/realm/.well-known/openid-configuration") => state.metadata.clone(),
            ("POST", "/realm/token") => {
                let header =
                    head.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
                state.asked.push((header, url::form_urlencoded::parse(&body).into_owned().collect()));
                state.answer.clone()
            }
            _ => (StatusCode::NOT_FOUND, String::new()),
        };
        let mut response = Response::new(Full::from(text));
        *response.status_mut() = status;
        Ok(response)
    }

    fn answers(&self, answer: &Value) {
        self.answers_with(StatusCode::OK, &answer.to_string());
    }

    fn answers_with(&self, status: StatusCode, text: &str) {
        self.state.lock().unwrap().answer = (status, text.to_owned());
    }

    fn metadata(&self, metadata: &Value) {
        self.state.lock().unwrap().metadata.1 = metadata.to_string();
    }

    fn asked(&self) -> Vec<(Option<String>, BTreeMap<String, String>)> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    fn settings(&self, more: &[(&str, &str)]) -> AuthProviderConfig {
        let mut config: BTreeMap<String, Secret> =
            [(ISSUER.to_owned(), self.url.as_str().into()), (CLIENT_ID.to_owned(), "me:you".into())].into();
        config.extend(more.iter().map(|&(key, value)| (key.to_owned(), value.into())));
        AuthProviderConfig { name: NAME.to_owned(), config, origin: None }
    }
}

fn oidc(settings: &AuthProviderConfig) -> Oidc {
    Oidc::new(settings, &AuthOptions::new(crate::tls::provider().unwrap())).unwrap()
}

/// A token that ends so many seconds from now.
fn token(name: &str, seconds: i64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({ "sub": name, "exp": now.saturating_add_signed(seconds) });
    format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

async fn sent(oidc: &Oidc) -> String {
    let header = oidc.header().await.unwrap().0;
    header.to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned()
}

async fn failure(oidc: &Oidc) -> String {
    let error = oidc.header().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credential);
    chain(&error)
}

fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |error| error.source())
        .fold(error.to_string(), |text, error| format!("{text}: {error}"))
}

// BH-T15
#[tokio::test]
async fn a_valid_token_is_used_and_one_that_is_over_is_renewed_once() {
    let server = Server::start().await;
    let valid = token("valid", 60);
    assert_eq!(sent(&oidc(&server.settings(&[(ID_TOKEN, &valid)]))).await, valid);
    assert!(server.asked().is_empty());

    let old = token("old", 5);
    let settings = server.settings(&[(ID_TOKEN, &old), (REFRESH_TOKEN, "r1"), (CLIENT_SECRET, "s e/c")]);
    let client = Arc::new(oidc(&settings));
    let new = token("new", 60);
    server.answers(&json!({ "id_token": new, "refresh_token": "r2" }));
    let callers = (0..20).map(|_| {
        let client = Arc::clone(&client);
        tokio::spawn(async move { sent(&client).await })
    });
    for caller in callers.collect::<Vec<_>>() {
        assert_eq!(caller.await.unwrap(), new);
    }
    let [(header, form)] = server.asked().try_into().unwrap();
    let form: Vec<_> = form.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(form, [("grant_type", "refresh_token"), ("refresh_token", "r1")]);
    let pair = STANDARD.decode(header.unwrap().strip_prefix("Basic ").unwrap()).unwrap();
    assert_eq!(pair, b"me%3Ayou:s+e%2Fc");
}

// BH-T15
#[tokio::test]
async fn the_refresh_token_is_followed() {
    let server = Server::start().await;
    let client = oidc(&server.settings(&[(REFRESH_TOKEN, "r1")]));
    for (given, asked) in
        [(Some("r2"), "r1"), (None, "r2"), (Some(""), "r2"), (Some("r3"), "r2"), (None, "r3")]
    {
        server.answers(&json!({ "id_token": token("over", 0), "refresh_token": given }));
        sent(&client).await;
        let [(header, form)] = server.asked().try_into().unwrap();
        assert_eq!(header, None);
        assert_eq!(form[REFRESH_TOKEN.replace('-', "_").as_str()], asked);
        assert_eq!(form["client_id"], "me:you");
    }
}

#[tokio::test]
async fn the_client_shows_its_secret_as_the_issuer_wants() {
    let server = Server::start().await;
    let settings = server.settings(&[(REFRESH_TOKEN, "r"), (CLIENT_SECRET, "secret")]);
    let endpoint = format!("{}/token", server.url);
    let metadata = |methods: &Value| {
        server.metadata(&json!({
            "token_endpoint": endpoint,
            "token_endpoint_auth_methods_supported": methods,
        }));
    };
    server.answers(&json!({ "id_token": token("new", 60) }));
    metadata(&json!(["client_secret_post", "private_key_jwt"]));
    sent(&oidc(&settings)).await;
    let [(header, form)] = server.asked().try_into().unwrap();
    assert_eq!(header, None);
    assert_eq!(form["client_secret"], "secret");

    metadata(&Value::Null);
    server.answers_with(StatusCode::UNAUTHORIZED, r#"{"error":"invalid_client"}"#);
    let error = failure(&oidc(&settings)).await;
    assert!(error.contains("401 Unauthorized") && error.contains("(invalid_client)"), "{error}");
    let asked = server.asked();
    assert_eq!(asked.len(), 2, "first in the header, then in the form");
    assert!(asked[0].0.is_some() && asked[1].1.contains_key("client_secret"));

    server.answers_with(StatusCode::BAD_REQUEST, r#"{"error":"invalid_grant"}"#);
    let error = failure(&oidc(&settings)).await;
    assert!(error.contains("400 Bad Request") && error.contains("(invalid_grant)"), "{error}");
    assert_eq!(server.asked().len(), 1, "the client was recognized");

    metadata(&json!(["private_key_jwt"]));
    let error = failure(&oidc(&settings)).await;
    assert!(error.contains("no way to authenticate"), "{error}");
}

// BH-T15
#[tokio::test]
async fn what_the_issuer_can_do_wrong_is_told() {
    let server = Server::start().await;
    let client = oidc(&server.settings(&[(REFRESH_TOKEN, "marked")]));
    for (answer, text) in [
        ("marked", "no JSON"),
        ("{}", "no id_token"),
        (r#"{"id_token":"marked"}"#, "does not have three parts"),
        (r#"{"id_token":["marked"]}"#, "no JSON"),
    ] {
        server.answers_with(StatusCode::OK, answer);
        let error = failure(&client).await;
        assert!(error.contains(text) && !error.contains("marked"), "{error}");
    }
    server.answers_with(StatusCode::OK, &"x".repeat(2 << 20));
    assert!(failure(&client).await.contains("longer than 1048576 bytes"));
    server.answers_with(StatusCode::INTERNAL_SERVER_ERROR, r#"{"error":"Marked Secret"}"#);
    let error = failure(&client).await;
    assert!(error.contains("500") && !error.contains("Marked"), "{error}");

    for (metadata, text) in [
        (json!({}), "no token_endpoint"),
        (json!({ "token_endpoint": "nowhere" }), "token_endpoint is no URL"),
        (json!({ "token_endpoint": "file:///etc/passwd" }), "not https"),
        (json!([]), "no JSON"),
    ] {
        server.metadata(&metadata);
        let error = failure(&client).await;
        assert!(error.contains(text), "{error}");
    }
    let gone = oidc(&server.settings(&[]));
    assert!(failure(&gone).await.contains("log in again"));
}

#[test]
fn a_secure_issuer_has_a_secure_token_endpoint() {
    let http = HttpClient::new(&Config::new("https://issuer")).unwrap();
    let issuer = Issuer::new(Arc::new(http), Url::parse("https://issuer").unwrap());
    assert!(issuer.token_endpoint("https://elsewhere/token").is_ok());
    assert!(issuer.token_endpoint("http://issuer/token").is_err());
}

// BH-T15
#[test]
fn settings_that_can_not_work_are_refused() {
    let good = [(ISSUER, "https://issuer"), (CLIENT_ID, "me")];
    let build = |settings: &[(&str, &str)]| {
        let config = settings.iter().map(|&(key, value)| (key.to_owned(), value.into())).collect();
        let provider = AuthProviderConfig { name: NAME.to_owned(), config, origin: None };
        Oidc::new(&provider, &AuthOptions::new(crate::tls::provider().unwrap()))
    };
    assert!(build(&good).is_ok());
    for (settings, text) in [
        (&[][..], "lacks the setting idp-issuer-url"),
        (&good[..1], "lacks the setting client-id"),
        (&[(ISSUER, "issuer"), good[1]], "is no URL"),
        (&[good[0], good[1], (ID_TOKEN, "marked")], "the setting id-token"),
        (&[good[0], good[1], (CA_DATA, "?")], "is not base64"),
        (&[good[0], good[1], (CA, "/nowhere/ca")], "/nowhere/ca"),
    ] {
        let error = build(settings).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Config);
        let error = chain(&error);
        assert!(error.contains(text) && !error.contains("marked"), "{error}");
    }
}

/// A kubeconfig with the user `me` of these settings.
fn kubeconfig(folder: &std::path::Path, provider: &mut AuthProviderConfig) -> std::path::PathBuf {
    let path = folder.join("config");
    let settings: BTreeMap<_, _> =
        provider.config.iter().map(|(key, value)| (key, value.expose().as_str())).collect();
    let user = json!({ "auth-provider": { "name": NAME, "config": settings } });
    let file = json!({ "users": [{ "name": "me", "user": user }, { "name": "other", "user": {} }] });
    std::fs::write(&path, file.to_string()).unwrap();
    provider.origin = Some(EntryOrigin { path: path.clone(), name: "me".to_owned() });
    path
}

fn saved(path: &std::path::Path, key: &str) -> String {
    let file = Kubeconfig::load(path).unwrap();
    file.users["me"].auth_provider.as_ref().unwrap().config[key].expose().clone()
}

// BH-T15
#[tokio::test]
async fn new_tokens_are_saved_back() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut settings = server.settings(&[(REFRESH_TOKEN, "r1")]);
    let path = kubeconfig(folder.path(), &mut settings);
    let client = oidc(&settings);
    let new = token("new", 60);
    server.answers(&json!({ "id_token": new, "refresh_token": "r2" }));
    assert_eq!(sent(&client).await, new);
    assert_eq!((saved(&path, ID_TOKEN), saved(&path, REFRESH_TOKEN)), (new.clone(), "r2".to_owned()));
    assert_eq!(server.asked().len(), 1);

    // A later client of the old settings finds what was saved, and does not spend the refresh token again.
    drop(client);
    assert_eq!(sent(&oidc(&settings)).await, new);
    assert!(server.asked().is_empty());
}

// BH-T15
#[tokio::test]
async fn a_save_that_fails_is_an_error_and_is_tried_again() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut settings = server.settings(&[(REFRESH_TOKEN, "r1")]);
    let path = kubeconfig(folder.path(), &mut settings);
    let lock = folder.path().join("config.lock");
    std::fs::write(&lock, "").unwrap();
    let client = oidc(&settings);
    let new = token("new", 60);
    server.answers(&json!({ "id_token": new, "refresh_token": "r2" }));
    for _ in 0..2 {
        let error = failure(&client).await;
        assert!(error.contains("can't be saved"), "{error}");
    }
    std::fs::remove_file(lock).unwrap();
    assert_eq!(sent(&client).await, new);
    assert_eq!(saved(&path, REFRESH_TOKEN), "r2");
    assert_eq!(server.asked().len(), 1, "the refresh token was spent once");

    let mut gone = server.settings(&[(REFRESH_TOKEN, "r1")]);
    kubeconfig(folder.path(), &mut gone);
    gone.origin.as_mut().unwrap().name = "other".to_owned();
    let error = failure(&oidc(&gone)).await;
    assert!(error.contains("the user \"other\" of the kubeconfig"), "{error}");
}
