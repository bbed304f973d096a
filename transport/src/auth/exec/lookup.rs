//! Where a program is: bare names are looked for on PATH, and nothing else is.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Whether a command is a name to look for on PATH, and no path.
fn is_bare(command: &Path) -> bool {
    command.file_name() == Some(command.as_os_str())
}

/// The program that `command` names: a path stays as it is, a bare name is looked for in `path`, the value of PATH.
///
/// Relative folders on PATH are passed over: what stands in the working directory must not run by accident.
pub(super) fn resolve(command: &Path, path: Option<&OsStr>) -> Option<PathBuf> {
    if !is_bare(command) {
        return Some(command.to_owned());
    }
    env::split_paths(path?)
        .filter(|folder| folder.is_absolute())
        .flat_map(|folder| {
            let plain = folder.join(command);
            let mut suffixed = plain.clone().into_os_string();
            suffixed.push(env::consts::EXE_SUFFIX);
            [plain, suffixed.into()]
        })
        .find(|candidate| is_executable(candidate))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_looked_for_on_path() {
        assert!(is_bare(Path::new("aws")));
        for path in ["./aws", "/bin/aws", "aws/", "a/b", "..", ""] {
            assert!(!is_bare(Path::new(path)), "{path}");
        }
        assert_eq!(resolve(Path::new("./aws"), None), Some(PathBuf::from("./aws")));
        assert_eq!(resolve(Path::new("aws"), None), None);
    }

    #[cfg(unix)]
    #[test]
    fn the_first_program_on_path_is_taken() {
        use std::fs;
        use std::os::unix::fs::PermissionsExt as _;

        let dir = tempfile::tempdir().unwrap();
        let folder = |name: &str| dir.path().join(name);
        for (name, mode) in [("data", 0o644), ("first", 0o755), ("second", 0o755)] {
            fs::create_dir(folder(name)).unwrap();
            fs::write(folder(name).join("tool"), "").unwrap();
            fs::set_permissions(folder(name).join("tool"), fs::Permissions::from_mode(mode)).unwrap();
        }
        fs::create_dir_all(folder("folder").join("tool")).unwrap();
        let path = ["folder", "data", "first", "second"].map(folder);
        let path = env::join_paths([PathBuf::from("."), PathBuf::new()].iter().chain(&path)).unwrap();
        assert_eq!(resolve(Path::new("tool"), Some(&path)), Some(folder("first").join("tool")));
        assert_eq!(resolve(Path::new("missing"), Some(&path)), None);
    }
}
