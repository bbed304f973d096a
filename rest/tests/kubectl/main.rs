//! kubectl does the same on the embedded server and on a real one. `commands.txt` holds the commands, one a line as a
//! shell runs it. Where the outputs are known to differ, the line before says `# differs: ` and why; the documentation
//! of the embedded server sums it up.

#![allow(clippy::unwrap_used, clippy::panic)]

mod normalise;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use kubewire_rest::fake::ApiServer;
use normalise::normalise;
use tempfile::TempDir;

const BOUND: Duration = Duration::from_secs(30);

/// A server as kubectl sees it, with a home folder of its own.
struct Session {
    home: TempDir,
}

impl Session {
    fn new(kubeconfig: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("kubeconfig"), kubeconfig).unwrap();
        Self { home }
    }

    fn shell(&self, line: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kubectl/files"))
            .env("HOME", self.home.path())
            .env("KUBECONFIG", self.home.path().join("kubeconfig"))
            .stdin(Stdio::null());
        command
    }

    /// What a command prints, and how it ends.
    fn run(&self, line: &str) -> String {
        let output = self.shell(line).output().unwrap();
        let text = |bytes: &[u8]| normalise(&String::from_utf8_lossy(bytes));
        format!("{}\n{}\nexit {}", text(&output.stdout), text(&output.stderr), output.status)
    }

    /// The first lines of a watch, of which `change` makes all but the first.
    fn watch(&self, line: &str, lines: usize, changes: &[&str]) -> Vec<String> {
        let mut child = self.shell(&format!("exec {line}")).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, seen) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(normalise(&line)).is_err() {
                    break;
                }
            }
        });
        let next = || seen.recv_timeout(BOUND).unwrap();
        let mut all = vec![next(), next()];
        for change in changes {
            assert!(self.run(change).contains("exit exit status: 0"), "{change}");
        }
        while all.len() < lines {
            all.push(next());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        drop(seen);
        reader.join().unwrap();
        all
    }
}

/// Both servers, where there are a kubectl and a real server.
struct Pair {
    fake: Session,
    real: Session,
    _runtime: tokio::runtime::Runtime,
    _server: ApiServer,
}

fn pair() -> Option<Pair> {
    let found = Command::new("kubectl").args(["version", "--client"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: there is no kubectl on PATH to compare with");
        return None;
    }
    let real: PathBuf = kubewire_envtest::server()?.kubeconfig();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime
        .block_on(ApiServer::builder().version("1", "20").tls(true).token("kubewire").start())
        .unwrap();
    Some(Pair {
        fake: Session::new(&server.kubeconfig()),
        real: Session::new(&std::fs::read_to_string(real).unwrap()),
        _runtime: runtime,
        _server: server,
    })
}

#[test]
fn commands_print_the_same() {
    let Some(Pair { fake, real, .. }) = &pair() else { return };
    let commands: Vec<(Option<&str>, &str)> = {
        let mut differs = None;
        let lines = include_str!("commands.txt").lines();
        lines
            .filter_map(|line| {
                if let Some(why) = line.strip_prefix("# differs: ") {
                    differs = Some(why);
                    return None;
                }
                line.starts_with(|c: char| c.is_ascii_alphabetic()).then(|| (differs.take(), line))
            })
            .collect()
    };
    let run =
        |session: &Session| -> Vec<String> { commands.iter().map(|(_, line)| session.run(line)).collect() };
    let (on_fake, on_real) = std::thread::scope(|scope| {
        let on_real = scope.spawn(|| run(real));
        (run(fake), on_real.join().unwrap())
    });
    let mut wrong = String::new();
    let mut alike = 0;
    for (((differs, line), fake), real) in commands.iter().zip(&on_fake).zip(&on_real) {
        match (differs, fake == real) {
            (None, true) => alike += 1,
            (Some(_), false) => {}
            (Some(why), true) => {
                wrong.push_str(&format!("\n$ {line}\nis alike now, but was to differ: {why}\n"));
            }
            (None, false) => {
                wrong.push_str(&format!("\n$ {line}\n--- real\n{real}\n--- embedded\n{fake}\n"));
            }
        }
    }
    eprintln!("{alike} of {} commands print the same", commands.len());
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn watches_print_the_same() {
    let Some(Pair { fake, real, .. }) = &pair() else { return };
    let watch = |session: &Session| {
        session.run("kubectl create namespace watched");
        session.run("kubectl create -n watched configmap first");
        session.watch(
            "kubectl get configmaps -n watched -w --output-watch-events",
            5,
            &[
                "kubectl create -n watched configmap second --from-literal=a=b",
                "kubectl patch -n watched configmap second -p '{\"data\":{\"c\":\"d\"}}'",
                "kubectl delete -n watched configmap second",
            ],
        )
    };
    assert_eq!(watch(fake), watch(real));
}
