//! From a file and overrides to a [`Config`].

use std::borrow::Cow;
use std::fs;
use std::path::PathBuf;

use super::validate;
use super::{Cluster, Context, ExecPlugin, Kubeconfig, User};
use crate::error::EntryKind;
use crate::overrides::{IsEmpty, lay_cluster, lay_context, lay_user};
use crate::{
    AuthProviderConfig, BasicAuth, BearerToken, ClientCertificate, Config, ConfigError, Credentials,
    EntryOrigin, ExecConfig, HeaderCredential, Impersonation, InteractiveMode, Overrides, Pem, PluginPolicy,
    ProxyUrl, Secret, TlsConfig, duration,
};

/// The cluster extension that is passed on to exec plugins.
const EXEC_EXTENSION: &str = "client.authentication.k8s.io/exec";

/// What a context and overrides choose from a kubeconfig.
struct Chosen<'a> {
    context: Cow<'a, Context>,
    cluster: Cluster,
    /// Whether the cluster has an entry of its own, and not only overrides.
    cluster_exists: bool,
    user: User,
}

impl Kubeconfig {
    /// The config of the context that is chosen: the overrides', or else the current one.
    ///
    /// Certificate and key files are checked here, and read when a client is built.
    ///
    /// # Errors
    /// [`ConfigError::UnknownContext`], [`ConfigError::UnknownCluster`] or [`ConfigError::UnknownUser`] when a name
    /// that was asked for does not exist; [`ConfigError::Empty`] when nothing says which server to use; else
    /// everything that is wrong with the chosen cluster and user.
    pub fn resolve(&self, overrides: &Overrides) -> Result<Config, ConfigError> {
        let chosen = self.choose(overrides)?;
        check(&chosen, overrides)?;
        let Chosen { context, cluster, user, .. } = chosen;

        let mut config = Config::new(without_query(&cluster.server));
        if let Some(namespace) = &context.namespace {
            config.namespace.clone_from(namespace);
        }
        if let Some(url) = &cluster.proxy_url {
            let parsed: ProxyUrl = url.expose().parse().map_err(|source| ConfigError::BadProxyUrl {
                cluster: validate::entry(EntryKind::Cluster, &context.cluster, &cluster.origin),
                source,
            })?;
            config.proxy = Some(parsed);
        }
        config.disable_compression = cluster.disable_compression;
        config.timeout = match overrides.timeout.as_deref() {
            None | Some("") => None,
            Some(timeout) => duration::parse_timeout(timeout)?,
        };
        if let Some(name) = &user.impersonate {
            config.impersonate = Some(Impersonation {
                user: name.clone(),
                uid: user.impersonate_uid.clone(),
                groups: user.impersonate_groups.clone(),
                extra: user.impersonate_extra.clone(),
            });
        }
        // What is meant for a server that can be trusted is not given to one that can't be.
        if has_https(&cluster.server) {
            config.tls = TlsConfig {
                insecure: cluster.insecure_skip_tls_verify,
                server_name: cluster.tls_server_name.clone(),
                ca: pem(cluster.certificate_authority_data.as_ref(), cluster.certificate_authority.as_ref()),
                alpn: Vec::new(),
            };
            config.credentials = credentials(&context.user, user, &cluster, &overrides.plugin_policy)?;
        }
        Ok(config)
    }

    fn choose(&self, overrides: &Overrides) -> Result<Chosen<'_>, ConfigError> {
        let asked = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        let name = asked(&overrides.current_context).or_else(|| asked(&self.current_context));
        let mut context = match &name {
            None => Cow::Owned(Context::default()),
            Some(name) => {
                Cow::Borrowed(self.contexts.get(name).ok_or_else(|| ConfigError::UnknownContext {
                    name: name.clone(),
                    known: self.contexts.keys().cloned().collect(),
                })?)
            }
        };
        if overrides.context != Context::default() {
            lay_context(context.to_mut(), &overrides.context);
        }

        let user = self.users.get(&context.user);
        if user.is_none() && !overrides.context.user.is_empty() {
            return Err(ConfigError::UnknownUser {
                name: context.user.clone(),
                known: self.users.keys().cloned().collect(),
            });
        }
        let cluster = self.clusters.get(&context.cluster);
        if cluster.is_none() && !overrides.context.cluster.is_empty() {
            return Err(ConfigError::UnknownCluster {
                name: context.cluster.clone(),
                known: self.clusters.keys().cloned().collect(),
            });
        }
        // Paths of entries are relative to their file, those of overrides to the working folder.
        let mut user = user.cloned().unwrap_or_default();
        user.resolve_paths();
        let named = cluster.cloned().map(|mut cluster| {
            cluster.resolve_paths();
            cluster
        });
        let cluster = override_cluster(named.as_ref(), overrides);
        Ok(Chosen {
            context,
            cluster,
            cluster_exists: named.is_some(),
            user: override_user(user, &overrides.user),
        })
    }

    /// Whether a namespace was asked for, be it the default one, so that a pod's own is not used.
    pub(crate) fn says_namespace(&self, overrides: &Overrides) -> bool {
        let said = |context: &Context| context.namespace.as_deref().is_some_and(|name| !name.is_empty());
        let name = overrides
            .current_context
            .as_ref()
            .filter(|name| !name.is_empty())
            .or(self.current_context.as_ref());
        said(&overrides.context) || name.and_then(|name| self.contexts.get(name)).is_some_and(said)
    }
}

fn check(chosen: &Chosen<'_>, overrides: &Overrides) -> Result<(), ConfigError> {
    let mut problems = Vec::new();
    validate::user(&chosen.context.user, &chosen.user, &overrides.plugin_policy, &mut problems);
    if chosen.cluster_exists || !chosen.cluster.says_nothing() {
        validate::cluster(&chosen.context.cluster, &chosen.cluster, &mut problems);
    } else if problems.is_empty() {
        return Err(ConfigError::Empty);
    } else {
        problems.push(ConfigError::NoCluster { name: chosen.context.cluster.clone() });
    }
    ConfigError::gather(problems)
}

/// Whether an override gives a file or its content.
fn given(file: Option<&PathBuf>, data: Option<&impl IsEmpty>) -> bool {
    file.is_some_and(|file| !IsEmpty::is_empty(file)) || data.is_some_and(|data| !data.is_empty())
}

fn override_user(mut user: User, over: &User) -> User {
    lay_user(&mut user, over);
    if given(over.client_certificate.as_ref(), over.client_certificate_data.as_ref()) {
        user.client_certificate.clone_from(&over.client_certificate);
        user.client_certificate_data.clone_from(&over.client_certificate_data);
    }
    if given(over.client_key.as_ref(), over.client_key_data.as_ref()) {
        user.client_key.clone_from(&over.client_key);
        user.client_key_data.clone_from(&over.client_key_data);
    }
    user
}

fn override_cluster(named: Option<&Cluster>, overrides: &Overrides) -> Cluster {
    let over = &overrides.cluster;
    let mut cluster = overrides.cluster_defaults.clone();
    if let Some(named) = named {
        lay_cluster(&mut cluster, named);
    }
    lay_cluster(&mut cluster, over);
    let ca = given(over.certificate_authority.as_ref(), over.certificate_authority_data.as_ref());
    if ca || over.insecure_skip_tls_verify {
        cluster.insecure_skip_tls_verify = over.insecure_skip_tls_verify;
        cluster.certificate_authority.clone_from(&over.certificate_authority);
        cluster.certificate_authority_data.clone_from(&over.certificate_authority_data);
    }
    if !over.server.is_empty() || over.tls_server_name.as_ref().is_some_and(|name| !name.is_empty()) {
        cluster.tls_server_name.clone_from(&over.tls_server_name);
    }
    cluster
}

/// Data wins over a file.
fn pem<T: Clone>(data: Option<&T>, file: Option<&PathBuf>) -> Option<Pem<T>> {
    match (data, file) {
        (Some(data), _) => Some(Pem::Data(data.clone())),
        (None, Some(file)) => Some(Pem::File(file.clone())),
        (None, None) => None,
    }
}

/// What is sent when several ways are configured: a certificate with a header beside it; else a header; else what a
/// plugin gives. A token or a password keeps plugins from being used, as does a certificate an exec plugin.
fn credentials(
    name: &str,
    user: User,
    cluster: &Cluster,
    policy: &PluginPolicy,
) -> Result<Credentials, ConfigError> {
    let token_file = user.token_file.clone();
    let token = match (&user.token, &token_file) {
        (Some(token), _) => Some(token.clone()),
        (None, Some(file)) => {
            let token = fs::read_to_string(file).map_err(|source| ConfigError::UnreadableFile {
                entry: validate::entry(EntryKind::User, name, &user.origin),
                field: "tokenFile",
                path: file.clone(),
                source,
            })?;
            Some(Secret::new(token))
        }
        (None, None) => None,
    };
    let bearer = token.is_some().then_some(BearerToken { token, token_file });
    let basic = (user.username.is_some() || user.password.is_some()).then(|| BasicAuth {
        username: user.username.clone().unwrap_or_default(),
        password: user.password.clone().unwrap_or_default(),
    });
    if bearer.is_some() && basic.is_some() {
        let user = validate::entry(EntryKind::User, name, &user.origin);
        return Err(ConfigError::TokenFileAndBasic { user });
    }
    let provider = user.auth_provider.as_ref().map(|provider| AuthProviderConfig {
        name: provider.name.clone(),
        config: provider.config.clone(),
        origin: user.origin.path().map(|path| EntryOrigin { path: path.to_owned(), name: name.to_owned() }),
    });
    let certificate = pem(user.client_certificate_data.as_ref(), user.client_certificate.as_ref());
    let key = pem(user.client_key_data.as_ref(), user.client_key.as_ref());

    if let Some((certificate, key)) = certificate.zip(key) {
        let header = match (bearer, basic, provider) {
            (Some(bearer), _, _) => HeaderCredential::Bearer(bearer),
            (None, Some(basic), _) => HeaderCredential::Basic(basic),
            (None, None, Some(provider)) => HeaderCredential::AuthProvider(provider),
            (None, None, None) => HeaderCredential::None,
        };
        return Ok(Credentials::ClientCertificate {
            certificate: ClientCertificate { certificate, key },
            header,
        });
    }
    Ok(match (bearer, basic, provider, user.exec) {
        (Some(bearer), ..) => Credentials::Bearer(bearer),
        (None, Some(basic), ..) => Credentials::Basic(basic),
        (None, None, Some(provider), _) => Credentials::AuthProvider(provider),
        (None, None, None, Some(plugin)) => Credentials::Exec(Box::new(exec(&plugin, cluster, policy))),
        (None, None, None, None) => Credentials::None,
    })
}

fn exec(plugin: &ExecPlugin, cluster: &Cluster, policy: &PluginPolicy) -> ExecConfig {
    ExecConfig {
        command: plugin.command.clone(),
        args: plugin.args.clone(),
        env: plugin.env.iter().map(|var| (var.name.clone(), var.value.clone())).collect(),
        api_version: plugin.api_version.clone().unwrap_or_default(),
        install_hint: plugin.install_hint.as_deref().map(crate::exec::shown),
        interactive_mode: match plugin.interactive_mode.as_deref() {
            Some("Never") => InteractiveMode::Never,
            Some("Always") => InteractiveMode::Always,
            _ => InteractiveMode::IfAvailable,
        },
        stdin_unavailable: None,
        provide_cluster_info: plugin.provide_cluster_info,
        cluster_config: cluster.extensions.get(EXEC_EXTENSION).cloned(),
        policy: policy.clone(),
    }
}

fn has_https(server: &str) -> bool {
    server.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"))
}

/// A server's URL without query and fragment, where it has a path.
fn without_query(server: &str) -> &str {
    let Some(start) = server.find("://").map(|at| at + 3) else { return server };
    let authority_and_rest = server.get(start..).unwrap_or_default();
    match authority_and_rest.find('/') {
        Some(slash) => {
            let path = start + slash;
            let end = server
                .get(path..)
                .and_then(|rest| rest.find(['?', '#']))
                .map_or(server.len(), |at| path + at);
            server.get(..end).unwrap_or(server)
        }
        None => server,
    }
}
