//! Kubeconfig files and in-cluster settings become a [`Config`]: plain data, no async, no HTTP.
//!
//! ```
//! use kubewire_config::{Config, Kubeconfig, Overrides};
//!
//! // What a program usually asks for: the kubeconfig that kubectl would use, or else the pod that it runs in.
//! let config = Config::infer();
//! # drop(config);
//!
//! // The same from a text, another context chosen.
//! let kubeconfig: Kubeconfig = "
//! clusters:
//! - name: dev
//!   cluster: {server: https://10.0.0.1:6443}
//! contexts:
//! - name: dev
//!   context: {cluster: dev, namespace: web}
//! ".parse()?;
//! let overrides = Overrides { current_context: Some("dev".into()), ..Overrides::default() };
//! let config = kubeconfig.resolve(&overrides)?;
//! assert_eq!(config.server_url()?.as_str(), "https://10.0.0.1:6443/");
//! assert_eq!(config.namespace, "web");
//! # Ok::<(), kubewire_config::ConfigError>(())
//! ```

mod config;
mod credentials;
mod duration;
mod env;
mod error;
mod exec;
mod flags;
mod kubeconfig;
mod loading;
mod node;
mod overrides;
mod paths;
mod proxy;
mod save;
mod secret;
mod tls;
mod yaml;

pub use config::{Config, default_user_agent, user_agent};
pub use credentials::{
    AuthProviderConfig, BasicAuth, BearerToken, Credentials, EntryOrigin, HeaderCredential, Impersonation,
};
pub use env::{Environment, Warning};
pub use error::{ConfigError, Entry, EntryKind, FileName, Place};
pub use exec::{ExecConfig, InteractiveMode, PluginPolicy};
pub use flags::{Flag, FlagError, FlagKind, strip_namespace_prefix};
pub use kubeconfig::{
    AuthProvider, Cluster, Context, ExecEnvVar, ExecPlugin, Extensions, Kubeconfig, Origin, Preferences,
    UnknownFields, User,
};
pub use loading::LoadingRules;
pub use overrides::Overrides;
pub use proxy::{ProxyUrl, ProxyUrlError};
pub use secret::Secret;
pub use tls::{ClientCertificate, Pem, TlsConfig};
