//! What can be wrong with an entry. Every problem is found, not only the first.

use std::fs::File;
use std::path::Path;

use super::{Cluster, ExecPlugin, User};
use crate::error::{Entry, EntryKind};
use crate::{ConfigError, PluginPolicy, ProxyUrl, paths};

/// The entry as errors name it.
pub(super) fn entry(kind: EntryKind, name: &str, origin: &super::Origin) -> Entry {
    Entry { kind, name: name.to_owned(), file: origin.path().map(Box::from) }
}

/// What is wrong with a cluster by itself.
pub(super) fn cluster(name: &str, cluster: &Cluster, problems: &mut Vec<ConfigError>) {
    let entry = || entry(EntryKind::Cluster, name, &cluster.origin);
    if *cluster == Cluster::default() {
        problems.push(ConfigError::EmptyCluster { cluster: entry() });
        return;
    }
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
        readable(entry, "certificate-authority", file, cluster.origin.path(), problems);
    }
}

/// What is wrong with a user by itself.
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
            readable(entry, "client-certificate", file, user.origin.path(), problems);
        }
        if let Some(file) = &user.client_key {
            readable(entry, "client-key", file, user.origin.path(), problems);
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
    if exec.command.is_empty() {
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
    fn has_default_interactive_mode(&self) -> bool {
        matches!(
            self.api_version.as_deref(),
            Some("client.authentication.k8s.io/v1beta1" | "client.authentication.k8s.io/v1alpha1")
        )
    }
}

fn readable(
    entry: impl Fn() -> Entry,
    field: &'static str,
    file: &Path,
    origin: Option<&Path>,
    problems: &mut Vec<ConfigError>,
) {
    let path = paths::resolve(file, origin);
    if let Err(source) = File::open(&path) {
        problems.push(ConfigError::UnreadableFile { entry: entry(), field, path, source });
    }
}
