use std::fs;
use std::io;

use super::Step;
use crate::{Kubeconfig, LoadingRules};

const STEPS: [Step; 5] = [Step::Created, Step::HalfWritten, Step::Written, Step::Synced, Step::Replaced];

fn config(context: &str) -> Kubeconfig {
    Kubeconfig { current_context: Some(context.repeat(1000)), ..Kubeconfig::default() }
}

/// At every step the file is looked at as a crash there would leave it: it is the old or the new one, whole.
#[test]
fn a_crash_at_any_step_leaves_the_old_or_the_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let (old, new) = (config("old"), config("new"));
    old.save(&path).unwrap();

    let mut seen = Vec::new();
    let mut look = |step| {
        let found = Kubeconfig::load(&path).unwrap();
        assert!(found == old || found == new, "after {step:?}");
        seen.push((step, found == new));
        Ok(())
    };
    new.save_in_steps(&path, &mut look).unwrap();
    let expected: Vec<_> = STEPS.iter().map(|step| (*step, *step == Step::Replaced)).collect();
    assert_eq!(seen, expected);
    assert_eq!(Kubeconfig::load(&path).unwrap(), new);
}

/// The same where there was no file before: there is none, or all of it.
#[test]
fn a_crash_leaves_no_half_of_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let new = config("new");
    let mut look = |step| {
        assert_eq!(path.exists(), step == Step::Replaced, "after {step:?}");
        Ok(())
    };
    new.save_in_steps(&path, &mut look).unwrap();
}

/// A step that fails, as on a full disk, leaves the old file and nothing beside it.
#[test]
fn a_failure_at_any_step_leaves_the_old_file_and_no_rubbish() {
    for failing in STEPS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let (old, new) = (config("old"), config("new"));
        old.save(&path).unwrap();
        let mut fail = |step| if step == failing { Err(io::Error::other("disk full")) } else { Ok(()) };
        let error = new.save_in_steps(&path, &mut fail).unwrap_err().to_string();
        assert!(error.contains("disk full") && error.contains("config"), "{error}");
        let expected = if failing == Step::Replaced { &new } else { &old };
        assert_eq!(Kubeconfig::load(&path).unwrap(), *expected, "{failing:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{failing:?}");
    }
}

/// With two files, a failure before the first is replaced leaves both as they were.
#[test]
fn several_files_are_all_written_before_one_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    fs::write(&a, "clusters: [{name: a, cluster: {server: x}}]").unwrap();
    fs::write(&b, "clusters: [{name: b, cluster: {server: sy}}]").unwrap();
    let mut rules = LoadingRules::explicit(&a);
    rules.explicit_path = None;
    rules.paths = vec![a.clone(), b.clone()];
    let before = rules.load().unwrap();
    let mut synced = 0;
    let mut fail = |step| {
        synced += usize::from(step == Step::Synced);
        if synced == 2 { Err(io::Error::other("disk full")) } else { Ok(()) }
    };
    let edit = |k: &mut Kubeconfig| {
        k.clusters.values_mut().for_each(|cluster| cluster.server.push('2'));
        Ok(())
    };
    assert!(rules.modify_in_steps(edit, &mut fail).is_err());
    assert_eq!(rules.load().unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    rules.modify(edit).unwrap();
    assert_eq!(rules.load().unwrap().clusters["b"].server, "sy2");
}
