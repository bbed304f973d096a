//! Edits as kubectl's `config` subcommands make them.

use super::{Cluster, Context, Kubeconfig, User};
use crate::ConfigError;
use crate::overrides::{lay_cluster, lay_context, lay_user};

impl Kubeconfig {
    /// Creates the cluster `name`, or lays the non-empty fields of `fields` on it.
    ///
    /// A server clears the tls-server-name unless that is given too; insecure clears the certificate authority, and
    /// a certificate authority clears insecure and the other form of itself.
    pub fn set_cluster(&mut self, name: impl Into<String>, fields: &Cluster) {
        let cluster = self.clusters.entry(name.into()).or_default();
        if !fields.server.is_empty() {
            cluster.tls_server_name = None;
        }
        if fields.insecure_skip_tls_verify {
            cluster.certificate_authority = None;
            cluster.certificate_authority_data = None;
        }
        if fields.certificate_authority.is_some() || fields.certificate_authority_data.is_some() {
            cluster.insecure_skip_tls_verify = false;
            cluster.certificate_authority = None;
            cluster.certificate_authority_data = None;
        }
        lay_cluster(cluster, fields);
    }

    /// Creates the user `name`, or lays the non-empty fields of `fields` on it.
    ///
    /// A token clears user name and password, and the other way round; a certificate or a key clears the other form
    /// of itself. `exec` and `auth-provider` are replaced whole.
    pub fn set_credentials(&mut self, name: impl Into<String>, fields: &User) {
        let user = self.users.entry(name.into()).or_default();
        if fields.client_certificate.is_some() || fields.client_certificate_data.is_some() {
            user.client_certificate = None;
            user.client_certificate_data = None;
        }
        if fields.client_key.is_some() || fields.client_key_data.is_some() {
            user.client_key = None;
            user.client_key_data = None;
        }
        let basic = fields.username.is_some() || fields.password.is_some();
        if fields.token.is_some() && !basic {
            user.username = None;
            user.password = None;
        }
        if basic && fields.token.is_none() {
            user.token = None;
        }
        lay_user(user, fields);
    }

    /// Creates the context `name`, or lays the non-empty fields of `fields` on it.
    pub fn set_context(&mut self, name: impl Into<String>, fields: &Context) {
        lay_context(self.contexts.entry(name.into()).or_default(), fields);
    }

    /// Makes the context `name` the current one.
    ///
    /// # Errors
    /// [`ConfigError::UnknownContext`] when it does not exist.
    pub fn use_context(&mut self, name: &str) -> Result<(), ConfigError> {
        if !self.contexts.contains_key(name) {
            return Err(self.unknown_context(name));
        }
        self.current_context = Some(name.to_owned());
        Ok(())
    }

    /// Removes the context `name`, and gives it back. The current context stays as it is, even if it is this one.
    ///
    /// # Errors
    /// [`ConfigError::UnknownContext`] when it does not exist.
    pub fn delete_context(&mut self, name: &str) -> Result<Context, ConfigError> {
        self.contexts.remove(name).ok_or_else(|| self.unknown_context(name))
    }

    /// Removes the cluster `name`, and gives it back. Contexts that name it stay as they are.
    ///
    /// # Errors
    /// [`ConfigError::UnknownCluster`] when it does not exist.
    pub fn delete_cluster(&mut self, name: &str) -> Result<Cluster, ConfigError> {
        self.clusters.remove(name).ok_or_else(|| ConfigError::UnknownCluster {
            name: name.to_owned(),
            known: self.clusters.keys().cloned().collect(),
        })
    }

    /// Removes the user `name`, and gives it back. Contexts that name it stay as they are.
    ///
    /// # Errors
    /// [`ConfigError::UnknownUser`] when it does not exist.
    pub fn delete_user(&mut self, name: &str) -> Result<User, ConfigError> {
        self.users.remove(name).ok_or_else(|| ConfigError::UnknownUser {
            name: name.to_owned(),
            known: self.users.keys().cloned().collect(),
        })
    }

    /// Gives the context `old` the name `new`; if it is the current one it stays so.
    ///
    /// # Errors
    /// [`ConfigError::UnknownContext`] when `old` does not exist, [`ConfigError::NameTaken`] when `new` does.
    pub fn rename_context(&mut self, old: &str, new: &str) -> Result<(), ConfigError> {
        if !self.contexts.contains_key(old) {
            return Err(self.unknown_context(old));
        }
        if self.contexts.contains_key(new) {
            return Err(ConfigError::NameTaken { name: new.to_owned() });
        }
        if let Some(context) = self.contexts.remove(old) {
            self.contexts.insert(new.to_owned(), context);
        }
        if self.current_context.as_deref() == Some(old) {
            self.current_context = Some(new.to_owned());
        }
        Ok(())
    }
}
