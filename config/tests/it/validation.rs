//! BH-C8: everything that can be wrong, each by its own name, all at once.

use kubewire_config::{Kubeconfig, Overrides, PluginPolicy};

use crate::{Folder, display, k, one, variants};

const CA: &str = "certificate-authority-data: YQ==";
const EXEC: &str = "command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never";

#[test]
fn c8_clusters_and_users() {
    let https = "server: https://a";
    let exec = |fields: &str| format!("exec: {{{fields}}}");
    let cases: Vec<(&str, String, &[&str])> = vec![
        (https, String::new(), &[]),
        ("", String::new(), &["NoServer"]),
        (CA, String::new(), &["NoServer"]),
        ("server: https://a, proxy-url: example.com", String::new(), &["BadProxyUrl"]),
        ("server: https://a, proxy-url: 'socks6://x'", String::new(), &["BadProxyUrl"]),
        ("server: https://a, proxy-url: chewbacca@x", String::new(), &["BadProxyUrl"]),
        ("server: https://a, proxy-url: 'ftp://x'", String::new(), &["BadProxyUrl"]),
        ("server: https://a, proxy-url: 'http://'", String::new(), &["BadProxyUrl"]),
        ("server: https://a, proxy-url: 'http://x'", String::new(), &[]),
        ("server: https://a, proxy-url: 'https://u:p@x:1'", String::new(), &[]),
        ("server: https://a, proxy-url: 'socks5://x'", String::new(), &[]),
        ("server: https://a, certificate-authority: none", String::new(), &["UnreadableFile"]),
        (
            "server: https://a, certificate-authority: pem, certificate-authority-data: YQ==",
            String::new(),
            &["CaFileAndData"],
        ),
        (
            "server: https://a, certificate-authority: none, certificate-authority-data: YQ==",
            String::new(),
            &["CaFileAndData", "UnreadableFile"],
        ),
        ("server: https://a, certificate-authority: pem", String::new(), &[]),
        (
            "proxy-url: x, certificate-authority: pem, certificate-authority-data: YQ==",
            String::new(),
            &["NoServer", "BadProxyUrl", "CaFileAndData"],
        ),
        (https, "client-certificate: pem".into(), &["CertificateWithoutKey"]),
        (https, "client-certificate-data: YQ==".into(), &["CertificateWithoutKey"]),
        (https, "client-certificate: pem, client-key: pem".into(), &[]),
        (https, "client-certificate: pem, client-key-data: YQ==".into(), &[]),
        (https, "client-certificate: none, client-key: pem".into(), &["UnreadableFile"]),
        (https, "client-certificate: pem, client-key: none".into(), &["UnreadableFile"]),
        (https, "client-certificate: none, client-key: none".into(), &["UnreadableFile", "UnreadableFile"]),
        (
            https,
            "client-certificate: pem, client-certificate-data: YQ==, client-key: pem".into(),
            &["CertificateFileAndData"],
        ),
        (
            https,
            "client-certificate: pem, client-key: pem, client-key-data: YQ==".into(),
            &["KeyFileAndData"],
        ),
        (https, "client-key: none".into(), &[]),
        (https, "client-key: pem, client-key-data: YQ==".into(), &[]),
        (https, "token: t".into(), &[]),
        (https, "token: t, username: u".into(), &["TokenAndBasic"]),
        (https, "token: t, password: p".into(), &["TokenAndBasic"]),
        (https, "token: t, tokenFile: pem".into(), &[]),
        (https, "username: u, password: p".into(), &[]),
        (https, "tokenFile: pem".into(), &[]),
        (https, "tokenFile: none".into(), &["UnreadableFile"]),
        (https, "tokenFile: pem, username: u".into(), &["TokenFileAndBasic"]),
        (https, exec(EXEC), &[]),
        (
            https,
            exec("apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never"),
            &["ExecWithoutCommand"],
        ),
        (https, exec("command: x, interactiveMode: Never"), &["ExecWithoutApiVersion"]),
        (
            https,
            exec("command: x, apiVersion: client.authentication.k8s.io/v1"),
            &["ExecWithoutInteractiveMode"],
        ),
        (https, exec("command: x, apiVersion: client.authentication.k8s.io/v1beta1"), &[]),
        (https, exec("command: x, apiVersion: client.authentication.k8s.io/v1alpha1"), &[]),
        (
            https,
            exec("command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: never"),
            &["UnknownInteractiveMode"],
        ),
        (
            https,
            exec(&format!("{EXEC}, env: [{{value: a}}, {{name: b}}, {{}}]")),
            &["ExecEnvWithoutName", "ExecEnvWithoutName"],
        ),
        (https, exec(""), &["ExecWithoutCommand", "ExecWithoutApiVersion", "ExecWithoutInteractiveMode"]),
        (https, format!("exec: {{{EXEC}}}, auth-provider: {{name: oidc}}"), &["ExecAndAuthProvider"]),
        (https, "as-uid: '7'".into(), &["ImpersonationWithoutUser"]),
        (https, "as-groups: [g]".into(), &["ImpersonationWithoutUser"]),
        (https, "as-user-extra: {k: [v]}".into(), &["ImpersonationWithoutUser"]),
        (https, "as: u, as-groups: [g]".into(), &[]),
        (
            "",
            "as-uid: '7', token: t, username: u".into(),
            &["TokenAndBasic", "ImpersonationWithoutUser", "NoServer"],
        ),
    ];
    let folder = Folder::new(&[("pem", "x")]);
    for (cluster, user, expected) in &cases {
        folder.write("config", &one(cluster, user));
        let outcome = folder.rules(&["config"]).load().unwrap().resolve(&Overrides::default());
        let found = outcome.as_ref().err().map(variants).unwrap_or_default();
        assert_eq!(found, *expected, "{cluster} | {user}");
        // Every problem names the file and the entry.
        for problem in outcome.as_ref().err().iter().flat_map(|error| error.problems()) {
            let text = problem.to_string();
            assert!(text.contains(&display(&folder.path("config"))), "{text}");
            assert!(text.contains("user \"u\"") || text.contains("cluster \"c\""), "{text}");
        }
    }
    assert!(cases.len() >= 45);
}

#[test]
fn c8_plugin_policies() {
    let list = |entries: &[&str]| PluginPolicy::Allowlist(entries.iter().map(|e| (*e).to_owned()).collect());
    for (policy, good) in [
        (PluginPolicy::AllowAll, true),
        (PluginPolicy::DenyAll, true),
        (list(&["tool", "/usr/bin/x"]), true),
        (list(&[]), false),
        (list(&["a", ""]), false),
        (list(&["/a/../b"]), false),
        (list(&["a//b"]), false),
        (list(&["./a"]), false),
    ] {
        let overrides = Overrides { plugin_policy: policy.clone(), ..Overrides::default() };
        let with_exec = k(&one("server: https://a", &format!("exec: {{{EXEC}}}"))).resolve(&overrides);
        assert_eq!(with_exec.is_ok(), good, "{policy:?}");
        if let Err(error) = with_exec {
            assert_eq!(variants(&error), ["BadPluginPolicy"]);
        }
        // It does not matter where no plugin is configured.
        assert!(k(&one("server: https://a", "token: t")).resolve(&overrides).is_ok());
    }
}

#[test]
fn c8_whole_files() {
    let good = one("server: https://a", "token: t");
    let context = |fields: &str| {
        format!(
            "clusters: [{{name: c, cluster: {{server: s}}}}]\nusers: [{{name: u}}]\ncontexts: [{{name: x, context: {{{fields}}}}}]"
        )
    };
    let cases: Vec<(String, &[&str])> = vec![
        (good.clone(), &[]),
        (String::new(), &["Empty"]),
        ("current-context: a".into(), &["UnknownContext"]),
        (context("cluster: c, user: u"), &[]),
        (context("cluster: c, user: u, namespace: web-1"), &[]),
        (context("cluster: c"), &["ContextWithoutUser"]),
        (context("user: u"), &["ContextWithoutCluster"]),
        (context(""), &["ContextWithoutUser", "ContextWithoutCluster"]),
        (context("cluster: d, user: u"), &["ContextUnknownCluster"]),
        (context("cluster: c, user: v"), &["ContextUnknownUser"]),
        (context("cluster: c, user: u, namespace: Web"), &["BadNamespace"]),
        (context("cluster: c, user: u, namespace: -a"), &["BadNamespace"]),
        (context("cluster: c, user: u, namespace: a.b"), &["BadNamespace"]),
        (context(&format!("cluster: c, user: u, namespace: {}", "a".repeat(63))), &[]),
        (context(&format!("cluster: c, user: u, namespace: {}", "a".repeat(64))), &["BadNamespace"]),
        (context("cluster: c, user: u").replace("name: x", "name: ''"), &["ContextWithoutName"]),
        // What no context uses is checked as well.
        (
            "clusters: [{name: a}]\nusers: [{name: b, user: {as-uid: '1'}}]".into(),
            &["ImpersonationWithoutUser", "NoServer"],
        ),
    ];
    for (text, expected) in cases {
        let found = k(&text).validate().err().as_ref().map(variants).unwrap_or_default();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn c8_confirming_one_context() {
    let text = "clusters: [{name: c, cluster: {server: s}}, {name: bad}]\nusers: [{name: u}]
contexts: [{name: good, context: {cluster: c, user: u}}, {name: bad, context: {cluster: bad, user: v, namespace: X}}]\n";
    for (current, asked, expected) in [
        ("good", None, vec![]),
        ("bad", Some("good"), vec![]),
        ("", Some("good"), vec![]),
        ("", None, vec!["NoContext"]),
        ("nope", None, vec!["UnknownContext"]),
        ("good", Some("nope"), vec!["UnknownContext"]),
        ("good", Some("bad"), vec!["ContextUnknownUser", "BadNamespace", "NoServer"]),
    ] {
        let kubeconfig = k(&format!("{text}current-context: '{current}'"));
        let found = kubeconfig.confirm_usable(asked).err().as_ref().map(variants).unwrap_or_default();
        assert_eq!(found, expected, "{current} {asked:?}");
    }
    assert_eq!(variants(&Kubeconfig::default().confirm_usable(None).unwrap_err()), ["Empty"]);
}
