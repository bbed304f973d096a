//! A [`Kubeconfig`] becomes a document, field by field as kubectl writes it.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{Cluster, Context, ExecPlugin, Extensions, Kubeconfig, UnknownFields, User};
use crate::{Secret, yaml};

impl Kubeconfig {
    /// The document as a JSON value, with secrets, as `kubectl config view --raw -o json` shows it.
    pub fn to_value(&self) -> Value {
        let mut out = Object::new(&self.unknown);
        out.set("kind", "Config".into());
        out.set("apiVersion", "v1".into());
        let mut preferences = Object::new(&self.preferences.unknown);
        preferences.flag("colors", self.preferences.colors);
        preferences.extensions(&self.preferences.extensions);
        out.set("preferences", preferences.into());
        out.set("clusters", list(&self.clusters, "cluster", cluster, |entry| &entry.entry_unknown));
        out.set("users", list(&self.users, "user", user, |entry| &entry.entry_unknown));
        out.set("contexts", list(&self.contexts, "context", context, |entry| &entry.entry_unknown));
        out.set("current-context", self.current_context.as_deref().unwrap_or_default().into());
        out.extensions(&self.extensions);
        out.into()
    }

    /// The document as YAML, with secrets.
    pub fn to_yaml(&self) -> String {
        let mut value = self.to_value();
        let text = yaml::to_yaml(&value);
        super::wipe(&mut value);
        text
    }
}

fn list<T>(
    entries: &std::collections::BTreeMap<String, T>,
    field: &str,
    encode: fn(&T) -> Value,
    unknown: fn(&T) -> &UnknownFields,
) -> Value {
    if entries.is_empty() {
        return Value::Null;
    }
    let entry = |(name, entry): (&String, &T)| {
        let mut out = Object::new(unknown(entry));
        out.set("name", name.as_str().into());
        out.set(field, encode(entry));
        out.into()
    };
    Value::Array(entries.iter().map(entry).collect())
}

fn cluster(cluster: &Cluster) -> Value {
    let mut out = Object::new(&cluster.unknown);
    out.set("server", cluster.server.as_str().into());
    out.text("tls-server-name", cluster.tls_server_name.as_deref());
    out.flag("insecure-skip-tls-verify", cluster.insecure_skip_tls_verify);
    out.path("certificate-authority", cluster.certificate_authority.as_deref());
    out.data("certificate-authority-data", cluster.certificate_authority_data.as_deref());
    out.text("proxy-url", cluster.proxy_url.as_ref().map(exposed));
    out.flag("disable-compression", cluster.disable_compression);
    out.extensions(&cluster.extensions);
    out.into()
}

fn user(user: &User) -> Value {
    let mut out = Object::new(&user.unknown);
    out.path("client-certificate", user.client_certificate.as_deref());
    out.data("client-certificate-data", user.client_certificate_data.as_deref());
    out.path("client-key", user.client_key.as_deref());
    out.data("client-key-data", user.client_key_data.as_ref().map(|key| key.expose().as_slice()));
    out.text("token", user.token.as_ref().map(exposed));
    out.path("tokenFile", user.token_file.as_deref());
    out.text("as", user.impersonate.as_deref());
    out.text("as-uid", user.impersonate_uid.as_deref());
    if !user.impersonate_groups.is_empty() {
        out.set("as-groups", user.impersonate_groups.clone().into());
    }
    if !user.impersonate_extra.is_empty() {
        let extra = user.impersonate_extra.iter();
        let extra = extra.map(|(key, values)| {
            (key.clone(), if values.is_empty() { Value::Null } else { values.clone().into() })
        });
        out.set("as-user-extra", Value::Object(extra.collect()));
    }
    out.text("username", user.username.as_deref());
    out.text("password", user.password.as_ref().map(exposed));
    if let Some(provider) = &user.auth_provider {
        let mut inner = Object::new(&provider.unknown);
        inner.set("name", provider.name.as_str().into());
        let settings = provider.config.iter().map(|(key, value)| (key.clone(), exposed(value).into()));
        inner.set(
            "config",
            if provider.config.is_empty() { Value::Null } else { Value::Object(settings.collect()) },
        );
        out.set("auth-provider", inner.into());
    }
    if let Some(plugin) = &user.exec {
        out.set("exec", exec(plugin));
    }
    out.extensions(&user.extensions);
    out.into()
}

fn exec(exec: &ExecPlugin) -> Value {
    let mut out = Object::new(&exec.unknown);
    out.set("command", exec.command.to_string_lossy().into());
    let args: Vec<Value> = exec.args.iter().map(|arg| exposed(arg).into()).collect();
    out.set("args", if args.is_empty() { Value::Null } else { args.into() });
    let env = exec.env.iter().map(|var| {
        let mut out = Object::new(&var.unknown);
        out.set("name", var.name.as_str().into());
        out.set("value", exposed(&var.value).into());
        Value::from(out)
    });
    out.set("env", if exec.env.is_empty() { Value::Null } else { Value::Array(env.collect()) });
    out.text("apiVersion", exec.api_version.as_deref());
    out.text("installHint", exec.install_hint.as_deref());
    out.set("provideClusterInfo", exec.provide_cluster_info.into());
    out.text("interactiveMode", exec.interactive_mode.as_deref());
    out.into()
}

fn context(context: &Context) -> Value {
    let mut out = Object::new(&context.unknown);
    out.set("cluster", context.cluster.as_str().into());
    out.set("user", context.user.as_str().into());
    out.text("namespace", context.namespace.as_deref());
    out.extensions(&context.extensions);
    out.into()
}

fn exposed(secret: &Secret) -> &str {
    secret.expose()
}

/// A map being filled; what says nothing is left out.
struct Object(Map<String, Value>);

impl Object {
    fn new(unknown: &UnknownFields) -> Self {
        let mut map = Map::new();
        unknown.copy_to(&mut map);
        Self(map)
    }

    fn set(&mut self, key: &str, value: Value) {
        self.0.insert(key.to_owned(), value);
    }

    fn flag(&mut self, key: &str, value: bool) {
        if value {
            self.set(key, true.into());
        }
    }

    fn text(&mut self, key: &str, value: Option<&str>) {
        if let Some(text) = value.filter(|text| !text.is_empty()) {
            self.set(key, text.into());
        }
    }

    fn path(&mut self, key: &str, value: Option<&Path>) {
        self.text(key, value.map(Path::to_string_lossy).as_deref());
    }

    fn data(&mut self, key: &str, value: Option<&[u8]>) {
        if let Some(data) = value.filter(|data| !data.is_empty()) {
            self.set(key, STANDARD.encode(data).into());
        }
    }

    fn extensions(&mut self, extensions: &Extensions) {
        if !extensions.is_empty() {
            self.set("extensions", extensions.to_list());
        }
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Value::Object(object.0)
    }
}
