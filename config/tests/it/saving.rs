//! BH-C15: only what changed is written, where it belongs, and nothing is lost.

use std::fs;
use std::path::{Path, PathBuf};

use kubewire_config::{Cluster, Context, ExecPlugin, Kubeconfig, LoadingRules, Origin, User};

use crate::{Folder, display, k, variants};

const A: &str = "# mine\nclusters: [{name: a, cluster: {server: sa}}, {name: both, cluster: {server: first}}]\ncurrent-context: a\nunknown: {x: 1}\n";
const Z: &str = "clusters: [{name: z, cluster: {server: sz}}, {name: both, cluster: {server: second}}]\nusers: [{name: z}]\ncurrent-context: z\nextensions: [{name: e, extension: 1}]\n";

fn server(text: &str) -> Cluster {
    Cluster { server: text.into(), ..Cluster::default() }
}

#[test]
fn c15_changes_go_where_they_belong() {
    type Edit = fn(&mut Kubeconfig);
    // The list, the edit, and which files must hold which text after it; the others are untouched.
    let cases: &[(&[&str], Edit, &[(&str, &str)])] = &[
        (&["a", "z"], |_| (), &[]),
        (&["a", "z"], |k| k.current_context = Some("nn".into()), &[("a", "current-context: nn\n")]),
        (&["z", "a"], |k| k.current_context = Some("nn".into()), &[("z", "current-context: nn\n")]),
        (&["a", "z"], |k| k.current_context = None, &[("a", "current-context: \"\"\n")]),
        (&["none", "z"], |k| k.current_context = None, &[("z", "current-context: \"\"\n")]),
        (&["none", "z"], |k| k.current_context = Some("nn".into()), &[("z", "current-context: ")]),
        (
            &["none", "other"],
            |k| k.current_context = Some("x1".into()),
            &[("other", "current-context: x1\n")],
        ),
        (&["a", "z"], |k| k.clusters.get_mut("z").unwrap().server = "new".into(), &[("z", "server: new\n")]),
        (
            &["a", "z"],
            |k| k.clusters.get_mut("both").unwrap().server = "new".into(),
            &[("a", "server: new\n")],
        ),
        (
            &["z", "a"],
            |k| k.clusters.get_mut("both").unwrap().server = "new".into(),
            &[("z", "server: new\n")],
        ),
        (&["a", "z"], |k| drop(k.clusters.insert("fresh".into(), server("f"))), &[("a", "name: fresh\n")]),
        (&["none", "z"], |k| drop(k.clusters.insert("fresh".into(), server("f"))), &[("z", "name: fresh\n")]),
        // Written anew without an origin, an entry still stays in its file.
        (&["a", "z"], |k| drop(k.clusters.insert("z".into(), server("f"))), &[("z", "server: f\n")]),
        (
            &["a", "z"],
            |k| drop(k.users.insert("z".into(), User { token: Some("t0".into()), ..User::default() })),
            &[("z", "token: t0\n")],
        ),
        (&["a", "z"], |k| drop(k.contexts.insert("c".into(), Context::default())), &[("a", "contexts:\n")]),
        (
            &["a", "z"],
            |k| drop(k.clusters.remove("a")),
            &[("a", "clusters:\n- cluster:\n    server: first\n")],
        ),
        (
            &["a", "z"],
            |k| drop(k.clusters.remove("both")),
            &[("a", "clusters:\n- cluster:\n    server: sa\n")],
        ),
        (&["a", "z"], |k| k.preferences.colors = true, &[("a", "colors: true\n")]),
        (&["a", "z"], |k| drop(k.extensions.insert("e", 2.into())), &[("z", "extension: 2\n")]),
        (&["a", "z"], |k| drop(k.extensions.insert("f", 3.into())), &[("a", "extension: 3\n")]),
        (&["a", "z"], |k| drop(k.extensions.remove("e")), &[("z", "users:\n")]),
        (&["z", "a"], |k| drop(k.unknown.insert("unknown", 5.into())), &[("a", "unknown: 5\n")]),
        (
            &["a", "z"],
            |k| {
                k.clusters.get_mut("a").unwrap().server = "na".into();
                k.clusters.get_mut("z").unwrap().server = "nz".into();
            },
            &[("a", "server: na\n"), ("z", "server: nz\n")],
        ),
    ];
    for (at, (list, edit, changed)) in cases.iter().enumerate() {
        let folder = Folder::new(&[("a", A), ("z", Z)]);
        let rules = folder.rules(list);
        let mut wanted = rules.load().unwrap();
        edit(&mut wanted);
        rules
            .modify(|k| {
                edit(k);
                Ok(())
            })
            .unwrap();
        for (name, before) in [("a", A), ("z", Z)] {
            match changed.iter().find(|(file, _)| *file == name) {
                Some((_, part)) => {
                    assert!(folder.read(name).contains(part), "case {at}, {name}: {}", folder.read(name));
                }
                None => assert_eq!(folder.read(name), before, "case {at}, {name}"),
            }
        }
        for (name, part) in changed.iter().filter(|(name, _)| !["a", "z"].contains(name)) {
            assert!(folder.read(name).contains(part), "case {at}, {name}");
        }
        // No lock and no temporary file stays, and what others hold below does not hide the change.
        let mut expected: Vec<_> =
            ["a", "z"].into_iter().chain(changed.iter().map(|(name, _)| *name)).collect();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(folder.names(), expected, "case {at}");
        if at != 3 && at != 16 {
            assert_eq!(rules.load().unwrap(), wanted, "case {at}");
        }
    }
}

#[test]
fn c15_nothing_that_was_read_is_lost() {
    let text = "clusters:\n- name: a\n  more: 1\n  cluster: {server: s, later: [x]}\nextensions: [{name: e, extension: {a: b}, z: 2}]\nfuture: yes\n";
    let folder = Folder::new(&[("config", text)]);
    let rules = LoadingRules::explicit(folder.path("config"));
    rules
        .modify(|k| {
            k.set_context("c", &Context { cluster: "a".into(), ..Context::default() });
            Ok(())
        })
        .unwrap();
    let mut expected = k(text);
    expected.set_context("c", &Context { cluster: "a".into(), ..Context::default() });
    assert_eq!(rules.load().unwrap(), expected);
    assert!(folder.read("config").contains("z: 2") && folder.read("config").contains("more: 1"));
}

#[test]
fn c15_entries_are_sorted_and_kubectl_s_order_is_kept() {
    let folder = Folder::new(&[]);
    let path = folder.path("config");
    k("users: [{name: b}, {name: a}]\ncurrent-context: a").save(&path).unwrap();
    let expected = "apiVersion: v1\nclusters: null\ncontexts: null\ncurrent-context: a\nkind: Config\npreferences: {}\nusers:\n- name: a\n  user: {}\n- name: b\n  user: {}\n";
    assert_eq!(folder.read("config"), expected);
}

#[test]
fn c15_an_entry_s_origin_decides() {
    let folder = Folder::new(&[("a", A), ("z", Z), ("elsewhere", "current-context: q\n")]);
    let rules = folder.rules(&["a", "z"]);
    let (z, elsewhere) = (folder.path("z"), folder.path("elsewhere"));
    rules
        .modify(|k| {
            k.users.insert("to-z".into(), User { origin: Origin::file(z), ..User::default() });
            k.users.insert("away".into(), User { origin: Origin::file(elsewhere), ..User::default() });
            Ok(())
        })
        .unwrap();
    assert_eq!(folder.read("a"), A);
    assert!(folder.read("z").contains("to-z") && folder.read("elsewhere").contains("away"));
    assert!(folder.read("elsewhere").contains("current-context: q"));
}

#[test]
fn c15_locks() {
    let folder = Folder::new(&[("a", A), ("z", Z), ("z.lock", "")]);
    let error = folder.rules(&["a", "z"]).modify(|_| Ok(())).unwrap_err();
    assert_eq!(variants(&error), ["Locked"]);
    assert!(error.to_string().contains(&display(&folder.path("z.lock"))), "{error}");
    assert!(!folder.exists("a.lock"), "the locks that were taken are given back");
    fs::remove_file(folder.path("z.lock")).unwrap();

    // While an edit runs, others are refused, also those of a single file.
    let rules = folder.rules(&["a", "z"]);
    rules
        .modify(|k| {
            assert!(folder.exists("a.lock") && folder.exists("z.lock"));
            assert_eq!(variants(&rules.modify(|_| Ok(())).unwrap_err()), ["Locked"]);
            assert_eq!(variants(&Kubeconfig::default().save(folder.path("z")).unwrap_err()), ["Locked"]);
            k.current_context = Some("new".into());
            Ok(())
        })
        .unwrap();
    assert_eq!(folder.names(), ["a", "z"]);
}

#[test]
fn c15_an_edit_that_fails_writes_nothing() {
    let folder = Folder::new(&[("a", A)]);
    let outcome = folder.rules(&["a"]).modify(|k| {
        k.clusters.clear();
        k.use_context("nope")
    });
    assert!(outcome.unwrap_err().is_unknown_context());
    assert_eq!((folder.read("a").as_str(), folder.names().len()), (A, 1));
}

#[test]
fn c15_a_broken_file_is_not_touched() {
    let folder = Folder::new(&[
        ("a", A),
        ("bad", "clusters: 7"),
        ("two", "current-context: a\n---\ncurrent-context: b\n"),
    ]);
    let set = |k: &mut Kubeconfig| {
        k.current_context = Some("nn".into());
        Ok(())
    };
    assert_eq!(variants(&folder.rules(&["a", "bad"]).modify(set).unwrap_err()), ["WrongType"]);
    assert_eq!(folder.read("bad"), "clusters: 7");
    let error = folder.rules(&["two"]).modify(set).unwrap_err();
    assert_eq!(variants(&error), ["NotSavable"]);
    assert!(folder.read("two").ends_with("current-context: b\n"));
    assert_eq!(folder.names(), ["a", "bad", "two"]);
    // It may be in the list as long as it stays as it is.
    folder.rules(&["a", "two"]).modify(set).unwrap();
    let nowhere = LoadingRules::from_environment(kubewire_config::Environment::fixed([("A", "b")]));
    assert_eq!(variants(&nowhere.modify(set).unwrap_err()), ["NowhereToSave"]);
}

#[test]
fn c15_paths_are_made_relative_on_request() {
    let folder = Folder::new(&[("kube/config", "")]);
    let below = folder.path("kube/certs/ca.pem");
    let outside = folder.path("other/key.pem");
    let plugin = folder.path("kube/plugin");
    let edit = |k: &mut Kubeconfig| {
        k.clusters
            .insert("c".into(), Cluster { certificate_authority: Some(below.clone()), ..Cluster::default() });
        let exec = ExecPlugin { command: plugin.clone(), ..ExecPlugin::default() };
        let user = User {
            client_certificate: Some("sub/../cert.pem".into()),
            client_key: Some(outside.clone()),
            exec: Some(Box::new(exec)),
            ..User::default()
        };
        k.users.insert("u".into(), user);
        Ok(())
    };
    let mut rules = LoadingRules::explicit(folder.path("kube/config"));
    rules.relative_paths = true;
    rules.modify(edit).unwrap();
    let saved = rules.load().unwrap();
    assert_eq!(saved.clusters["c"].certificate_authority.as_deref(), Some(Path::new("certs/ca.pem")));
    assert_eq!(saved.users["u"].client_certificate.as_deref(), Some(Path::new("cert.pem")));
    assert_eq!(saved.users["u"].client_key.as_deref(), Some(outside.as_path()));
    assert_eq!(saved.users["u"].exec.as_ref().unwrap().command.as_os_str(), "./plugin");

    folder.write("kube/config", "");
    rules.relative_paths = false;
    rules.modify(edit).unwrap();
    assert_eq!(rules.load().unwrap().clusters["c"].certificate_authority.as_deref(), Some(below.as_path()));
}

#[test]
fn c15_relative_to_a_folder() {
    let base = Path::new("/base");
    for (path, expected) in [
        ("/base/sub/f", Ok("sub/f")),
        ("/base/f", Ok("f")),
        ("/base/./x/../f", Ok("f")),
        ("/other/f", Ok("/other/f")),
        ("/based/f", Ok("/based/f")),
        ("sub/f", Ok("sub/f")),
        ("../other/f", Err("PathLeadsOut")),
        ("sub/../../f", Err("PathLeadsOut")),
    ] {
        let mut cluster = Cluster { certificate_authority: Some(path.into()), ..Cluster::default() };
        match (cluster.relativize_paths(base), expected) {
            (Ok(()), Ok(expected)) => {
                assert_eq!(cluster.certificate_authority, Some(PathBuf::from(expected)), "{path}");
            }
            (Err(error), Err(variant)) => assert_eq!(variants(&error), [variant], "{path}"),
            (found, _) => panic!("{path}: {found:?}"),
        }
    }
}

#[test]
fn c15_saving_elsewhere_keeps_what_paths_mean() {
    let folder = Folder::new(&[(
        "one/config",
        "clusters: [{name: c, cluster: {server: s, certificate-authority: ca.pem}}]",
    )]);
    let loaded = Kubeconfig::load(folder.path("one/config")).unwrap();
    loaded.save(folder.path("one/copy")).unwrap();
    loaded.save(folder.path("two/new/copy")).unwrap();
    let ca =
        |name: &str| Kubeconfig::load(folder.path(name)).unwrap().clusters["c"].certificate_authority.clone();
    assert_eq!(ca("one/copy"), Some("ca.pem".into()));
    assert_eq!(ca("two/new/copy"), Some(folder.path("one/ca.pem")));
}

#[cfg(unix)]
#[test]
fn c15_permissions_and_links_are_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = Folder::new(&[("real/config", A)]);
    let mode = |name: &str| fs::metadata(folder.path(name)).unwrap().permissions().mode() & 0o777;
    fs::set_permissions(folder.path("real/config"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink(folder.path("real/config"), folder.path("link")).unwrap();
    let set = |k: &mut Kubeconfig| {
        k.current_context = Some("linked".into());
        Ok(())
    };
    folder.rules(&["link"]).modify(set).unwrap();
    assert!(fs::symlink_metadata(folder.path("link")).unwrap().is_symlink());
    assert!(folder.read("real/config").contains("linked"));
    assert_eq!(mode("real/config"), 0o640);

    // A new file and its folders.
    LoadingRules::explicit(folder.path("new/deep/config")).modify(set).unwrap();
    assert_eq!(mode("new/deep/config"), 0o600);
    assert_eq!(mode("new/deep") & 0o700, 0o700);

    // A link to a file that is not there yet.
    symlink(folder.path("later"), folder.path("dangling")).unwrap();
    folder.rules(&["dangling"]).modify(set).unwrap();
    assert!(folder.read("later").contains("linked"));
    symlink(folder.path("loop"), folder.path("loop")).unwrap();
    assert!(Kubeconfig::default().save(folder.path("loop")).is_err());
    assert_eq!(variants(&Kubeconfig::default().save(folder.path("real")).unwrap_err()), ["IsFolder"]);
    assert_eq!(variants(&Kubeconfig::default().save("/dev/null").unwrap_err()), ["NotSavable"]);
}

#[cfg(unix)]
#[test]
fn c15_what_yaml_can_t_hold_is_refused() {
    use std::os::unix::ffi::OsStrExt;

    let folder = Folder::new(&[]);
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(b"/a/\xff"));
    let mut kubeconfig = Kubeconfig::default();
    kubeconfig
        .clusters
        .insert("c".into(), Cluster { certificate_authority: Some(path), ..Cluster::default() });
    assert_eq!(variants(&kubeconfig.save(folder.path("config")).unwrap_err()), ["NotSavable"]);
    assert!(folder.names().is_empty());
}

#[test]
fn c15_edits() {
    let mut kubeconfig = k("
clusters: [{name: c, cluster: {server: s, tls-server-name: sn, certificate-authority-data: YQ==}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: a, context: {cluster: c, user: u}}, {name: b}]
current-context: a");
    kubeconfig.rename_context("a", "x").unwrap();
    assert_eq!(kubeconfig.current_context.as_deref(), Some("x"));
    assert_eq!(variants(&kubeconfig.rename_context("x", "b").unwrap_err()), ["NameTaken"]);
    assert_eq!(variants(&kubeconfig.rename_context("a", "y").unwrap_err()), ["UnknownContext"]);
    kubeconfig.use_context("b").unwrap();
    assert_eq!(variants(&kubeconfig.use_context("nope").unwrap_err()), ["UnknownContext"]);
    assert_eq!(kubeconfig.delete_context("x").unwrap().cluster, "c");
    assert_eq!(variants(&kubeconfig.delete_context("x").unwrap_err()), ["UnknownContext"]);
    assert_eq!(variants(&kubeconfig.delete_user("x").unwrap_err()), ["UnknownUser"]);
    assert_eq!(variants(&kubeconfig.delete_cluster("x").unwrap_err()), ["UnknownCluster"]);

    kubeconfig.set_cluster("c", &server("s2"));
    assert_eq!(
        (kubeconfig.clusters["c"].server.as_str(), &kubeconfig.clusters["c"].tls_server_name),
        ("s2", &None)
    );
    kubeconfig.set_cluster("c", &Cluster { insecure_skip_tls_verify: true, ..Cluster::default() });
    assert_eq!(kubeconfig.clusters["c"].certificate_authority_data, None);
    kubeconfig.set_cluster("c", &Cluster { certificate_authority: Some("f".into()), ..Cluster::default() });
    assert!(!kubeconfig.clusters["c"].insecure_skip_tls_verify);

    kubeconfig.set_credentials("u", &User { username: Some("nn".into()), ..User::default() });
    assert_eq!(kubeconfig.users["u"].token, None);
    kubeconfig.set_credentials("u", &User { token: Some("t".into()), ..User::default() });
    assert_eq!(kubeconfig.users["u"].username, None);
    kubeconfig.set_credentials("u", &User { client_key: Some("k".into()), ..User::default() });
    kubeconfig.set_credentials("u", &User { client_key_data: Some(vec![1].into()), ..User::default() });
    assert_eq!(kubeconfig.users["u"].client_key, None);
    assert!(kubeconfig.users["u"].token.is_some());
    kubeconfig.set_credentials("new", &User::default());
    kubeconfig.set_context("new", &Context { namespace: Some("nn".into()), ..Context::default() });
    kubeconfig.set_context("new", &Context { user: "u".into(), ..Context::default() });
    let context = &kubeconfig.contexts["new"];
    assert_eq!((context.namespace.as_deref(), context.user.as_str()), (Some("nn"), "u"));
}
