use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::FileName;
use crate::kubeconfig::{Loaded, decode};
use crate::{ConfigError, Environment, Kubeconfig, Warning};

/// Which kubeconfig files are read, and in which order: the first has the last word.
///
/// ```no_run
/// use kubewire_config::{LoadingRules, Overrides};
///
/// let kubeconfig = LoadingRules::from_env().load()?;
/// let config = kubeconfig.resolve(&Overrides::default())?;
/// # Ok::<(), kubewire_config::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LoadingRules {
    /// A file that is read alone and must exist, such as that of a `--kubeconfig` flag.
    pub explicit_path: Option<PathBuf>,
    /// The files that are read when there is no explicit one. Those that do not exist are skipped.
    pub paths: Vec<PathBuf>,
    /// The largest file that is read, in bytes. 64 MiB by default.
    pub max_file_size: u64,
    /// Whether [`modify`](Self::modify) writes the absolute paths of what it changes relative to the folder of its file
    /// where they lie below it. Off by default.
    pub relative_paths: bool,
    /// Where the rules came from, and where a pod's settings are looked for.
    pub environment: Environment,
}

/// The default of [`LoadingRules::max_file_size`].
const MAX_FILE_SIZE: u64 = 64 * 1024 * 1024;

impl LoadingRules {
    /// The usual rules: the files that KUBECONFIG lists, or else `~/.kube/config`.
    pub fn from_env() -> Self {
        Self::from_environment(Environment::process())
    }

    /// The usual rules in a given environment.
    pub fn from_environment(environment: Environment) -> Self {
        let mut paths: Vec<PathBuf> = Vec::new();
        match environment.var_os("KUBECONFIG") {
            Some(list) => {
                for path in std::env::split_paths(&list) {
                    if !path.as_os_str().is_empty() && !paths.contains(&path) {
                        paths.push(path);
                    }
                }
            }
            None => paths.extend(environment.home().map(|home| home.join(".kube").join("config"))),
        }
        Self { explicit_path: None, paths, max_file_size: MAX_FILE_SIZE, relative_paths: false, environment }
    }

    /// Only the file at `path`, which must exist.
    pub fn explicit(path: impl Into<PathBuf>) -> Self {
        Self {
            explicit_path: Some(path.into()),
            paths: Vec::new(),
            max_file_size: MAX_FILE_SIZE,
            relative_paths: false,
            environment: Environment::process(),
        }
    }

    /// Reads and merges the files. When none exists the result is empty.
    ///
    /// # Errors
    /// When the explicit file does not exist, or any file can't be read or is no kubeconfig; the problems of all
    /// files come together.
    pub fn load(&self) -> Result<Kubeconfig, ConfigError> {
        if let Some(path) = &self.explicit_path {
            return Ok(self.read(path)?.kubeconfig);
        }
        let mut files = Vec::with_capacity(self.paths.len());
        let mut problems = Vec::new();
        for path in &self.paths {
            match self.read_if_exists(path) {
                Ok(loaded) => files.extend(loaded),
                Err(problem) => problems.push(problem),
            }
        }
        ConfigError::gather(problems)?;
        if files.is_empty() && !self.paths.is_empty() {
            self.environment.warn(&Warning::AllMissing { paths: self.paths.clone() });
        }
        let files = files.into_iter().map(|loaded| loaded.kubeconfig);
        Ok(files.reduce(Kubeconfig::merge).unwrap_or_default())
    }

    pub(crate) fn read_if_exists(&self, path: &Path) -> Result<Option<Loaded>, ConfigError> {
        match self.read(path) {
            Ok(loaded) => Ok(Some(loaded)),
            Err(ConfigError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    pub(crate) fn read(&self, path: &Path) -> Result<Loaded, ConfigError> {
        let bytes = read_file(path, self.max_file_size)?;
        decode(&bytes, Some(path))
    }
}

impl Default for LoadingRules {
    fn default() -> Self {
        Self::from_env()
    }
}

impl Kubeconfig {
    /// Reads one file.
    ///
    /// # Errors
    /// When it does not exist, can't be read, or is no kubeconfig.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        LoadingRules::explicit(path.as_ref()).load()
    }

    /// Reads a kubeconfig from bytes in YAML or JSON. Relative paths in it stay as they are.
    ///
    /// # Errors
    /// When they are no kubeconfig.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ConfigError> {
        Ok(decode(bytes, None)?.kubeconfig)
    }
}

impl std::str::FromStr for Kubeconfig {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_bytes(text.as_bytes())
    }
}

/// A file's bytes, overwritten when they are dropped; at most `limit` of them.
pub(crate) fn read_file(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    let failed = |source| ConfigError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(ConfigError::IsFolder { path: path.to_owned() });
    }
    let too_large = || ConfigError::TooLarge { file: FileName(Some(path.to_owned())), limit };
    if metadata.len() > limit {
        return Err(too_large());
    }
    // Room for all of it at once, since a buffer that grows leaves copies behind.
    let room = usize::try_from(metadata.len()).unwrap_or(0).saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    Ok(bytes)
}
