//! The servers' processes.
//!
//! Each is started beneath a shell that waits for the end of its standard input. The pipe's other end is held here, so
//! that the servers end with this process, however it ends.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::pki::{self, Pki, Result};

/// Runs the command given as arguments until the standard input ends, then removes the folder that `CLEAN` names, if any.
/// A line there, such as `-KILL`, ends it with that signal, and removes nothing.
const SUPERVISE: &str = r#""$@" </dev/null & p=$!; read -r how; kill ${how:--TERM} $p; wait $p
[ -n "$how" ] || [ -z "$CLEAN" ] || rm -rf "$CLEAN""#;

#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) dir: PathBuf,
    pki: Arc<Pki>,
    pub(crate) etcd_url: String,
    port: u16,
    server: Process,
    etcd: Option<Process>,
}

impl Running {
    /// Ends the API server as a crash does.
    pub(crate) fn kill_server(&mut self) -> Result<()> {
        self.server.kill()
    }

    /// Starts the API server again, on the same port, and waits until it is ready.
    pub(crate) fn restart_server(&mut self) -> Result<()> {
        self.server.start_again()?;
        wait_ready(&mut self.server, self.port, &self.pki)
    }

    /// The same for its store, if that is its own.
    pub(crate) fn kill_etcd(&mut self) -> Result<()> {
        self.etcd.as_mut().map_or(Ok(()), Process::kill)
    }

    pub(crate) fn restart_etcd(&mut self) -> Result<()> {
        self.etcd.as_mut().map_or(Ok(()), Process::start_again)
    }
}

/// How a server is started, and the shell above it.
#[derive(Debug)]
struct Process {
    program: PathBuf,
    args: Vec<String>,
    log: PathBuf,
    clean: PathBuf,
    // Held for its standard input: see above.
    shell: Child,
}

impl Process {
    fn start(program: PathBuf, args: Vec<String>, log: PathBuf, clean: Option<&Path>) -> Result<Self> {
        if !program.is_file() {
            return Err(format!("{} is not there", program.display()).into());
        }
        File::create(&log)?;
        let clean = clean.unwrap_or(Path::new("")).to_owned();
        let shell = spawn(&program, &args, &log, &clean)?;
        Ok(Self { program, args, log, clean, shell })
    }

    /// Leaves it no time for anything, and waits for its end.
    fn kill(&mut self) -> Result<()> {
        if let Some(mut stdin) = self.shell.stdin.take() {
            stdin.write_all(b"-KILL\n")?;
        }
        self.shell.wait()?;
        Ok(())
    }

    fn start_again(&mut self) -> Result<()> {
        self.shell = spawn(&self.program, &self.args, &self.log, &self.clean)?;
        Ok(())
    }
}

fn spawn(program: &Path, args: &[String], log: &Path, clean: &Path) -> Result<Child> {
    let log = OpenOptions::new().append(true).open(log)?;
    Ok(Command::new("sh")
        .args(["-c", SUPERVISE, "sh"])
        .arg(program)
        .args(args)
        .env("CLEAN", clean)
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?)
}

pub(crate) fn start(assets: &Path) -> Result<Running> {
    let dir = tempfile::Builder::new().prefix("kubewire-envtest.").tempdir()?.keep();
    let pki = Arc::new(pki::write(&dir)?);
    let path = |name: &str| dir.join(name).display().to_string();

    let etcd_url = format!("http://127.0.0.1:{}", free_port()?);
    let etcd = Process::start(
        assets.join("etcd"),
        vec![
            format!("--data-dir={}", path("etcd")),
            "--unsafe-no-fsync".into(),
            "--log-level=warn".into(),
            format!("--listen-client-urls={etcd_url}"),
            format!("--advertise-client-urls={etcd_url}"),
            "--listen-peer-urls=http://127.0.0.1:0".into(),
        ],
        dir.join("etcd.log"),
        Some(&dir),
    )?;
    let port = free_port()?;
    let mut server = Process::start(
        assets.join("kube-apiserver"),
        vec![
            format!("--etcd-servers={etcd_url}"),
            "--bind-address=127.0.0.1".into(),
            "--advertise-address=127.0.0.1".into(),
            format!("--secure-port={port}"),
            "--endpoint-reconciler-type=none".into(),
            format!("--cert-dir={}", dir.display()),
            format!("--tls-cert-file={}", path("apiserver.crt")),
            format!("--tls-private-key-file={}", path("apiserver.key")),
            format!("--client-ca-file={}", path("ca.crt")),
            format!("--token-auth-file={}", path("tokens.csv")),
            "--authorization-mode=RBAC".into(),
            "--allow-privileged=true".into(),
            "--disable-admission-plugins=ServiceAccount".into(),
            "--service-cluster-ip-range=10.0.0.0/24".into(),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".into(),
            format!("--service-account-key-file={}", path("sa.pub")),
            format!("--service-account-signing-key-file={}", path("sa.key")),
            "--api-audiences=https://kubernetes.default.svc.cluster.local".into(),
        ],
        dir.join("kube-apiserver.log"),
        None,
    )?;
    wait_ready(&mut server, port, &pki)?;
    pki.write_kubeconfigs(&dir, "", &format!("https://127.0.0.1:{port}"))?;
    Ok(Running { dir, pki, etcd_url, port, server, etcd: Some(etcd) })
}

pub(crate) fn start_crd(assets: &Path, beside: &Running) -> Result<Running> {
    let dir = &beside.dir;
    let path = |name: &str| dir.join(name).display().to_string();
    let port = free_port()?;
    let mut server = Process::start(
        assets.join("apiextensions-apiserver"),
        vec![
            format!("--etcd-servers={}", beside.etcd_url),
            "--etcd-prefix=/registry-crd-server".into(),
            "--bind-address=127.0.0.1".into(),
            "--advertise-address=127.0.0.1".into(),
            format!("--secure-port={port}"),
            format!("--cert-dir={}", dir.display()),
            format!("--tls-cert-file={}", path("apiserver.crt")),
            format!("--tls-private-key-file={}", path("apiserver.key")),
            format!("--client-ca-file={}", path("ca.crt")),
            format!("--authentication-kubeconfig={}", path("kubeconfig")),
            format!("--authorization-kubeconfig={}", path("kubeconfig")),
            format!("--kubeconfig={}", path("kubeconfig")),
            "--authentication-tolerate-lookup-failure".into(),
            "--enable-priority-and-fairness=false".into(),
            "--disable-admission-plugins=ValidatingAdmissionPolicy,MutatingAdmissionPolicy,\
             ValidatingAdmissionWebhook,MutatingAdmissionWebhook"
                .into(),
            "--feature-gates=CBORServingAndStorage=true".into(),
        ],
        dir.join("crd.log"),
        None,
    )?;
    wait_ready(&mut server, port, &beside.pki)?;
    beside.pki.write_kubeconfigs(dir, "crd.", &format!("https://127.0.0.1:{port}"))?;
    Ok(Running {
        dir: dir.clone(),
        pki: Arc::clone(&beside.pki),
        etcd_url: beside.etcd_url.clone(),
        port,
        server,
        etcd: None,
    })
}

/// A port that nothing listens on now. Somebody else may take it before the server does: then the start fails, loudly.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn wait_ready(process: &mut Process, port: u16, pki: &Pki) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(120);
    let mut last = String::new();
    while Instant::now() < deadline {
        if let Some(status) = process.shell.try_wait()? {
            return Err(format!("it ended ({status}); its log ends with: {}", tail(&process.log)).into());
        }
        match ready(port, pki) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error) => last = error.to_string(),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(format!("not ready in two minutes ({last}); its log ends with: {}", tail(&process.log)).into())
}

fn ready(port: u16, pki: &Pki) -> Result<bool> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pki.ca.as_bytes())?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    let session = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost")?)?;
    let mut stream = StreamOwned::new(session, socket);
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    // A server that closes without a TLS goodbye has still answered.
    if let Err(error) = stream.read_to_end(&mut answer)
        && answer.is_empty()
    {
        return Err(error.into());
    }
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(15).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
