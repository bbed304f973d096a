use crate::{Cluster, Context, PluginPolicy, User};

/// Settings that win over what a kubeconfig says, such as those of command line flags.
///
/// A field that is empty, `None` or false overrides nothing. Beyond that:
/// - a server or a tls-server-name replaces the file's tls-server-name, so that a server alone clears it;
/// - insecure or any certificate authority replaces insecure and both forms of the certificate authority;
/// - a client certificate or key replaces both forms of its own;
/// - lists, `exec` and `auth-provider` are replaced whole.
///
/// Relative paths are those of the working folder.
///
/// ```
/// use kubewire_config::{Cluster, Overrides};
///
/// let overrides = Overrides {
///     cluster: Cluster { server: "https://10.0.0.2:6443".into(), ..Cluster::default() },
///     current_context: Some("dev".into()),
///     ..Overrides::default()
/// };
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// The context to use instead of the current one.
    pub current_context: Option<String>,
    /// Fields of the chosen context: its cluster, user and namespace.
    pub context: Context,
    /// Fields of the chosen cluster.
    pub cluster: Cluster,
    /// What the chosen cluster's fields are where neither the file nor `cluster` says so.
    pub cluster_defaults: Cluster,
    /// Fields of the chosen user.
    pub user: User,
    /// A bound on each request: whole seconds (`30`) or a duration with units (`1m30s`).
    pub timeout: Option<String>,
    /// Which exec plugins may be run.
    pub plugin_policy: PluginPolicy,
}

pub(crate) fn set<T>(target: &mut Option<T>, value: Option<&T>)
where
    T: Clone + IsEmpty,
{
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        *target = Some(value.clone());
    }
}

/// What counts as saying nothing.
pub(crate) trait IsEmpty {
    fn is_empty(&self) -> bool;
}

impl IsEmpty for String {
    fn is_empty(&self) -> bool {
        self.as_str().is_empty()
    }
}

impl IsEmpty for std::path::PathBuf {
    fn is_empty(&self) -> bool {
        self.as_os_str().is_empty()
    }
}

impl IsEmpty for Vec<u8> {
    fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }
}

impl<T: IsEmpty + zeroize::Zeroize + Default> IsEmpty for crate::Secret<T> {
    fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl<T> IsEmpty for Box<T> {
    fn is_empty(&self) -> bool {
        false
    }
}

/// Lays the non-empty fields of `over` on `cluster`, field by field.
pub(crate) fn lay_cluster(cluster: &mut Cluster, over: &Cluster) {
    if !over.server.is_empty() {
        cluster.server.clone_from(&over.server);
    }
    set(&mut cluster.tls_server_name, over.tls_server_name.as_ref());
    cluster.insecure_skip_tls_verify |= over.insecure_skip_tls_verify;
    set(&mut cluster.certificate_authority, over.certificate_authority.as_ref());
    set(&mut cluster.certificate_authority_data, over.certificate_authority_data.as_ref());
    set(&mut cluster.proxy_url, over.proxy_url.as_ref());
    cluster.disable_compression |= over.disable_compression;
    cluster.extensions.replace_from(&over.extensions);
    if over.origin.path().is_some() {
        cluster.origin = over.origin.clone();
    }
}

/// Lays the non-empty fields of `over` on `user`, field by field.
pub(crate) fn lay_user(user: &mut User, over: &User) {
    set(&mut user.client_certificate, over.client_certificate.as_ref());
    set(&mut user.client_certificate_data, over.client_certificate_data.as_ref());
    set(&mut user.client_key, over.client_key.as_ref());
    set(&mut user.client_key_data, over.client_key_data.as_ref());
    set(&mut user.token, over.token.as_ref());
    set(&mut user.token_file, over.token_file.as_ref());
    set(&mut user.impersonate, over.impersonate.as_ref());
    set(&mut user.impersonate_uid, over.impersonate_uid.as_ref());
    if !over.impersonate_groups.is_empty() {
        user.impersonate_groups.clone_from(&over.impersonate_groups);
    }
    for (key, values) in &over.impersonate_extra {
        user.impersonate_extra.insert(key.clone(), values.clone());
    }
    set(&mut user.username, over.username.as_ref());
    set(&mut user.password, over.password.as_ref());
    set(&mut user.auth_provider, over.auth_provider.as_ref());
    set(&mut user.exec, over.exec.as_ref());
    user.extensions.replace_from(&over.extensions);
}

/// Lays the non-empty fields of `over` on `context`, field by field.
pub(crate) fn lay_context(context: &mut Context, over: &Context) {
    if !over.cluster.is_empty() {
        context.cluster.clone_from(&over.cluster);
    }
    if !over.user.is_empty() {
        context.user.clone_from(&over.user);
    }
    set(&mut context.namespace, over.namespace.as_ref());
    context.extensions.replace_from(&over.extensions);
}
