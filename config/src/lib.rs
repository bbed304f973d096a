//! Kubeconfig files and in-cluster settings become a [`Config`]: plain data, no async, no HTTP.

mod config;
mod credentials;
mod exec;
mod proxy;
mod secret;
mod tls;

pub use config::Config;
pub use credentials::{
    AuthProviderConfig, BasicAuth, BearerToken, Credentials, EntryOrigin, HeaderCredential, Impersonation,
};
pub use exec::{ExecConfig, InteractiveMode, PluginPolicy};
pub use proxy::{ProxyUrl, ProxyUrlError};
pub use secret::Secret;
pub use tls::{ClientCertificate, Pem, TlsConfig};
