//! Files and credentials that change while the client runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Response;
use http_body_util::BodyExt as _;
use kubewire_config::{ClientCertificate, Config, Credentials, Pem, TlsConfig};
use kubewire_transport::{ErrorKind, HttpClient};

use crate::support::pki::{self, Ca, Leaf};
use crate::support::server::{Asked, Reply, Server, Setup, handler, status, text};
use crate::support::{builder, endless, get, request, send, soon, until, watch};

/// A folder with a client's certificate, its key and a CA in it.
struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    fn new(ca: &Ca, leaf: &Leaf) -> Self {
        let folder = Self { dir: tempfile::tempdir().unwrap() };
        folder.set_ca(&ca.pem());
        folder.set_leaf(leaf);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// As a careful writer does it: the new file takes the old one's place at once.
    fn write(&self, name: &str, text: &str) {
        let new = self.path(&format!("{name}.new"));
        std::fs::write(&new, text).unwrap();
        std::fs::rename(&new, self.path(name)).unwrap();
    }

    fn set_ca(&self, pem: &str) {
        self.write("ca.crt", pem);
    }

    fn set_leaf(&self, leaf: &Leaf) {
        self.write("client.crt", &leaf.certificate);
        self.write("client.key", &leaf.key);
    }

    fn tls(&self) -> TlsConfig {
        TlsConfig { ca: Some(Pem::File(self.path("ca.crt"))), ..TlsConfig::default() }
    }

    fn config(&self, url: String) -> Config {
        let certificate = ClientCertificate {
            certificate: Pem::File(self.path("client.crt")),
            key: Pem::File(self.path("client.key")),
        };
        Config {
            tls: self.tls(),
            credentials: Credentials::client_certificate(certificate),
            ..Config::new(url)
        }
    }
}

/// Looks at its files every `period`.
fn client(config: &Config, period: Duration) -> HttpClient {
    builder(config)
        .certificate_file_period(period)
        .token_file_period(period)
        .drain_timeout(Duration::from_millis(300))
        .build()
        .unwrap()
}

const SHORT: Duration = Duration::from_millis(20);
const NEVER: Duration = Duration::from_secs(3600);

fn digest(der: &[u8]) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    der.hash(&mut hasher);
    format!("{:x}", hasher.finish())
}

fn digest_of(leaf: &Leaf) -> String {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    digest(&CertificateDer::from_pem_slice(leaf.certificate.as_bytes()).unwrap())
}

/// Says which certificate the client showed; /watch stays open, /slow takes its time.
async fn who(asked: Asked) -> Response<Reply> {
    let seen = digest(&asked.certificate.unwrap_or_default());
    match asked.request.uri().path() {
        "/watch" => endless(seen),
        "/slow" => {
            tokio::time::sleep(Duration::from_millis(300)).await;
            text(seen)
        }
        _ => text(seen),
    }
}

async fn demanding(ca: &Ca, clients: &Ca) -> Server {
    let tls = pki::server_config(&ca.server(&["127.0.0.1"]), Some(clients), &["h2", "http/1.1"]);
    Server::start(Setup { tls: Some(tls), handler: handler(who), max_streams: None }).await
}

/// Asks until the server sees `leaf`.
async fn until_seen(client: &HttpClient, leaf: &Leaf) {
    let wanted = digest_of(leaf);
    soon("the new certificate is shown", async {
        while get(client, "/").await.unwrap().1 != wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn bh_t8_a_new_certificate_pair_is_used_and_old_connections_close() {
    let (ca, clients) = (Ca::new("ca"), Ca::new("clients"));
    let (first, second) = (clients.client("first"), clients.client("second"));
    let server = demanding(&ca, &clients).await;
    let folder = Folder::new(&ca, &first);
    let client = client(&folder.config(server.url()), SHORT);
    assert_eq!(get(&client, "/").await.unwrap().1, digest_of(&first));

    let mut watching = send(&client, watch("/watch")).await.unwrap().into_body();
    assert_eq!(watching.frame().await.unwrap().unwrap().into_data().unwrap(), digest_of(&first));
    let slow = tokio::spawn({
        let client = client.clone();
        async move { get(&client, "/slow").await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let rotated = Instant::now();
    folder.set_leaf(&second);
    until_seen(&client, &second).await;
    // What was under way ends well, on its old connection.
    assert_eq!(slow.await.unwrap().unwrap().1, digest_of(&first));
    // The watch is ended by us, within the bound that was set.
    let error = soon("the watch is ended", watching.frame()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
    assert!(rotated.elapsed() >= Duration::from_millis(300));
    // Nothing of the old identity is left, though the ended body is still held.
    until("the old connections are closed", || server.open() == 1).await;
    assert_eq!(get(&client, "/").await.unwrap().1, digest_of(&second));
    drop(watching);
}

#[tokio::test]
async fn bh_t8_a_handshake_finds_the_newest_pair_by_itself() {
    let (ca, clients) = (Ca::new("ca"), Ca::new("clients"));
    let (first, second) = (clients.client("first"), clients.client("second"));
    let server = demanding(&ca, &clients).await;
    let folder = Folder::new(&ca, &first);
    let config = folder.config(server.url());
    let client = client(&config, NEVER);
    assert_eq!(get(&client, "/").await.unwrap().1, digest_of(&first));
    folder.set_leaf(&second);
    assert_eq!(get(&client, "/").await.unwrap().1, digest_of(&first));
    // At most once a second.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    server.cut();
    until("the connection is closed", || server.open() == 0).await;
    assert_eq!(get(&client, "/").await.unwrap().1, digest_of(&second));
}

#[tokio::test]
async fn no_handshake_after_a_rotation_resumes_the_old_identity() {
    // The server takes the new client authority only; the old identity's session would still be good.
    let (ca, old, new) = (Ca::new("ca"), Ca::new("old"), Ca::new("new"));
    let (first, second) = (old.client("first"), new.client("second"));
    let server = demanding(&ca, &old).await;
    let folder = Folder::new(&ca, &first);
    let client = client(&folder.config(server.url()), SHORT);
    for _ in 0..3 {
        assert_eq!(get(&client, "/").await.unwrap().1, digest_of(&first));
        // Sessions to resume are there.
        server.cut();
        until("the connection is closed", || server.open() == 0).await;
    }
    folder.set_leaf(&second);
    tokio::time::sleep(SHORT * 5).await;
    server.set_tls(pki::server_config(&ca.server(&["127.0.0.1"]), Some(&new), &["h2"]));
    for _ in 0..3 {
        assert_eq!(get(&client, "/").await.unwrap().1, digest_of(&second));
        server.cut();
        until("the connection is closed", || server.open() == 0).await;
    }
    assert_eq!(server.refused(), 0);
}

#[tokio::test]
async fn bh_t8_a_bad_pair_leaves_the_good_one_in_use() {
    let (ca, clients) = (Ca::new("ca"), Ca::new("clients"));
    let (first, second) = (clients.client("first"), clients.client("second"));
    let server = demanding(&ca, &clients).await;
    let folder = Folder::new(&ca, &first);
    let client = client(&folder.config(server.url()), SHORT);
    assert_eq!(get(&client, "/").await.unwrap().1, digest_of(&first));
    // Halfway through a rotation, then garbage, then nothing.
    folder.write("client.crt", &second.certificate);
    for text in [None, Some("garbage"), Some("")] {
        if let Some(text) = text {
            folder.write("client.key", text);
        }
        tokio::time::sleep(SHORT * 4).await;
        server.cut();
        assert_eq!(retried(&client).await, digest_of(&first));
    }
    std::fs::remove_file(folder.path("client.key")).unwrap();
    tokio::time::sleep(SHORT * 4).await;
    folder.set_leaf(&second);
    until_seen(&client, &second).await;
}

/// A GET that may find its connection cut.
async fn retried(client: &HttpClient) -> String {
    match get(client, "/").await {
        Ok((_, text)) => text,
        Err(_) => get(client, "/").await.unwrap().1,
    }
}

#[tokio::test]
async fn bh_t8_a_new_ca_is_used_and_the_old_one_is_believed_no_more() {
    let (old, new) = (Ca::new("old"), Ca::new("new"));
    let server = Server::https(&old, handler(who)).await;
    let folder = Folder::new(&old, &old.client("anybody"));
    let config = Config { tls: folder.tls(), ..Config::new(server.url()) };
    let client = client(&config, SHORT);
    assert_eq!(get(&client, "/").await.unwrap().0, 200);

    // Garbage and nothing keep what is there.
    for text in ["garbage", ""] {
        folder.set_ca(text);
        tokio::time::sleep(SHORT * 4).await;
        server.cut();
        assert_eq!(retried(&client).await, digest(&[]));
    }
    folder.set_ca(&new.pem());
    soon("the old server is refused", async {
        loop {
            match send(&client, request("/")).await {
                Err(error) if error.kind() == ErrorKind::Tls => break,
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    })
    .await;
    // It stays refused: no session is resumed.
    for _ in 0..3 {
        assert_eq!(send(&client, request("/")).await.unwrap_err().kind(), ErrorKind::Tls);
    }
    until("connections of old trust are closed", || server.open() == 0).await;
    server.set_tls(pki::server_config(&new.server(&["127.0.0.1"]), None, &["h2"]));
    assert_eq!(get(&client, "/").await.unwrap().0, 200);
}

#[tokio::test]
async fn a_ca_that_changed_a_moment_ago_is_found_by_the_failing_handshake() {
    let (old, new) = (Ca::new("old"), Ca::new("new"));
    let server = Server::https(&old, handler(who)).await;
    let folder = Folder::new(&old, &old.client("anybody"));
    let config = Config { tls: folder.tls(), ..Config::new(server.url()) };
    let client = client(&config, NEVER);
    assert_eq!(get(&client, "/").await.unwrap().0, 200);
    server.set_tls(pki::server_config(&new.server(&["127.0.0.1"]), None, &["h2"]));
    server.cut();
    until("the connection is closed", || server.open() == 0).await;
    // The files were looked at less than a second ago.
    folder.set_ca(&new.pem());
    assert_eq!(get(&client, "/").await.unwrap().0, 200);
}

#[tokio::test]
async fn bh_t12_a_rotated_token_file_costs_nobody_a_401() {
    let valid = Arc::new(std::sync::Mutex::new("one".to_owned()));
    let refusals = Arc::new(AtomicUsize::new(0));
    let server = Server::http(handler({
        let (valid, refusals) = (Arc::clone(&valid), Arc::clone(&refusals));
        move |asked: Asked| {
            let expected = format!("Bearer {}", valid.lock().unwrap());
            let right = asked.request.headers().get("authorization").is_some_and(|sent| *sent == expected);
            if !right {
                refusals.fetch_add(1, Ordering::SeqCst);
            }
            async move {
                let body = asked.request.into_body().collect().await.unwrap().to_bytes();
                if right { text(body) } else { status(401) }
            }
        }
    }))
    .await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    std::fs::write(&path, "one\n").unwrap();
    let config = Config { credentials: Credentials::token_file(&path), ..Config::new(server.url()) };
    let client = client(&config, NEVER);
    assert_eq!(get(&client, "/").await.unwrap().0, 200);
    *valid.lock().unwrap() = "two".to_owned();
    std::fs::write(&path, "two\n").unwrap();
    // The copy is not old yet: the 401 says that it is no good, and the request is sent once more.
    let post = http::Request::post("/").body(kubewire_transport::Body::from("body")).unwrap();
    let response = send(&client, post).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(crate::support::bytes(response).await.unwrap(), "body");
    assert_eq!(refusals.load(Ordering::SeqCst), 1);
    // A token that is no good at all is told once it was tried.
    *valid.lock().unwrap() = "three".to_owned();
    assert_eq!(get(&client, "/").await.unwrap().0, 401);
}

#[tokio::test]
async fn the_watch_over_files_ends_with_the_last_client() {
    let ca = Ca::new("ca");
    let server = Server::https(&ca, handler(who)).await;
    let folder = Folder::new(&ca, &ca.client("anybody"));
    let config = Config { tls: folder.tls(), ..Config::new(server.url()) };
    let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let client = client(&config, SHORT);
    assert_eq!(get(&client, "/").await.unwrap().0, 200);
    assert!(tokio::runtime::Handle::current().metrics().num_alive_tasks() > before);
    drop(client);
    until("no task is left", || {
        server.open() == 0 && tokio::runtime::Handle::current().metrics().num_alive_tasks() <= before
    })
    .await;
}

/// A day of a busy controller: its certificate and its token change every five minutes, here as soon as the server has
/// seen the ones before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_rotations_fails_no_request() {
    const ROUNDS: usize = 24 * 12;
    const PERIOD: Duration = Duration::from_millis(20);

    let authority = Ca::new("ca");
    let clients = Ca::new("clients");
    // The newest token, and whether it was seen; the two before are still good, as with service accounts.
    let newest = Arc::new(AtomicUsize::new(0));
    let seen = Arc::new(AtomicUsize::new(0));
    let serving = handler({
        let (newest, seen) = (Arc::clone(&newest), Arc::clone(&seen));
        move |asked: Asked| {
            let sent = asked.request.headers().get("authorization").and_then(|sent| sent.to_str().ok());
            let number = sent.and_then(|sent| sent.strip_prefix("Bearer token-")?.parse::<usize>().ok());
            let good = number.is_some_and(|number| number + 2 >= newest.load(Ordering::SeqCst));
            seen.fetch_max(number.unwrap_or_default(), Ordering::SeqCst);
            async move { if good && asked.certificate.is_some() { text("hello") } else { status(401) } }
        }
    });
    let tls = |clients: &Ca| pki::server_config(&authority.server(&["127.0.0.1"]), Some(clients), &["h2"]);
    let server = Server::start(Setup { tls: Some(tls(&clients)), handler: serving, max_streams: None }).await;
    let folder = Folder::new(&authority, &clients.client("0"));
    folder.write("token", "token-0");
    let mut config = folder.config(server.url());
    let Credentials::ClientCertificate { header, .. } = &mut config.credentials else { unreachable!() };
    *header = kubewire_config::HeaderCredential::Bearer(kubewire_config::BearerToken {
        token: None,
        token_file: Some(folder.path("token")),
    });
    let client = client(&config, PERIOD);

    let over = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..4)
        .map(|_| {
            let (client, over) = (client.clone(), Arc::clone(&over));
            tokio::spawn(async move {
                let mut answered = 0_usize;
                while !over.load(Ordering::SeqCst) {
                    assert_eq!(get(&client, "/").await.unwrap(), (200, "hello".to_owned()));
                    answered += 1;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                answered
            })
        })
        .collect();
    for round in 1..=ROUNDS {
        folder.set_leaf(&clients.client(&round.to_string()));
        newest.store(round, Ordering::SeqCst);
        folder.write("token", &format!("token-{round}"));
        tokio::time::sleep(PERIOD).await;
        until("the new token is used", || seen.load(Ordering::SeqCst) == round).await;
    }
    over.store(true, Ordering::SeqCst);
    let mut answered = 0;
    for task in load {
        answered += task.await.unwrap();
    }
    assert!(answered > ROUNDS, "{answered}");
    assert!(server.connections() > ROUNDS / 10, "{}", server.connections());
    until("old connections are closed", || server.open() <= 1).await;
}
