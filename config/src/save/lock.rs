use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::replace::make_folder;
use crate::ConfigError;

/// A lock on a kubeconfig: the file `FILE.lock` beside it, as kubectl makes it too. Dropping it removes the file.
#[derive(Debug)]
pub(super) struct Lock(PathBuf);

impl Lock {
    pub(super) fn take(path: &Path) -> Result<Self, ConfigError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let lock = PathBuf::from(name);
        make_folder(path)?;
        match OpenOptions::new().write(true).create_new(true).open(&lock) {
            Ok(_) => Ok(Self(lock)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(ConfigError::Locked { path: path.to_owned(), lock })
            }
            Err(source) => Err(ConfigError::Write { path: lock, source }),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nothing can be done about a failure here: the next one to lock the file is told of the lock that stays.
        let _ = fs::remove_file(&self.0);
    }
}
