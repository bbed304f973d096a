//! Secrets are in no log line, no Debug output and no error, whatever happens.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use http_body_util::BodyExt as _;
use kubewire_config::{ClientCertificate, Config, Credentials, Pem, Secret, TlsConfig};
use kubewire_transport::{Body, HttpClient, HttpService as _};
use serde_json::json;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::guard::{Authority, Clock, Guard};
use crate::program::{Program, credential};

/// Part of every secret here.
const MARK: &str = "m4rk3d";

/// All that is written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn add(&self, text: &str) {
        self.0.lock().unwrap().extend_from_slice(text.as_bytes());
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn secrets_are_never_shown() {
    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // This hears the `log` crate too, which rustls writes to.
    let _guard = subscriber.set_default();

    let authority = Authority::new();
    let guard = Guard::start(Clock::new(), &authority).await;
    let hour = Duration::from_secs(3600);
    guard.know(&format!("known-{MARK}"), hour);
    let pair = guard.issue("client", hour);
    let key_line = pair.key().lines().nth(1).unwrap().to_owned();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("known-{MARK}")).unwrap();

    let marked = |program: &Program| {
        let mut exec = program.exec();
        exec.args.push(Secret::from(MARK));
        exec.env.push(("PASSWORD".to_owned(), Secret::from(MARK)));
        exec.provide_cluster_info = true;
        exec.cluster_config = Some(json!({ "secret": MARK }));
        Credentials::Exec(Box::new(exec))
    };
    let programs = [
        Program::printing(&credential(&json!({ "token": format!("known-{MARK}") }))),
        Program::printing(&credential(&json!({ "token": format!("unknown-{MARK}") }))),
        Program::printing(&credential(&json!({ "token": [MARK] }))),
        Program::printing(&credential(&json!({ "token": format!("{MARK}\n{MARK}") }))),
        Program::printing(&credential(&json!({ "token": MARK, "expirationTimestamp": MARK }))),
        Program::printing(&credential(&json!({ "clientCertificateData": MARK, "clientKeyData": MARK }))),
        Program::printing(&credential(&json!({
            "clientCertificateData": pair.certificate(),
            "clientKeyData": format!("-----BEGIN PRIVATE KEY-----\n{MARK}\n-----END PRIVATE KEY-----\n"),
        }))),
        Program::printing(&credential(&json!({
            "clientCertificateData": pair.certificate(),
            "clientKeyData": pair.key(),
        }))),
        Program::printing(&json!(MARK)),
        Program::script("exit 3"),
    ];
    let mut credentials: Vec<_> = programs.iter().map(marked).collect();
    credentials.extend([
        Credentials::bearer(format!("known-{MARK}")),
        Credentials::bearer(format!("unknown-{MARK}")),
        Credentials::bearer(format!("{MARK}\n{MARK}")),
        Credentials::basic("user", MARK),
        Credentials::token_file(file.path()),
        Credentials::client_certificate(ClientCertificate {
            certificate: Pem::Data(pair.certificate().into_bytes()),
            key: Pem::Data(Secret::new(pair.key().into_bytes())),
        }),
    ]);
    let proxy = format!("http://user:{MARK}@{}", guard.address).parse().unwrap();
    let tls = TlsConfig { ca: Some(Pem::Data(authority.pem().into_bytes())), ..TlsConfig::default() };
    let mut outcomes = 0;
    for credentials in credentials {
        for (alpn, proxy) in [(vec![], None), (vec!["http/1.1".to_owned()], None), (vec![], Some(&proxy))] {
            let config = Config {
                tls: TlsConfig { alpn, ..tls.clone() },
                credentials: credentials.clone(),
                proxy: proxy.cloned(),
                ..Config::new(guard.url())
            };
            let builder = HttpClient::builder(&config).connect_timeout(Duration::from_secs(5));
            written.add(&format!("{config:?} {builder:?}"));
            match builder.build() {
                Ok(client) => {
                    written.add(&format!("{client:?}"));
                    for path in ["/token", "/certificate"] {
                        written.add(&ask(&client, path).await);
                        outcomes += 1;
                    }
                }
                Err(error) => written.add(&shown(&error)),
            }
        }
    }

    assert!(outcomes > 60, "{outcomes}");
    let text = written.text();
    let basic = STANDARD.encode(format!("user:{MARK}"));
    for line in text.lines() {
        for secret in [MARK, basic.as_str(), key_line.as_str()] {
            assert!(!line.contains(secret), "{line}");
        }
    }
    for seen in
        ["h2::", "hyper", "status: 200", "status: 401", "exit code 3", "certificate and key can't be used"]
    {
        assert!(text.contains(seen), "{seen} was to happen");
    }
}

async fn ask(client: &HttpClient, path: &str) -> String {
    match client.execute(Request::get(path).body(Body::empty()).unwrap()).await {
        Ok(response) => {
            let shown = format!("{response:?}");
            response.into_body().collect().await.unwrap();
            shown + "\n"
        }
        Err(error) => shown(&error),
    }
}

/// All that an error has to say.
fn shown(error: &kubewire_transport::Error) -> String {
    let mut text = format!("{error:?} {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text + "\n"
}
