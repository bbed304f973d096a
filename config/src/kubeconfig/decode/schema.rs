//! What stands in a kubeconfig, map by map. A field that isn't named here is kept as it is.

use std::path::PathBuf;

use serde_json::Value;

use super::{Decoder, Step, TREE_NODE, TREE_NODE_FILL};
use crate::kubeconfig::{
    AuthProvider, Cluster, Context, ExecEnvVar, ExecPlugin, Extensions, Kubeconfig, Preferences,
    UnknownFields, User,
};
use crate::node::Node;
use crate::{ConfigError, Secret};

impl<'a> Decoder<'a> {
    pub(super) fn root(&mut self, node: Node<'a>) -> Kubeconfig {
        let mut out = Kubeconfig::default();
        self.each_field(node, |d, key, value| match key {
            "kind" => {
                let found = d.string(value);
                if !matches!(found.as_str(), "" | "Config") {
                    d.report(ConfigError::WrongKind { file: d.file.clone(), found });
                }
            }
            "apiVersion" => {
                let found = d.string(value);
                if !matches!(found.as_str(), "" | "v1") {
                    d.report(ConfigError::WrongApiVersion { file: d.file.clone(), found });
                }
            }
            "preferences" => out.preferences = d.preferences(value),
            "clusters" => {
                out.clusters = d.named(value, "cluster", Self::cluster, |cluster| &mut cluster.entry_unknown);
            }
            "users" => out.users = d.named(value, "user", Self::user, |user| &mut user.entry_unknown),
            "contexts" => {
                out.contexts = d.named(value, "context", Self::context, |context| &mut context.entry_unknown);
            }
            "current-context" => out.current_context = d.text(value),
            "extensions" => out.extensions = d.extensions(value),
            other => d.keep(&mut out.unknown, other, value),
        });
        out
    }

    fn preferences(&mut self, node: Node<'a>) -> Preferences {
        let mut out = Preferences::default();
        self.each_field(node, |d, key, value| match key {
            "colors" => out.colors = d.boolean(value),
            "extensions" => out.extensions = d.extensions(value),
            other => d.keep(&mut out.unknown, other, value),
        });
        out
    }

    fn cluster(&mut self, node: Node<'a>) -> Cluster {
        let mut out = Cluster { origin: self.origin.clone(), ..Cluster::default() };
        self.each_field(node, |d, key, value| match key {
            "server" => out.server = d.string(value),
            "tls-server-name" => out.tls_server_name = d.text(value),
            "insecure-skip-tls-verify" => out.insecure_skip_tls_verify = d.boolean(value),
            "certificate-authority" => out.certificate_authority = d.path(value),
            "certificate-authority-data" => out.certificate_authority_data = d.data(value),
            "proxy-url" => out.proxy_url = d.secret(value),
            "disable-compression" => out.disable_compression = d.boolean(value),
            "extensions" => out.extensions = d.extensions(value),
            other => d.keep(&mut out.unknown, other, value),
        });
        out
    }

    fn user(&mut self, node: Node<'a>) -> User {
        let mut out = User { origin: self.origin.clone(), ..User::default() };
        self.each_field(node, |d, key, value| match key {
            "client-certificate" => out.client_certificate = d.path(value),
            "client-certificate-data" => out.client_certificate_data = d.data(value),
            "client-key" => out.client_key = d.path(value),
            "client-key-data" => out.client_key_data = d.data(value).map(Secret::new),
            "token" => out.token = d.secret(value),
            "tokenFile" => out.token_file = d.path(value),
            "as" => out.impersonate = d.text(value),
            "as-uid" => out.impersonate_uid = d.text(value),
            "as-groups" => out.impersonate_groups = d.list(value, Self::string),
            "as-user-extra" => {
                out.impersonate_extra = d.dictionary(value, |d, value| d.list(value, Self::string));
            }
            "username" => out.username = d.text(value),
            "password" => out.password = d.secret(value),
            "auth-provider" => out.auth_provider = d.optional(value, Self::auth_provider),
            "exec" => out.exec = d.optional(value, Self::exec),
            "extensions" => out.extensions = d.extensions(value),
            other => d.keep(&mut out.unknown, other, value),
        });
        out
    }

    fn context(&mut self, node: Node<'a>) -> Context {
        let mut out = Context { origin: self.origin.clone(), ..Context::default() };
        self.each_field(node, |d, key, value| match key {
            "cluster" => out.cluster = d.string(value),
            "user" => out.user = d.string(value),
            "namespace" => out.namespace = d.text(value),
            "extensions" => out.extensions = d.extensions(value),
            other => d.keep(&mut out.unknown, other, value),
        });
        out
    }

    fn auth_provider(&mut self, node: Node<'a>) -> AuthProvider {
        let mut out = AuthProvider::default();
        self.each_field(node, |d, key, value| match key {
            "name" => out.name = d.string(value),
            "config" => out.config = d.dictionary(value, |d, value| Secret::new(d.string(value))),
            other => d.keep(&mut out.unknown, other, value),
        });
        out
    }

    fn exec(&mut self, node: Node<'a>) -> ExecPlugin {
        let mut out = ExecPlugin::default();
        self.each_field(node, |d, key, value| match key {
            "command" => out.command = PathBuf::from(d.string(value)),
            "args" => out.args = d.list(value, |d, value| Secret::new(d.string(value))),
            "env" => out.env = d.list(value, Self::env_var),
            "apiVersion" => out.api_version = d.text(value),
            "installHint" => out.install_hint = d.text(value),
            "provideClusterInfo" => out.provide_cluster_info = d.boolean(value),
            "interactiveMode" => out.interactive_mode = d.text(value),
            other => d.keep(&mut out.unknown, other, value),
        });
        if out.interactive_mode.is_none() && out.has_default_interactive_mode() {
            out.interactive_mode = Some("IfAvailable".to_owned());
        }
        out
    }

    fn env_var(&mut self, node: Node<'a>) -> ExecEnvVar {
        let mut out = ExecEnvVar::default();
        self.each_field(node, |d, key, value| match key {
            "name" => out.name = d.string(value),
            "value" => out.value = Secret::new(d.string(value)),
            other => d.keep(&mut out.unknown, other, value),
        });
        out
    }

    fn extensions(&mut self, node: Node<'a>) -> Extensions {
        let mut out = Extensions::default();
        for (index, item) in self.items(node).into_iter().enumerate() {
            self.spend(TREE_NODE / TREE_NODE_FILL);
            if self.over_budget {
                break;
            }
            self.path.push(Step::Index(index));
            let (mut name, mut value, mut unknown) = (String::new(), Value::Null, UnknownFields::default());
            self.each_field(item, |d, key, node| match key {
                "name" => name = d.string(node),
                "extension" => value = d.json(node),
                other => d.keep(&mut unknown, other, node),
            });
            self.path.pop();
            if !out.add(name.clone(), value, unknown) {
                let at = self.place();
                self.report(ConfigError::DuplicateName { at, name });
            }
        }
        out
    }
}
