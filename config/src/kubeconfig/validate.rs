//! What can be wrong with an entry. Every problem is found, not only the first.

use std::fs::File;
use std::path::Path;

use super::{Cluster, Context, ExecPlugin, Kubeconfig, Preferences, UnknownFields, User};
use crate::error::{Entry, EntryKind};
use crate::{ConfigError, PluginPolicy, ProxyUrl};

/// The entry as errors name it.
pub(super) fn entry(kind: EntryKind, name: &str, origin: &super::Origin) -> Entry {
    Entry { kind, name: name.to_owned(), file: origin.path().map(Box::from) }
}

impl Kubeconfig {
    /// Checks everything in the file, used or not, the files that it names included.
    ///
    /// Making a [`Config`](crate::Config) checks only what the chosen context uses, and asks less of contexts.
    ///
    /// # Errors
    /// All that is wrong, together.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.says_nothing() {
            return Err(ConfigError::Empty);
        }
        let mut problems = Vec::new();
        if let Some(name) = self.current_context.as_deref().filter(|name| !name.is_empty())
            && !self.contexts.contains_key(name)
        {
            problems.push(self.unknown_context(name));
        }
        for (name, entry) in &self.contexts {
            self.validate_context(name, entry, &mut problems);
        }
        for (name, entry) in &self.users {
            validate_user(name, entry, &mut problems);
        }
        for (name, entry) in &self.clusters {
            validate_cluster(name, entry, &mut problems);
        }
        ConfigError::gather(problems)
    }

    /// Checks one context, the current one if no name is given, with its cluster and its user.
    ///
    /// # Errors
    /// [`ConfigError::NoContext`] when none is chosen, [`ConfigError::UnknownContext`] when it does not exist; else
    /// all that is wrong, together.
    pub fn confirm_usable(&self, context: Option<&str>) -> Result<(), ConfigError> {
        if self.says_nothing() {
            return Err(ConfigError::Empty);
        }
        let chosen = context.filter(|name| !name.is_empty()).or(self.current_context.as_deref());
        let name = chosen.filter(|name| !name.is_empty()).ok_or(ConfigError::NoContext)?;
        let context = self.contexts.get(name).ok_or_else(|| self.unknown_context(name))?;
        let mut problems = Vec::new();
        self.validate_context(name, context, &mut problems);
        if let Some(user) = self.users.get(&context.user) {
            validate_user(&context.user, user, &mut problems);
        }
        if let Some(cluster) = self.clusters.get(&context.cluster) {
            validate_cluster(&context.cluster, cluster, &mut problems);
        }
        ConfigError::gather(problems)
    }

    fn validate_context(&self, name: &str, context: &Context, problems: &mut Vec<ConfigError>) {
        let entry = || entry(EntryKind::Context, name, &context.origin);
        if name.is_empty() {
            problems.push(ConfigError::ContextWithoutName { context: entry() });
        }
        if context.user.is_empty() {
            problems.push(ConfigError::ContextWithoutUser { context: entry() });
        } else if !self.users.contains_key(&context.user) {
            problems.push(ConfigError::ContextUnknownUser { context: entry(), user: context.user.clone() });
        }
        if context.cluster.is_empty() {
            problems.push(ConfigError::ContextWithoutCluster { context: entry() });
        } else if !self.clusters.contains_key(&context.cluster) {
            problems.push(ConfigError::ContextUnknownCluster {
                context: entry(),
                cluster: context.cluster.clone(),
            });
        }
        if let Some(namespace) =
            context.namespace.as_deref().filter(|name| !name.is_empty() && !is_dns_label(name))
        {
            problems.push(ConfigError::BadNamespace { context: entry(), namespace: namespace.to_owned() });
        }
    }

    /// Whether there is nothing in it that a client could use.
    fn says_nothing(&self) -> bool {
        self.clusters.is_empty()
            && self.users.is_empty()
            && self.contexts.is_empty()
            && self.current_context.as_deref().is_none_or(str::is_empty)
            && self.preferences == Preferences::default()
            && self.extensions.is_empty()
    }

    pub(super) fn unknown_context(&self, name: &str) -> ConfigError {
        ConfigError::UnknownContext { name: name.to_owned(), known: self.contexts.keys().cloned().collect() }
    }
}

impl Cluster {
    /// Whether there is nothing in it but what this crate does not know.
    pub(super) fn says_nothing(&self) -> bool {
        let known = Self {
            unknown: UnknownFields::default(),
            entry_unknown: UnknownFields::default(),
            ..self.clone()
        };
        known == Self::default()
    }
}

fn validate_user(name: &str, entry: &User, problems: &mut Vec<ConfigError>) {
    let mut entry = entry.clone();
    entry.resolve_paths();
    user(name, &entry, &PluginPolicy::AllowAll, problems);
}

fn validate_cluster(name: &str, entry: &Cluster, problems: &mut Vec<ConfigError>) {
    let mut entry = entry.clone();
    entry.resolve_paths();
    cluster(name, &entry, problems);
}

/// A name as DNS has it in one of its parts.
fn is_dns_label(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 63
        && name.bytes().all(|byte| letter(byte) || byte == b'-')
        && name.bytes().next().is_some_and(letter)
        && name.bytes().next_back().is_some_and(letter)
}

/// What is wrong with a cluster by itself, its paths being resolved.
pub(super) fn cluster(name: &str, cluster: &Cluster, problems: &mut Vec<ConfigError>) {
    let entry = || entry(EntryKind::Cluster, name, &cluster.origin);
    if cluster.server.is_empty() {
        problems.push(ConfigError::NoServer { cluster: entry() });
    }
    if let Some(url) = cluster.proxy_url.as_ref().filter(|url| !url.expose().is_empty())
        && let Err(source) = url.expose().parse::<ProxyUrl>()
    {
        problems.push(ConfigError::BadProxyUrl { cluster: entry(), source });
    }
    if let Some(file) = &cluster.certificate_authority {
        if cluster.certificate_authority_data.is_some() {
            problems.push(ConfigError::CaFileAndData { cluster: entry() });
        }
        readable(entry, "certificate-authority", file, problems);
    }
}

/// What is wrong with a user by itself, its paths being resolved.
pub(super) fn user(name: &str, user: &User, policy: &PluginPolicy, problems: &mut Vec<ConfigError>) {
    let entry = || entry(EntryKind::User, name, &user.origin);
    if user.client_certificate.is_some() || user.client_certificate_data.is_some() {
        if user.client_certificate.is_some() && user.client_certificate_data.is_some() {
            problems.push(ConfigError::CertificateFileAndData { user: entry() });
        }
        if user.client_key.is_some() && user.client_key_data.is_some() {
            problems.push(ConfigError::KeyFileAndData { user: entry() });
        }
        if user.client_key.is_none() && user.client_key_data.is_none() {
            problems.push(ConfigError::CertificateWithoutKey { user: entry() });
        }
        if let Some(file) = &user.client_certificate {
            readable(entry, "client-certificate", file, problems);
        }
        if let Some(file) = &user.client_key {
            readable(entry, "client-key", file, problems);
        }
    }
    let basic = user.username.is_some() || user.password.is_some();
    if user.token.is_some() && basic {
        problems.push(ConfigError::TokenAndBasic { user: entry() });
    }
    if let Some(plugin) = &user.exec {
        if user.auth_provider.is_some() {
            problems.push(ConfigError::ExecAndAuthProvider { user: entry() });
        }
        exec(entry, plugin, problems);
        if let Err(problem) = policy.validate() {
            problems.push(problem);
        }
    }
    let attributes = user.impersonate_uid.is_some()
        || !user.impersonate_groups.is_empty()
        || !user.impersonate_extra.is_empty();
    if attributes && user.impersonate.is_none() {
        problems.push(ConfigError::ImpersonationWithoutUser { user: entry() });
    }
}

fn exec(entry: impl Fn() -> Entry, exec: &ExecPlugin, problems: &mut Vec<ConfigError>) {
    if exec.command.as_os_str().is_empty() {
        problems.push(ConfigError::ExecWithoutCommand { user: entry() });
    }
    if exec.api_version.is_none() {
        problems.push(ConfigError::ExecWithoutApiVersion { user: entry() });
    }
    for (index, var) in exec.env.iter().enumerate() {
        if var.name.is_empty() {
            problems.push(ConfigError::ExecEnvWithoutName { user: entry(), index });
        }
    }
    match exec.interactive_mode.as_deref() {
        Some("Never" | "IfAvailable" | "Always") => {}
        Some(other) => {
            problems.push(ConfigError::UnknownInteractiveMode { user: entry(), found: other.to_owned() });
        }
        None if exec.has_default_interactive_mode() => {}
        None => problems.push(ConfigError::ExecWithoutInteractiveMode { user: entry() }),
    }
}

impl ExecPlugin {
    /// Whether the version is one of those that come from before `interactiveMode`.
    pub(super) fn has_default_interactive_mode(&self) -> bool {
        matches!(
            self.api_version.as_deref(),
            Some("client.authentication.k8s.io/v1beta1" | "client.authentication.k8s.io/v1alpha1")
        )
    }
}

fn readable(entry: impl Fn() -> Entry, field: &'static str, path: &Path, problems: &mut Vec<ConfigError>) {
    if let Err(source) = File::open(path) {
        problems.push(ConfigError::UnreadableFile { entry: entry(), field, path: path.to_owned(), source });
    }
}
