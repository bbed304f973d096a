//! Kubeconfigs are written back: only what changed, into the file that it came from, whole or not at all.

mod changes;
mod lock;
mod replace;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use self::lock::Lock;
use self::replace::{Staged, Step};
use crate::{Cluster, ConfigError, Kubeconfig, LoadingRules, Origin, User, paths};

impl Kubeconfig {
    /// Writes the whole kubeconfig to the file at `path`, in place of what is there.
    ///
    /// The new content is written to a file beside it, which then takes its place, so that a crash leaves the old or
    /// the new file. Permissions are kept; a new file is readable by its owner only, and missing folders are made. A
    /// symbolic link stays one. Relative paths of entries that come from a file in another folder become absolute.
    /// Comments in the old file are lost.
    ///
    /// # Errors
    /// [`ConfigError::Locked`] while another program changes the file; else when it can't be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ConfigError> {
        self.save_in_steps(path.as_ref(), &mut |_| Ok(()))
    }

    fn save_in_steps(
        &self,
        path: &Path,
        step: &mut dyn FnMut(Step) -> io::Result<()>,
    ) -> Result<(), ConfigError> {
        let folder = paths::folder_of(path);
        let elsewhere = |origin: &Origin| origin.path().is_some_and(|file| paths::folder_of(file) != folder);
        let mut copy = self.clone();
        copy.clusters
            .values_mut()
            .filter(|cluster| elsewhere(&cluster.origin))
            .for_each(Cluster::resolve_paths);
        copy.users.values_mut().filter(|user| elsewhere(&user.origin)).for_each(User::resolve_paths);
        let _lock = Lock::take(path)?;
        stage(&copy, path, step)?.put_in_place(step)
    }
}

/// Writes what is to become the file at `path` beside it.
fn stage(
    kubeconfig: &Kubeconfig,
    path: &Path,
    step: &mut dyn FnMut(Step) -> io::Result<()>,
) -> Result<Staged, ConfigError> {
    if kubeconfig.path_that_is_not_utf8().is_some() {
        let problem = "it would name a file whose path is not UTF-8, which YAML can't hold";
        return Err(ConfigError::NotSavable { path: path.to_owned(), problem });
    }
    let text = Zeroizing::new(kubeconfig.to_yaml());
    Staged::write(path, text.as_bytes(), step)
}

/// A file of the list, as it is and as it is to be.
struct FileState {
    path: PathBuf,
    kubeconfig: Kubeconfig,
    /// Whether it holds more documents than the one that was read.
    more: bool,
    changed: bool,
}

impl LoadingRules {
    /// Changes kubeconfig files: `edit` gets what they say together, and what it changes is written back.
    ///
    /// A changed or removed entry is written to the file that it came from, a new one to that of its
    /// [`Origin`](crate::Origin) or else to the default file: the explicit one, or the first of the list that exists,
    /// or the list's last. The current context is set in the default file, and cleared in the first that has one.
    /// Files in which nothing changed are not touched. As long as this takes, a lock file `FILE.lock` stands beside
    /// each file, which kubectl heeds too. How a file is replaced is said at [`Kubeconfig::save`]; with several files
    /// all are written before the first is replaced.
    ///
    /// ```
    /// use kubewire_config::{Context, LoadingRules};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("config");
    /// let rules = LoadingRules::explicit(&path);
    /// rules.modify(|kubeconfig| {
    ///     let fields = Context { cluster: "dev".into(), user: "me".into(), ..Context::default() };
    ///     kubeconfig.set_context("dev", &fields);
    ///     kubeconfig.use_context("dev")
    /// })?;
    /// assert_eq!(rules.load()?.current_context.as_deref(), Some("dev"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// What `edit` returns, then nothing is written; [`ConfigError::Locked`] while another program changes one of the
    /// files; the errors of [`load`](Self::load), though the explicit file need not exist; and those of writing.
    pub fn modify<T>(
        &self,
        edit: impl FnOnce(&mut Kubeconfig) -> Result<T, ConfigError>,
    ) -> Result<T, ConfigError> {
        self.modify_in_steps(edit, &mut |_| Ok(()))
    }

    fn modify_in_steps<T>(
        &self,
        edit: impl FnOnce(&mut Kubeconfig) -> Result<T, ConfigError>,
        step: &mut dyn FnMut(Step) -> io::Result<()>,
    ) -> Result<T, ConfigError> {
        let paths = match &self.explicit_path {
            Some(path) => std::slice::from_ref(path),
            None => self.paths.as_slice(),
        };
        let default = default_file(paths);
        let mut locks = Locks::default();
        let mut sorted: Vec<&PathBuf> = paths.iter().collect();
        sorted.sort();
        for path in sorted {
            locks.take(path, Some(path) == default.map(|at| &paths[at]))?;
        }

        let mut files = self.read_all(paths)?;
        let start =
            files.iter().map(|file| file.kubeconfig.clone()).reduce(Kubeconfig::merge).unwrap_or_default();
        let mut wanted = start.clone();
        let outcome = edit(&mut wanted)?;
        if wanted == start {
            return Ok(outcome);
        }
        let default = default.ok_or(ConfigError::NowhereToSave)?;
        let mut changes = changes::Changes { rules: self, files: &mut files, locks: &mut locks, default };
        changes.apply(&start, wanted)?;

        let mut staged = Vec::new();
        for file in files.iter().filter(|file| file.changed) {
            locks.must_hold(&file.path)?;
            if file.more {
                let problem = "it holds several YAML documents, of which all but the first would be lost";
                return Err(ConfigError::NotSavable { path: file.path.clone(), problem });
            }
            staged.push(stage(&file.kubeconfig, &file.path, step)?);
        }
        for file in staged {
            file.put_in_place(step)?;
        }
        Ok(outcome)
    }

    fn read_all(&self, paths: &[PathBuf]) -> Result<Vec<FileState>, ConfigError> {
        let mut files = Vec::with_capacity(paths.len());
        let mut problems = Vec::new();
        for path in paths {
            match self.file_state(path) {
                Ok(file) => files.push(file),
                Err(problem) => problems.push(problem),
            }
        }
        ConfigError::gather(problems)?;
        Ok(files)
    }

    fn file_state(&self, path: &Path) -> Result<FileState, ConfigError> {
        let loaded = self.read_if_exists(path)?;
        let (kubeconfig, more) = loaded.map(|loaded| (loaded.kubeconfig, loaded.more)).unwrap_or_default();
        Ok(FileState { path: path.to_owned(), kubeconfig, more, changed: false })
    }
}

/// The file of new entries: the first that exists, or else the last.
fn default_file(paths: &[PathBuf]) -> Option<usize> {
    paths.iter().position(|path| path.exists()).or(paths.len().checked_sub(1))
}

/// The locks of the files, and why one could not be had.
#[derive(Default)]
struct Locks {
    held: BTreeMap<PathBuf, Lock>,
    missing: BTreeMap<PathBuf, ConfigError>,
}

impl Locks {
    /// Locks the file. One in a folder that can't be written to matters only if the file is to be changed, and for
    /// one in a folder that does not exist the folder is made only if `make_folder` says so.
    fn take(&mut self, path: &Path, make_folder: bool) -> Result<(), ConfigError> {
        if self.held.contains_key(path) {
            return Ok(());
        }
        if !make_folder && !paths::folder_of(path).exists() {
            return Ok(());
        }
        match Lock::take(path) {
            Ok(lock) => {
                self.held.insert(path.to_owned(), lock);
                Ok(())
            }
            Err(problem @ ConfigError::Write { .. }) => {
                self.missing.insert(path.to_owned(), problem);
                Ok(())
            }
            Err(problem) => Err(problem),
        }
    }

    fn must_hold(&mut self, path: &Path) -> Result<(), ConfigError> {
        match self.missing.remove(path) {
            Some(problem) => Err(problem),
            None => self.take(path, true),
        }
    }
}

#[cfg(test)]
mod tests;
