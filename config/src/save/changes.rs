use std::collections::BTreeMap;
use std::path::Path;

use super::{FileState, Locks};
use crate::{Cluster, ConfigError, Context, Kubeconfig, LoadingRules, Origin, User, paths};

/// The files that changes are sorted into.
pub(super) struct Changes<'a> {
    pub(super) rules: &'a LoadingRules,
    pub(super) files: &'a mut Vec<FileState>,
    pub(super) locks: &'a mut Locks,
    /// The file of new entries.
    pub(super) default: usize,
}

/// What the three kinds of entries have in common.
trait Entry: Clone + PartialEq {
    fn of(kubeconfig: &mut Kubeconfig) -> &mut BTreeMap<String, Self>;
    fn origin(&mut self) -> &mut Origin;
    fn make_relative(&mut self, folder: &Path) -> Result<(), ConfigError>;
}

impl Entry for Cluster {
    fn of(kubeconfig: &mut Kubeconfig) -> &mut BTreeMap<String, Self> {
        &mut kubeconfig.clusters
    }

    fn origin(&mut self) -> &mut Origin {
        &mut self.origin
    }

    fn make_relative(&mut self, folder: &Path) -> Result<(), ConfigError> {
        self.resolve_paths();
        self.relativize_paths(folder)
    }
}

impl Entry for User {
    fn of(kubeconfig: &mut Kubeconfig) -> &mut BTreeMap<String, Self> {
        &mut kubeconfig.users
    }

    fn origin(&mut self) -> &mut Origin {
        &mut self.origin
    }

    fn make_relative(&mut self, folder: &Path) -> Result<(), ConfigError> {
        self.resolve_paths();
        self.relativize_paths(folder)
    }
}

impl Entry for Context {
    fn of(kubeconfig: &mut Kubeconfig) -> &mut BTreeMap<String, Self> {
        &mut kubeconfig.contexts
    }

    fn origin(&mut self) -> &mut Origin {
        &mut self.origin
    }

    fn make_relative(&mut self, _: &Path) -> Result<(), ConfigError> {
        Ok(())
    }
}

impl Changes<'_> {
    /// Brings what differs between `start` and `wanted` into the files.
    pub(super) fn apply(&mut self, start: &Kubeconfig, wanted: Kubeconfig) -> Result<(), ConfigError> {
        self.current_context(start, &wanted);
        self.preferences(start, &wanted);
        self.top_level(start, &wanted);
        let mut start = start.clone();
        let mut wanted = wanted;
        self.entries::<Cluster>(&mut start, &mut wanted)?;
        self.entries::<Context>(&mut start, &mut wanted)?;
        self.entries::<User>(&mut start, &mut wanted)
    }

    fn entries<E: Entry>(
        &mut self,
        start: &mut Kubeconfig,
        wanted: &mut Kubeconfig,
    ) -> Result<(), ConfigError> {
        let (start, wanted) = (E::of(start), E::of(wanted));
        for (name, entry) in wanted.iter_mut() {
            let old = start.get_mut(name);
            if old.as_deref() == Some(&*entry) {
                continue;
            }
            if entry.origin().path().is_none()
                && let Some(old) = old
            {
                *entry.origin() = old.origin().clone();
            }
            let at = self.file_of(entry.origin().clone().path())?;
            let file = &mut self.files[at];
            let mut entry = entry.clone();
            *entry.origin() = Origin::file(file.path.as_path());
            if self.rules.relative_paths {
                entry.make_relative(&paths::folder_of(&file.path))?;
            }
            E::of(&mut file.kubeconfig).insert(name.clone(), entry);
            file.changed = true;
        }
        for (name, old) in start.iter_mut().filter(|(name, _)| !wanted.contains_key(*name)) {
            let at = self.file_of(old.origin().clone().path())?;
            let file = &mut self.files[at];
            file.changed |= E::of(&mut file.kubeconfig).remove(name).is_some();
        }
        Ok(())
    }

    /// The file at `path`, be it one of the list or not; the default one without a path.
    fn file_of(&mut self, path: Option<&Path>) -> Result<usize, ConfigError> {
        let Some(path) = path else { return Ok(self.default) };
        if let Some(at) = self.files.iter().position(|file| file.path == path) {
            return Ok(at);
        }
        self.locks.take(path, true)?;
        self.files.push(self.rules.file_state(path)?);
        Ok(self.files.len() - 1)
    }

    fn current_context(&mut self, start: &Kubeconfig, wanted: &Kubeconfig) {
        let name =
            |kubeconfig: &Kubeconfig| kubeconfig.current_context.clone().filter(|name| !name.is_empty());
        let new = name(wanted);
        if new == name(start) {
            return;
        }
        let holder = self.files.iter().position(|file| name(&file.kubeconfig).is_some());
        let at = if new.is_some() { self.default } else { holder.unwrap_or(self.default) };
        self.files[at].kubeconfig.current_context = new;
        self.files[at].changed = true;
    }

    fn preferences(&mut self, start: &Kubeconfig, wanted: &Kubeconfig) {
        if start.preferences.colors != wanted.preferences.colors {
            // One file that asks for colours is enough, so that switching them off takes all.
            let colors = wanted.preferences.colors;
            let default = self.default;
            for (at, file) in self.files.iter_mut().enumerate() {
                let preferences = &mut file.kubeconfig.preferences;
                if preferences.colors != colors && (!colors || at == default) {
                    preferences.colors = colors;
                    file.changed = true;
                }
            }
        }
        self.free(
            start.preferences.extensions.iter(),
            wanted.preferences.extensions.iter(),
            |file, name| file.preferences.extensions.get(name).is_some(),
            |file, name, value| match value {
                Some(value) => file.preferences.extensions.insert(name, value),
                None => file.preferences.extensions.remove(name),
            },
        );
        self.free(
            start.preferences.unknown.iter(),
            wanted.preferences.unknown.iter(),
            |file, name| file.preferences.unknown.get(name).is_some(),
            |file, name, value| match value {
                Some(value) => file.preferences.unknown.insert(name, value),
                None => file.preferences.unknown.remove(name),
            },
        );
    }

    fn top_level(&mut self, start: &Kubeconfig, wanted: &Kubeconfig) {
        self.free(
            start.extensions.iter(),
            wanted.extensions.iter(),
            |file, name| file.extensions.get(name).is_some(),
            |file, name, value| match value {
                Some(value) => file.extensions.insert(name, value),
                None => file.extensions.remove(name),
            },
        );
        self.free(
            start.unknown.iter(),
            wanted.unknown.iter(),
            |file, name| file.unknown.get(name).is_some(),
            |file, name, value| match value {
                Some(value) => file.unknown.insert(name, value),
                None => file.unknown.remove(name),
            },
        );
    }

    /// Brings changes of free-form values by name into the first file that has the name, or else the default one.
    fn free<'v>(
        &mut self,
        start: impl Iterator<Item = (&'v String, &'v serde_json::Value)>,
        wanted: impl Iterator<Item = (&'v String, &'v serde_json::Value)>,
        has: fn(&Kubeconfig, &str) -> bool,
        put: fn(&mut Kubeconfig, &str, Option<serde_json::Value>) -> Option<serde_json::Value>,
    ) {
        let start: BTreeMap<_, _> = start.collect();
        let wanted: BTreeMap<_, _> = wanted.collect();
        let changed = wanted.iter().filter(|(name, value)| start.get(*name) != Some(*value));
        let removed = start.keys().filter(|name| !wanted.contains_key(*name));
        let all = changed.map(|(name, value)| (*name, Some(*value))).chain(removed.map(|name| (*name, None)));
        for (name, value) in all {
            let holder = self.files.iter().position(|file| has(&file.kubeconfig, name));
            let file = &mut self.files[holder.unwrap_or(self.default)];
            put(&mut file.kubeconfig, name, value.cloned());
            file.changed = true;
        }
    }
}
