//! A day of a controller's life, in simulated time: everything that can rotate does so every few minutes, and no
//! request fails.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::Request;
use http_body_util::BodyExt as _;
use kubewire_config::{ClientCertificate, Config, Credentials, Pem, TlsConfig};
use kubewire_transport::{Body, HttpClient, HttpService as _};
use serde_json::json;
use tokio::sync::{Notify, Semaphore};

use crate::guard::{Authority, Clock, Guard};
use crate::program::{Program, credential};
use crate::support::still_clock;

const MINUTE: Duration = Duration::from_secs(60);

/// What the clients ask: `/token` wants a token that is known and not over, `/certificate` such a certificate.
const PATHS: [&str; 4] = ["/token", "/certificate", "/token", "/certificate"];

#[tokio::test(start_paused = true)]
async fn a_day_of_rotations_fails_no_request() {
    let _still = still_clock();
    let clock = Clock::new();
    let mut authority = Authority::new();
    let guard = Guard::start(clock.clone(), &authority).await;
    let folder = tempfile::tempdir().unwrap();
    let files = Files(folder.path());
    let (token_program, certificate_program) = (Program::script("cat output"), Program::script("cat output"));
    let rotate = |minute: usize| {
        token_program.print(&credential(&fresh_token(&guard, minute)));
        if minute.is_multiple_of(2) {
            certificate_program.print(&credential(&fresh_certificate(&guard)));
            files.write("token", &known(&guard, &format!("file-{minute}"), 4 * MINUTE));
        }
        if minute.is_multiple_of(5) {
            // A reader between the two writes finds halves that don't match, and keeps what it has.
            let pair = guard.issue("files", 12 * MINUTE);
            files.write("certificate", &pair.certificate());
            files.write("key", &pair.key());
        }
    };
    rotate(0);
    files.write("ca", &authority.pem());

    let pair = ClientCertificate {
        certificate: Pem::File(files.path("certificate")),
        key: Pem::File(files.path("key")),
    };
    let credentials = [
        token_program.credentials(),
        certificate_program.credentials(),
        Credentials::token_file(files.path("token")),
        Credentials::client_certificate(pair),
    ];
    let load = Arc::new(Load::default());
    for (credentials, path) in credentials.into_iter().zip(PATHS) {
        let tls = TlsConfig { ca: Some(Pem::File(files.path("ca"))), ..TlsConfig::default() };
        let now = clock.clone();
        let client = HttpClient::builder(&Config { tls, credentials, ..Config::new(guard.url()) })
            .clock(move || now.now())
            // A minute passes here in the middle of a handshake.
            .connect_timeout(10 * MINUTE)
            .tls_handshake_timeout(10 * MINUTE)
            .build()
            .unwrap();
        load.add(client, path);
    }

    let mut next = Authority::new();
    for minute in 1..=MINUTES {
        clock.advance(MINUTE);
        tokio::time::advance(MINUTE).await;
        rotate(minute);
        match minute % 60 {
            // The next authority is announced, its certificate taken, and the last one forgotten.
            40 => files.write("ca", &(authority.pem() + &next.pem())),
            50 => guard.rotate(&next),
            59 => {
                authority = std::mem::replace(&mut next, Authority::new());
                files.write("ca", &authority.pem());
            }
            // Connections end for other reasons too.
            20 => guard.rotate(&authority),
            _ => {}
        }
        load.go_on(minute).await;
    }

    let runs = (token_program.runs(), certificate_program.runs());
    eprintln!(
        "{} requests, {} connections, {} refusals that no caller saw, {runs:?} runs of programs",
        MINUTES * ENDED * PATHS.len(),
        guard.connections(),
        guard.refusals(),
    );
    assert!(runs.0 >= MINUTES / 5 && runs.1 >= MINUTES / 7, "{runs:?}");
    assert!(guard.connections() > MINUTES / 7 + MINUTES / 12, "{}", guard.connections());
}

fn known(guard: &Guard, token: &str, time: Duration) -> String {
    guard.know(token, time);
    token.to_owned()
}

fn fresh_token(guard: &Guard, minute: usize) -> serde_json::Value {
    let token = known(guard, &format!("program-{minute}"), 3 * MINUTE);
    json!({ "token": token, "expirationTimestamp": text(guard.clock.now() + 3 * MINUTE) })
}

fn fresh_certificate(guard: &Guard) -> serde_json::Value {
    let pair = guard.issue("program", 8 * MINUTE);
    json!({
        "clientCertificateData": pair.certificate(),
        "clientKeyData": pair.key(),
        "expirationTimestamp": text(guard.clock.now() + 5 * MINUTE),
    })
}

fn text(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).unwrap().to_string()
}

/// Files that are replaced at once, as a careful writer does.
struct Files<'a>(&'a Path);

impl Files<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let new = self.path(&format!("{name}.new"));
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.path(name)).unwrap();
    }
}

/// A day; a quarter of one where the code is slow, which is in debug builds.
const MINUTES: usize = if cfg!(debug_assertions) { 6 * 60 } else { 24 * 60 };

/// How many requests of a client end before the next minute comes.
const ENDED: usize = 2;

/// Requests all the time.
#[derive(Default)]
struct Load {
    clients: Mutex<Vec<Arc<Client>>>,
    failures: Mutex<Vec<String>>,
    progress: Notify,
}

struct Client {
    http: HttpClient,
    path: &'static str,
    answered: AtomicUsize,
    /// Requests that it may still begin.
    permits: Semaphore,
}

impl Load {
    fn add(self: &Arc<Self>, http: HttpClient, path: &'static str) {
        // One more than is waited for, so that a request is under way whenever a minute passes.
        let client = Client { http, path, answered: AtomicUsize::new(0), permits: Semaphore::new(1) };
        let client = Arc::new(client);
        self.clients.lock().unwrap().push(Arc::clone(&client));
        let load = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                client.permits.acquire().await.unwrap().forget();
                if let Err(failure) = client.ask().await {
                    load.failures.lock().unwrap().push(failure);
                }
                client.answered.fetch_add(1, Ordering::SeqCst);
                load.progress.notify_one();
            }
        });
    }

    /// Until each client has begun and ended requests after now.
    async fn go_on(&self, minute: usize) {
        let clients = self.clients.lock().unwrap().clone();
        clients.iter().for_each(|client| client.permits.add_permits(ENDED));
        while clients.iter().any(|client| client.answered.load(Ordering::SeqCst) < minute * ENDED) {
            self.progress.notified().await;
        }
        let failures = std::mem::take(&mut *self.failures.lock().unwrap());
        assert!(failures.is_empty(), "in minute {minute}: {failures:#?}");
    }
}

impl Client {
    async fn ask(&self) -> Result<(), String> {
        let path = self.path;
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.http.execute(request).await.map_err(|error| format!("{path}: {error:?}"))?;
        let status = response.status();
        match response.into_body().collect().await {
            Ok(_) if status.is_success() => Ok(()),
            outcome => Err(format!("{path}: {status} {outcome:?}")),
        }
    }
}
