//! BH-C16, BH-C17, BH-C18, BH-C19: what a person gets to see.

use kubewire_config::{
    ClientCertificate, Config, Credentials, ExecConfig, Kubeconfig, Overrides, Pem, Secret,
    default_user_agent, strip_namespace_prefix, user_agent,
};

use crate::{Folder, k, one, variants};

#[test]
fn c16_hints_do_not_steer_the_terminal() {
    for (hint, shown) in [
        ("plain text", "plain text"),
        ("\u{1b}[1mbold", "U+001B[1mbold"),
        ("two\nlines", "two\nlines"),
        ("a\u{7}b\u{8}c", "aU+0007bU+0008c"),
        ("\u{9b}31m", "U+009B31m"),
        ("\u{202e}desrever", "U+202Edesrever"),
        ("zero\u{200b}width", "zeroU+200Bwidth"),
        ("caf\u{e9} \u{1f600}", "caf\u{e9} \u{1f600}"),
    ] {
        let exec = ExecConfig { install_hint: Some(hint.into()), ..ExecConfig::default() };
        assert_eq!(exec.printable_install_hint().as_deref(), Some(shown), "{hint:?}");
    }
}

/// A kubeconfig in which every value that is secret holds one of these words.
const SECRETS: [&str; 14] = [
    "s-token",
    "s-password",
    "s-arg",
    "s-envvalue",
    "s-provider",
    "s-proxy",
    "s-unknown",
    "s-beside",
    "s-extension",
    "s-inexec",
    "s-inprovider",
    "s-inenv",
    "s-keydata",
    "s-preference",
];

const SECRETIVE: &str = "
top: s-unknown
preferences: {x: s-preference}
clusters:
- name: c
  other: s-beside
  cluster: {server: https://h, proxy-url: 'http://me:s-proxy@p', x: s-unknown, extensions: [{name: e, extension: {k: s-extension}}]}
users:
- name: u
  other: s-beside
  user:
    token: s-token
    password: s-password
    client-key-data: cy1rZXlkYXRh
    x: s-unknown
    auth-provider: {name: oidc, config: {refresh-token: s-provider}, x: s-inprovider}
    exec: {command: x, args: [s-arg], env: [{name: NV, value: s-envvalue, x: s-inenv}], x: s-inexec}
contexts:
- {name: c, other: s-beside, context: {cluster: c, user: u, x: s-unknown, extensions: [{name: e, extension: s-extension}]}}
current-context: c
extensions: [{name: e, extension: [s-extension]}]
";

fn assert_silent(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is shown: {text}");
    }
    // Neither as base64 nor as numbers.
    assert!(!text.contains("cy1rZXlkYXRh") && !text.contains("115, 45, 107"), "{text}");
}

#[test]
fn c17_debug_of_a_kubeconfig_holds_no_secret() {
    let kubeconfig = k(SECRETIVE);
    assert!(SECRETS.iter().filter(|secret| kubeconfig.to_yaml().contains(**secret)).count() >= 13);
    assert_silent(&format!("{kubeconfig:?}"));
    assert_silent(&format!("{kubeconfig:#?}"));
    let mut overrides = Overrides { user: kubeconfig.users["u"].clone(), ..Overrides::default() };
    overrides.cluster = kubeconfig.clusters["c"].clone();
    assert_silent(&format!("{overrides:?}"));
}

#[test]
fn c17_debug_of_a_config_holds_no_secret() {
    let pair = "client-certificate-data: YQ==, client-key-data: cy1rZXlkYXRh";
    let exec = "exec: {command: x, args: [s-arg], env: [{name: NV, value: s-envvalue}], apiVersion: v, interactiveMode: Never}";
    for user in [
        "token: s-token".to_owned(),
        "username: u, password: s-password".to_owned(),
        "auth-provider: {name: oidc, config: {k: s-provider}}".to_owned(),
        pair.to_owned(),
        format!("{pair}, token: s-token"),
        format!("{pair}, username: u, password: s-password"),
        format!("{pair}, auth-provider: {{name: oidc, config: {{k: s-provider}}}}"),
        exec.to_owned(),
    ] {
        let cluster = "server: https://h, proxy-url: 'http://me:s-proxy@p', extensions: [{name: client.authentication.k8s.io/exec, extension: s-extension}]";
        let config = k(&one(cluster, &user)).resolve(&Overrides::default()).unwrap();
        assert_silent(&format!("{config:?} {config:#?}"));
    }
    let pair = ClientCertificate {
        certificate: Pem::Data(b"a".to_vec()),
        key: Pem::Data(Secret::new(b"s-keydata".to_vec())),
    };
    assert_silent(&format!("{:?}", Config::new("h").with_credentials(Credentials::client_certificate(pair))));
}

#[test]
fn c17_errors_hold_no_secret() {
    let texts = [
        one("server: https://a, proxy-url: 'socks6://me:s-proxy@p'", "token: s-token, password: s-password"),
        one(
            "server: https://a, proxy-url: 'me:s-proxy@p'",
            "token: s-token, username: x, client-certificate-data: YQ==",
        ),
        one(
            "server: https://a",
            "exec: {args: [s-arg], env: [{value: s-envvalue}]}, auth-provider: {config: {k: s-provider}}",
        ),
        "users: [{name: u, user: {token: [s-token], client-key-data: 's-keydata*'}}]".to_owned(),
        "users: [{name: u, user: {token: s-token".to_owned(),
        "users: [{name: u, user: {token: s-token}}, {name: u, user: {password: s-password}}]".to_owned(),
        "users:\n- name: u\n  user:\n    token: s-token\n   password: s-password\n".to_owned(),
        "users: {s: *s-token}".to_owned().replace("*s-token", "[s-token"),
    ];
    for text in texts {
        let error = match text.parse::<Kubeconfig>() {
            Ok(kubeconfig) => kubeconfig.resolve(&Overrides::default()).expect_err(&text),
            Err(error) => error,
        };
        assert_silent(&format!("{error} {error:?} {error:#?}"));
    }
}

#[test]
fn c18_user_agents() {
    let platform = default_user_agent();
    let platform = &platform[platform.find('(').unwrap()..=platform.find(')').unwrap()];
    for (name, version, commit, expected) in [
        ("app", "1.2.3-alpha4", "0123456789", "app/1.2.3 PLATFORM kubernetes/0123456"),
        ("app", "v1.2.3", "0123456", "app/v1.2.3 PLATFORM kubernetes/0123456"),
        ("app", "", "", "app/unknown PLATFORM kubernetes/unknown"),
        ("", "1", "abc", "unknown/1 PLATFORM kubernetes/abc"),
        ("my app\n", "1.0", "x", "my_app_/1.0 PLATFORM kubernetes/x"),
    ] {
        assert_eq!(
            user_agent(name, version, commit),
            expected.replace("PLATFORM", platform),
            "{name} {version}"
        );
    }
    let default = default_user_agent();
    assert!(default.starts_with("it-") && default.ends_with(" kubernetes/unknown"), "{default}");
    assert_eq!(Config::new("h").user_agent_or_default(), default);
    assert_eq!(Config::new("h").with_user_agent("mine/1").user_agent_or_default(), "mine/1");
    assert_eq!(Config::new("h").with_user_agent("").user_agent_or_default(), default);
}

#[test]
fn c19_the_namespace_flag() {
    for (given, meant) in [
        ("web", "web"),
        ("ns/web", "web"),
        ("NS/foo", "foo"),
        ("namespace/web", "web"),
        ("namespaces/web", "web"),
        ("Namespaces/Web", "Web"),
        ("ns/", "ns/"),
        ("ns/ns/a", "ns/a"),
        ("nsx/a", "nsx/a"),
        ("", ""),
        ("\u{e4}\u{e4}\u{e4}", "\u{e4}\u{e4}\u{e4}"),
    ] {
        assert_eq!(strip_namespace_prefix(given), meant);
    }
}

#[test]
fn c19_views() {
    let folder = Folder::new(&[("ca", "CA"), ("cert", "CERT"), ("key", "KEY")]);
    let text = "
clusters: [{name: a, cluster: {server: s, certificate-authority: ca}}, {name: b, cluster: {server: t}}]
users: [{name: u, user: {client-certificate: cert, client-key: key, tokenFile: tok}}, {name: v}]
contexts: [{name: c, context: {cluster: a, user: u}}, {name: d, context: {cluster: b, user: v}}, {name: e}]
current-context: c";
    folder.write("config", text);
    let loaded = Kubeconfig::load(folder.path("config")).unwrap();

    let mut small = loaded.clone();
    small.minify().unwrap();
    let names =
        |k: &Kubeconfig| format!("{:?} {:?} {:?}", k.clusters.keys(), k.users.keys(), k.contexts.keys());
    assert_eq!(names(&small), r#"["a"] ["u"] ["c"]"#);
    for (current, expected) in [("", "NoContext"), ("nope", "UnknownContext")] {
        let mut bad = loaded.clone();
        bad.current_context = Some(current.into());
        let before = bad.clone();
        assert_eq!(variants(&bad.minify().unwrap_err()), [expected]);
        assert_eq!(bad, before);
    }

    let mut flat = loaded.clone();
    flat.flatten().unwrap();
    assert_eq!(flat.clusters["a"].certificate_authority_data.as_deref(), Some(b"CA".as_slice()));
    assert_eq!(flat.clusters["a"].certificate_authority, None);
    let user = &flat.users["u"];
    assert_eq!(user.client_certificate_data.as_deref(), Some(b"CERT".as_slice()));
    assert_eq!(user.client_key_data.as_ref().unwrap().expose(), b"KEY");
    assert_eq!(user.token_file.as_deref(), Some("tok".as_ref()));
    std::fs::remove_file(folder.path("ca")).unwrap();
    std::fs::remove_file(folder.path("key")).unwrap();
    let mut broken = loaded.clone();
    assert_eq!(variants(&broken.flatten().unwrap_err()), ["UnreadableFile", "UnreadableFile"]);
    assert_eq!(broken, loaded);

    flat.shorten();
    let value = flat.to_value();
    assert_eq!(value.pointer("/clusters/0/cluster/certificate-authority-data"), Some(&"DATA+OMITTED".into()));
    assert_eq!(value.pointer("/users/0/user/client-key-data"), Some(&"DATA+OMITTED".into()));

    let mut secretive = k(SECRETIVE);
    secretive.redact();
    let shown = secretive.to_yaml().replace("s-extension", "");
    assert_silent(&shown);
    assert!(shown.contains("https://h") && shown.contains("REDACTED"), "{shown}");
}
