//! A document becomes a [`Kubeconfig`]. Every wrong type is gathered, with its line and field.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;
use zeroize::Zeroize;

use super::{
    AuthProvider, Cluster, Context, ExecEnvVar, ExecPlugin, Extensions, Kubeconfig, Origin, Preferences,
    UnknownFields, User,
};
use crate::error::{FileName, Place};
use crate::node::{Map, Node, Source};
use crate::yaml::{self, Problem};
use crate::{ConfigError, Secret};

/// As strict as the reference: padding is needed, spare bits of the last character are ignored.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// More problems than this are not listed: a file of another kind would give thousands.
const MOST_PROBLEMS: usize = 20;

/// What a node of a `BTreeMap` of strings and JSON values takes, and how many entries one holds at the least where
/// there are several.
const TREE_NODE: usize = 11 * (size_of::<String>() + size_of::<Value>()) + 32;
const TREE_NODE_FILL: usize = 5;

/// What one file says.
pub(crate) struct Loaded {
    pub(crate) kubeconfig: Kubeconfig,
    /// Whether further documents follow the one that was read.
    pub(crate) more: bool,
}

/// Reads a kubeconfig of the file at `path`, if it came from one.
pub(crate) fn decode(bytes: &[u8], path: Option<&Path>) -> Result<Loaded, ConfigError> {
    let file = FileName(path.map(Path::to_owned));
    let problem = |problem| match problem {
        Problem::NotUtf8 { line } => ConfigError::NotUtf8 { file: file.clone(), line },
        Problem::Syntax { line, column, problem } => {
            ConfigError::Syntax { file: file.clone(), line, column, problem }
        }
        Problem::Excessive(problem) => ConfigError::Excessive { file: file.clone(), problem },
    };
    let text = Wiped(yaml::text(bytes).map_err(problem)?);
    let parsed = yaml::parse(&text.0).map_err(problem)?;
    let origin = path.map_or_else(Origin::default, |path| Origin::file(Arc::from(path)));
    let mut decoder = Decoder {
        source: parsed.source,
        file: file.clone(),
        origin,
        path: Vec::new(),
        problems: Vec::new(),
        over_budget: false,
    };
    let kubeconfig = decoder.root(parsed.root);
    if decoder.over_budget {
        return Err(ConfigError::Excessive { file, problem: "it is made of next to nothing, many times" });
    }
    ConfigError::gather(decoder.problems)?;
    Ok(Loaded { kubeconfig, more: parsed.more })
}

/// Text that is overwritten when it is dropped, where it is a copy.
struct Wiped<'a>(Cow<'a, str>);

impl Drop for Wiped<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(text) = &mut self.0 {
            text.zeroize();
        }
    }
}

enum Step<'a> {
    Key(Cow<'a, str>),
    Name(String),
    Index(usize),
}

struct Decoder<'a> {
    source: Source<'a>,
    file: FileName,
    origin: Origin,
    path: Vec<Step<'a>>,
    problems: Vec<ConfigError>,
    over_budget: bool,
}

impl<'a> Decoder<'a> {
    // === the schema ===

    fn root(&mut self, node: Node<'a>) -> Kubeconfig {
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

    /// A list of entries with a name each, such as `[{name: a, cluster: {...}}]`.
    fn named<T: Default>(
        &mut self,
        node: Node<'a>,
        field: &str,
        read: fn(&mut Self, Node<'a>) -> T,
        unknown: fn(&mut T) -> &mut UnknownFields,
    ) -> BTreeMap<String, T> {
        let items = self.items(node);
        let mut entries: Vec<(String, T)> = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            self.spend(2 * size_of::<(String, T)>());
            if self.over_budget {
                break;
            }
            self.path.push(name_of(&item).map_or(Step::Index(index), Step::Name));
            let (mut name, mut entry, mut rest) = (String::new(), None, UnknownFields::default());
            self.each_field(item, |d, key, value| match key {
                "name" => name = d.string(value),
                key if key == field => entry = Some(read(d, value)),
                other => d.keep(&mut rest, other, value),
            });
            self.path.pop();
            // An entry without its own map is one that says nothing.
            let mut entry = entry.unwrap_or_else(|| read(self, Node::Null));
            *unknown(&mut entry) = rest;
            entries.push((name, entry));
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        let mut repeated: Vec<_> =
            entries.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].0.clone()).collect();
        repeated.dedup();
        for name in repeated {
            let at = self.place();
            self.report(ConfigError::DuplicateName { at, name });
        }
        entries.into_iter().collect()
    }

    // === types ===

    fn each_field(&mut self, node: Node<'a>, mut read: impl FnMut(&mut Self, &str, Node<'a>)) {
        for (key, value) in self.map(node) {
            if self.over_budget {
                return;
            }
            self.path.push(Step::Key(key.clone()));
            read(self, &key, value);
            self.path.pop();
        }
    }

    fn map(&mut self, node: Node<'a>) -> Map<'a> {
        match node {
            Node::Map(map) => map,
            Node::Null => Map::new(),
            other => {
                self.wrong_type(&other, "a map");
                Map::new()
            }
        }
    }

    fn items(&mut self, node: Node<'a>) -> Vec<Node<'a>> {
        match node {
            Node::Seq(items) => items,
            Node::Null => Vec::new(),
            other => {
                self.wrong_type(&other, "a list");
                Vec::new()
            }
        }
    }

    fn list<T>(&mut self, node: Node<'a>, read: fn(&mut Self, Node<'a>) -> T) -> Vec<T> {
        let items = self.items(node);
        self.spend(items.len() * size_of::<T>());
        let mut out = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            if self.over_budget {
                break;
            }
            self.path.push(Step::Index(index));
            out.push(read(self, item));
            self.path.pop();
        }
        out
    }

    fn dictionary<T>(&mut self, node: Node<'a>, read: fn(&mut Self, Node<'a>) -> T) -> BTreeMap<String, T> {
        let mut out = BTreeMap::new();
        self.each_field(node, |d, key, value| {
            d.spend(2 * size_of::<(String, T)>());
            out.insert(key.to_owned(), read(d, value));
        });
        out
    }

    fn optional<T>(&mut self, node: Node<'a>, read: fn(&mut Self, Node<'a>) -> T) -> Option<Box<T>> {
        match node {
            Node::Null => None,
            node => Some(Box::new(read(self, node))),
        }
    }

    fn string(&mut self, node: Node<'a>) -> String {
        match node {
            Node::Str(text) => text.into_owned(),
            Node::Null => String::new(),
            other => {
                self.wrong_type(&other, "a string");
                String::new()
            }
        }
    }

    /// A string; an empty one counts as absent.
    fn text(&mut self, node: Node<'a>) -> Option<String> {
        Some(self.string(node)).filter(|text| !text.is_empty())
    }

    fn path(&mut self, node: Node<'a>) -> Option<PathBuf> {
        self.text(node).map(PathBuf::from)
    }

    fn secret(&mut self, node: Node<'a>) -> Option<Secret> {
        self.text(node).map(Secret::new)
    }

    fn boolean(&mut self, node: Node<'a>) -> bool {
        match node {
            Node::Bool(value) => value,
            Node::Null => false,
            other => {
                self.wrong_type(&other, "true or false");
                false
            }
        }
    }

    fn data(&mut self, node: Node<'a>) -> Option<Vec<u8>> {
        let mut text = self.text(node)?;
        let decoded = if text.contains(['\r', '\n']) {
            let mut joined: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
            let decoded = BASE64.decode(&joined);
            joined.zeroize();
            decoded
        } else {
            BASE64.decode(&text)
        };
        text.zeroize();
        match decoded {
            Ok(data) => Some(data).filter(|data| !data.is_empty()),
            Err(error) => {
                let problem = match error {
                    base64::DecodeError::InvalidByte(..) => "a character that is none of its alphabet",
                    base64::DecodeError::InvalidLength(_) => {
                        "its length is wrong: is something missing at its end?"
                    }
                    base64::DecodeError::InvalidLastSymbol { .. } => "its end is wrong",
                    base64::DecodeError::InvalidPadding => "its padding is wrong",
                };
                let at = self.place();
                self.report(ConfigError::Base64 { at, problem });
                None
            }
        }
    }

    fn keep(&mut self, unknown: &mut UnknownFields, key: &str, node: Node<'a>) {
        // A map of one field is a whole node of a tree.
        self.spend(TREE_NODE);
        let value = self.json(node);
        unknown.insert(key, value);
    }

    fn json(&mut self, node: Node<'a>) -> Value {
        if self.over_budget {
            return Value::Null;
        }
        match node {
            Node::Null => Value::Null,
            Node::Bool(value) => value.into(),
            Node::Int(value) => value.into(),
            Node::Uint(value) => value.into(),
            Node::Float(value) => value.into(),
            Node::Str(text) => {
                self.spend(text.len());
                Value::String(text.into_owned())
            }
            Node::Seq(items) => {
                self.spend(items.len() * size_of::<Value>());
                Value::Array(items.into_iter().map(|item| self.json(item)).collect())
            }
            Node::Map(map) => {
                self.spend(TREE_NODE * map.len().div_ceil(TREE_NODE_FILL));
                Value::Object(
                    map.into_iter().map(|(key, value)| (key.into_owned(), self.json(value))).collect(),
                )
            }
        }
    }

    /// Takes from the budget. Once it is spent nothing more is read.
    fn spend(&mut self, bytes: usize) {
        if self.source.spend(bytes).is_err() {
            self.over_budget = true;
        }
    }

    // === problems ===

    fn wrong_type(&mut self, node: &Node<'a>, expected: &'static str) {
        let at = self.place();
        self.report(ConfigError::WrongType { at, expected, found: node.kind() });
    }

    fn report(&mut self, problem: ConfigError) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn place(&self) -> Place {
        let mut field = String::new();
        let mut line = None;
        for step in &self.path {
            match step {
                Step::Key(key) => {
                    if !field.is_empty() {
                        field.push('.');
                    }
                    field.push_str(key);
                    line = self.source.line(key).or(line);
                }
                Step::Name(name) => field.push_str(&format!("[{name:?}]")),
                Step::Index(index) => field.push_str(&format!("[{index}]")),
            }
        }
        Place { file: self.file.clone(), line, field }
    }
}

fn name_of(item: &Node<'_>) -> Option<String> {
    let Node::Map(map) = item else { return None };
    match map.iter().find(|(key, _)| key == "name") {
        Some((_, Node::Str(name))) if !name.is_empty() => Some(name.to_string()),
        _ => None,
    }
}
