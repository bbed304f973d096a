//! BH-C1, BH-C2, BH-C3: which files are read, what they say together, and where their paths lead.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use kubewire_config::{Config, Credentials, Environment, Kubeconfig, LoadingRules, Overrides, Pem};

use crate::{Folder, display, k, one, variants};

#[test]
fn c1_kubeconfig_lists_files() {
    let cases: &[(&[(&str, &str)], &[&str])] = &[
        (&[("KUBECONFIG", "/a:/b"), ("HOME", "/h")], &["/a", "/b"]),
        (&[("KUBECONFIG", "/a:/b:/a"), ("HOME", "/h")], &["/a", "/b"]),
        (&[("KUBECONFIG", ":/a::/b:"), ("HOME", "/h")], &["/a", "/b"]),
        (&[("KUBECONFIG", "rel/config"), ("HOME", "/h")], &["rel/config"]),
        (&[("KUBECONFIG", ""), ("HOME", "/h")], &["/h/.kube/config"]),
        (&[("HOME", "/h")], &["/h/.kube/config"]),
        (&[("KUBECONFIG", "/a")], &["/a"]),
        (&[("KUBECONFIG", ":"), ("HOME", "/h")], &[]),
        (&[], &[]),
    ];
    for (vars, expected) in cases {
        let rules = LoadingRules::from_environment(Environment::fixed(vars.iter().copied()));
        let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
        assert_eq!(rules.paths, expected, "{vars:?}");
    }
}

#[test]
fn c1_an_explicit_file_must_be_there() {
    let folder = Folder::new(&[("good", "current-context: a"), ("sub/x", ""), ("bad", "clusters: 7")]);
    for (name, expected) in [
        ("good", None),
        ("none", Some("Read")),
        ("sub", Some("IsFolder")),
        ("bad", Some("WrongType")),
        ("good/below", Some("Read")),
    ] {
        let outcome = LoadingRules::explicit(folder.path(name)).load();
        match (outcome, expected) {
            (Ok(loaded), None) => assert_eq!(loaded.current_context.as_deref(), Some("a")),
            (Err(error), Some(variant)) => {
                assert_eq!(variants(&error), [variant], "{name}");
                assert!(error.to_string().contains(&display(&folder.path(name))), "{error}");
            }
            (outcome, expected) => panic!("{name}: {outcome:?}, expected {expected:?}"),
        }
    }
    // It wins alone.
    let mut rules = folder.rules(&["bad"]);
    rules.explicit_path = Some(folder.path("good"));
    assert!(rules.load().is_ok());
}

#[test]
fn c1_listed_files_may_be_missing_but_not_bad() {
    let folder = Folder::new(&[
        ("a", "current-context: a"),
        ("empty", ""),
        ("yaml", "{{{"),
        ("kind", "kind: Pod"),
        ("sub/x", ""),
        ("b", "current-context: b"),
    ]);
    let cases: &[(&[&str], Result<Option<&str>, &[&str]>)] = &[
        (&["none", "a"], Ok(Some("a"))),
        (&["none", "nope"], Ok(None)),
        (&["empty"], Ok(None)),
        (&["empty", "b", "a"], Ok(Some("b"))),
        (&["a", "yaml"], Err(&["Syntax"])),
        (&["kind", "a", "yaml", "none"], Err(&["WrongKind", "Syntax"])),
        (&["sub", "kind"], Err(&["IsFolder", "WrongKind"])),
    ];
    for (list, expected) in cases {
        let outcome = folder.rules(list).load();
        match (outcome, expected) {
            (Ok(loaded), Ok(context)) => assert_eq!(loaded.current_context.as_deref(), *context, "{list:?}"),
            (Err(error), Err(expected)) => {
                assert_eq!(variants(&error), *expected, "{list:?}");
                for bad in list.iter().filter(|name| ["yaml", "kind", "sub"].contains(name)) {
                    assert!(error.to_string().contains(&display(&folder.path(bad))), "{error}");
                }
            }
            (outcome, expected) => panic!("{list:?}: {outcome:?}, expected {expected:?}"),
        }
    }
}

#[test]
fn c1_all_missing_is_warned_of() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&heard);
    let environment = Environment::fixed([("KUBECONFIG", "/none/a:/none/b")])
        .on_warning(move |warning| sink.lock().unwrap().push(warning.to_string()));
    let rules = LoadingRules::from_environment(environment);
    assert_eq!(rules.load().unwrap(), Kubeconfig::default());
    assert_eq!(*heard.lock().unwrap(), ["none of the kubeconfig files exists: /none/a /none/b"]);
}

#[test]
fn c1_a_file_that_is_too_large_is_refused() {
    let folder = Folder::new(&[("a", "current-context: a # and a comment\n")]);
    let mut rules = folder.rules(&["a"]);
    rules.max_file_size = 10;
    let error = rules.load().unwrap_err();
    assert_eq!(variants(&error), ["TooLarge"]);
    assert!(error.to_string().contains("10 bytes"), "{error}");
    rules.max_file_size = 35;
    assert!(rules.load().is_ok());
}

#[cfg(unix)]
#[test]
fn c1_a_file_without_an_end_is_refused() {
    let mut rules = LoadingRules::explicit("/dev/zero");
    rules.max_file_size = 1000;
    assert_eq!(variants(&rules.load().unwrap_err()), ["TooLarge"]);
}

#[test]
fn c2_the_first_file_has_the_last_word() {
    // What the first says, what the second says, and what they say together.
    let cases = [
        ("current-context: a", "current-context: b", "current-context: a"),
        ("current-context: ''", "current-context: b", "current-context: b"),
        ("{}", "current-context: b", "current-context: b"),
        (
            "clusters: [{name: x, cluster: {server: a}}]",
            "clusters: [{name: x, cluster: {server: b, proxy-url: 'http://p'}}]",
            "clusters: [{name: x, cluster: {server: a}}]",
        ),
        (
            "clusters: [{name: x, cluster: {server: a}}]",
            "clusters: [{name: why, cluster: {server: b}}]",
            "clusters: [{name: x, cluster: {server: a}}, {name: why, cluster: {server: b}}]",
        ),
        (
            "users: [{name: x, user: {username: a}}]",
            "users: [{name: x, user: {username: b, password: p}}]",
            "users: [{name: x, user: {username: a}}]",
        ),
        (
            "contexts: [{name: x, context: {cluster: a}}]",
            "contexts: [{name: x, context: {user: b}}]",
            "contexts: [{name: x, context: {cluster: a}}]",
        ),
        ("users: [{name: x}]", "users: [{name: x, user: {token: t}}]", "users: [{name: x}]"),
        ("preferences: {colors: true}", "preferences: {}", "preferences: {colors: true}"),
        ("preferences: {}", "preferences: {colors: true}", "preferences: {colors: true}"),
        (
            "extensions: [{name: e, extension: 1}]",
            "extensions: [{name: e, extension: 2}, {name: f, extension: 3}]",
            "extensions: [{name: e, extension: 1}, {name: f, extension: 3}]",
        ),
        (
            "preferences: {extensions: [{name: e, extension: 1}]}",
            "preferences: {extensions: [{name: e, extension: 2}]}",
            "preferences: {extensions: [{name: e, extension: 1}]}",
        ),
        ("new-field: 1", "new-field: 2\nnewer: 3", "new-field: 1\nnewer: 3"),
    ];
    for (first, second, together) in cases {
        assert_eq!(k(first).merge(k(second)), k(together), "{first} | {second}");
    }
}

#[test]
fn c3_paths_are_relative_to_their_own_file() {
    let folder =
        Folder::new(&[("ca", "x"), ("x/ca", "x"), ("x/cert", "x"), ("y/key", "x"), ("y/token", "tok")]);
    folder.write(
        "x/config",
        &one(
            "server: https://a, certificate-authority: ca",
            "client-certificate: ./cert, client-key: ../y/key",
        ),
    );
    let config = folder.rules(&["x/config"]).load().unwrap().resolve(&Overrides::default()).unwrap();
    assert_eq!(config.tls.ca, Some(Pem::File(folder.path("x/ca"))));
    let pair = config.credentials.certificate().unwrap();
    assert_eq!(pair.certificate, Pem::File(folder.path("x/cert")));
    assert_eq!(pair.key, Pem::File(folder.path("y/key")));

    folder.write("y/config", &one("server: https://a", "tokenFile: token"));
    let config = Config::from_kubeconfig(folder.path("y/config")).unwrap();
    let Credentials::Bearer(bearer) = config.credentials else { panic!() };
    assert_eq!(bearer.token_file, Some(folder.path("y/token")));
    assert_eq!(bearer.token.unwrap().expose(), "tok");

    // An absolute path stays, and overrides are relative to the working folder.
    folder.write(
        "z/config",
        &one(&format!("server: https://a, certificate-authority: {}", display(&folder.path("ca"))), ""),
    );
    let config = Config::from_kubeconfig(folder.path("z/config")).unwrap();
    assert_eq!(config.tls.ca, Some(Pem::File(folder.path("ca"))));
    let mut overrides = Overrides::default();
    overrides.cluster.certificate_authority = Some("Cargo.toml".into());
    let config = folder.rules(&["z/config"]).load().unwrap().resolve(&overrides).unwrap();
    assert_eq!(config.tls.ca, Some(Pem::File("Cargo.toml".into())));
}

#[test]
fn c3_an_exec_command_is_a_path_when_it_has_a_separator() {
    let folder = Folder::new(&[]);
    for (command, expected) in [
        ("cmd", PathBuf::from("cmd")),
        ("./cmd", folder.path("sub/cmd")),
        ("../rel/cmd", folder.path("rel/cmd")),
        ("bin/cmd", folder.path("sub/bin/cmd")),
        ("/abs/cmd", PathBuf::from("/abs/cmd")),
        ("/abs/../cmd", PathBuf::from("/abs/../cmd")),
    ] {
        let exec = format!("exec: {{command: {command}, apiVersion: client.authentication.k8s.io/v1beta1}}");
        folder.write("sub/config", &one("server: https://a", &exec));
        let config = Config::from_kubeconfig(folder.path("sub/config")).unwrap();
        let Credentials::Exec(exec) = config.credentials else { panic!("{command}") };
        assert_eq!(exec.command, expected, "{command}");
    }
}

#[test]
fn c3_relative_paths_without_a_file_stay() {
    let mut kubeconfig = k(&one("server: https://a, certificate-authority: sub/ca", ""));
    kubeconfig.resolve_paths();
    assert_eq!(kubeconfig.clusters["c"].certificate_authority.as_deref(), Some(Path::new("sub/ca")));
}
