//! With real programs: shell scripts, which the shell reads, so that a script just written is never "busy".

mod certificates;
mod failures;
mod runs;
mod terminal;
mod told;

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use kubewire_config::{InteractiveMode, Pem, PluginPolicy, Secret, TlsConfig};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

/// A script and what it leaves in its folder: a line in `runs` for each run, and what `body` writes.
struct Program(TempDir);

impl Program {
    fn new(body: &str) -> Self {
        let program = Self(tempfile::tempdir().unwrap());
        program.write("script", &format!("set -e\ncd \"$FOLDER\"\necho run >> runs\n{body}\n"));
        program
    }

    /// A program that prints the file `output`.
    fn printing(output: &Value) -> Self {
        let program = Self::new("cat output");
        program.write("output", &output.to_string());
        program
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn runs(&self) -> usize {
        self.read("runs").lines().count()
    }

    fn exec(&self) -> ExecConfig {
        ExecConfig {
            command: PathBuf::from("sh"),
            args: vec![Secret::from(self.path("script").to_str().unwrap())],
            env: vec![("FOLDER".to_owned(), Secret::from(self.0.path().to_str().unwrap()))],
            ..ExecConfig::default()
        }
    }

    /// Waits until the running program has written a file.
    async fn wrote(&self, name: &str) -> String {
        until(|| Some(self.read(name)).filter(|text| text.ends_with('\n'))).await
    }
}

/// Asks again and again, but not for ever.
async fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            match ask() {
                Some(found) => return found,
                None => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asking).await.expect("in time")
}

#[derive(Clone)]
struct Clock(Arc<Mutex<SystemTime>>);

impl Clock {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(SystemTime::now())))
    }

    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }

    fn advance(&self, seconds: u64) {
        *self.0.lock().unwrap() += Duration::from_secs(seconds);
    }

    /// A time as programs print it.
    fn text(&self, seconds: i64) -> String {
        let now = jiff::Timestamp::try_from(self.now()).unwrap();
        (now + jiff::SignedDuration::from_secs(seconds)).to_string()
    }
}

fn options(clock: &Clock) -> AuthOptions {
    let clock = clock.clone();
    let provider = crate::tls::provider().unwrap();
    AuthOptions { now: Arc::new(move || clock.now()), ..AuthOptions::new(provider) }
}

fn client(exec: &ExecConfig) -> Exec {
    with_clock(exec, &Clock::new())
}

fn with_clock(exec: &ExecConfig, clock: &Clock) -> Exec {
    Exec::new(&Config::new("https://host"), exec, &options(clock)).unwrap()
}

fn credential(status: &Value) -> Value {
    json!({ "kind": "ExecCredential", "apiVersion": V1, "status": status })
}

fn token(token: &str) -> Value {
    credential(&json!({ "token": token }))
}

async fn sent(exec: &Exec) -> HeaderValue {
    exec.header().await.unwrap().0.unwrap()
}

/// All texts of the error that the program makes.
async fn failure(exec: &ExecConfig) -> String {
    let error = client(exec).header().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credential);
    chain(&error)
}

fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |error| error.source())
        .fold(error.to_string(), |text, error| format!("{text}: {error}"))
}

/// A certificate and its key in PEM.
fn pair(name: &str) -> (String, String) {
    pair_until(name, rcgen::date_time_ymd(2100, 1, 1).into())
}

fn pair_until(name: &str, not_after: SystemTime) -> (String, String) {
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_after = not_after.into();
    let key = rcgen::KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn certificate((certificate, key): &(String, String), token: Option<&str>) -> Value {
    credential(&json!({ "clientCertificateData": certificate, "clientKeyData": key, "token": token }))
}
