//! What can be wrong, each problem with its own variant.

mod place;

use std::io;
use std::path::PathBuf;

pub use place::{Entry, EntryKind, FileName, Place};

use crate::ProxyUrlError;

/// What can be wrong with a kubeconfig, with the surroundings of a pod, or with a [`Config`](crate::Config).
///
/// Each problem is a variant of its own; where several were found at once they come as [`ConfigError::Many`].
/// No variant holds a secret, and none is ever shown in an error's text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Several problems, in the order in which they were found. Never fewer than two, and never nested.
    #[error("{}", list(.0))]
    Many(Vec<ConfigError>),

    // --- files ---
    /// A file could not be read.
    #[error("can't read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder stands where a file is expected.
    #[error("{} is a folder: give the path of a kubeconfig file", .path.display())]
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A file is larger than [`LoadingRules::max_file_size`](crate::LoadingRules::max_file_size).
    #[error(
        "{file} is larger than {limit} bytes: raise LoadingRules::max_file_size if it really is a kubeconfig"
    )]
    TooLarge {
        /// The file.
        file: FileName,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A file is not UTF-8 (nor UTF-16 with a byte order mark).
    #[error("{file}, line {line}: this is not UTF-8 text: save the file as UTF-8")]
    NotUtf8 {
        /// The file.
        file: FileName,
        /// The line, counted from 1.
        line: usize,
    },
    /// A file is neither YAML nor JSON.
    #[error("{file}, line {line}, column {column}: {problem}")]
    Syntax {
        /// The file.
        file: FileName,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What the parser found.
        problem: String,
    },
    /// A file would take far more memory than its size: aliases that multiply, or nothing but brackets and commas.
    #[error("{file}: {problem}: a kubeconfig does not look like this")]
    Excessive {
        /// The file.
        file: FileName,
        /// What is too much.
        problem: &'static str,
    },
    /// A file's `kind` is not `Config`.
    #[error("{file}: the kind is {found:?}, not \"Config\": this is no kubeconfig")]
    WrongKind {
        /// The file.
        file: FileName,
        /// The kind that was found.
        found: String,
    },
    /// A file's `apiVersion` is not `v1`.
    #[error("{file}: the apiVersion is {found:?}: only \"v1\" is known")]
    WrongApiVersion {
        /// The file.
        file: FileName,
        /// The version that was found.
        found: String,
    },
    /// A field holds something of another type than it must.
    #[error("{at}: {found} where {expected} belongs{}", hint(.expected, .found))]
    WrongType {
        /// The field.
        at: Place,
        /// What belongs there.
        expected: &'static str,
        /// What was found.
        found: &'static str,
    },
    /// A `-data` field is not base64.
    #[error("{at}: this is not base64 ({problem}): the field holds the PEM text encoded as base64")]
    Base64 {
        /// The field.
        at: Place,
        /// What is wrong with it; nothing of the data itself.
        problem: &'static str,
    },
    /// A name stands twice in one list of one file.
    #[error("{at}: the name {name:?} stands twice in this list: rename or remove one of the two")]
    DuplicateName {
        /// The list.
        at: Place,
        /// The name.
        name: String,
    },

    // --- choosing ---
    /// No kubeconfig says which server to talk to.
    #[error(
        "no server is configured: set KUBECONFIG or create ~/.kube/config, choose a context in it \
         (`kubectl config use-context NAME`), or run inside a cluster"
    )]
    Empty,
    /// The chosen context does not exist.
    #[error("there is no context {name:?}: {}", those(.known, "contexts"))]
    UnknownContext {
        /// The name that was asked for.
        name: String,
        /// Those that exist.
        known: Vec<String>,
    },
    /// No context is chosen, neither by name nor as the current one.
    #[error("no context is chosen: name one, or set the current one (`kubectl config use-context NAME`)")]
    NoContext,
    /// A cluster that was asked for by an override does not exist.
    #[error("there is no cluster {name:?}: {}", those(.known, "clusters"))]
    UnknownCluster {
        /// The name that was asked for.
        name: String,
        /// Those that exist.
        known: Vec<String>,
    },
    /// A user that was asked for by an override does not exist.
    #[error("there is no user {name:?}: {}", those(.known, "users"))]
    UnknownUser {
        /// The name that was asked for.
        name: String,
        /// Those that exist.
        known: Vec<String>,
    },

    // --- clusters ---
    /// The context names no cluster that exists, beside other problems.
    #[error("there is no cluster {name:?}, so there is no server")]
    NoCluster {
        /// The name in the context.
        name: String,
    },
    /// A cluster has no server.
    #[error("{cluster} has no server: set its field \"server\" to the API server's URL")]
    NoServer {
        /// The cluster.
        cluster: Entry,
    },
    /// A proxy URL can't be used.
    #[error("{cluster}, proxy-url: {source}")]
    BadProxyUrl {
        /// The cluster.
        cluster: Entry,
        /// What is wrong with it.
        source: ProxyUrlError,
    },
    /// The certificate authority is given twice.
    #[error("{cluster} has certificate-authority and certificate-authority-data: keep one of the two")]
    CaFileAndData {
        /// The cluster.
        cluster: Entry,
    },

    // --- users ---
    /// A file that an entry names can't be read.
    #[error("{entry}, {field}: can't read {}: {source}", .path.display())]
    UnreadableFile {
        /// The entry.
        entry: Entry,
        /// The field that names the file.
        field: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The client certificate is given twice.
    #[error("{user} has client-certificate and client-certificate-data: keep one of the two")]
    CertificateFileAndData {
        /// The user.
        user: Entry,
    },
    /// The client key is given twice.
    #[error("{user} has client-key and client-key-data: keep one of the two")]
    KeyFileAndData {
        /// The user.
        user: Entry,
    },
    /// There is a client certificate without a key.
    #[error("{user} has a client certificate but no key: add client-key or client-key-data")]
    CertificateWithoutKey {
        /// The user.
        user: Entry,
    },
    /// A token stands beside user name and password.
    #[error("{user} has a token and a user name or password: a request carries only one of them, keep one")]
    TokenAndBasic {
        /// The user.
        user: Entry,
    },
    /// A token file stands beside user name and password.
    #[error(
        "{user} has a tokenFile and a user name or password: a request carries only one of them, keep one"
    )]
    TokenFileAndBasic {
        /// The user.
        user: Entry,
    },
    /// Both kinds of plugin are configured.
    #[error("{user} has exec and auth-provider: keep one of the two")]
    ExecAndAuthProvider {
        /// The user.
        user: Entry,
    },
    /// An exec plugin has no command.
    #[error("{user}, exec: there is no command")]
    ExecWithoutCommand {
        /// The user.
        user: Entry,
    },
    /// An exec plugin has no apiVersion.
    #[error("{user}, exec: there is no apiVersion: most plugins speak client.authentication.k8s.io/v1")]
    ExecWithoutApiVersion {
        /// The user.
        user: Entry,
    },
    /// A variable for an exec plugin has no name.
    #[error("{user}, exec.env[{index}]: the variable has no name")]
    ExecEnvWithoutName {
        /// The user.
        user: Entry,
        /// The variable's place in the list, counted from 0.
        index: usize,
    },
    /// An exec plugin of version v1 does not say whether it uses the terminal.
    #[error("{user}, exec: there is no interactiveMode: set it to Never, IfAvailable or Always")]
    ExecWithoutInteractiveMode {
        /// The user.
        user: Entry,
    },
    /// An exec plugin's interactiveMode is unknown.
    #[error("{user}, exec.interactiveMode: {found:?} is not known: use Never, IfAvailable or Always")]
    UnknownInteractiveMode {
        /// The user.
        user: Entry,
        /// What was found.
        found: String,
    },
    /// A plugin policy can't mean anything.
    #[error("the plugin policy is wrong: {problem}")]
    BadPluginPolicy {
        /// What is wrong with it.
        problem: String,
    },
    /// Something to impersonate is given without a user name.
    #[error("{user} impersonates a uid, groups or extra values but no user: set \"as\" too")]
    ImpersonationWithoutUser {
        /// The user.
        user: Entry,
    },

    // --- contexts ---
    /// A context has an empty name.
    #[error("{context}: a context needs a name")]
    ContextWithoutName {
        /// The context.
        context: Entry,
    },
    /// A context names no cluster.
    #[error("{context} names no cluster")]
    ContextWithoutCluster {
        /// The context.
        context: Entry,
    },
    /// A context names no user.
    #[error("{context} names no user")]
    ContextWithoutUser {
        /// The context.
        context: Entry,
    },
    /// A context names a cluster that does not exist.
    #[error("{context} names the cluster {cluster:?}, which does not exist")]
    ContextUnknownCluster {
        /// The context.
        context: Entry,
        /// The cluster's name.
        cluster: String,
    },
    /// A context names a user that does not exist.
    #[error("{context} names the user {user:?}, which does not exist")]
    ContextUnknownUser {
        /// The context.
        context: Entry,
        /// The user's name.
        user: String,
    },
    /// A context's namespace is no DNS label.
    #[error(
        "{context} has the namespace {namespace:?}: one is made of at most 63 lower-case letters, digits and \"-\", \
         and begins and ends with a letter or digit"
    )]
    BadNamespace {
        /// The context.
        context: Entry,
        /// The namespace.
        namespace: String,
    },

    // --- settings ---
    /// A timeout is neither a number of seconds nor a duration.
    #[error(
        "the timeout {found:?} is wrong: give whole seconds (30) or a duration with a unit (1m30s, 500ms)"
    )]
    BadTimeout {
        /// What was found.
        found: String,
    },
    /// A host is neither `host`, `host:port` nor a URL.
    #[error("the host {host:?} is wrong: {problem}")]
    BadHost {
        /// The host, without user and password.
        host: String,
        /// What is wrong with it.
        problem: String,
    },

    // --- views and edits ---
    /// A file and its content are both given where one has to take the other's place.
    #[error("{entry} has {field} and {field}-data: keep one of the two")]
    FileAndData {
        /// The entry.
        entry: Entry,
        /// The field of the file.
        field: &'static str,
    },
    /// A name is taken already.
    #[error("there is a context {name:?} already: remove it first, or choose another name")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// A relative path can't be written relative to another file.
    #[error("the path {} leads out of {}: give it as an absolute path", .path.display(), .folder.display())]
    PathLeadsOut {
        /// The path.
        path: PathBuf,
        /// The folder of the file that it is to be relative to.
        folder: PathBuf,
    },

    // --- saving ---
    /// Another program, or a crashed one, holds the lock of a file.
    #[error(
        "{} is being changed by another program, whose lock is {}: try again, or remove the lock if no such \
         program runs any more", .path.display(), .lock.display()
    )]
    Locked {
        /// The file.
        path: PathBuf,
        /// Its lock.
        lock: PathBuf,
    },
    /// A file could not be written. The old one is still there.
    #[error("can't write {}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file can't be saved without losing something.
    #[error("{} can't be saved: {problem}", .path.display())]
    NotSavable {
        /// The file.
        path: PathBuf,
        /// Why not.
        problem: &'static str,
    },
    /// There is no file to save to.
    #[error("there is no kubeconfig file to save to: set KUBECONFIG or HOME, or give a path")]
    NowhereToSave,

    // --- in a cluster ---
    /// This is not a pod of a cluster.
    #[error(
        "this process does not run in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set"
    )]
    NotInCluster,
    /// A pod's token can't be read.
    #[error("can't read the pod's token {}: {source}: is automountServiceAccountToken off?", .path.display())]
    InClusterToken {
        /// The token file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ConfigError {
    /// One error made of `problems`: none of none, the problem itself of one.
    pub(crate) fn gather(problems: Vec<Self>) -> Result<(), Self> {
        let mut flat = Vec::with_capacity(problems.len());
        for problem in problems {
            match problem {
                Self::Many(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Ok(()),
            1 => Err(flat.remove(0)),
            _ => Err(Self::Many(flat)),
        }
    }

    /// The problems one by one: those of [`ConfigError::Many`], or this one.
    pub fn problems(&self) -> &[Self] {
        match self {
            Self::Many(problems) => problems,
            one => std::slice::from_ref(one),
        }
    }

    /// Whether nothing is wrong but that no server is configured anywhere.
    pub fn is_empty_config(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Whether a context that was asked for does not exist.
    pub fn is_unknown_context(&self) -> bool {
        matches!(self, Self::UnknownContext { .. })
    }

    /// Whether the process does not run in a cluster.
    pub fn is_not_in_cluster(&self) -> bool {
        matches!(self, Self::NotInCluster)
    }
}

fn list(problems: &[ConfigError]) -> String {
    let mut text = format!("{} problems:", problems.len());
    for problem in problems {
        text.push_str("\n  - ");
        text.push_str(&problem.to_string());
    }
    text
}

fn hint(expected: &str, found: &str) -> &'static str {
    match (expected, found) {
        ("a string", "a number" | "a boolean") => ": put quotes around it",
        ("true or false", "a string") => ": take the quotes away",
        _ => "",
    }
}

fn those(names: &[String], what: &str) -> String {
    const SHOWN: usize = 10;
    if names.is_empty() {
        return format!("there are no {what} at all");
    }
    let shown: Vec<_> = names.iter().take(SHOWN).map(|name| format!("{name:?}")).collect();
    let more = names.len().saturating_sub(SHOWN);
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("the {what} are {}{tail}", shown.join(", "))
}
