//! Running an example's binary with nothing of this machine's own clusters in sight.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a program printed, and whether it succeeded.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The lines of a successful run.
    pub(crate) fn lines(&self) -> Vec<&str> {
        assert!(self.success, "{}", self.stderr);
        self.stdout.lines().collect()
    }

    /// The one line of stderr with which a failed run ended.
    pub(crate) fn error(&self) -> &str {
        assert!(!self.success, "{}", self.stdout);
        let lines: Vec<&str> = self.stderr.lines().collect();
        let [line] = lines[..] else { panic!("not one line: {}", self.stderr) };
        line
    }
}

/// Runs the example `name` off the async threads, so that a server in this process can answer it.
pub(crate) async fn run(name: &str, args: &[&str]) -> Ran {
    let home = tempfile::tempdir().unwrap();
    let mut command = command(name, args, home.path());
    let Output { status, stdout, stderr } =
        tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    drop(home);
    Ran {
        success: status.success(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// The example `name` with an empty home, and nothing that names a cluster.
pub(crate) fn command(name: &str, args: &[&str], home: &Path) -> Command {
    let mut command = Command::new(path(name));
    command.args(args).env("HOME", home);
    for name in ["KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"] {
        command.env_remove(name);
    }
    command
}

/// `target/PROFILE/examples/NAME`, beside `target/PROFILE/deps/` where this test's own binary stands.
fn path(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.ancestors().nth(2).map(Path::to_path_buf).unwrap().join("examples").join(name);
    assert!(path.is_file(), "{} is not built: run the tests with `cargo test`", path.display());
    path
}
