//! What kubectl shows of the files: all of them, the current context's share, embedded, and the names of contexts.

use kubewire_config::Kubeconfig;

use super::{DEV, Files, MISSING, PROD, compare, has_kubectl};

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
