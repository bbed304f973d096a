//! BH-C6, BH-C7: what is chosen, and what overrides do to it.

use kubewire_config::{
    AuthProvider, Cluster, Config, ConfigError, Context, Credentials, ExecPlugin, Kubeconfig, Overrides, Pem,
    PluginPolicy, User,
};

use crate::{k, variants};

const TWO: &str = "
clusters:
- {name: one, cluster: {server: https://one, tls-server-name: sni, certificate-authority-data: Q0E=}}
- {name: two, cluster: {server: https://two, insecure-skip-tls-verify: true}}
users:
- {name: one, user: {token: t1, as: jane, as-groups: [a, b]}}
- {name: two, user: {client-certificate-data: Yw==, client-key-data: aw==}}
contexts:
- {name: one, context: {cluster: one, user: one, namespace: ns}}
- {name: two, context: {cluster: two, user: two}}
- {name: lost, context: {cluster: nowhere, user: nobody}}
- {name: anonymous, context: {cluster: one, user: nobody}}
current-context: one
";

fn with(change: impl FnOnce(&mut Overrides)) -> Overrides {
    let mut overrides = Overrides::default();
    change(&mut overrides);
    overrides
}

fn resolve(change: impl FnOnce(&mut Overrides)) -> Result<Config, ConfigError> {
    k(TWO).resolve(&with(change))
}

#[test]
fn c6_contexts_are_chosen() {
    let host = |change: fn(&mut Overrides)| resolve(change).map(|config| config.host);
    assert_eq!(host(|_| ()).unwrap(), "https://one");
    assert_eq!(host(|o| o.current_context = Some("two".into())).unwrap(), "https://two");
    assert_eq!(host(|o| o.current_context = Some(String::new())).unwrap(), "https://one");
    assert_eq!(host(|o| o.context.cluster = "two".into()).unwrap(), "https://two");
    assert_eq!(host(|o| o.cluster.server = "https://three".into()).unwrap(), "https://three");

    let wrong: [(fn(&mut Overrides), &str, &str); 5] = [
        (|o| o.current_context = Some("nope".into()), "UnknownContext", "\"lost\", \"one\", \"two\""),
        (|o| o.context.cluster = "nope".into(), "UnknownCluster", "\"one\", \"two\""),
        (|o| o.context.user = "nope".into(), "UnknownUser", "\"one\", \"two\""),
        (|o| o.current_context = Some("lost".into()), "Empty", "no server is configured"),
        (
            |o| {
                o.current_context = Some("lost".into());
                o.user.impersonate_uid = Some("7".into());
            },
            "ImpersonationWithoutUser",
            "\"nowhere\"",
        ),
    ];
    for (change, variant, part) in wrong {
        let error = resolve(change).unwrap_err();
        assert_eq!(variants(&error)[0], variant, "{error}");
        assert!(error.to_string().contains(part), "{error} lacks {part}");
    }
}

#[test]
fn c6_nothing_chosen_is_the_empty_config() {
    for (text, expected) in [
        ("", Some("Empty")),
        ("clusters: [{name: a, cluster: {server: https://a}}]", Some("Empty")),
        ("current-context: nope", Some("UnknownContext")),
        ("contexts: [{name: a}]\ncurrent-context: a", Some("Empty")),
        (
            "contexts: [{name: a, context: {cluster: c}}]\nclusters: [{name: c}]\ncurrent-context: a",
            Some("NoServer"),
        ),
        // A cluster of an empty name is a cluster.
        ("clusters: [{name: '', cluster: {server: https://a}}]", None),
    ] {
        let outcome = k(text).resolve(&Overrides::default());
        assert_eq!(
            outcome.as_ref().err().map(|error| variants(error)[0].clone()).as_deref(),
            expected,
            "{text}"
        );
    }
    let server = with(|o| o.cluster.server = "https://x".into());
    assert_eq!(Kubeconfig::default().resolve(&server).unwrap().host, "https://x");
    assert!(Kubeconfig::default().resolve(&Overrides::default()).unwrap_err().is_empty_config());
}

#[test]
fn c8_an_unknown_user_is_anonymous() {
    let config = resolve(|o| o.current_context = Some("anonymous".into())).unwrap();
    assert_eq!((config.host.as_str(), config.credentials), ("https://one", Credentials::None));
}

#[test]
fn c7_cluster_fields() {
    type Case = (&'static str, fn(&mut Overrides), fn(&Config) -> bool);
    let ca = |config: &Config| config.tls.ca == Some(Pem::Data(b"CA".to_vec()));
    assert!(ca(&resolve(|_| ()).unwrap()));
    let cases: &[Case] = &[
        ("nothing", |_| (), |c| c.tls.server_name.as_deref() == Some("sni")),
        (
            "server",
            |o| o.cluster.server = "https://x".into(),
            |c| c.host == "https://x" && c.tls.server_name.is_none(),
        ),
        ("server keeps the CA", |o| o.cluster.server = "https://x".into(), |c| c.tls.ca.is_some()),
        (
            "name",
            |o| o.cluster.tls_server_name = Some("n".into()),
            |c| c.host == "https://one" && c.tls.server_name.as_deref() == Some("n"),
        ),
        (
            "server and name",
            |o| {
                o.cluster.server = "https://x".into();
                o.cluster.tls_server_name = Some("n".into());
            },
            |c| c.host == "https://x" && c.tls.server_name.as_deref() == Some("n"),
        ),
        (
            "insecure clears the CA",
            |o| o.cluster.insecure_skip_tls_verify = true,
            |c| c.tls.insecure && c.tls.ca.is_none(),
        ),
        (
            "CA data",
            |o| o.cluster.certificate_authority_data = Some(b"X".to_vec()),
            |c| c.tls.ca == Some(Pem::Data(b"X".to_vec())) && !c.tls.insecure,
        ),
        (
            "CA file clears data",
            |o| o.cluster.certificate_authority = Some("Cargo.toml".into()),
            |c| c.tls.ca == Some(Pem::File("Cargo.toml".into())),
        ),
        (
            "CA clears insecure",
            |o| {
                o.current_context = Some("two".into());
                o.cluster.certificate_authority_data = Some(b"X".to_vec());
            },
            |c| !c.tls.insecure && c.tls.ca.is_some(),
        ),
        (
            "insecure and CA together",
            |o| {
                o.cluster.insecure_skip_tls_verify = true;
                o.cluster.certificate_authority_data = Some(b"X".to_vec());
            },
            |c| c.tls.insecure && c.tls.ca.is_some(),
        ),
        (
            "false overrides nothing",
            |o| {
                o.current_context = Some("two".into());
                o.cluster.insecure_skip_tls_verify = false;
            },
            |c| c.tls.insecure,
        ),
        (
            "proxy",
            |o| o.cluster.proxy_url = Some("http://p:1".into()),
            |c| c.proxy.as_ref().unwrap().to_string() == "http://p:1",
        ),
        ("compression", |o| o.cluster.disable_compression = true, |c| c.disable_compression),
        (
            "empty values",
            |o| {
                o.cluster.tls_server_name = Some(String::new());
                o.cluster.certificate_authority = Some("".into());
                o.cluster.certificate_authority_data = Some(Vec::new());
            },
            |c| c.tls.ca == Some(Pem::Data(b"CA".to_vec())) && c.tls.server_name.as_deref() == Some("sni"),
        ),
        (
            "defaults lie below the file",
            |o| {
                o.cluster_defaults.server = "https://default".into();
                o.cluster_defaults.proxy_url = Some("http://d".into());
            },
            |c| c.host == "https://one" && c.proxy.is_some(),
        ),
        (
            "defaults where there is no cluster",
            |o| {
                o.current_context = Some("lost".into());
                o.cluster_defaults.server = "https://default".into();
            },
            |c| c.host == "https://default",
        ),
    ];
    for (what, change, holds) in cases {
        let config = resolve(change).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(holds(&config), "{what}: {config:?}");
    }
}

#[test]
fn c7_user_and_context_fields() {
    type Case = (&'static str, fn(&mut Overrides), fn(&Config) -> bool);
    fn bearer(config: &Config) -> Option<&str> {
        match &config.credentials {
            Credentials::Bearer(bearer) => bearer.token.as_ref().map(|token| token.expose().as_str()),
            _ => None,
        }
    }
    let cases: &[Case] = &[
        ("nothing", |_| (), |c| bearer(c) == Some("t1") && c.namespace == "ns"),
        ("token", |o| o.user.token = Some("t2".into()), |c| bearer(c) == Some("t2")),
        ("user", |o| o.context.user = "two".into(), |c| c.credentials.certificate().is_some()),
        (
            "as",
            |o| o.user.impersonate = Some("joe".into()),
            |c| c.impersonate.as_ref().unwrap().user == "joe",
        ),
        (
            "as-uid",
            |o| o.user.impersonate_uid = Some("7".into()),
            |c| c.impersonate.as_ref().unwrap().uid.as_deref() == Some("7"),
        ),
        (
            "groups are replaced",
            |o| o.user.impersonate_groups = vec!["c".into()],
            |c| c.impersonate.as_ref().unwrap().groups == ["c"],
        ),
        (
            "extra",
            |o| drop(o.user.impersonate_extra.insert("k".into(), vec!["v".into()])),
            |c| c.impersonate.as_ref().unwrap().extra["k"] == ["v"],
        ),
        ("namespace", |o| o.context.namespace = Some("other".into()), |c| c.namespace == "other"),
        ("an empty namespace", |o| o.context.namespace = Some(String::new()), |c| c.namespace == "ns"),
        (
            "basic on an anonymous user",
            |o| {
                o.current_context = Some("anonymous".into());
                o.user.username = Some("u".into());
                o.user.password = Some("p".into());
            },
            |c| matches!(&c.credentials, Credentials::Basic(b) if b.username == "u" && b.password.expose() == "p"),
        ),
        (
            "a certificate file clears its data",
            |o| {
                o.context.user = "two".into();
                o.user.client_certificate = Some("Cargo.toml".into());
            },
            |c| {
                let pair = c.credentials.certificate().unwrap();
                pair.certificate == Pem::File("Cargo.toml".into()) && matches!(pair.key, Pem::Data(_))
            },
        ),
        (
            "a key file clears its data",
            |o| {
                o.context.user = "two".into();
                o.user.client_key = Some("Cargo.toml".into());
            },
            |c| matches!(c.credentials.certificate().unwrap().key, Pem::File(_)),
        ),
        ("timeout", |o| o.timeout = Some("90".into()), |c| c.timeout.unwrap().as_secs() == 90),
        ("an empty timeout", |o| o.timeout = Some(String::new()), |c| c.timeout.is_none()),
    ];
    for (what, change, holds) in cases {
        let config = resolve(change).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(holds(&config), "{what}: {config:?}");
    }
}

#[test]
fn c7_plugins_are_replaced_whole() {
    let text = "
clusters: [{name: c, cluster: {server: https://c, extensions: [{name: client.authentication.k8s.io/exec, extension: {a: 1}}]}}]
users: [{name: u, user: {exec: {command: old, args: [x], apiVersion: client.authentication.k8s.io/v1beta1}}}, {name: p, user: {auth-provider: {name: oidc, config: {k: v}}}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c";
    let exec = ExecPlugin {
        command: "new".into(),
        api_version: Some("client.authentication.k8s.io/v1".into()),
        interactive_mode: Some("Never".into()),
        ..ExecPlugin::default()
    };
    let overrides = Overrides {
        user: User { exec: Some(Box::new(exec)), ..User::default() },
        plugin_policy: PluginPolicy::Allowlist(vec!["new".into()]),
        ..Overrides::default()
    };
    let Credentials::Exec(exec) = k(text).resolve(&overrides).unwrap().credentials else { panic!() };
    assert!(exec.args.is_empty() && exec.command == std::path::Path::new("new"));
    assert_eq!(exec.policy, PluginPolicy::Allowlist(vec!["new".into()]));
    assert_eq!(exec.cluster_config, Some(serde_json::json!({"a": 1})));

    let provider = AuthProvider { name: "other".into(), ..AuthProvider::default() };
    let overrides = Overrides {
        context: Context { user: "p".into(), ..Context::default() },
        user: User { auth_provider: Some(Box::new(provider)), ..User::default() },
        cluster: Cluster::default(),
        ..Overrides::default()
    };
    let Credentials::AuthProvider(provider) = k(text).resolve(&overrides).unwrap().credentials else {
        panic!()
    };
    assert!(provider.name == "other" && provider.config.is_empty());
}
