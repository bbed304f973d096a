//! A real Prometheus that scrapes for a few seconds. Where it is not installed, tests that want it are skipped, loudly.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long everything that is asked for may take to show.
const PATIENCE: Duration = Duration::from_secs(45);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(250);

/// A Prometheus of its own, gone when it is dropped.
pub(crate) struct Prometheus {
    process: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Prometheus {
    /// Scrapes `target` each second and evaluates the rules in the file `rules`; none where it is not installed.
    pub(crate) fn start(target: SocketAddr, rules: &Path) -> Option<Self> {
        for program in ["prometheus", "promtool"] {
            if let Err(error) = Command::new(program).arg("--version").output() {
                eprintln!("SKIPPED: {program} cannot be run ({error}): install Debian's package prometheus");
                return None;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("prometheus.yaml");
        let text = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
             rule_files: ['{}']\n\
             scrape_configs: [{{job_name: client, static_configs: [{{targets: ['{target}']}}]}}]\n",
            rules.display()
        );
        std::fs::write(&config, text).unwrap();
        // It does not tell which port it got when it is asked for any: take one that is free now.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Some(Self { process, url: format!("http://{address}"), _folder: folder })
    }

    /// What `expression` gives now, by the tool that its users have: labels and value, NaN left out.
    pub(crate) fn query(&self, expression: &str) -> Result<Vec<(String, f64)>, String> {
        let output =
            Command::new("promtool").args(["query", "instant", &self.url, expression]).output().unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let text = String::from_utf8(output.stdout).unwrap();
        let samples = text.lines().filter_map(|line| {
            let (labels, value) = line.rsplit_once(" => ")?;
            let value = value.split(' ').next()?.parse::<f64>().ok()?;
            (!value.is_nan()).then(|| (labels.to_owned(), value))
        });
        Ok(samples.collect())
    }

    /// Waits until every expression gives data.
    pub(crate) fn wait_for(&self, expressions: &[String]) {
        let end = Instant::now() + PATIENCE;
        let mut missing: Vec<_> = expressions.iter().map(|expression| (expression, String::new())).collect();
        loop {
            missing.retain_mut(|(expression, error)| match self.query(expression) {
                Ok(samples) => samples.is_empty(),
                Err(said) => {
                    *error = said;
                    true
                }
            });
            if missing.is_empty() {
                return;
            }
            assert!(Instant::now() < end, "no data after {PATIENCE:?}: {missing:#?}");
            sleep(PAUSE);
        }
    }
}
