//! No secret in a log, in Debug output or in an error: each is marked, and looked for in everything that comes out.

use std::io::Write;
use std::sync::{Arc, Mutex};

use kubewire_config::{
    BasicAuth, BearerToken, ClientCertificate, Config, Credentials, ExecConfig, HeaderCredential,
    InteractiveMode, Pem, Secret,
};
use kubewire_transport::{Body, HttpClient, HttpService as _};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::support::pki::{self, Ca, Leaf};
use crate::support::proxies::Proxy;
use crate::support::server::{Asked, Reply, Server, Setup, handler, status, text};
use crate::support::{chain, config, soon};

/// All that was said: the log, and what the test writes down itself.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn add(&self, text: &str) {
        self.0.lock().unwrap().extend_from_slice(text.as_bytes());
    }

    fn error(&self, error: &dyn std::error::Error) {
        self.add(&format!("{error:?}\n{error:#?}\n{}\n", chain(error)));
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Said {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Accepts whom it knows, sends others away and elsewhere.
async fn gate(asked: Asked) -> http::Response<Reply> {
    match asked.request.uri().path() {
        "/refused" => status(401),
        "/elsewhere" => {
            let mut response = status(302);
            response.headers_mut().insert("location", "https://127.0.0.1:1/x".parse().unwrap());
            response
        }
        _ => text("hello"),
    }
}

/// A program that prints a token, or fails with its secrets all over its output.
fn plugin(command: &str) -> Credentials {
    let script = format!(
        r#"printf '%s' '{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{{"token":"marked-exec-token"}}}}'; {command}"#
    );
    Credentials::Exec(Box::new(ExecConfig {
        command: "sh".into(),
        args: vec!["-c".into(), script.as_str().into(), "marked-argument".into()],
        env: vec![("TOKEN".to_owned(), "marked-environment".into())],
        interactive_mode: InteractiveMode::Never,
        ..ExecConfig::default()
    }))
}

async fn drive(said: &Said, config: &Config) {
    let client = match HttpClient::builder(config).shared(false).environment(|_| None).build() {
        Ok(client) => client,
        Err(error) => return said.error(&error),
    };
    said.add(&format!("{client:?}\n{:?}\n", HttpClient::builder(config)));
    for path in ["/", "/refused", "/elsewhere"] {
        let request = http::Request::post(path)
            .header("cookie", "marked-cookie")
            .body(Body::from("marked-body"))
            .unwrap();
        said.add(&format!("{:?}\n", request.body()));
        match soon("an answer", client.execute(request)).await {
            Ok(response) => {
                said.add(&format!("{response:?}\n"));
                if let Err(error) = crate::support::bytes(response).await {
                    said.error(&error);
                }
            }
            Err(error) => said.error(&error),
        }
    }
}

fn coded(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test(flavor = "current_thread")]
async fn no_secret_is_ever_said() {
    let said = Said::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(said.clone()).finish();
    let _listening = subscriber.set_default();

    let (ca, clients) = (Ca::new("ca"), Ca::new("clients"));
    let leaf = ca.server(&["127.0.0.1", "api.example.com"]);
    let mut keys = Vec::new();
    let mut pair = |client: Leaf| {
        keys.push(client.key.clone());
        client.data()
    };
    for alpn in [["h2"], ["http/1.1"]] {
        let tls = pki::server_config(&leaf, Some(&clients), &alpn);
        let demanding =
            Server::start(Setup { tls: Some(tls), handler: handler(gate), max_streams: None }).await;
        let open = Server::start(Setup {
            tls: Some(pki::server_config(&leaf, None, &alpn)),
            handler: handler(gate),
            max_streams: None,
        })
        .await;
        let dir = tempfile::tempdir().unwrap();
        let token_file = dir.path().join("token");
        std::fs::write(&token_file, "marked-file-token").unwrap();

        let basic = || BasicAuth { username: "me".to_owned(), password: "marked-password".into() };
        let bearer = || BearerToken { token: Some("marked-token".into()), token_file: None };
        let all = [
            Credentials::Basic(basic()),
            Credentials::Bearer(bearer()),
            Credentials::bearer("marked-\nbroken"),
            Credentials::token_file(token_file),
            plugin("exit 0"),
            plugin("exit 3"),
            plugin("echo marked-garbage"),
        ];
        for credentials in all {
            drive(&said, &Config { credentials, ..config(open.url(), ca.trusted()) }).await;
        }
        for header in
            [HeaderCredential::None, HeaderCredential::Basic(basic()), HeaderCredential::Bearer(bearer())]
        {
            let certificate = pair(clients.client("jane"));
            let credentials = Credentials::ClientCertificate { certificate, header };
            drive(&said, &Config { credentials, ..config(demanding.url(), ca.trusted()) }).await;
        }
        // A stranger's certificate, halves that don't match, and what is no key at all.
        let stranger = Credentials::client_certificate(pair(ca.client("stranger")));
        drive(&said, &Config { credentials: stranger, ..config(demanding.url(), ca.trusted()) }).await;
        let (one, other) = (pair(clients.client("one")), pair(clients.client("other")));
        let broken_keys = [
            other.key,
            Pem::Data(Secret::new(b"marked-key".to_vec())),
            Pem::Data(Secret::new(
                b"-----BEGIN PRIVATE KEY-----\nmarked-key!\n-----END PRIVATE KEY-----\n".to_vec(),
            )),
        ];
        for key in broken_keys {
            let certificate = ClientCertificate { certificate: one.certificate.clone(), key };
            let credentials = Credentials::client_certificate(certificate);
            drive(&said, &Config { credentials, ..config(demanding.url(), ca.trusted()) }).await;
        }
        // Proxies: right and wrong passwords, of every kind.
        let right = Some(("me", "marked-proxy"));
        let wrong = Some(("me", "other"));
        for user in [right, wrong] {
            let http = Proxy::http(open.address, user).await;
            let socks = Proxy::socks(open.address, user).await;
            for proxy in [
                format!("http://me:marked-proxy@{}", http.address),
                format!("socks5://me:marked-proxy@{}", socks.address),
                "http://me:marked-proxy@127.0.0.1:1".to_owned(),
            ] {
                let base = config("https://api.example.com", ca.trusted());
                let config = Config { proxy: Some(proxy.parse().unwrap()), ..base };
                drive(&said, &Config { credentials: Credentials::Bearer(bearer()), ..config }).await;
            }
        }
        #[cfg(feature = "oidc")]
        {
            let issuer = crate::oidc::Issuer::start(&ca, "marked-").await;
            let authorities = [ca.pem(), clients.pem()].map(|pem| coded(&pem));
            for authority in &authorities {
                let setting = ("idp-certificate-authority-data", authority.as_str());
                let credentials = issuer.credentials("marked-", &[setting]);
                drive(&said, &Config { credentials, ..config(open.url(), ca.trusted()) }).await;
            }
        }
        // Nobody is there.
        let credentials = Credentials::Bearer(bearer());
        drive(&said, &Config { credentials, ..config("https://127.0.0.1:1", ca.trusted()) }).await;
    }
    drive(&said, &Config::new("https://me:marked-url@127.0.0.1:1")).await;

    let said = String::from_utf8_lossy(&said.0.lock().unwrap()).into_owned();
    // The log was heard, down to its lowest level.
    for witness in ["TRACE", "rustls", "h2", "hyper_util", "refused the connection", "don't match"] {
        assert!(said.contains(witness), "{witness} was not said");
    }
    #[cfg(feature = "oidc")]
    assert!(said.contains("the OpenID issuer can't be asked"));
    let mut secrets = vec!["marked".to_owned()];
    secrets.extend(["me:marked-password", "me:marked-proxy", "me:marked-secret"].map(coded));
    // Keys: any of their lines would be too much.
    for key in &keys {
        secrets
            .extend(key.lines().filter(|line| !line.starts_with('-') && line.len() > 16).map(str::to_owned));
    }
    for secret in secrets {
        if let Some(at) = said.find(&secret) {
            let start = said[..at].rfind('\n').map_or(0, |start| start + 1);
            let end = said[at..].find('\n').map_or(said.len(), |end| at + end);
            panic!("{secret} was said:\n{}", &said[start..end]);
        }
    }
}
