//! BH-C9, BH-C10: what credentials come of an entry, and timeouts.

use std::time::Duration;

use kubewire_config::{Config, Credentials, HeaderCredential, InteractiveMode, Overrides, Pem};

use crate::{Folder, k, one, variants};

/// A short name for what was made of an entry.
fn kind(credentials: &Credentials) -> String {
    match credentials {
        Credentials::None => "none".into(),
        Credentials::Basic(basic) => format!("basic {}:{}", basic.username, basic.password.expose()),
        Credentials::Bearer(bearer) => format!(
            "bearer {}{}",
            bearer.token.as_ref().unwrap().expose(),
            if bearer.token_file.is_some() { " file" } else { "" }
        ),
        Credentials::ClientCertificate { certificate, header } => {
            let place = |is_data: bool| if is_data { "data" } else { "file" };
            let pair = (
                place(matches!(certificate.certificate, Pem::Data(_))),
                place(matches!(certificate.key, Pem::Data(_))),
            );
            let header = match header {
                HeaderCredential::None => "",
                HeaderCredential::Basic(_) => " basic",
                HeaderCredential::Bearer(_) => " bearer",
                HeaderCredential::AuthProvider(_) => " provider",
                _ => " other",
            };
            format!("certificate {} {}{header}", pair.0, pair.1)
        }
        Credentials::Exec(exec) => format!("exec {}", exec.command.display()),
        Credentials::AuthProvider(provider) => format!("provider {}", provider.name),
        _ => "other".into(),
    }
}

#[test]
fn c9_credentials_of_an_entry() {
    let exec = "exec: {command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}";
    let pair = "client-certificate-data: YQ==, client-key-data: YQ==";
    let cases: Vec<(String, &str)> = vec![
        (String::new(), "none"),
        ("token: t".into(), "bearer t"),
        ("tokenFile: tok".into(), "bearer from file file"),
        ("token: t, tokenFile: tok".into(), "bearer t file"),
        // It may come later.
        ("token: t, tokenFile: none".into(), "bearer t file"),
        ("username: u, password: p".into(), "basic u:p"),
        ("username: u".into(), "basic u:"),
        ("password: p".into(), "basic :p"),
        (pair.into(), "certificate data data"),
        ("client-certificate: tok, client-key: tok".into(), "certificate file file"),
        ("client-certificate: tok, client-key-data: YQ==".into(), "certificate file data"),
        (format!("{pair}, token: t"), "certificate data data bearer"),
        (format!("{pair}, username: u"), "certificate data data basic"),
        (format!("{pair}, auth-provider: {{name: oidc}}"), "certificate data data provider"),
        // A key alone says nothing.
        ("client-key-data: YQ==".into(), "none"),
        (exec.into(), "exec x"),
        // What is static keeps a plugin from being used.
        (format!("{exec}, token: t"), "bearer t"),
        (format!("{exec}, username: u"), "basic u:"),
        (format!("{exec}, {pair}"), "certificate data data"),
        ("auth-provider: {name: oidc}".into(), "provider oidc"),
        ("auth-provider: {name: oidc}, token: t".into(), "bearer t"),
    ];
    let folder = Folder::new(&[("tok", "from file")]);
    for (user, expected) in cases {
        folder.write("config", &one("server: https://a", &user));
        let config =
            Config::from_kubeconfig(folder.path("config")).unwrap_or_else(|error| panic!("{user}: {error}"));
        assert_eq!(kind(&config.credentials), expected, "{user}");
    }
}

#[test]
fn c9_secrets_go_only_where_the_server_is_https() {
    let cluster = "insecure-skip-tls-verify: true, tls-server-name: sn, proxy-url: 'http://p'";
    for (server, secure) in [
        ("https://a", true),
        ("HTTPS://a", true),
        ("https://a/prefix", true),
        ("http://a", false),
        ("a:6443", false),
        ("a", false),
    ] {
        let text = one(&format!("server: '{server}', {cluster}"), "token: t, as: jane");
        let mut overrides = Overrides { timeout: Some("5".into()), ..Overrides::default() };
        overrides.context.namespace = Some("n".into());
        let config = k(&text).resolve(&overrides).unwrap();
        assert_eq!(config.credentials != Credentials::None, secure, "{server}");
        assert_eq!(config.tls.insecure, secure, "{server}");
        assert_eq!(config.tls.server_name.is_some(), secure, "{server}");
        assert!(
            config.impersonate.is_some() && config.proxy.is_some() && config.timeout.is_some(),
            "{server}"
        );
    }
}

#[test]
fn c9_the_origin_of_an_auth_provider_is_known() {
    let folder =
        Folder::new(&[("config", &one("server: https://a", "auth-provider: {name: oidc, config: {a: b}}"))]);
    let config = Config::from_kubeconfig(folder.path("config")).unwrap();
    let Credentials::AuthProvider(provider) = config.credentials else { panic!() };
    let origin = provider.origin.unwrap();
    assert_eq!((origin.path, origin.name.as_str()), (folder.path("config"), "u"));
}

#[test]
fn c9_exec_plugins() {
    let exec = "exec: {command: x, args: [a], env: [{name: NV, value: V}], provideClusterInfo: true, installHint: \"get\\e[1m it\",
      apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always}";
    let cluster = "server: https://a, extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: x}}]";
    let config = k(&one(cluster, exec)).resolve(&Overrides::default()).unwrap();
    let Credentials::Exec(exec) = config.credentials else { panic!() };
    assert_eq!(exec.args[0].expose(), "a");
    assert_eq!((exec.env[0].0.as_str(), exec.env[0].1.expose().as_str()), ("NV", "V"));
    assert_eq!(exec.interactive_mode, InteractiveMode::Always);
    assert!(exec.provide_cluster_info);
    assert_eq!(exec.install_hint.as_deref(), Some("getU+001B[1m it"));
    assert_eq!(exec.cluster_config, Some(serde_json::json!({"audience": "x"})));
}

#[test]
fn c10_timeouts() {
    let seconds = Duration::from_secs;
    let cases: &[(&str, Result<Option<Duration>, ()>)] = &[
        ("", Ok(None)),
        ("0", Ok(None)),
        ("30", Ok(Some(seconds(30)))),
        ("+5", Ok(Some(seconds(5)))),
        ("1m30s", Ok(Some(seconds(90)))),
        ("1.5h", Ok(Some(seconds(5400)))),
        ("500ms", Ok(Some(Duration::from_millis(500)))),
        ("2us", Ok(Some(Duration::from_micros(2)))),
        ("2\u{b5}s", Ok(Some(Duration::from_micros(2)))),
        ("7ns", Ok(Some(Duration::from_nanos(7)))),
        (".5s", Ok(Some(Duration::from_millis(500)))),
        ("1.s", Ok(Some(seconds(1)))),
        ("0s", Ok(None)),
        ("-1s", Ok(None)),
        ("-0", Ok(None)),
        ("-5", Err(())),
        ("5x", Err(())),
        ("s", Err(())),
        ("1", Ok(Some(seconds(1)))),
        ("1 s", Err(())),
        ("1s2", Err(())),
        (".s", Err(())),
        ("1..5s", Err(())),
        ("99999999999999999999", Err(())),
        ("99999999999h", Err(())),
        ("never", Err(())),
    ];
    for (text, expected) in cases {
        let overrides = Overrides { timeout: Some((*text).to_owned()), ..Overrides::default() };
        let found = k(&one("server: https://a", "")).resolve(&overrides);
        match (found, expected) {
            (Ok(config), Ok(expected)) => assert_eq!(config.timeout, *expected, "{text}"),
            (Err(error), Err(())) => assert_eq!(variants(&error), ["BadTimeout"], "{text}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }
}
