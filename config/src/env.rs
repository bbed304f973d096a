use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where settings outside of kubeconfigs come from: environment variables, the home folder, a pod's files.
///
/// [`Environment::process`] is the real one. [`Environment::fixed`] is made of given variables, so that tests need
/// not change the process's own.
///
/// ```
/// use kubewire_config::{Environment, LoadingRules};
///
/// let rules = LoadingRules::from_environment(Environment::fixed([("KUBECONFIG", "/a/config")]));
/// assert_eq!(rules.paths, [std::path::Path::new("/a/config")]);
/// ```
#[derive(Clone)]
pub struct Environment {
    vars: Vars,
    service_account: PathBuf,
    warn: Option<WarningHandler>,
}

type WarningHandler = Arc<dyn Fn(&Warning) + Send + Sync>;

/// Something that is no error, and that a person may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// None of the kubeconfig files that were looked for exists.
    AllMissing {
        /// The files.
        paths: Vec<PathBuf>,
    },
    /// Neither a server nor a kubeconfig was given, so that the pod's own settings are tried.
    NothingGiven,
    /// The pod's own settings can't be used.
    NoInCluster {
        /// Why.
        reason: String,
    },
    /// A pod's certificate authorities can't be read, so that the system's are trusted.
    UnreadableCa {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllMissing { paths } => {
                f.write_str("none of the kubeconfig files exists:")?;
                paths.iter().try_for_each(|path| write!(f, " {}", path.display()))
            }
            Self::NothingGiven => f.write_str(
                "neither a server nor a kubeconfig was given: trying the settings of the pod, which there may not be",
            ),
            Self::NoInCluster { reason } => write!(f, "the settings of the pod can't be used: {reason}"),
            Self::UnreadableCa { path, reason } => {
                write!(f, "the pod's certificate authorities {} can't be used: {reason}", path.display())
            }
        }
    }
}

#[derive(Clone)]
enum Vars {
    Process,
    Fixed(BTreeMap<OsString, OsString>),
}

impl Environment {
    /// The process's own environment.
    pub fn process() -> Self {
        Self { vars: Vars::Process, service_account: service_account_folder(), warn: None }
    }

    /// An environment of these variables and no others.
    pub fn fixed<K: Into<OsString>, V: Into<OsString>>(vars: impl IntoIterator<Item = (K, V)>) -> Self {
        let vars = vars.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self { vars: Vars::Fixed(vars), service_account: service_account_folder(), warn: None }
    }

    /// Another folder for a pod's `token`, `ca.crt` and `namespace` than
    /// `/var/run/secrets/kubernetes.io/serviceaccount`.
    #[must_use]
    pub fn with_service_account(mut self, folder: impl Into<PathBuf>) -> Self {
        self.service_account = folder.into();
        self
    }

    /// Has warnings told to `handler`; without one nobody hears of them.
    #[must_use]
    pub fn on_warning(mut self, handler: impl Fn(&Warning) + Send + Sync + 'static) -> Self {
        self.warn = Some(Arc::new(handler));
        self
    }

    pub(crate) fn warn(&self, warning: &Warning) {
        if let Some(handler) = &self.warn {
            handler(warning);
        }
    }

    /// A variable's value; an empty one counts as unset.
    pub(crate) fn var_os(&self, name: &str) -> Option<OsString> {
        let value = match &self.vars {
            Vars::Process => std::env::var_os(name)?,
            Vars::Fixed(vars) => vars.get(std::ffi::OsStr::new(name))?.clone(),
        };
        (!value.is_empty()).then_some(value)
    }

    pub(crate) fn var(&self, name: &str) -> Option<String> {
        self.var_os(name)?.into_string().ok()
    }

    pub(crate) fn service_account(&self) -> &Path {
        &self.service_account
    }

    /// The home folder, if there is one.
    #[cfg(not(windows))]
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.var_os("HOME").map(PathBuf::from)
    }

    /// The home folder, if there is one: of HOME, HOMEDRIVE with HOMEPATH, and USERPROFILE the first that holds
    /// `.kube\config`, else the first (USERPROFILE before HOMEDRIVE) that is a folder, else the first that is set.
    #[cfg(windows)]
    pub(crate) fn home(&self) -> Option<PathBuf> {
        let home = self.var_os("HOME").map(PathBuf::from);
        let drive = self.var_os("HOMEDRIVE").zip(self.var_os("HOMEPATH")).map(|(mut drive, path)| {
            drive.push(path);
            PathBuf::from(drive)
        });
        let profile = self.var_os("USERPROFILE").map(PathBuf::from);
        let has_config = |folder: &&PathBuf| folder.join(".kube").join("config").exists();
        if let Some(found) = [&home, &drive, &profile].into_iter().flatten().find(has_config) {
            return Some(found.clone());
        }
        let all = [&home, &profile, &drive];
        let folder = all.into_iter().flatten().find(|folder| folder.is_dir());
        folder.or_else(|| all.into_iter().flatten().next()).cloned()
    }
}

fn service_account_folder() -> PathBuf {
    PathBuf::from("/var/run/secrets/kubernetes.io/serviceaccount")
}

impl Default for Environment {
    fn default() -> Self {
        Self::process()
    }
}

// Variables can hold secrets: only their names are shown.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Environment");
        match &self.vars {
            Vars::Process => out.field("vars", &"the process's"),
            Vars::Fixed(vars) => out.field("vars", &vars.keys().collect::<Vec<_>>()),
        };
        out.field("service_account", &self.service_account).finish_non_exhaustive()
    }
}
