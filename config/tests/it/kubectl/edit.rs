//! What kubectl's edits leave in the files.

use std::path::Path;

use kubewire_config::{Cluster, Context, ExecEnvVar, ExecPlugin, Kubeconfig, User};

use super::{DEV, Files, MISSING, PROD, has_kubectl, normal};

type Edit = fn(&mut Kubeconfig, &Path) -> Result<(), kubewire_config::ConfigError>;

/// An edit as kubectl makes it (`@` stands for the folder), and as we do.
fn edits() -> Vec<(&'static [&'static str], Edit)> {
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
                k.set_cluster("dev", &fields);
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
