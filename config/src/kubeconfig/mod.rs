//! The kubeconfig file: its schema, and all that can be done with one in memory.

mod decode;
mod edit;
mod encode;
mod files;
mod free;
mod merge;
mod resolve;
mod validate;
mod view;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use decode::{Loaded, decode};
pub(crate) use free::wipe;
pub use free::{Extensions, UnknownFields};

use crate::Secret;

/// A kubeconfig file, or what several of them say together.
///
/// The fields are those of the schema, version v1. Names that the schema puts into lists are keys of maps here, and
/// paths stand as they were written: they are resolved against the folder of the entry's [`Origin`] when a
/// [`Config`](crate::Config) is made. Empty strings count as absent, as they do for kubectl. Fields that the schema
/// does not know are kept.
///
/// ```
/// use kubewire_config::{Kubeconfig, Overrides};
///
/// let kubeconfig: Kubeconfig = "
/// clusters: [{name: dev, cluster: {server: https://10.0.0.1:6443}}]
/// users: [{name: me, user: {token: abc123}}]
/// contexts: [{name: dev, context: {cluster: dev, user: me, namespace: web}}]
/// current-context: dev
/// ".parse()?;
/// assert_eq!(kubeconfig.contexts["dev"].namespace.as_deref(), Some("web"));
///
/// let config = kubeconfig.resolve(&Overrides::default())?;
/// assert_eq!(config.host, "https://10.0.0.1:6443");
/// # Ok::<(), kubewire_config::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kubeconfig {
    /// How kubectl is to look; nothing else reads it.
    pub preferences: Preferences,
    /// The servers, by name.
    pub clusters: BTreeMap<String, Cluster>,
    /// The users and their credentials, by name.
    pub users: BTreeMap<String, User>,
    /// Pairs of cluster and user, by name.
    pub contexts: BTreeMap<String, Context>,
    /// The context that is used when no other is asked for.
    pub current_context: Option<String>,
    /// Data of other programs.
    pub extensions: Extensions,
    /// Fields of the file that the schema does not know.
    pub unknown: UnknownFields,
}

/// The `preferences` of a kubeconfig.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preferences {
    /// Whether output may be coloured.
    pub colors: bool,
    /// Data of other programs.
    pub extensions: Extensions,
    /// Fields that the schema does not know.
    pub unknown: UnknownFields,
}

/// A server and how to trust it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    /// The API server's URL.
    pub server: String,
    /// The name sent as SNI and checked in the server's certificate; `None` means the host's own.
    pub tls_server_name: Option<String>,
    /// Accept any server certificate.
    pub insecure_skip_tls_verify: bool,
    /// A PEM file of certificate authorities.
    pub certificate_authority: Option<PathBuf>,
    /// Certificate authorities in PEM.
    pub certificate_authority_data: Option<Vec<u8>>,
    /// The URL of a proxy; it may hold a password, which `Debug` leaves out.
    pub proxy_url: Option<Secret>,
    /// Don't ask for compressed answers.
    pub disable_compression: bool,
    /// Data of other programs.
    pub extensions: Extensions,
    /// Fields of `cluster` that the schema does not know.
    pub unknown: UnknownFields,
    /// Fields beside `name` and `cluster` that the schema does not know.
    pub entry_unknown: UnknownFields,
    /// The file in which the entry stands.
    pub origin: Origin,
}

/// A user's credentials.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct User {
    /// A PEM file with the client's certificate chain.
    pub client_certificate: Option<PathBuf>,
    /// The client's certificate chain in PEM.
    pub client_certificate_data: Option<Vec<u8>>,
    /// A PEM file with the certificate's key.
    pub client_key: Option<PathBuf>,
    /// The certificate's key in PEM.
    pub client_key_data: Option<Secret<Vec<u8>>>,
    /// A bearer token.
    pub token: Option<Secret>,
    /// A file that holds a bearer token and may be renewed (`tokenFile`).
    pub token_file: Option<PathBuf>,
    /// The user to act as (`as`).
    pub impersonate: Option<String>,
    /// The uid to act with (`as-uid`).
    pub impersonate_uid: Option<String>,
    /// The groups to act with (`as-groups`).
    pub impersonate_groups: Vec<String>,
    /// Further attributes to act with (`as-user-extra`).
    pub impersonate_extra: BTreeMap<String, Vec<String>>,
    /// The name for basic authentication.
    pub username: Option<String>,
    /// The password for basic authentication.
    pub password: Option<Secret>,
    /// A named provider of credentials.
    pub auth_provider: Option<Box<AuthProvider>>,
    /// A program that prints credentials.
    pub exec: Option<Box<ExecPlugin>>,
    /// Data of other programs.
    pub extensions: Extensions,
    /// Fields of `user` that the schema does not know.
    pub unknown: UnknownFields,
    /// Fields beside `name` and `user` that the schema does not know.
    pub entry_unknown: UnknownFields,
    /// The file in which the entry stands.
    pub origin: Origin,
}

/// A user at a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// The cluster's name.
    pub cluster: String,
    /// The user's name.
    pub user: String,
    /// The namespace used when none is asked for; `None` means `default`.
    pub namespace: Option<String>,
    /// Data of other programs.
    pub extensions: Extensions,
    /// Fields of `context` that the schema does not know.
    pub unknown: UnknownFields,
    /// Fields beside `name` and `context` that the schema does not know.
    pub entry_unknown: UnknownFields,
    /// The file in which the entry stands.
    pub origin: Origin,
}

/// A user's `auth-provider`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuthProvider {
    /// The provider's name, such as `oidc`.
    pub name: String,
    /// Its settings, which often hold secrets.
    pub config: BTreeMap<String, Secret>,
    /// Fields that the schema does not know.
    pub unknown: UnknownFields,
}

/// A user's `exec`: a credential program and how to run it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExecPlugin {
    /// The program: a path, or a bare name looked up on PATH.
    pub command: PathBuf,
    /// Its arguments.
    pub args: Vec<Secret>,
    /// Variables added to the process's own environment, in order.
    pub env: Vec<ExecEnvVar>,
    /// The `apiVersion` of the ExecCredential it speaks.
    pub api_version: Option<String>,
    /// What to tell a person who does not have the program.
    pub install_hint: Option<String>,
    /// Whether the program is told about the cluster.
    pub provide_cluster_info: bool,
    /// Whether it may use the terminal: `Never`, `IfAvailable` or `Always`.
    pub interactive_mode: Option<String>,
    /// Fields that the schema does not know.
    pub unknown: UnknownFields,
}

/// A variable of an exec plugin's environment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExecEnvVar {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Secret,
    /// Fields that the schema does not know.
    pub unknown: UnknownFields,
}

/// The file in which an entry stands; none for one that was made in memory.
///
/// Relative paths in the entry are resolved against its folder, and changes are saved to it. Where an entry stands
/// is no part of what it says: all origins are equal to each other.
#[derive(Clone, Debug, Default)]
pub struct Origin(Option<Arc<Path>>);

impl Origin {
    /// The file at `path`.
    pub fn file(path: impl Into<Arc<Path>>) -> Self {
        Self(Some(path.into()))
    }

    /// The file's path.
    pub fn path(&self) -> Option<&Path> {
        self.0.as_deref()
    }
}

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
