//! A real API server for tests.
//!
//! [`server`] starts etcd and kube-apiserver on loopback, once a process, from the binaries in the folder that
//! `KUBEBUILDER_ASSETS` names, as the ecosystem's envtest tooling does. They end with the process. Where the
//! variable is not set, it says so on stderr and gives `None`, and the test returns.
//!
//! `KUBEWIRE_ENVTEST` may name the folder of a server that runs already (with `kubeconfig`, `token.kubeconfig`,
//! `user.kubeconfig` and, for custom resources, `crd.kubeconfig` in it): then that one is used.
//!
//! ```no_run
//! let Some(server) = kubewire_envtest::server() else { return };
//! println!("{}", server.kubeconfig().display());
//! ```

mod pki;
mod process;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use process::Running;

/// A running API server. All paths stay valid until the process ends.
#[derive(Debug)]
pub struct Server {
    dir: PathBuf,
    assets: PathBuf,
    running: Option<Running>,
    crd: OnceLock<Option<Running>>,
}

/// The process's API server, started at the first call; `None`, with a word on stderr, where `KUBEBUILDER_ASSETS` is
/// not set.
///
/// # Panics
///
/// When the variable is set and the server does not start: a test that was meant to run must not pass unseen.
pub fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER
        .get_or_init(|| {
            let Some(assets) = std::env::var_os("KUBEBUILDER_ASSETS").filter(|v| !v.is_empty()) else {
                eprintln!("SKIPPED: needs a real API server, and KUBEBUILDER_ASSETS is not set");
                return None;
            };
            Some(Server::start(Path::new(&assets)))
        })
        .as_ref()
}

/// A part of a server that can be crashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The kube-apiserver.
    Api,
    /// Its store.
    Etcd,
}

impl Server {
    /// Another server than the process's: one that may be crashed.
    ///
    /// # Errors
    ///
    /// `KUBEBUILDER_ASSETS` is not set, or the server does not start.
    pub fn own() -> Result<Self, String> {
        let assets = std::env::var_os("KUBEBUILDER_ASSETS").filter(|v| !v.is_empty()).ok_or(
            "needs a real API server: set KUBEBUILDER_ASSETS to the folder of kube-apiserver and etcd",
        )?;
        Self::run(Path::new(&assets)).map_err(|error| error.to_string())
    }

    /// Ends a part as a crash does: at once, and without a word to its clients.
    ///
    /// # Errors
    ///
    /// Its process can't be ended.
    pub fn crash(&mut self, part: Part) -> Result<(), String> {
        self.change(|running| match part {
            Part::Api => running.kill_server(),
            Part::Etcd => running.kill_etcd(),
        })
    }

    /// Starts a part that was crashed. Waits until the API server is ready; what a store needs to come back, its
    /// clients have to wait for.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn restart(&mut self, part: Part) -> Result<(), String> {
        self.change(|running| match part {
            Part::Api => running.restart_server(),
            Part::Etcd => running.restart_etcd(),
        })
    }

    fn change(&mut self, change: impl FnOnce(&mut Running) -> pki::Result<()>) -> Result<(), String> {
        self.running.as_mut().map_or(Ok(()), change).map_err(|error| error.to_string())
    }

    fn run(assets: &Path) -> pki::Result<Self> {
        let running = process::start(assets)?;
        Ok(Self {
            dir: running.dir.clone(),
            assets: assets.to_owned(),
            running: Some(running),
            crd: OnceLock::new(),
        })
    }

    #[expect(clippy::panic, reason = "tests that can't have their server must fail")]
    fn start(assets: &Path) -> Self {
        if let Some(dir) = std::env::var_os("KUBEWIRE_ENVTEST").filter(|v| !v.is_empty()) {
            let dir = PathBuf::from(dir);
            assert!(
                dir.join("kubeconfig").is_file(),
                "KUBEWIRE_ENVTEST is {}, which holds no kubeconfig: is the server running?",
                dir.display()
            );
            return Self { dir, assets: assets.to_owned(), running: None, crd: OnceLock::new() };
        }
        match Self::run(assets) {
            Ok(server) => server,
            Err(error) => panic!("no API server from KUBEBUILDER_ASSETS={}: {error}", assets.display()),
        }
    }

    /// An administrator's kubeconfig, with a client certificate.
    pub fn kubeconfig(&self) -> PathBuf {
        self.dir.join("kubeconfig")
    }

    /// An administrator's kubeconfig, with a bearer token (the user is `token-admin`).
    pub fn token_kubeconfig(&self) -> PathBuf {
        self.dir.join("token.kubeconfig")
    }

    /// The kubeconfig of a user without rights (`token-user`).
    pub fn user_kubeconfig(&self) -> PathBuf {
        self.dir.join("user.kubeconfig")
    }

    /// Where the server's etcd listens, in plain HTTP. For a server that was started elsewhere, the file `env` in its folder
    /// has to say it, in a line `ETCD_URL=...`.
    ///
    /// # Panics
    ///
    /// When that file does not say it.
    #[expect(clippy::panic, reason = "tests that can't have their server must fail")]
    pub fn etcd_url(&self) -> String {
        if let Some(running) = &self.running {
            return running.etcd_url.clone();
        }
        let path = self.dir.join("env");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.trim_start_matches("export ").strip_prefix("ETCD_URL="));
        match line {
            Some(url) => url.trim_matches(['"', '\'']).to_owned(),
            None => panic!("{} has no line ETCD_URL=: where does the server's etcd listen?", path.display()),
        }
    }

    /// An administrator's kubeconfig for a modern server of custom resources, started at the first call; `None`, with a
    /// word on stderr, where the folder has no `apiextensions-apiserver`.
    ///
    /// # Panics
    ///
    /// When the binary is there and does not start.
    #[expect(clippy::panic, reason = "tests that can't have their server must fail")]
    pub fn crd_kubeconfig(&self) -> Option<PathBuf> {
        let path = self.dir.join("crd.kubeconfig");
        if self.running.is_none() && path.is_file() {
            return Some(path);
        }
        let started = self.crd.get_or_init(|| {
            let Some(running) = &self.running else {
                eprintln!("SKIPPED: the running API server has no server of custom resources beside it");
                return None;
            };
            if !self.assets.join("apiextensions-apiserver").is_file() {
                eprintln!("SKIPPED: KUBEBUILDER_ASSETS holds no apiextensions-apiserver");
                return None;
            }
            match process::start_crd(&self.assets, running) {
                Ok(crd) => Some(crd),
                Err(error) => panic!("no server of custom resources: {error}"),
            }
        });
        started.as_ref().map(|_| path)
    }
}
