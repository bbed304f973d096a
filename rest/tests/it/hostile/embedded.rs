//! The embedded server's faults, on HTTP/1.1 and on HTTP/2.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use kubewire_rest::fake::{ApiServer, Fault, FaultRule};
use kubewire_rest::{Bytes, Config};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{ENDS, HEAVY, MIB, SERVE, ask, client};

/// Each with the ends that succeed all the same, on HTTP/1.1 and on HTTP/2 unless it says 1.1.
fn faults() -> Vec<(&'static str, Fault, &'static str)> {
    let garbage = Bytes::from_static(b"\x00\x01\x02 nonsense\r\n\r\n");
    vec![
        ("huge-body", Fault::HugeBody(8 * MIB), "s"),
        ("endless-body", Fault::EndlessBody, ""),
        ("endless-line", Fault::EndlessLine, ""),
        ("gzip-bomb", Fault::GzipBomb(16 * MIB as u64), ""),
        ("huge-header", Fault::HugeHeader(MIB), ""),
        ("no-slash", Fault::ContentType("nonsense".into()), "rs"),
        ("html", Fault::ContentType("text/html".into()), "rs"),
        ("protobuf", Fault::ContentType("application/vnd.kubernetes.protobuf".into()), "rs"),
        ("stall", Fault::Stall { after: 10 }, ""),
        ("stall-at-once", Fault::Stall { after: 0 }, ""),
        ("cut", Fault::CutBody { after: 30 }, ""),
        ("cut-at-once", Fault::CutBody { after: 0 }, ""),
        ("reset", Fault::Reset { after: 60 }, ""),
        ("close", Fault::Close { after: 60 }, ""),
        ("longer", Fault::WrongLength(100), ""),
        // HTTP/1.1 has no other end of a body than its length.
        ("shorter", Fault::WrongLength(-20), "rs 1.1"),
        ("garbage", Fault::Garbage(garbage), ""),
        ("nothing", Fault::Garbage(Bytes::new()), ""),
        ("delay", Fault::Delay(Duration::from_secs(60)), ""),
        ("trickle", Fault::Trickle { bytes: 1, every: Duration::from_secs(1) }, ""),
        ("internal-error", Fault::StreamReset(2), ""),
        ("enhance-your-calm", Fault::StreamReset(11), ""),
        ("come-back-late", Fault::retry_after(429, 1 << 31), ""),
        ("come-back", Fault::retry_after(503, 0), ""),
    ]
}

/// Whether the answer has no end or is huge.
fn is_heavy(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::HugeBody(_)
            | Fault::EndlessBody
            | Fault::EndlessLine
            | Fault::GzipBomb(_)
            | Fault::HugeHeader(_)
    )
}

/// The name by which a request asks for its fault.
fn case(name: &str, how: char) -> String {
    format!("{name}-{how}.")
}

/// The embedded servers, one without TLS and one with it, on which HTTP/2 is spoken. They hold much themselves, so they
/// are in another process, which ends with this one.
pub(super) struct Servers {
    configs: [(Config, bool); 2],
    _folder: TempDir,
    // Held for its standard input.
    _process: Child,
}

impl Servers {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = super::again(SERVE);
        command.env(FOLDER, folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains(READY)), "the servers did not start");
        // What it says from now on is nobody's business, but it must be able to say it.
        std::thread::spawn(move || lines.for_each(drop));
        let config = |tls: bool| (Config::from_kubeconfig(kubeconfig(folder.path(), tls)).unwrap(), tls);
        Self { configs: [config(false), config(true)], _folder: folder, _process: process }
    }

    pub(super) fn spawn(&self, all: &mut JoinSet<Option<String>>, asking: &Arc<Semaphore>, heavy: bool) {
        for (config, tls) in &self.configs {
            for (name, fault, succeed) in faults() {
                if is_heavy(&fault) != heavy {
                    continue;
                }
                for how in ENDS {
                    let label = format!("{name} tls={tls} {how}");
                    let case = case(name, how);
                    let succeeds = succeed.contains(how) && !(*tls && succeed.contains("1.1"));
                    let (config, asking) = (config.clone(), Arc::clone(asking));
                    all.spawn(async move {
                        let _turns = asking.acquire_many(if heavy { HEAVY } else { 1 }).await.unwrap();
                        let request = client(&config).get().namespace("default").resource("pods");
                        let url = request.url();
                        let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
                        let wanted = ["GET", "/api/v1/namespaces/default/pods", &host];
                        ask(request.param("case", case), how, [heavy, succeeds], &label, wanted).await
                    });
                }
            }
        }
    }
}

/// Says that the servers answer.
const READY: &str = "the hostile servers are ready";
/// Where their kubeconfigs are to be written.
const FOLDER: &str = "KUBEWIRE_TEST_HOSTILE_FOLDER";

fn kubeconfig(folder: &Path, tls: bool) -> PathBuf {
    folder.join(if tls { "tls" } else { "plain" })
}

/// The other process: serves until its standard input ends.
pub(super) async fn serve() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let mut servers = Vec::new();
    for tls in [false, true] {
        let server = ApiServer::builder().tls(tls).pods(3).start().await.unwrap();
        for (name, fault, _) in faults() {
            for how in ENDS {
                server.faults().add(FaultRule::new(fault.clone()).path(format!("case={}", case(name, how))));
            }
        }
        std::fs::write(kubeconfig(&folder, tls), server.kubeconfig()).unwrap();
        servers.push(server);
    }
    println!("{READY}");
    let end = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    end.await.unwrap().unwrap();
}
