//! BH-C4, BH-C5: every field of the schema, every wrong type with its line and field, and nothing lost.

use kubewire_config::{Kubeconfig, Secret};
use serde_json::json;

use crate::{Folder, display, k, variants};

const FULL: &str = r#"
kind: Config
apiVersion: v1
future: {a: [1, null, "x"]}
preferences:
  colors: true
  later: yes
  extensions: [{name: p, extension: {q: 1}, beside: 2}]
current-context: ctx
extensions: [{name: top, extension: text}]
clusters:
- name: c
  beside: cluster
  cluster:
    server: https://h:6443/prefix
    tls-server-name: sni
    insecure-skip-tls-verify: true
    certificate-authority: ca.pem
    certificate-authority-data: Q0E=
    proxy-url: http://u:p@proxy
    disable-compression: true
    within: [cluster]
    extensions: [{name: e, extension: {deep: {deeper: [1.5, -2]}}}]
users:
- name: u
  beside: user
  user:
    client-certificate: c.pem
    client-certificate-data: Q0VSVA==
    client-key: k.pem
    client-key-data: S0VZ
    token: tok
    tokenFile: tok.txt
    as: jane
    as-uid: "7"
    as-groups: [g1, g2]
    as-user-extra: {scopes: [a, b]}
    username: name
    password: pass
    within: {user: true}
    auth-provider: {name: oidc, config: {refresh-token: r}, within: provider}
    exec:
      command: bin/plugin
      args: [--a, b]
      env: [{name: NV, value: V, beside: env}]
      apiVersion: client.authentication.k8s.io/v1
      installHint: "install it"
      provideClusterInfo: true
      interactiveMode: Never
      within: exec
    extensions: [{name: e, extension: 1}]
contexts:
- name: ctx
  beside: context
  context:
    cluster: c
    user: u
    namespace: ns
    within: context
    extensions: [{name: e, extension: null}]
"#;

#[test]
fn c4_every_field_is_read() {
    let full = k(FULL);
    assert!(full.preferences.colors);
    assert_eq!(full.preferences.extensions.get("p"), Some(&json!({"q": 1})));
    assert_eq!(full.current_context.as_deref(), Some("ctx"));
    assert_eq!(full.extensions.get("top"), Some(&json!("text")));

    let c = &full.clusters["c"];
    assert_eq!(c.server, "https://h:6443/prefix");
    assert_eq!(c.tls_server_name.as_deref(), Some("sni"));
    assert!(c.insecure_skip_tls_verify && c.disable_compression);
    assert_eq!(c.certificate_authority.as_deref(), Some("ca.pem".as_ref()));
    assert_eq!(c.certificate_authority_data.as_deref(), Some(b"CA".as_slice()));
    assert_eq!(c.proxy_url.as_ref().unwrap().expose(), "http://u:p@proxy");
    assert_eq!(c.extensions.get("e"), Some(&json!({"deep": {"deeper": [1.5, -2]}})));

    let u = &full.users["u"];
    assert_eq!(u.client_certificate.as_deref(), Some("c.pem".as_ref()));
    assert_eq!(u.client_certificate_data.as_deref(), Some(b"CERT".as_slice()));
    assert_eq!(u.client_key.as_deref(), Some("k.pem".as_ref()));
    assert_eq!(u.client_key_data.as_ref().unwrap().expose(), b"KEY");
    assert_eq!(u.token, Some(Secret::from("tok")));
    assert_eq!(u.token_file.as_deref(), Some("tok.txt".as_ref()));
    assert_eq!(u.impersonate.as_deref(), Some("jane"));
    assert_eq!(u.impersonate_uid.as_deref(), Some("7"));
    assert_eq!(u.impersonate_groups, ["g1", "g2"]);
    assert_eq!(u.impersonate_extra["scopes"], ["a", "b"]);
    assert_eq!(u.username.as_deref(), Some("name"));
    assert_eq!(u.password, Some(Secret::from("pass")));
    let provider = u.auth_provider.as_ref().unwrap();
    assert_eq!((provider.name.as_str(), provider.config["refresh-token"].expose().as_str()), ("oidc", "r"));
    let exec = u.exec.as_ref().unwrap();
    assert_eq!(exec.command, std::path::Path::new("bin/plugin"));
    assert_eq!(exec.args, [Secret::from("--a"), Secret::from("b")]);
    assert_eq!((exec.env[0].name.as_str(), exec.env[0].value.expose().as_str()), ("NV", "V"));
    assert_eq!(exec.api_version.as_deref(), Some("client.authentication.k8s.io/v1"));
    assert_eq!(exec.install_hint.as_deref(), Some("install it"));
    assert!(exec.provide_cluster_info);
    assert_eq!(exec.interactive_mode.as_deref(), Some("Never"));

    let context = &full.contexts["ctx"];
    assert_eq!((context.cluster.as_str(), context.user.as_str()), ("c", "u"));
    assert_eq!(context.namespace.as_deref(), Some("ns"));
    assert_eq!(context.extensions.get("e"), Some(&json!(null)));
}

#[test]
fn c5_unknown_fields_are_kept() {
    let full = k(FULL);
    let value = full.to_value();
    for (pointer, expected) in [
        ("/future", json!({"a": [1, null, "x"]})),
        ("/preferences/later", json!(true)),
        ("/preferences/extensions/0/beside", json!(2)),
        ("/clusters/0/beside", json!("cluster")),
        ("/clusters/0/cluster/within", json!(["cluster"])),
        ("/users/0/beside", json!("user")),
        ("/users/0/user/within", json!({"user": true})),
        ("/users/0/user/auth-provider/within", json!("provider")),
        ("/users/0/user/exec/within", json!("exec")),
        ("/users/0/user/exec/env/0/beside", json!("env")),
        ("/contexts/0/beside", json!("context")),
        ("/contexts/0/context/within", json!("context")),
    ] {
        assert_eq!(value.pointer(pointer), Some(&expected), "{pointer}");
    }
    assert_eq!(k(&full.to_yaml()), full);
    assert_eq!(k(&value.to_string()), full, "JSON is read as well");
}

#[test]
fn c4_wrong_types_name_line_and_field() {
    // The text, and what the error says after the file's name.
    let cases = [
        ("kind: 1", "line 1, kind: a number where a string belongs"),
        ("a: b\nclusters: foo", "line 2, clusters: a string where a list belongs"),
        ("clusters:\n- 1", "line 1, clusters[0]: a number where a map belongs"),
        ("clusters: {a: b}", "line 1, clusters: a map where a list belongs"),
        (
            "users:\n- name: al\n  user:\n    token: 123\n",
            r#"line 4, users["al"].user.token: a number where a string belongs"#,
        ),
        (
            "users:\n- name: al\n  user:\n    token: [a]\n",
            r#"line 4, users["al"].user.token: a list where a string belongs"#,
        ),
        (
            "users:\n- user: {password: true}\n",
            "line 2, users[0].user.password: a boolean where a string belongs",
        ),
        (
            "users:\n- name: al\n  user: {as-groups: x}\n",
            r#"line 3, users["al"].user.as-groups: a string where a list belongs"#,
        ),
        (
            "users:\n- name: al\n  user: {as-groups: [a, 2]}\n",
            r#"line 3, users["al"].user.as-groups[1]: a number where a string belongs"#,
        ),
        (
            "users:\n- name: al\n  user:\n    as-user-extra: {k: v}\n",
            r#"line 4, users["al"].user.as-user-extra.k: a string where a list belongs"#,
        ),
        (
            "users:\n- name: al\n  user: {exec: {env: [{name: 1}]}}\n",
            r#"line 3, users["al"].user.exec.env[0].name: a number where a string belongs"#,
        ),
        (
            "users:\n- name: al\n  user: {exec: cmd}\n",
            r#"line 3, users["al"].user.exec: a string where a map belongs"#,
        ),
        (
            "users:\n- name: al\n  user: {auth-provider: {config: {num: 1}}}\n",
            r#"line 3, users["al"].user.auth-provider.config.num: a number where a string belongs"#,
        ),
        (
            "contexts:\n- name: c\n  context: {namespace: no}\n",
            r#"line 3, contexts["c"].context.namespace: a boolean where a string belongs"#,
        ),
        (
            "contexts:\n- name: c\n  context: {namespace: 2_000}\n",
            r#"line 3, contexts["c"].context.namespace: a number where a string belongs"#,
        ),
        (
            "contexts:\n- name: c\n  context: {cluster: 0o17}\n",
            r#"line 3, contexts["c"].context.cluster: a number where a string belongs"#,
        ),
        (
            "clusters:\n- name: c\n  cluster: {insecure-skip-tls-verify: 'true'}\n",
            r#"line 3, clusters["c"].cluster.insecure-skip-tls-verify: a string where true or false belongs"#,
        ),
        ("preferences: {colors: 1}", "line 1, preferences.colors: a number where true or false belongs"),
        ("extensions: [{name: [a]}]", "line 1, extensions[0].name: a list where a string belongs"),
        (
            "clusters:\n- name: c\n  cluster:\n    certificate-authority-data: '*'\n",
            r#"line 4, clusters["c"].cluster.certificate-authority-data: this is not base64"#,
        ),
        (
            "users:\n- name: c\n  user:\n    client-key-data: YQ\n",
            r#"line 4, users["c"].user.client-key-data: this is not base64"#,
        ),
        ("clusters: [{name: a}, {name: b}, {name: a}]", r#"line 1, clusters: the name "a" stands twice"#),
        ("users:\n- {name: a}\n- {name: a}\n", r#"line 1, users: the name "a" stands twice"#),
        ("contexts: [{name: a}, {name: a}]", r#"line 1, contexts: the name "a" stands twice"#),
        (
            "extensions: [{name: a, extension: 1}, {name: a}]",
            r#"line 1, extensions: the name "a" stands twice"#,
        ),
        ("[a]", "a list where a map belongs"),
        ("hello", "a string where a map belongs"),
        (
            r#"{"users": [{"name": "a", "user": {"token": 5}}]}"#,
            r#"line 1, users["a"].user.token: a number where a string belongs"#,
        ),
    ];
    let folder = Folder::new(&[]);
    let path = folder.path("config");
    for (text, expected) in cases {
        folder.write("config", text);
        let error = Kubeconfig::load(&path).expect_err(text).to_string();
        let sign = if expected.starts_with("line") { ", " } else { ": " };
        let expected = format!("{}{sign}{expected}", display(&path));
        assert!(error.starts_with(&expected), "{text}\n  expected {expected}\n  but found {error}");
    }
}

#[test]
fn c4_all_wrong_types_of_a_file_are_told_at_once() {
    let error =
        "users:\n- name: a\n  user: {token: 1, password: 2}\n- 3\n".parse::<Kubeconfig>().unwrap_err();
    assert_eq!(variants(&error), ["WrongType", "WrongType", "WrongType"]);
    // But not thousands.
    let many = format!("clusters: [{}]", "1, ".repeat(1000));
    assert!(variants(&many.parse::<Kubeconfig>().unwrap_err()).len() <= 20);
}

#[test]
fn c4_text_that_is_no_document_is_told_with_its_line() {
    let cases: &[(&[u8], &str, &str)] = &[
        (b"a: b\nc: \xff\n", "NotUtf8", "line 2:"),
        (b"\xff\xfea\0\0\xd8", "NotUtf8", "line 1:"),
        (b"a: b\n- c\n", "Syntax", "line 2, column"),
        (b"a: {b: c\n", "Syntax", "line 2, column"),
        (b"a: \"b\n", "Syntax", "line"),
        (b"a: *nope\n", "Syntax", "line 1, column"),
        (b"a: .nan\n", "Syntax", "infinity and NaN"),
        (b"a:\n\t- b\n", "Syntax", "line 2, column"),
        (b"? [a]\n: b\n", "Syntax", "a key must be a string"),
        (b"<<: 1\n", "Syntax", "merge key"),
        (b"a: @b\n", "Syntax", "line 1, column"),
        (b"kind: Pod\n", "WrongKind", "\"Pod\""),
        (b"kind: config\n", "WrongKind", "\"config\""),
        (b"apiVersion: v2\n", "WrongApiVersion", "\"v2\""),
        (b"a\0b: c", "Syntax", "line 1"),
    ];
    for (bytes, variant, part) in cases {
        let error = Kubeconfig::from_bytes(bytes).expect_err(&String::from_utf8_lossy(bytes));
        assert_eq!(variants(&error), [*variant], "{error}");
        assert!(error.to_string().contains(part), "{error} lacks {part}");
    }
}

#[test]
fn c4_text_is_read_in_all_its_encodings() {
    let plain = k("current-context: \u{e4}");
    let utf16 = |unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}current-context: \u{e4}".encode_utf16().flat_map(unit).collect()
    };
    for bytes in [
        "\u{feff}current-context: \u{e4}".as_bytes().to_vec(),
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
        "current-context: \u{e4}\r\n".as_bytes().to_vec(),
        "current-context: \"\\u00e4\"".as_bytes().to_vec(),
        "{\"current-context\":\"\u{e4}\"}".as_bytes().to_vec(),
        "---\ncurrent-context: \u{e4}\n...\n".as_bytes().to_vec(),
    ] {
        assert_eq!(Kubeconfig::from_bytes(&bytes).unwrap(), plain, "{bytes:?}");
    }
    for empty in ["", "\n", "# only a comment\n", "---\n", "null", "{}", "\u{feff}"] {
        assert_eq!(k(empty), Kubeconfig::default(), "{empty:?}");
    }
}

#[test]
fn c4_scalars_are_read_as_kubectl_reads_them() {
    for (text, expected) in [
        ("yes", true),
        ("Yes", true),
        ("on", true),
        ("y", true),
        ("true", true),
        ("TRUE", true),
        ("no", false),
        ("off", false),
        ("N", false),
        ("False", false),
        ("~", false),
        ("", false),
        ("null", false),
    ] {
        let text = format!("clusters: [{{name: a, cluster: {{disable-compression: {text}}}}}]");
        assert_eq!(k(&text).clusters["a"].disable_compression, expected, "{text}");
    }
    for (text, expected) in [
        ("'yes'", "yes"),
        ("\"no\"", "no"),
        ("!!str yes", "yes"),
        ("!!str 123", "123"),
        ("2001-01-01", "2001-01-01"),
        ("1.2.3", "1.2.3"),
        ("0x", "0x"),
        ("-", "-"),
        ("1e", "1e"),
        ("'123'", "123"),
        ("a b", "a b"),
        ("\"a\\tb\"", "a\tb"),
    ] {
        let text = format!("users:\n- name: a\n  user:\n    username: {text}\n");
        let Ok(read) = text.parse::<Kubeconfig>() else {
            assert_eq!(expected, "-", "{text}");
            continue;
        };
        assert_eq!(read.users["a"].username.as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn c4_text_that_multiplies_is_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        bomb.push_str(&format!("a{n}: &a{n} [{}]\n", format!("*a{}, ", n - 1).repeat(9)));
    }
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(200_000), "*a, ".repeat(5_000));
    let brackets = "[".repeat(100_000);
    let pairs = format!("a: [{}]", ":,".repeat(200_000));
    let maps = format!("a: [{}]", "{a: b},".repeat(200_000));
    for text in [&bomb, &long, &brackets, &pairs, &maps] {
        let error = text.parse::<Kubeconfig>().expect_err("too much");
        assert_eq!(variants(&error), ["Excessive"], "{error}");
    }
    // Deep but balanced is an error too, and no stack overflow.
    let deep = format!("a: {}{}", "[".repeat(400), "]".repeat(400));
    assert!(deep.parse::<Kubeconfig>().is_err());
    let json = format!("{{\"a\": {}{}}}", "[".repeat(400), "]".repeat(400));
    assert!(json.parse::<Kubeconfig>().is_err());
    // Aliases as people use them are fine.
    let some = "x: &x {server: https://a}\nclusters: [{name: a, cluster: *x}, {name: b, cluster: *x}]";
    assert_eq!(k(some).clusters["b"].server, "https://a");
}

#[test]
fn c4_large_files_of_short_lines_are_read() {
    let entries = |line: &str| (0..5_000).map(|n| line.replace('#', &n.to_string())).collect::<String>();
    let contexts = entries("- context:\n    cluster: c\n    user: u\n  name: n#\n");
    let flow = entries("- {name: n#, context: {cluster: c, user: u}}\n");
    let json = entries(r#"{"name":"n#","context":{"cluster":"c","user":"u"}},"#);
    for text in [
        format!("contexts:\n{contexts}"),
        format!("contexts:\n{flow}"),
        format!("{{\"contexts\":[{}]}}", json.trim_end_matches(',')),
    ] {
        assert_eq!(k(&text).contexts.len(), 5_000);
    }
    let users = entries("- name: user-#\n  user: {token: t}\n");
    assert_eq!(k(&format!("users:\n{users}")).users.len(), 5_000);
    let clusters = entries("- name: c#\n  cluster: {server: 'https://[fd00::1]:6443'}\n");
    assert_eq!(k(&format!("clusters:\n{clusters}")).clusters.len(), 5_000);
}
