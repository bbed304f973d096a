//! Where a problem is: a file, a field in it, an entry.

use std::fmt;
use std::path::{Path, PathBuf};

/// The file that a text came from, if it came from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName(pub Option<PathBuf>);

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(path) => write!(f, "{}", path.display()),
            None => f.write_str("the kubeconfig"),
        }
    }
}

/// A field in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: FileName,
    /// The line, counted from 1; `None` where it can't be told.
    pub line: Option<usize>,
    /// The field, such as `users["alice"].user.token`.
    pub field: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if self.field.is_empty() { Ok(()) } else { write!(f, ", {}", self.field) }
    }
}

/// An entry of a kubeconfig, as errors name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which list it stands in.
    pub kind: EntryKind,
    /// Its name.
    pub name: String,
    /// The file it came from.
    pub file: Option<Box<Path>>,
}

/// The lists of a kubeconfig.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// `clusters`.
    Cluster,
    /// `users`.
    User,
    /// `contexts`.
    Context,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            EntryKind::Cluster => "cluster",
            EntryKind::User => "user",
            EntryKind::Context => "context",
        };
        write!(f, "{kind} {:?}", self.name)?;
        match &self.file {
            Some(file) => write!(f, " in {}", file.display()),
            None => Ok(()),
        }
    }
}
