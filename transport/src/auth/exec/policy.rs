//! Which credential programs may run.

use std::ffi::OsStr;
use std::path::Path;

use kubewire_config::PluginPolicy;

use super::lookup::{clean, resolve};
use crate::{Error, ErrorKind};

/// Refuses lists that can't have been meant.
pub(super) fn validate(policy: &PluginPolicy) -> Result<(), Error> {
    let PluginPolicy::Allowlist(entries) = policy else { return Ok(()) };
    let wrong = |text: String| Err(Error::new(ErrorKind::Config, text));
    if entries.is_empty() {
        return wrong("the allowlist of credential programs is empty: use the policy DenyAll".to_owned());
    }
    for entry in entries {
        if entry.is_empty() {
            return wrong("the allowlist of credential programs has an empty entry".to_owned());
        }
        let cleaned = clean(Path::new(entry));
        if cleaned.as_os_str() != entry.as_str() {
            return wrong(format!(
                "the allowlist of credential programs has the entry {entry:?}: write it as {cleaned:?}"
            ));
        }
    }
    Ok(())
}

/// Whether `command`, which is the program `resolved`, may run. `path` is the value of PATH.
pub(super) fn allows(
    policy: &PluginPolicy,
    command: &Path,
    resolved: Option<&Path>,
    path: Option<&OsStr>,
) -> bool {
    match policy {
        PluginPolicy::AllowAll => true,
        // Both name the same, or lead to the same program. ./tool is not the tool that is found on PATH.
        PluginPolicy::Allowlist(entries) => entries.iter().map(Path::new).any(|entry| {
            entry == command
                || resolve(entry, path)
                    .zip(resolved)
                    .is_some_and(|(entry, resolved)| clean(&entry) == clean(resolved))
        }),
        // DenyAll, and any policy that is not known here.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> PluginPolicy {
        PluginPolicy::Allowlist(entries.iter().map(|&entry| entry.to_owned()).collect())
    }

    // BH-T14
    #[test]
    fn lists_that_can_not_be_meant_are_errors() {
        assert!(validate(&list(&["tool", "/usr/bin/tool", "../x"])).is_ok());
        for (entries, text) in
            [(&[][..], "is empty"), (&["a", ""], "an empty entry"), (&["./tool"], r#"write it as "tool""#)]
        {
            let error = validate(&list(entries)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(std::error::Error::source(&error).unwrap().to_string().contains(text), "{error:?}");
        }
    }

    // BH-T14
    #[cfg(unix)]
    #[test]
    fn an_entry_is_the_command_or_the_program_it_names() {
        use std::fs;
        use std::os::unix::fs::PermissionsExt as _;

        let dir = tempfile::tempdir().unwrap();
        let tool = dir.path().join("tool");
        fs::write(&tool, "").unwrap();
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
        let (path, full) = (Some(dir.path().as_os_str()), tool.to_str().unwrap());
        let dotted = format!("{}/./x/../tool", dir.path().display());
        let check = |policy: &PluginPolicy, command: &str| {
            let resolved = resolve(Path::new(command), path);
            allows(policy, Path::new(command), resolved.as_deref(), path)
        };

        assert!(check(&PluginPolicy::AllowAll, "anything"));
        assert!(!check(&PluginPolicy::DenyAll, "tool"));
        for (entry, command) in
            [("tool", "tool"), (full, "tool"), ("tool", full), (full, full), (full, dotted.as_str())]
        {
            assert!(check(&list(&["other", entry]), command), "{entry} {command}");
        }
        for (entry, command) in
            [("tool", "./tool"), ("tool", "/elsewhere/tool"), ("/elsewhere/tool", "tool"), ("other", "tool")]
        {
            assert!(!check(&list(&[entry]), command), "{entry} {command}");
        }
    }
}
