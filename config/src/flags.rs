use std::path::PathBuf;

use crate::{LoadingRules, Overrides, Secret};

/// A command line flag that sets a field of [`Overrides`] or [`LoadingRules`], named as kubectl names it.
///
/// ```
/// use kubewire_config::{Config, Flag, LoadingRules, Overrides};
///
/// let mut rules = LoadingRules::from_env();
/// let mut overrides = Overrides::default();
/// for (name, value) in [("server", "https://10.0.0.2:6443"), ("namespace", "ns/web")] {
///     let flag = Flag::named(name).ok_or("no such flag")?;
///     flag.apply(value, &mut rules, &mut overrides)?;
/// }
/// assert_eq!(overrides.cluster.server, "https://10.0.0.2:6443");
/// assert_eq!(overrides.context.namespace.as_deref(), Some("web"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// Its name, without dashes.
    pub name: &'static str,
    /// Its short form, without a dash.
    pub short: Option<char>,
    /// What it takes.
    pub kind: FlagKind,
    /// What it does, for a program's help.
    pub help: &'static str,
    set: fn(&str, &mut LoadingRules, &mut Overrides),
}

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FlagKind {
    /// A text.
    Text,
    /// A text that should not be shown.
    Secret,
    /// The path of a file.
    Path,
    /// A switch: nothing, or `true` or `false` after an equals sign.
    Switch,
    /// A text, any number of times.
    Repeated,
    /// A duration: whole seconds, or a number with a unit.
    Duration,
}

/// A flag's value is not of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--{flag} can't be {found:?}: {expected}")]
pub struct FlagError {
    /// The flag.
    pub flag: &'static str,
    /// What was given.
    pub found: String,
    /// What it should have been.
    pub expected: &'static str,
}

impl Flag {
    /// All flags, in the order in which a help text best shows them.
    pub const ALL: &'static [Self] = FLAGS;

    /// The flag of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FLAGS.iter().find(|flag| flag.name == name)
    }

    /// Sets what the flag stands for. For a [`FlagKind::Switch`] an empty value means true.
    ///
    /// # Errors
    /// When the value is not of the flag's kind.
    pub fn apply(
        &self,
        value: &str,
        rules: &mut LoadingRules,
        overrides: &mut Overrides,
    ) -> Result<(), FlagError> {
        let wrong = |expected| FlagError { flag: self.name, found: value.to_owned(), expected };
        match self.kind {
            FlagKind::Switch if !is_switch(value) => return Err(wrong("it is true or false")),
            FlagKind::Duration if crate::duration::parse_timeout(value).is_err() => {
                return Err(wrong(
                    "it is a number of seconds or a duration with a unit, such as 30s or 1m30s",
                ));
            }
            FlagKind::Repeated if self.name == "as-user-extra" && !value.contains('=') => {
                return Err(wrong("it is written KEY=VALUE"));
            }
            _ => {}
        }
        (self.set)(value, rules, overrides);
        Ok(())
    }
}

fn is_switch(value: &str) -> bool {
    matches!(
        value,
        "" | "1" | "t" | "T" | "true" | "TRUE" | "True" | "0" | "f" | "F" | "false" | "FALSE" | "False"
    )
}

fn is_on(value: &str) -> bool {
    matches!(value, "" | "1" | "t" | "T" | "true" | "TRUE" | "True")
}

fn some(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

fn path(value: &str) -> Option<PathBuf> {
    (!value.is_empty()).then(|| PathBuf::from(value))
}

fn secret(value: &str) -> Option<Secret> {
    (!value.is_empty()).then(|| Secret::from(value))
}

/// A namespace as the flag may give it: `ns/NAME`, `namespace/NAME` and `namespaces/NAME` mean NAME.
///
/// ```
/// assert_eq!(kubewire_config::strip_namespace_prefix("NS/web"), "web");
/// assert_eq!(kubewire_config::strip_namespace_prefix("ns/"), "ns/");
/// ```
pub fn strip_namespace_prefix(value: &str) -> &str {
    for prefix in ["namespaces/", "namespace/", "ns/"] {
        if let Some((start, rest)) = value.split_at_checked(prefix.len())
            && !rest.is_empty()
            && start.eq_ignore_ascii_case(prefix)
        {
            return rest;
        }
    }
    value
}

const fn flag(
    name: &'static str,
    kind: FlagKind,
    help: &'static str,
    set: fn(&str, &mut LoadingRules, &mut Overrides),
) -> Flag {
    Flag { name, short: None, kind, help, set }
}

const fn with_short(mut flag: Flag, short: char) -> Flag {
    flag.short = Some(short);
    flag
}

const FLAGS: &[Flag] = &[
    flag("kubeconfig", FlagKind::Path, "The kubeconfig file to use, and no other", |value, rules, _| {
        rules.explicit_path = path(value);
    }),
    flag("context", FlagKind::Text, "The context to use instead of the current one", |value, _, over| {
        over.current_context = some(value);
    }),
    flag("cluster", FlagKind::Text, "The cluster to use instead of the context's", |value, _, over| {
        value.clone_into(&mut over.context.cluster);
    }),
    flag("user", FlagKind::Text, "The user to use instead of the context's", |value, _, over| {
        value.clone_into(&mut over.context.user);
    }),
    with_short(
        flag("namespace", FlagKind::Text, "The namespace to work in", |value, _, over| {
            over.context.namespace = some(strip_namespace_prefix(value));
        }),
        'n',
    ),
    with_short(
        flag("server", FlagKind::Text, "The API server's URL", |value, _, over| {
            value.clone_into(&mut over.cluster.server);
        }),
        's',
    ),
    flag(
        "tls-server-name",
        FlagKind::Text,
        "The name that the server's certificate must hold, if it is not the host's",
        |value, _, over| over.cluster.tls_server_name = some(value),
    ),
    flag(
        "insecure-skip-tls-verify",
        FlagKind::Switch,
        "Accept any server certificate. Whoever is between you and the server can read and change everything",
        |value, _, over| over.cluster.insecure_skip_tls_verify = is_on(value),
    ),
    flag(
        "certificate-authority",
        FlagKind::Path,
        "A PEM file of the certificate authorities to trust",
        |value, _, over| over.cluster.certificate_authority = path(value),
    ),
    flag("proxy-url", FlagKind::Text, "The proxy: an http, https or socks5 URL", |value, _, over| {
        over.cluster.proxy_url = secret(value);
    }),
    flag(
        "disable-compression",
        FlagKind::Switch,
        "Don't ask the server for compressed answers",
        |value, _, over| over.cluster.disable_compression = is_on(value),
    ),
    flag(
        "client-certificate",
        FlagKind::Path,
        "A PEM file with the client's certificate",
        |value, _, over| {
            over.user.client_certificate = path(value);
        },
    ),
    flag("client-key", FlagKind::Path, "A PEM file with the client certificate's key", |value, _, over| {
        over.user.client_key = path(value);
    }),
    flag("token", FlagKind::Secret, "The bearer token", |value, _, over| over.user.token = secret(value)),
    flag("username", FlagKind::Text, "The name for basic authentication", |value, _, over| {
        over.user.username = some(value);
    }),
    flag("password", FlagKind::Secret, "The password for basic authentication", |value, _, over| {
        over.user.password = secret(value);
    }),
    flag("as", FlagKind::Text, "The user to act as", |value, _, over| {
        over.user.impersonate = some(value);
    }),
    flag("as-uid", FlagKind::Text, "The uid to act with", |value, _, over| {
        over.user.impersonate_uid = some(value);
    }),
    flag("as-group", FlagKind::Repeated, "A group to act with; may be given again", |value, _, over| {
        over.user.impersonate_groups.extend(some(value));
    }),
    flag(
        "as-user-extra",
        FlagKind::Repeated,
        "A further attribute to act with, as KEY=VALUE; may be given again",
        |value, _, over| {
            if let Some((key, value)) = value.split_once('=') {
                over.user.impersonate_extra.entry(key.to_owned()).or_default().push(value.to_owned());
            }
        },
    ),
    flag(
        "request-timeout",
        FlagKind::Duration,
        "How long a request may take, such as 30s or 2m; 0 means as long as it likes",
        |value, _, over| over.timeout = some(value),
    ),
];
