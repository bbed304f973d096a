//! The same files given to kubectl and to us must give the same documents. Skipped where there is no kubectl.

mod edit;
mod view;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use kubewire_config::{Environment, LoadingRules};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Whether kubectl is there; says so when it isn't.
fn has_kubectl() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let found =
            Command::new("kubectl").args(["version", "--client"]).output().is_ok_and(|o| o.status.success());
        if !found {
            eprintln!("SKIPPED: there is no kubectl on PATH to compare with");
        }
        found
    })
}

/// A folder of files, and the list of those that KUBECONFIG names.
struct Files {
    folder: TempDir,
    list: Vec<PathBuf>,
}

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut list = Vec::new();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if *content != MISSING {
                fs::write(&path, content).unwrap();
            }
            if !name.ends_with(".pem") {
                list.push(path);
            }
        }
        Self { folder, list }
    }

    fn kubeconfig(&self) -> String {
        std::env::join_paths(&self.list).unwrap().into_string().unwrap()
    }

    fn kubectl(&self, args: &[&str]) -> Result<String, String> {
        let output = Command::new("kubectl")
            .args(args)
            .env("KUBECONFIG", self.kubeconfig())
            .env("HOME", self.folder.path())
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    fn view(&self, flags: &[&str]) -> Result<Value, String> {
        let mut args = vec!["config", "view", "-o", "json"];
        args.extend(flags);
        self.kubectl(&args).map(|text| serde_json::from_str(&text).unwrap())
    }

    fn rules(&self) -> LoadingRules {
        LoadingRules::from_environment(Environment::fixed([("KUBECONFIG", self.kubeconfig())]))
    }
}

const MISSING: &str = "(no such file)";

/// A document without what says nothing (null, empty lists and maps), since kubectl's versions differ in that, and
/// with what we redact and kubectl doesn't made equal.
fn normal(value: &Value, redacted: bool) -> Value {
    match value {
        Value::Object(map) => {
            let mut out = serde_json::Map::new();
            for (key, value) in map {
                let value = match (redacted, key.as_str()) {
                    (true, "args") => json!("(secret)"),
                    (true, "env") => json!("(secret)"),
                    (true, "config") => json!("(secret)"),
                    (true, "proxy-url")
                        if value.as_str().is_some_and(|url| url.contains('@') || url == "REDACTED") =>
                    {
                        json!("(secret)")
                    }
                    // The place of a value says nothing of the values inside an extension.
                    (_, "extension") => numbers(value),
                    _ => normal(value, redacted),
                };
                let empty = match &value {
                    Value::Null => true,
                    Value::Array(items) => items.is_empty(),
                    Value::Object(map) => {
                        map.is_empty() && key != "cluster" && key != "user" && key != "context"
                    }
                    _ => false,
                };
                if !empty {
                    out.insert(key.clone(), value);
                }
            }
            Value::Object(out)
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| normal(item, redacted)).collect()),
        other => other.clone(),
    }
}

/// 1 and 1.0 are the same number.
fn numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => Value::Array(items.iter().map(numbers).collect()),
        Value::Object(map) => Value::Object(map.iter().map(|(k, v)| (k.clone(), numbers(v))).collect()),
        other => other.clone(),
    }
}

fn compare(what: &str, ours: Result<Value, String>, theirs: Result<Value, String>, redacted: bool) {
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert_eq!(
                normal(&ours, redacted),
                normal(&theirs, redacted),
                "{what}: left is ours, right is kubectl's"
            );
        }
        (Err(_), Err(_)) => {}
        (Ok(_), Err(error)) => panic!("{what}: we accept what kubectl refuses with {error}"),
        (Err(error), Ok(_)) => panic!("{what}: kubectl accepts what we refuse with {error}"),
    }
}

const DEV: &str = "
kind: Config
apiVersion: v1
clusters:
- {name: dev, cluster: {server: https://dev:6443, certificate-authority: sub/ca.pem}}
- {name: other, cluster: {server: https://other}}
users:
- {name: me, user: {client-certificate: sub/ca.pem, client-key: sub/ca.pem, tokenFile: sub/ca.pem}}
- {name: you, user: {token: abc}}
contexts:
- {name: dev, context: {cluster: dev, user: me, namespace: web}}
- {name: other, context: {cluster: other, user: you}}
current-context: dev
extensions: [{name: e, extension: 1}]
preferences: {colors: true}
";
const PROD: &str = "
clusters:
- {name: prod, cluster: {server: https://prod, certificate-authority-data: YWJj}}
- {name: dev, cluster: {server: https://shadowed}}
users:
- {name: admin, user: {client-certificate-data: YWJj, client-key-data: YWJj}}
contexts:
- {name: prod, context: {cluster: prod, user: admin}}
- {name: dev, context: {cluster: prod, user: admin}}
current-context: prod
extensions: [{name: e, extension: 2}, {name: f, extension: 3}]
";
