//! The same files given to kubectl and to us must give the same documents. Skipped where there is no kubectl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use kubewire_config::{
    Cluster, Context, Environment, ExecEnvVar, ExecPlugin, Kubeconfig, LoadingRules, User,
};
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

/// What kubectl drops and we keep.
fn without_unknown(mut k: Kubeconfig) -> Kubeconfig {
    k.unknown = Default::default();
    k.preferences.unknown = Default::default();
    for c in k.clusters.values_mut() {
        (c.unknown, c.entry_unknown) = Default::default();
    }
    for c in k.contexts.values_mut() {
        (c.unknown, c.entry_unknown) = Default::default();
    }
    for u in k.users.values_mut() {
        (u.unknown, u.entry_unknown) = Default::default();
        if let Some(exec) = &mut u.exec {
            exec.unknown = Default::default();
            exec.env.iter_mut().for_each(|var| var.unknown = Default::default());
        }
        if let Some(provider) = &mut u.auth_provider {
            provider.unknown = Default::default();
        }
    }
    k
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

fn same(name: &str, files: &[(&str, &str)]) {
    let files = Files::new(files);
    let load = || files.rules().load().map(without_unknown).map_err(|error| error.to_string());

    compare(&format!("{name}: view --raw"), load().map(|k| k.to_value()), files.view(&["--raw"]), false);
    let ours = load();
    if ours.is_err() {
        return;
    }
    let view = |change: fn(&mut Kubeconfig) -> Result<(), kubewire_config::ConfigError>| {
        let mut k = load()?;
        change(&mut k).map_err(|error| error.to_string())?;
        Ok(k.to_value())
    };
    let redacted = |k: &mut Kubeconfig| {
        k.shorten();
        k.redact();
        Ok(())
    };
    compare(&format!("{name}: view"), view(redacted), files.view(&[]), true);
    let ours = ours.unwrap();
    if ours.current_context.is_some() {
        let what = format!("{name}: view --minify --raw");
        compare(&what, view(Kubeconfig::minify), files.view(&["--minify", "--raw"]), false);
    }
    if !ours.clusters.is_empty() || !ours.users.is_empty() {
        let what = format!("{name}: view --flatten --raw");
        compare(&what, view(Kubeconfig::flatten), files.view(&["--flatten", "--raw"]), false);
    }
    let current = ours.clone().current_context.ok_or_else(|| "none".to_owned());
    let theirs = files.kubectl(&["config", "current-context"]);
    assert_eq!(current.ok(), theirs.ok().map(|name| name.trim_end().to_owned()), "{name}: current-context");
    if ours.contexts.is_empty() {
        return;
    }
    let contexts: Vec<String> = ours.contexts.into_keys().collect();
    let theirs = files.kubectl(&["config", "get-contexts", "-o", "name"]).unwrap();
    assert_eq!(contexts, theirs.lines().collect::<Vec<_>>(), "{name}: get-contexts");
}

/// Kubeconfigs of one file, good and bad.
const SINGLE: &[(&str, &str)] = &[
    ("empty", ""),
    ("a comment only", "# nothing\n"),
    ("an empty document", "---\n"),
    ("braces", "{}"),
    ("no kind", "current-context: a\n"),
    ("another kind", "kind: Pod\napiVersion: v1\n"),
    ("another version", "kind: Config\napiVersion: v2\n"),
    ("a scalar", "hello\n"),
    ("a list", "[a]\n"),
    ("null lists", "clusters:\nusers: ~\ncontexts: null\n"),
    ("a string for a list", "clusters: foo\n"),
    ("a repeated key", "current-context: a\ncurrent-context: b\n"),
    ("a repeated name", "clusters: [{name: a}, {name: a}]\n"),
    ("a repeated user", "users: [{name: a}, {name: a, user: {token: b}}]\n"),
    ("a repeated context", "contexts: [{name: a}, {name: a}]\n"),
    ("a repeated extension", "extensions: [{name: a, extension: 1}, {name: a, extension: 1}]\n"),
    ("a repeated extension of nothing", "extensions: [{name: a}, {name: a}]\n"),
    ("a number for a token", "users: [{name: a, user: {token: 123}}]\n"),
    ("an octal for a namespace", "contexts: [{name: a, context: {namespace: 0123}}]\n"),
    ("a number with underscores", "contexts: [{name: a, context: {namespace: 1_000}}]\n"),
    ("a float for a name", "clusters: [{name: 1.5}]\n"),
    ("an exponent", "clusters: [{name: 12e3}]\n"),
    ("no for a namespace", "contexts: [{name: a, context: {namespace: no}}]\n"),
    ("n in quotes", "contexts: [{name: a, context: {namespace: 'n'}}]\n"),
    ("a date", "contexts: [{name: a, context: {namespace: 2001-01-01}}]\n"),
    ("a version number", "contexts: [{name: a, context: {namespace: 1.2.3}}]\n"),
    ("yes", "clusters: [{name: a, cluster: {insecure-skip-tls-verify: yes}}]\n"),
    ("Off", "clusters: [{name: a, cluster: {disable-compression: Off}}]\n"),
    ("true in quotes", "clusters: [{name: a, cluster: {insecure-skip-tls-verify: \"true\"}}]\n"),
    ("one for true", "clusters: [{name: a, cluster: {insecure-skip-tls-verify: 1}}]\n"),
    ("two documents", "current-context: a\n---\ncurrent-context: b\n"),
    ("garbage after a document", "current-context: a\n---\n{{{{\n"),
    (
        "a merge key",
        "x: &x {server: http://x}\nclusters:\n- name: a\n  cluster:\n    <<: *x\n    tls-server-name: q\n",
    ),
    (
        "a merge key at the end",
        "x: &x {server: http://x}\nclusters:\n- name: a\n  cluster:\n    server: q\n    <<: *x\n",
    ),
    (
        "merged lists",
        "x: &x {server: x}\ny: &y {server: y, proxy-url: 'http://p'}\nclusters:\n- name: a\n  cluster: {<<: [*x, *y]}\n",
    ),
    ("an alias", "clusters:\n- name: a\n  cluster: &c {server: https://a}\n- name: b\n  cluster: *c\n"),
    ("an unknown alias", "clusters: *nope\n"),
    ("a tagged string", "contexts: [{name: a, context: {namespace: !!str 123}}]\n"),
    ("a tagged yes", "contexts: [{name: a, context: {namespace: !!str yes}}]\n"),
    ("a tag of its own", "contexts: [{name: a, context: {namespace: !foo bar}}]\n"),
    ("a tab", "current-context:\ta\n"),
    ("a tab for indentation", "clusters:\n\t- name: a\n"),
    ("a byte order mark", "\u{feff}current-context: a\n"),
    ("crlf", "current-context: a\r\nkind: Config\r\n"),
    ("keys in another case", "Clusters: [{name: a}]\nclusters: [{Name: b}]\n"),
    ("bad base64", "clusters: [{name: a, cluster: {certificate-authority-data: '*&'}}]\n"),
    ("unpadded base64", "clusters: [{name: a, cluster: {certificate-authority-data: YWI}}]\n"),
    ("base64 with spare bits", "clusters: [{name: a, cluster: {certificate-authority-data: YWJ=}}]\n"),
    (
        "base64 in lines",
        "clusters:\n- name: a\n  cluster:\n    certificate-authority-data: |\n      YWJj\n      YWJj\n",
    ),
    ("base64 folded", "clusters:\n- name: a\n  cluster:\n    certificate-authority-data: YWJj\n      YWJj\n"),
    ("no name", "clusters: [{cluster: {server: x}}]\n"),
    ("a null entry", "clusters: [null]\n"),
    (
        "empty strings",
        "clusters: [{name: a, cluster: {server: '', tls-server-name: '', certificate-authority-data: ''}}]\n",
    ),
    (
        "json",
        r#"{"kind":"Config","clusters":[{"name":"a","cluster":{"server":"https://a"}}],"current-context":"\u00e4"}"#,
    ),
    ("json with tabs", "{\n\t\"current-context\":\t\"a\"\n}\n"),
    ("json cut short", r#"{"kind":"Config","clusters":["#),
    ("not closed", "clusters: [{name: a}\n"),
    ("a quote not closed", "current-context: \"a\n"),
    ("bad indentation", "clusters:\n- name: a\n cluster: {}\n"),
    ("a key that is a list", "? [a]\n: b\n"),
    ("number keys", "1: a\n2.5: b\ntrue: c\n"),
    (
        "extensions",
        "extensions:\n- name: a\n  extension: {z: 1.0, b: 1e3, n: 12345678901234567890, y: yes, k: null, 3: 4, o: 0777, h: 0x1F, l: [1, 'x', {}]}\n- name: c\n  extension: hello\n- name: d\n",
    ),
    (
        "extensions everywhere",
        "preferences: {colors: true, extensions: [{name: p, extension: {a: b}}]}\nclusters: [{name: a, cluster: {server: s, extensions: [{name: e, extension: [1]}]}}]\nusers: [{name: u, user: {extensions: [{name: e, extension: 1}]}}]\ncontexts: [{name: c, context: {extensions: [{name: e, extension: x}]}}]\n",
    ),
    (
        "unknown fields",
        "clusters: [{name: a, foo: 1, cluster: {bar: 2}}]\nbaz: 3\npreferences: {colors: true, q: 1}\n",
    ),
    (
        "auth-provider",
        "users: [{name: a, user: {auth-provider: {name: oidc, config: {idp-issuer-url: https://i, refresh-token: r}}}}]\n",
    ),
    (
        "auth-provider with a number",
        "users: [{name: a, user: {auth-provider: {name: oidc, config: {n: 1}}}}]\n",
    ),
    (
        "exec v1",
        "users: [{name: a, user: {exec: {command: x, args: [a, b], env: [{name: NV, value: V}], apiVersion: client.authentication.k8s.io/v1, installHint: \"line\\none\", provideClusterInfo: true, interactiveMode: Always}}}]\n",
    ),
    (
        "exec v1beta1",
        "users: [{name: a, user: {exec: {command: x, apiVersion: client.authentication.k8s.io/v1beta1}}}]\n",
    ),
    (
        "exec v1alpha1",
        "users: [{name: a, user: {exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}}}]\n",
    ),
    (
        "exec without mode",
        "users: [{name: a, user: {exec: {command: x, apiVersion: client.authentication.k8s.io/v1}}}]\n",
    ),
    ("exec of nothing", "users: [{name: a, user: {exec: {}}}]\n"),
    (
        "impersonation",
        "users: [{name: a, user: {as: jane, as-uid: '7', as-groups: [x, y], as-user-extra: {k: [a, b], e: []}}}]\n",
    ),
    (
        "everything of a cluster",
        "clusters: [{name: a, cluster: {server: 'https://a:6443/x', tls-server-name: sn, insecure-skip-tls-verify: true, certificate-authority: ca.pem, proxy-url: 'socks5://u:p@h:1', disable-compression: true}}]\n",
    ),
    ("basic and token", "users: [{name: a, user: {username: u, password: p, token: t, tokenFile: f}}]\n"),
    (
        "text in all scripts",
        "contexts: [{name: \"\u{fc}\u{4f60}\u{1f600}\", context: {cluster: 'a b', user: \"q'\\\"\", namespace: '#x: y'}}]\n",
    ),
    (
        "a literal block",
        "users:\n- name: a\n  user:\n    token: |-\n      one\n      two\n    password: >\n      folded\n      text\n",
    ),
];

fn singles(part: usize) {
    if !has_kubectl() {
        return;
    }
    for (name, text) in SINGLE.iter().skip(part).step_by(4) {
        same(name, &[("config", text)]);
    }
}

#[test]
fn single_files_give_what_kubectl_gives_1() {
    singles(0);
}

#[test]
fn single_files_give_what_kubectl_gives_2() {
    singles(1);
}

#[test]
fn single_files_give_what_kubectl_gives_3() {
    singles(2);
}

#[test]
fn single_files_give_what_kubectl_gives_4() {
    singles(3);
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

/// Lists of files, and files that name others.
fn lists() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    let pem = ("sub/ca.pem", "PEM");
    vec![
        ("dev", vec![pem, ("dev", DEV)]),
        ("dev, prod", vec![pem, ("dev", DEV), ("prod", PROD)]),
        ("prod, dev", vec![pem, ("prod", PROD), ("dev", DEV)]),
        ("missing, dev", vec![pem, ("none", MISSING), ("dev", DEV)]),
        ("all missing", vec![("a", MISSING), ("b", MISSING)]),
        ("empty, prod", vec![("empty", ""), ("prod", PROD)]),
        ("prod, broken", vec![("prod", PROD), ("broken", "clusters: foo")]),
        ("in folders", vec![("x/sub/ca.pem", "X"), ("x/dev", DEV), ("y/prod", PROD)]),
        ("flatten what is missing", vec![("dev", DEV)]),
        (
            "flatten twice given",
            vec![pem, ("c", "users: [{name: a, user: {client-key: sub/ca.pem, client-key-data: YWJj}}]")],
        ),
        (
            "minify the unknown",
            vec![("c", "contexts: [{name: a, context: {cluster: x, user: z}}]\ncurrent-context: a")],
        ),
        ("minify the missing", vec![("c", "contexts: [{name: a}]\ncurrent-context: b")]),
        (
            "minify an empty context",
            vec![("c", "contexts: [{name: a}]\nclusters: [{name: ''}]\ncurrent-context: a")],
        ),
        (
            "colours off, on",
            vec![("a", "preferences: {colors: false}"), ("b", "preferences: {colors: true}")],
        ),
        ("current-context of the second", vec![("a", "clusters: [{name: a}]"), ("b", "current-context: q")]),
        (
            "preferences' extensions of both",
            vec![
                ("a", "preferences: {extensions: [{name: x, extension: 1}]}"),
                ("b", "preferences: {extensions: [{name: x, extension: 2}, {name: y, extension: 3}]}"),
            ],
        ),
    ]
}

#[test]
fn lists_of_files_give_what_kubectl_gives() {
    if !has_kubectl() {
        return;
    }
    for (name, files) in lists() {
        same(name, &files);
    }
}

type Edit = fn(&mut Kubeconfig, &Path) -> Result<(), kubewire_config::ConfigError>;

/// An edit as kubectl makes it (`@` stands for the folder), and as we do.
fn edits() -> Vec<(&'static [&'static str], Edit)> {
    fn cluster(fields: Cluster) -> Cluster {
        fields
    }
    vec![
        (&["use-context", "other"], |k, _| k.use_context("other")),
        (&["use-context", "prod"], |k, _| k.use_context("prod")),
        (&["use-context", "nope"], |k, _| k.use_context("nope")),
        (&["delete-context", "dev"], |k, _| k.delete_context("dev").map(drop)),
        (&["delete-context", "prod"], |k, _| k.delete_context("prod").map(drop)),
        (&["delete-context", "nope"], |k, _| k.delete_context("nope").map(drop)),
        (&["delete-cluster", "dev"], |k, _| k.delete_cluster("dev").map(drop)),
        (&["delete-user", "admin"], |k, _| k.delete_user("admin").map(drop)),
        (&["delete-user", "nope"], |k, _| k.delete_user("nope").map(drop)),
        (&["rename-context", "dev", "dev2"], |k, _| k.rename_context("dev", "dev2")),
        (&["rename-context", "prod", "p2"], |k, _| k.rename_context("prod", "p2")),
        (&["rename-context", "prod", "dev"], |k, _| k.rename_context("prod", "dev")),
        (&["rename-context", "nope", "x"], |k, _| k.rename_context("nope", "x")),
        (&["set-context", "prod", "--namespace=ns1"], |k, _| {
            k.set_context("prod", &Context { namespace: Some("ns1".into()), ..Context::default() });
            Ok(())
        }),
        (&["set-context", "new", "--cluster=dev", "--user=me"], |k, _| {
            k.set_context("new", &Context { cluster: "dev".into(), user: "me".into(), ..Context::default() });
            Ok(())
        }),
        (&["set-cluster", "prod", "--server=https://p2"], |k, _| {
            k.set_cluster("prod", &Cluster { server: "https://p2".into(), ..Cluster::default() });
            Ok(())
        }),
        (&["set-cluster", "dev", "--insecure-skip-tls-verify=true"], |k, _| {
            k.set_cluster("dev", &Cluster { insecure_skip_tls_verify: true, ..Cluster::default() });
            Ok(())
        }),
        (
            &["set-cluster", "dev", "--tls-server-name=n", "--server=https://d2", "--proxy-url=http://p"],
            |k, _| {
                let fields = Cluster {
                    server: "https://d2".into(),
                    tls_server_name: Some("n".into()),
                    proxy_url: Some("http://p".into()),
                    ..Cluster::default()
                };
                k.set_cluster("dev", &cluster(fields));
                Ok(())
            },
        ),
        (&["set-cluster", "new", "--certificate-authority=@/sub/ca.pem"], |k, folder| {
            let ca = Some(folder.join("sub/ca.pem"));
            k.set_cluster("new", &Cluster { certificate_authority: ca, ..Cluster::default() });
            Ok(())
        }),
        (&["set-cluster", "prod", "--certificate-authority=@/sub/ca.pem"], |k, folder| {
            let ca = Some(folder.join("sub/ca.pem"));
            k.set_cluster("prod", &Cluster { certificate_authority: ca, ..Cluster::default() });
            Ok(())
        }),
        (&["set-cluster", "prod", "--certificate-authority=@/sub/ca.pem", "--embed-certs"], |k, folder| {
            let ca = Some(folder.join("sub/ca.pem"));
            let mut fields = Cluster { certificate_authority: ca, ..Cluster::default() };
            fields.flatten()?;
            k.set_cluster("prod", &fields);
            Ok(())
        }),
        (&["set-credentials", "you", "--username=u", "--password=p"], |k, _| {
            let fields = User { username: Some("u".into()), password: Some("p".into()), ..User::default() };
            k.set_credentials("you", &fields);
            Ok(())
        }),
        (&["set-credentials", "admin", "--token=t"], |k, _| {
            k.set_credentials("admin", &User { token: Some("t".into()), ..User::default() });
            Ok(())
        }),
        (
            &["set-credentials", "me", "--client-certificate=@/sub/ca.pem", "--client-key=@/other/k.pem"],
            |k, folder| {
                let fields = User {
                    client_certificate: Some(folder.join("sub/ca.pem")),
                    client_key: Some(folder.join("other/k.pem")),
                    ..User::default()
                };
                k.set_credentials("me", &fields);
                Ok(())
            },
        ),
        (
            &[
                "set-credentials",
                "plug",
                "--exec-command=/x/y",
                "--exec-api-version=client.authentication.k8s.io/v1",
                "--exec-arg=a",
                "--exec-env=N=V",
                "--exec-interactive-mode=Never",
            ],
            |k, _| {
                let exec = ExecPlugin {
                    command: "/x/y".into(),
                    args: vec!["a".into()],
                    env: vec![ExecEnvVar { name: "N".into(), value: "V".into(), ..ExecEnvVar::default() }],
                    api_version: Some("client.authentication.k8s.io/v1".into()),
                    interactive_mode: Some("Never".into()),
                    ..ExecPlugin::default()
                };
                k.set_credentials("plug", &User { exec: Some(Box::new(exec)), ..User::default() });
                Ok(())
            },
        ),
        (&["unset", "current-context"], |k, _| {
            k.current_context = None;
            Ok(())
        }),
        (&["unset", "users.me.tokenFile"], |k, _| {
            k.users.get_mut("me").unwrap().token_file = None;
            Ok(())
        }),
        (&["unset", "contexts.dev"], |k, _| {
            k.contexts.remove("dev");
            Ok(())
        }),
    ]
}

fn edited(part: usize) {
    if !has_kubectl() {
        return;
    }
    let pem = ("sub/ca.pem", "PEM");
    let key = ("other/k.pem", "KEY");
    let lists: [&[(&str, &str)]; 4] = [
        &[pem, key, ("dev", DEV), ("prod", PROD)],
        &[pem, key, ("none", MISSING), ("prod", PROD), ("x/dev", DEV)],
        &[pem, key, ("a", MISSING), ("b", MISSING)],
        &[pem, key, ("x/dev", DEV)],
    ];
    for (at, (args, ours)) in edits().into_iter().enumerate() {
        // The first list takes every edit, the others each a third of them.
        for list in lists.iter().enumerate().filter(|(n, _)| *n == 0 || at % 3 == n - 1).map(|(_, list)| list)
        {
            if at % 2 != part {
                continue;
            }
            edit_both(args, ours, list);
        }
    }
}

fn edit_both(args: &[&str], ours: Edit, list: &[(&str, &str)]) {
    let (left, right) = (Files::new(list), Files::new(list));
    let mut rules = left.rules();
    rules.relative_paths = true;
    let folder = left.folder.path().to_owned();
    let known =
        |k: &Kubeconfig| args[0] != "unset" || !args[1].starts_with("users") || k.users.contains_key("me");
    if !known(&rules.load().unwrap()) {
        return;
    }
    let outcome = rules.modify(|k| ours(k, &folder));

    let path = right.folder.path().to_str().unwrap();
    let mut command = vec!["config".to_owned()];
    command.extend(args.iter().map(|arg| arg.replace('@', path)));
    let theirs = right.kubectl(&command.iter().map(String::as_str).collect::<Vec<_>>());
    let what = format!("{} on {:?}", args.join(" "), list.iter().map(|(name, _)| name).collect::<Vec<_>>());
    assert_eq!(outcome.is_ok(), theirs.is_ok(), "{what}: {outcome:?}, kubectl: {theirs:?}");

    for (mine, other) in left.list.iter().zip(&right.list) {
        assert_eq!(mine.exists(), other.exists(), "{what}: {}", mine.display());
        if !mine.exists() {
            continue;
        }
        let view = |files: &Files, path: &Path| {
            let text = files.kubectl(&[
                "config",
                "view",
                "--raw",
                "-o",
                "json",
                "--kubeconfig",
                path.to_str().unwrap(),
            ]);
            let text = text.unwrap().replace(files.folder.path().to_str().unwrap(), "@");
            normal(&serde_json::from_str(&text).unwrap(), false)
        };
        assert_eq!(view(&left, mine), view(&right, other), "{what}: {}: left is ours", mine.display());
    }
}

#[test]
fn edits_leave_the_files_that_kubectl_leaves_1() {
    edited(0);
}

#[test]
fn edits_leave_the_files_that_kubectl_leaves_2() {
    edited(1);
}
