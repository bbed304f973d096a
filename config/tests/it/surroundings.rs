//! BH-C11, BH-C12, BH-C13: pods, namespaces, and what flags ask for.

use std::sync::{Arc, Mutex};

use kubewire_config::{Config, Credentials, Environment, Flag, LoadingRules, Overrides, Pem};

use crate::{Folder, display, one, variants};

const POD: &[(&str, &str)] = &[("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("KUBERNETES_SERVICE_PORT", "443")];
const CA: &str = "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n";

fn pod() -> Folder {
    Folder::new(&[("token", "tok"), ("ca.crt", CA), ("namespace", " pod-ns \n")])
}

#[test]
fn c12_in_a_cluster() {
    let folder = pod();
    let config = Config::in_cluster_with(&Overrides::default(), &folder.environment(POD)).unwrap();
    assert_eq!(config.host, "https://10.0.0.1:443");
    assert_eq!(config.tls.ca, Some(Pem::File(folder.path("ca.crt"))));
    assert_eq!(config.namespace, "pod-ns");
    let Credentials::Bearer(bearer) = config.credentials else { panic!() };
    assert_eq!(bearer.token.unwrap().expose(), "tok");
    assert_eq!(bearer.token_file, Some(folder.path("token")));
}

#[test]
fn c12_hosts_and_missing_parts() {
    let cases: &[(&[(&str, &str)], Result<&str, &str>)] = &[
        (POD, Ok("https://10.0.0.1:443")),
        (
            &[("KUBERNETES_SERVICE_HOST", "fd00::1"), ("KUBERNETES_SERVICE_PORT", "6443")],
            Ok("https://[fd00::1]:6443"),
        ),
        (
            &[("KUBERNETES_SERVICE_HOST", "kube.local"), ("KUBERNETES_SERVICE_PORT", "1")],
            Ok("https://kube.local:1"),
        ),
        (&[("KUBERNETES_SERVICE_HOST", "10.0.0.1")], Err("NotInCluster")),
        (&[("KUBERNETES_SERVICE_PORT", "443")], Err("NotInCluster")),
        (&[("KUBERNETES_SERVICE_HOST", ""), ("KUBERNETES_SERVICE_PORT", "443")], Err("NotInCluster")),
        (&[], Err("NotInCluster")),
    ];
    let folder = pod();
    for (vars, expected) in cases {
        let found = Config::in_cluster_with(&Overrides::default(), &folder.environment(vars));
        match (found, expected) {
            (Ok(config), Ok(host)) => {
                assert_eq!(config.host, *host);
                assert!(config.server_url().is_ok());
            }
            (Err(error), Err(variant)) => assert_eq!(variants(&error), [*variant]),
            (found, _) => panic!("{vars:?}: {found:?}"),
        }
    }
    let empty = Folder::new(&[("ca.crt", CA)]);
    let error = Config::in_cluster_with(&Overrides::default(), &empty.environment(POD)).unwrap_err();
    assert_eq!(variants(&error), ["InClusterToken"]);
    assert!(error.to_string().contains(&display(&empty.path("token"))));
}

#[test]
fn c12_an_unreadable_ca_is_only_reported() {
    for ca in [None, Some("garbage"), Some("")] {
        let folder = Folder::new(&[("token", "t")]);
        if let Some(ca) = ca {
            folder.write("ca.crt", ca);
        }
        let heard = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&heard);
        let environment =
            folder.environment(POD).on_warning(move |w| sink.lock().unwrap().push(w.to_string()));
        let config = Config::in_cluster_with(&Overrides::default(), &environment).unwrap();
        assert_eq!(config.tls.ca, None);
        assert!(heard.lock().unwrap()[0].contains("ca.crt"), "{ca:?}");
    }
}

#[test]
fn c13_overrides_in_a_cluster() {
    let folder = pod();
    let in_cluster = |change: fn(&mut Overrides)| {
        let mut overrides = Overrides::default();
        change(&mut overrides);
        Config::in_cluster_with(&overrides, &folder.environment(POD)).unwrap()
    };
    let bearer = |config: Config| match config.credentials {
        Credentials::Bearer(b) => {
            (b.token.map(|token| token.expose().clone()), b.token_file.map(|f| display(&f)))
        }
        _ => panic!(),
    };
    assert_eq!(in_cluster(|o| o.cluster.server = "https://x".into()).host, "https://x");
    let file = display(&folder.path("token"));
    assert_eq!(bearer(in_cluster(|_| ())), (Some("tok".into()), Some(file)));
    assert_eq!(bearer(in_cluster(|o| o.user.token = Some("t2".into()))), (Some("t2".into()), None));
    assert_eq!(bearer(in_cluster(|o| o.user.token_file = Some("/f".into()))), (None, Some("/f".into())));
    let ca = in_cluster(|o| o.cluster.certificate_authority = Some("/ca".into())).tls.ca;
    assert_eq!(ca, Some(Pem::File("/ca".into())));
    // Others are not taken over.
    let other = in_cluster(|o| {
        o.cluster.insecure_skip_tls_verify = true;
        o.user.username = Some("u".into());
    });
    assert!(!other.tls.insecure && matches!(other.credentials, Credentials::Bearer(_)));
}

#[test]
fn c13_infer_takes_files_first() {
    let folder = pod();
    folder.write("good", &one("server: https://file", "token: t"));
    folder.write("empty", "");
    folder.write("bad", "clusters: 7");
    folder.write("lost", "current-context: nope");
    folder.write("invalid", &one("server: https://a", "as-uid: '1'"));
    let cases = [
        (vec!["good"], true, Ok("https://file")),
        (vec!["good"], false, Ok("https://file")),
        (vec!["none"], true, Ok("https://10.0.0.1:443")),
        (vec!["empty"], true, Ok("https://10.0.0.1:443")),
        (vec!["none"], false, Err("Empty")),
        (vec!["bad"], true, Err("WrongType")),
        (vec!["lost"], true, Err("UnknownContext")),
        (vec!["invalid"], true, Err("ImpersonationWithoutUser")),
    ];
    for (list, in_pod, expected) in cases {
        let mut rules = folder.rules(&list);
        if in_pod {
            rules.environment = folder.environment(POD);
        }
        let found = Config::infer_with(&rules, &Overrides::default());
        match (found, expected) {
            (Ok(config), Ok(host)) => assert_eq!(config.host, host, "{list:?}"),
            (Err(error), Err(variant)) => assert_eq!(variants(&error), [variant], "{list:?}"),
            (found, _) => panic!("{list:?}: {found:?}"),
        }
    }
}

#[test]
fn c11_namespaces() {
    let pod_ns: &[(&str, &str)] = &[("POD_NAMESPACE", "env-ns")];
    // The context's namespace, the override, variables, whether in a pod, and what must come of it.
    let cases: &[(&str, &str, &[(&str, &str)], bool, &str)] = &[
        ("", "", &[], false, "default"),
        ("web", "", &[], false, "web"),
        ("web", "over", &[], false, "over"),
        ("", "over", &[], true, "over"),
        ("web", "", &[], true, "web"),
        ("default", "", &[], true, "default"),
        ("default", "", pod_ns, true, "default"),
        ("", "", &[], true, "pod-ns"),
        ("", "", pod_ns, true, "env-ns"),
        ("", "", pod_ns, false, "default"),
        ("default", "over", &[], true, "over"),
    ];
    let folder = pod();
    for (context, over, vars, in_pod, expected) in cases {
        let text =
            one("server: https://a", "").replace("user: u}", &format!("user: u, namespace: '{context}'}}"));
        folder.write("config", &text);
        let mut rules = folder.rules(&["config"]);
        let all: Vec<_> = if *in_pod { POD.iter().chain(*vars).copied().collect() } else { vars.to_vec() };
        rules.environment = folder.environment(&all);
        let mut overrides = Overrides::default();
        overrides.context.namespace = Some((*over).to_owned());
        let config = Config::infer_with(&rules, &overrides).unwrap();
        assert_eq!(config.namespace, *expected, "{context:?} {over:?} {all:?}");
    }
    // Without any file.
    let rules = LoadingRules::from_environment(folder.environment(POD));
    let mut overrides = Overrides::default();
    assert_eq!(Config::infer_with(&rules, &overrides).unwrap().namespace, "pod-ns");
    overrides.context.namespace = Some("over".into());
    assert_eq!(Config::infer_with(&rules, &overrides).unwrap().namespace, "over");
    let bare = Folder::new(&[("token", "t")]);
    let rules = LoadingRules::from_environment(bare.environment(POD));
    assert_eq!(Config::infer_with(&rules, &Overrides::default()).unwrap().namespace, "default");
}

#[test]
fn c13_from_flags() {
    let folder = pod();
    folder.write("config", &one("server: https://file", "token: t"));
    folder.write("empty", "");
    let heard = Arc::new(Mutex::new(Vec::<String>::new()));
    let listen = |environment: Environment| {
        let sink = Arc::clone(&heard);
        environment.on_warning(move |w| sink.lock().unwrap().push(w.to_string()))
    };
    let home = display(&folder.path("config"));
    let outside = listen(folder.environment(&[("KUBECONFIG", &home)]));
    let inside = listen(folder.environment(POD));
    let file = display(&folder.path("config"));
    let none = display(&folder.path("none"));
    let empty = display(&folder.path("empty"));
    let cases: &[(&str, &str, &Environment, Result<&str, &str>, usize)] = &[
        ("", "", &inside, Ok("https://10.0.0.1:443"), 1),
        ("", "", &outside, Err("Empty"), 2),
        ("http://m:8080", "", &outside, Ok("http://m:8080"), 0),
        ("http://m:8080", "", &inside, Ok("http://m:8080"), 0),
        ("", &file, &inside, Ok("https://file"), 0),
        ("https://m", &file, &inside, Ok("https://m"), 0),
        ("", &none, &inside, Err("Read"), 0),
        ("", &empty, &outside, Err("Empty"), 0),
    ];
    for (server, path, environment, expected, warnings) in cases {
        heard.lock().unwrap().clear();
        let found = Config::from_flags_with(server, path, environment);
        match (found, expected) {
            (Ok(config), Ok(host)) => assert_eq!(config.host, *host, "{server} {path}"),
            (Err(error), Err(variant)) => assert_eq!(variants(&error), [*variant], "{server} {path}"),
            (found, _) => panic!("{server} {path}: {found:?}"),
        }
        assert_eq!(heard.lock().unwrap().len(), *warnings, "{server} {path}: {:?}", heard.lock().unwrap());
    }
    let alone = Config::from_flags_with("https://m", "", &outside).unwrap();
    assert_eq!(alone.credentials, Credentials::None);
}

#[test]
fn c7_flags_set_what_they_are_named_for() {
    let mut rules = LoadingRules::from_environment(Environment::fixed([("HOME", "/h")]));
    let mut overrides = Overrides::default();
    for flag in Flag::ALL {
        let value = match flag.name {
            "request-timeout" => "1m",
            "as-user-extra" => "k=v=w",
            "insecure-skip-tls-verify" => "",
            "disable-compression" => "true",
            "namespace" => "namespace/ns",
            _ => "value",
        };
        let before = (format!("{rules:?}"), overrides.clone());
        flag.apply(value, &mut rules, &mut overrides).unwrap();
        assert_ne!(before, (format!("{rules:?}"), overrides.clone()), "{} set nothing", flag.name);
        assert!(!flag.help.is_empty() && Flag::named(flag.name).unwrap().help == flag.help);
    }
    assert_eq!(rules.explicit_path.as_deref(), Some("value".as_ref()));
    assert_eq!(overrides.context.namespace.as_deref(), Some("ns"));
    assert_eq!(overrides.user.impersonate_extra["k"], ["v=w"]);
    let group = Flag::named("as-group").unwrap();
    group.apply("second", &mut rules, &mut overrides).unwrap();
    assert_eq!(overrides.user.impersonate_groups, ["value", "second"]);
    for (name, value) in [
        ("request-timeout", "soon"),
        ("insecure-skip-tls-verify", "maybe"),
        ("as-user-extra", "no equals sign"),
    ] {
        let error =
            Flag::named(name).unwrap().apply(value, &mut rules, &mut overrides).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(value), "{error}");
    }
    assert!(Flag::named("nope").is_none());
}
