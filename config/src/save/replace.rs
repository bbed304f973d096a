use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::ConfigError;

/// How far the replacement of a file has come: after any of these a crash must leave the old or the new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Created,
    HalfWritten,
    Written,
    Synced,
    Replaced,
}

/// A file's new content, in a file beside it. Dropping it removes that.
#[derive(Debug)]
pub(super) struct Staged {
    /// The file as it was named.
    path: PathBuf,
    /// The file itself, links followed.
    target: PathBuf,
    temporary: PathBuf,
    in_place: bool,
}

impl Staged {
    pub(super) fn write(
        path: &Path,
        content: &[u8],
        step: &mut dyn FnMut(Step) -> io::Result<()>,
    ) -> Result<Self, ConfigError> {
        let failed = |source| ConfigError::Write { path: path.to_owned(), source };
        make_folder(path)?;
        let target = follow_links(path).map_err(failed)?;
        let old = check_target(path, &target)?;
        let (mut file, temporary) = create_beside(&target).map_err(failed)?;
        let staged = Self { path: path.to_owned(), target, temporary, in_place: false };
        staged.fill(&mut file, content, old.as_ref(), step).map_err(failed)?;
        Ok(staged)
    }

    fn fill(
        &self,
        file: &mut File,
        content: &[u8],
        old: Option<&fs::Metadata>,
        step: &mut dyn FnMut(Step) -> io::Result<()>,
    ) -> io::Result<()> {
        step(Step::Created)?;
        let (head, tail) = content.split_at(content.len() / 2);
        file.write_all(head)?;
        step(Step::HalfWritten)?;
        file.write_all(tail)?;
        step(Step::Written)?;
        if let Some(old) = old {
            keep_owner(&self.temporary, old);
            file.set_permissions(old.permissions())?;
        }
        file.sync_all()?;
        step(Step::Synced)
    }

    pub(super) fn put_in_place(
        mut self,
        step: &mut dyn FnMut(Step) -> io::Result<()>,
    ) -> Result<(), ConfigError> {
        let failed = |source| ConfigError::Write { path: self.path.clone(), source };
        fs::rename(&self.temporary, &self.target).map_err(failed)?;
        step(Step::Replaced).map_err(failed)?;
        self.in_place = true;
        // The rename itself has to reach the disk. Where folders can't be opened the system sees to that.
        #[cfg(unix)]
        if let Some(folder) = self.target.parent() {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.in_place {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Makes the folder of the file at `path`, if there is none.
pub(super) fn make_folder(path: &Path) -> Result<(), ConfigError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
    builder.create(folder).map_err(|source| ConfigError::Write { path: folder.to_owned(), source })
}

/// The file that `path` names in the end, be it there or not.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    const MOST: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => {
                let link = fs::read_link(&path)?;
                path = path.parent().map_or_else(|| link.clone(), |folder| folder.join(&link));
            }
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "too many symbolic links"))
}

/// The file that is to be replaced, if there is one. It must be one that could be written to.
fn check_target(path: &Path, target: &Path) -> Result<Option<fs::Metadata>, ConfigError> {
    let failed = |source| ConfigError::Write { path: path.to_owned(), source };
    let metadata = match fs::metadata(target) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if metadata.is_dir() {
        return Err(ConfigError::IsFolder { path: path.to_owned() });
    }
    if !metadata.is_file() {
        return Err(ConfigError::NotSavable { path: path.to_owned(), problem: "it is no regular file" });
    }
    // A file that its owner protects is not to be replaced behind his back.
    OpenOptions::new().write(true).open(target).map_err(failed)?;
    Ok(Some(metadata))
}

/// A new file beside `target` that only its owner can read.
fn create_beside(target: &Path) -> io::Result<(File, PathBuf)> {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let mut name = std::ffi::OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(format!(".{}-{number}.tmp", std::process::id()));
        let path = target.with_file_name(name);
        match options.open(&path) {
            Ok(file) => return Ok((file, path)),
            // Left behind by a program that crashed under the same number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// A file that root changes stays its owner's. Others can't give files away, and need not.
#[cfg(unix)]
fn keep_owner(temporary: &Path, old: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, chown};
    let _ = chown(temporary, Some(old.uid()), Some(old.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &fs::Metadata) {}
