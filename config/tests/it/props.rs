//! What holds for any kubeconfig.

use std::collections::BTreeMap;

use kubewire_config::{
    AuthProvider, Cluster, Context, ExecEnvVar, ExecPlugin, Kubeconfig, Preferences, Secret, UnknownFields,
    User,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;

use crate::Folder;

/// Text of all kinds, much of which YAML would take for something else.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        ".{1,8}",
        "[ \\n\\t:#'\"\\\\,\\[\\]{}&*!|>%@`~-]{1,5}",
        any::<char>().prop_map(String::from),
        prop::sample::select(vec![
            "yes",
            "No",
            "on",
            "y",
            "N",
            "null",
            "~",
            "true",
            "0",
            "0123",
            "1_000",
            "0x1f",
            "1e3",
            ".5",
            "-",
            "---",
            "<<",
            "2001-01-01",
            ".nan",
            "a: b",
            "a #b",
            "x\n",
            "x\n\n",
            "\nx",
            " x",
            "x ",
            "x\ny\n",
            "x\n y",
            "a\u{85}b",
            "\u{2028}",
            "\u{feff}",
            "\r\n",
            "1:2",
            "=",
            "?",
            "!x",
            "\u{7f}",
            "\u{0}",
        ])
        .prop_map(str::to_owned),
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9f64..1e9).prop_map(Value::from),
        text().prop_map(Value::from),
        Just(Value::from("")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(text(), inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Fields of names that the schema does not know.
fn unknown() -> impl Strategy<Value = UnknownFields> {
    btree_map(text().prop_map(|name| format!("x{name}")), json(), 0..2).prop_map(|map| {
        let mut fields = UnknownFields::default();
        for (name, value) in map {
            fields.insert(name, value);
        }
        fields
    })
}

fn extensions() -> impl Strategy<Value = kubewire_config::Extensions> {
    btree_map(text(), json(), 0..2).prop_map(|map| {
        let mut extensions = kubewire_config::Extensions::default();
        for (name, value) in map {
            extensions.insert(name, value);
        }
        extensions
    })
}

fn secret() -> impl Strategy<Value = Secret> {
    text().prop_map(Secret::new)
}

fn data() -> impl Strategy<Value = Option<Vec<u8>>> {
    option::of(vec(any::<u8>(), 1..10))
}

fn path() -> impl Strategy<Value = Option<std::path::PathBuf>> {
    option::of(text().prop_map(Into::into))
}

prop_compose! {
    fn cluster()(
        server in prop_oneof![Just(String::new()), text()],
        tls_server_name in option::of(text()),
        insecure_skip_tls_verify in any::<bool>(),
        certificate_authority in path(),
        certificate_authority_data in data(),
        proxy_url in option::of(secret()),
        disable_compression in any::<bool>(),
        extensions in extensions(),
        unknown in unknown(),
        entry_unknown in unknown(),
    ) -> Cluster {
        Cluster {
            server, tls_server_name, insecure_skip_tls_verify, certificate_authority, certificate_authority_data,
            proxy_url, disable_compression, extensions, unknown, entry_unknown, ..Cluster::default()
        }
    }
}

prop_compose! {
    fn exec()(
        command in text(),
        args in vec(secret(), 0..3),
        env in vec((text(), secret(), unknown()), 0..2),
        api_version in option::of(text()),
        install_hint in option::of(text()),
        provide_cluster_info in any::<bool>(),
        interactive_mode in option::of(text()),
        unknown in unknown(),
    ) -> ExecPlugin {
        let env = env.into_iter().map(|(name, value, unknown)| ExecEnvVar { name, value, unknown }).collect();
        ExecPlugin {
            command: command.into(), args, env, api_version, install_hint, provide_cluster_info, interactive_mode, unknown,
        }
    }
}

prop_compose! {
    fn user()(
        files in (path(), path(), path()),
        data in (data(), data()),
        token in option::of(secret()),
        password in option::of(secret()),
        names in (option::of(text()), option::of(text()), option::of(text())),
        groups in vec(text(), 0..3),
        extra in btree_map(text(), vec(text(), 1..3), 0..2),
        provider in option::of((text(), btree_map(text(), secret(), 0..2), unknown())),
        exec in option::of(exec()),
        rest in (extensions(), unknown(), unknown()),
    ) -> User {
        User {
            client_certificate: files.0,
            client_key: files.1,
            token_file: files.2,
            client_certificate_data: data.0,
            client_key_data: data.1.map(Secret::new),
            token,
            password,
            username: names.0,
            impersonate: names.1,
            impersonate_uid: names.2,
            impersonate_groups: groups,
            impersonate_extra: extra,
            auth_provider: provider.map(|(name, config, unknown)| Box::new(AuthProvider { name, config, unknown })),
            exec: exec.map(Box::new),
            extensions: rest.0,
            unknown: rest.1,
            entry_unknown: rest.2,
            ..User::default()
        }
    }
}

prop_compose! {
    fn context()(
        cluster in text(), user in text(), namespace in option::of(text()),
        extensions in extensions(), unknown in unknown(), entry_unknown in unknown(),
    ) -> Context {
        Context { cluster, user, namespace, extensions, unknown, entry_unknown, ..Context::default() }
    }
}

/// Few names, so that files share some.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned), text()]
}

fn entries<T: std::fmt::Debug>(
    entry: impl Strategy<Value = T>,
) -> impl Strategy<Value = BTreeMap<String, T>> {
    btree_map(name(), entry, 0..3)
}

prop_compose! {
    fn kubeconfig()(
        colors in any::<bool>(),
        preferences in (extensions(), unknown()),
        clusters in entries(cluster()),
        users in entries(user()),
        contexts in entries(context()),
        current_context in option::of(name()),
        extensions in extensions(),
        unknown in unknown(),
    ) -> Kubeconfig {
        let preferences = Preferences { colors, extensions: preferences.0, unknown: preferences.1 };
        Kubeconfig { preferences, clusters, users, contexts, current_context, extensions, unknown }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn what_is_saved_is_what_is_loaded(kubeconfig in kubeconfig()) {
        let text = kubeconfig.to_yaml();
        let again: Kubeconfig = text.parse().map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
        prop_assert_eq!(&again, &kubeconfig, "{}", text);
        // JSON is read as YAML, which breaks lines where JSON does not.
        let json = kubeconfig.to_value().to_string();
        if !json.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')) {
            let again: Kubeconfig = json.parse().map_err(|e| TestCaseError::fail(format!("{e}\n{json}")))?;
            prop_assert_eq!(&again, &kubeconfig, "{}", json);
        }
        // Another YAML reader finds the same in it.
        let value: Value = serde_yaml::from_str(&text).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
        prop_assert_eq!(value, kubeconfig.to_value(), "{}", text);
    }

    #[test]
    fn merging_is_associative(a in kubeconfig(), b in kubeconfig(), c in kubeconfig()) {
        let left = a.clone().merge(b.clone()).merge(c.clone());
        let right = a.clone().merge(b.clone().merge(c));
        prop_assert_eq!(&left, &right);
        // Merging with nothing, or with itself, changes nothing.
        prop_assert_eq!(&a.clone().merge(Kubeconfig::default()), &a);
        prop_assert_eq!(&Kubeconfig::default().merge(a.clone()), &a);
        prop_assert_eq!(&a.clone().merge(a.clone()), &a);
        // The first file's entries are all there.
        let merged = a.clone().merge(b);
        prop_assert!(a.clusters.iter().all(|(name, cluster)| merged.clusters[name] == *cluster));
        prop_assert!(a.users.iter().all(|(name, user)| merged.users[name] == *user));
    }

    #[test]
    fn debug_shows_no_secret(mut kubeconfig in kubeconfig(), secret in "[A-Z]{12}") {
        let mut user = User { token: Some(Secret::from(secret.as_str())), password: Some(Secret::from(secret.as_str())), ..User::default() };
        user.unknown.insert("x", secret.as_str().into());
        user.client_key_data = Some(Secret::new(secret.clone().into_bytes()));
        kubeconfig.users.insert("secretive".into(), user);
        kubeconfig.extensions.insert("x", secret.as_str().into());
        let shown = format!("{kubeconfig:?}");
        prop_assert!(!shown.contains(&secret));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn edits_across_files_are_all_found_again(a in kubeconfig(), b in kubeconfig(), wanted in kubeconfig()) {
        let folder = Folder::new(&[("a", ""), ("b", "")]);
        a.save(folder.path("a")).unwrap();
        b.save(folder.path("b")).unwrap();
        let rules = folder.rules(&["a", "b"]);
        rules.modify(|k| { k.clusters.clone_from(&wanted.clusters); k.contexts.clone_from(&wanted.contexts); Ok(()) }).unwrap();
        let found = rules.load().unwrap();
        for (name, cluster) in &wanted.clusters {
            prop_assert_eq!(&found.clusters[name], cluster);
        }
        for (name, context) in &wanted.contexts {
            prop_assert_eq!(&found.contexts[name], context);
        }
        // What was taken out is gone from the file that it came from, and only shows where a later file has it too.
        let hidden: Vec<_> = found.clusters.keys().filter(|name| !wanted.clusters.contains_key(*name)).collect();
        prop_assert!(hidden.into_iter().all(|name| a.clusters.contains_key(name) && b.clusters.contains_key(name)));
        prop_assert_eq!(&found.users, &a.merge(b).users);
    }
}
