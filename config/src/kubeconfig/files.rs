//! The files that entries name: their paths made absolute or relative, and their content taken in.

use std::fs;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::validate::entry;
use super::{Cluster, Kubeconfig, Origin, User};
use crate::error::EntryKind;
use crate::{ConfigError, Secret, paths};

impl Kubeconfig {
    /// Makes all paths absolute, those of entries that come from a file.
    pub fn resolve_paths(&mut self) {
        self.clusters.values_mut().for_each(Cluster::resolve_paths);
        self.users.values_mut().for_each(User::resolve_paths);
    }

    /// Takes in the certificates and keys of files as `-data` fields, so that the kubeconfig can be moved elsewhere.
    /// Token files stay files.
    ///
    /// # Errors
    /// When a file can't be read, or stands beside data; the kubeconfig is unchanged then.
    pub fn flatten(&mut self) -> Result<(), ConfigError> {
        let mut flat = self.clone();
        let mut problems = Vec::new();
        for (name, cluster) in &mut flat.clusters {
            problems.extend(cluster.flatten_as(name).err());
        }
        for (name, user) in &mut flat.users {
            problems.extend(user.flatten_as(name).err());
        }
        ConfigError::gather(problems)?;
        *self = flat;
        Ok(())
    }
}

impl Cluster {
    /// Makes paths absolute, if the entry comes from a file.
    pub fn resolve_paths(&mut self) {
        let file = self.origin.path().map(Path::to_owned);
        self.each_path(|path| *path = paths::resolve(path, file.as_deref()));
    }

    /// Makes paths relative to `folder` where they lie below it.
    ///
    /// # Errors
    /// [`ConfigError::PathLeadsOut`] for a relative path that leaves the folder.
    pub fn relativize_paths(&mut self, folder: &Path) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        self.each_path(|path| problems.extend(relativize(path, folder).err()));
        ConfigError::gather(problems)
    }

    /// Takes in the certificate authority's file as data.
    ///
    /// # Errors
    /// When the file can't be read, or stands beside data.
    pub fn flatten(&mut self) -> Result<(), ConfigError> {
        self.flatten_as("")
    }

    fn flatten_as(&mut self, name: &str) -> Result<(), ConfigError> {
        let slot =
            Slot { kind: EntryKind::Cluster, name, origin: &self.origin, field: "certificate-authority" };
        if let Some(mut data) =
            slot.read(self.certificate_authority.as_deref(), self.certificate_authority_data.is_some())?
        {
            self.certificate_authority_data = Some(std::mem::take(&mut *data));
            self.certificate_authority = None;
        }
        Ok(())
    }

    fn each_path(&mut self, mut change: impl FnMut(&mut PathBuf)) {
        if let Some(path) = &mut self.certificate_authority {
            change(path);
        }
    }
}

impl User {
    /// Makes paths absolute, if the entry comes from a file. An exec command that is a bare name stays one.
    pub fn resolve_paths(&mut self) {
        let file = self.origin.path().map(Path::to_owned);
        self.each_path(|path| *path = paths::resolve(path, file.as_deref()));
        if let Some(exec) = &mut self.exec
            && paths::is_command_path(&exec.command)
        {
            exec.command = paths::resolve(&exec.command, file.as_deref());
        }
    }

    /// Makes paths relative to `folder` where they lie below it. An exec command in that folder becomes `./NAME`,
    /// since a bare name would be looked up on PATH.
    ///
    /// # Errors
    /// [`ConfigError::PathLeadsOut`] for a relative path that leaves the folder.
    pub fn relativize_paths(&mut self, folder: &Path) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        self.each_path(|path| problems.extend(relativize(path, folder).err()));
        if let Some(exec) = &mut self.exec
            && paths::is_command_path(&exec.command)
        {
            problems.extend(relativize(&mut exec.command, folder).err());
            if !paths::is_command_path(&exec.command) {
                exec.command = Path::new(".").join(&exec.command);
            }
        }
        ConfigError::gather(problems)
    }

    /// Takes in the files of certificate and key as data.
    ///
    /// # Errors
    /// When a file can't be read, or stands beside data.
    pub fn flatten(&mut self) -> Result<(), ConfigError> {
        self.flatten_as("")
    }

    fn flatten_as(&mut self, name: &str) -> Result<(), ConfigError> {
        let slot = Slot { kind: EntryKind::User, name, origin: &self.origin, field: "client-certificate" };
        let certificate =
            slot.read(self.client_certificate.as_deref(), self.client_certificate_data.is_some())?;
        let slot = Slot { field: "client-key", ..slot };
        let key = slot.read(self.client_key.as_deref(), self.client_key_data.is_some())?;
        if let Some(mut data) = certificate {
            self.client_certificate_data = Some(std::mem::take(&mut *data));
            self.client_certificate = None;
        }
        if let Some(mut data) = key {
            self.client_key_data = Some(Secret::new(std::mem::take(&mut *data)));
            self.client_key = None;
        }
        Ok(())
    }

    fn each_path(&mut self, mut change: impl FnMut(&mut PathBuf)) {
        [&mut self.client_certificate, &mut self.client_key, &mut self.token_file]
            .into_iter()
            .flatten()
            .for_each(&mut change);
    }
}

/// A field that names a file.
struct Slot<'a> {
    kind: EntryKind,
    name: &'a str,
    origin: &'a Origin,
    field: &'static str,
}

impl Slot<'_> {
    fn read(&self, file: Option<&Path>, has_data: bool) -> Result<Option<Zeroizing<Vec<u8>>>, ConfigError> {
        let Some(file) = file else { return Ok(None) };
        let entry = || entry(self.kind, self.name, self.origin);
        if has_data {
            return Err(ConfigError::FileAndData { entry: entry(), field: self.field });
        }
        let path = paths::resolve(file, self.origin.path());
        match fs::read(&path) {
            Ok(data) => Ok(Some(Zeroizing::new(data))),
            Err(source) => {
                Err(ConfigError::UnreadableFile { entry: entry(), field: self.field, path, source })
            }
        }
    }
}

fn relativize(path: &mut PathBuf, folder: &Path) -> Result<(), ConfigError> {
    match paths::relative(path, folder) {
        Some(relative) => *path = relative,
        None if path.is_absolute() => {}
        None => return Err(ConfigError::PathLeadsOut { path: path.clone(), folder: folder.to_owned() }),
    }
    Ok(())
}
