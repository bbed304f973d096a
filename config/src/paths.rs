//! Paths in kubeconfigs, which stand relative to the folder of their file.

use std::path::{Component, Path, PathBuf};

/// `path` without `.`, doubled separators, and `..` where a name stands before it.
pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => match out.components().next_back() {
                Some(Component::Normal(_)) => {
                    out.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => {}
                _ => out.push(".."),
            },
            other => out.push(other.as_os_str()),
        }
    }
    if out.as_os_str().is_empty() { PathBuf::from(".") } else { out }
}

/// The absolute folder in which the file at `file` stands.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    clean(absolute.parent().unwrap_or(&absolute))
}

/// `path` as seen from the folder of `file`, where both are known.
pub(crate) fn resolve(path: &Path, file: Option<&Path>) -> PathBuf {
    match file {
        Some(file) if !path.as_os_str().is_empty() && !path.is_absolute() => {
            clean(&folder_of(file).join(path))
        }
        _ => path.to_owned(),
    }
}

/// `path` as seen from `folder`, if it lies below it.
pub(crate) fn relative(path: &Path, folder: &Path) -> Option<PathBuf> {
    let path = clean(path);
    if path.is_absolute() {
        let below = path.strip_prefix(clean(folder)).ok()?;
        return Some(if below.as_os_str().is_empty() { PathBuf::from(".") } else { below.to_owned() });
    }
    (!path.starts_with("..")).then_some(path)
}

/// Whether an exec command is a path, and not a bare name to be looked up on PATH.
pub(crate) fn is_command_path(command: &Path) -> bool {
    command.as_os_str().to_string_lossy().contains(std::path::MAIN_SEPARATOR)
}
