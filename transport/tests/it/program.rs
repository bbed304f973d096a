//! Credential programs for the tests: shell scripts, which the shell reads, so that a script just written is never
//! "busy".

use std::path::PathBuf;

use kubewire_config::{Credentials, ExecConfig, Secret};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A program that prints the file `output`, and the folder in which it leaves a line in `runs` for each run.
pub(crate) struct Program(TempDir);

impl Program {
    pub(crate) fn printing(output: &Value) -> Self {
        let program = Self::script("cat output");
        program.print(output);
        program
    }

    pub(crate) fn script(body: &str) -> Self {
        let program = Self(tempfile::tempdir().unwrap());
        program.write("script", &format!("set -e\ncd \"$FOLDER\"\necho run >> runs\n{body}\n"));
        program
    }

    /// What it prints from now on. The file is replaced at once: no run sees half of it.
    pub(crate) fn print(&self, output: &Value) {
        self.write("output.new", &output.to_string());
        std::fs::rename(self.path("output.new"), self.path("output")).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn runs(&self) -> usize {
        std::fs::read_to_string(self.path("runs")).unwrap_or_default().lines().count()
    }

    pub(crate) fn exec(&self) -> ExecConfig {
        ExecConfig {
            command: PathBuf::from("sh"),
            args: vec![Secret::from(self.path("script").to_str().unwrap())],
            env: vec![("FOLDER".to_owned(), Secret::from(self.0.path().to_str().unwrap()))],
            ..ExecConfig::default()
        }
    }

    pub(crate) fn credentials(&self) -> Credentials {
        Credentials::Exec(Box::new(self.exec()))
    }
}

/// An ExecCredential with this status.
pub(crate) fn credential(status: &Value) -> Value {
    json!({ "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": status })
}
