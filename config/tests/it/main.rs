//! What a user of the crate does, and what must come of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::type_complexity, reason = "tests")]

mod choosing;
mod credentials;
mod files;
mod host;
mod kubectl;
mod props;
mod saving;
mod schema;
mod showing;
mod surroundings;
mod validation;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use kubewire_config::{ConfigError, Environment, Kubeconfig, LoadingRules};
use tempfile::TempDir;

/// The variants of an error, by name, in order.
fn variants(error: &ConfigError) -> Vec<String> {
    let name = |problem| {
        let text = format!("{problem:?}");
        text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
    };
    error.problems().iter().map(name).collect()
}

/// A kubeconfig of YAML text.
fn k(text: &str) -> Kubeconfig {
    text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A folder of files.
struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, content) in files {
            folder.write(name, content);
        }
        folder
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The files of the folder, sorted.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Rules for the files of those names, in order, as KUBECONFIG would list them.
    fn rules(&self, names: &[&str]) -> LoadingRules {
        let list = std::env::join_paths(names.iter().map(|name| self.path(name))).unwrap();
        LoadingRules::from_environment(Environment::fixed([("KUBECONFIG", list)]))
    }

    fn environment(&self, vars: &[(&str, &str)]) -> Environment {
        let vars: BTreeMap<OsString, OsString> = vars.iter().map(|(k, v)| (k.into(), v.into())).collect();
        Environment::fixed(vars).with_service_account(self.0.path())
    }
}

/// A kubeconfig with one context `c` of cluster `c` and user `u`, of these fields in flow style.
fn one(cluster: &str, user: &str) -> String {
    format!(
        "clusters: [{{name: c, cluster: {{{cluster}}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n\
         contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\ncurrent-context: c\n"
    )
}

fn display(path: &Path) -> String {
    path.display().to_string()
}
