//! What a credential program is told, from both ends.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kubewire_config::{Config, ExecConfig, Pem, ProxyUrl, Secret, TlsConfig};
use serde::{Deserialize, Serialize};

use super::ApiVersion;
use crate::{Error, ErrorKind};

/// The variable that carries it.
pub(super) const VARIABLE: &str = "KUBERNETES_EXEC_INFO";

const KIND: &str = "ExecCredential";

/// What a client tells the credential program that it runs: for authors of such programs.
///
/// ```no_run
/// use kubewire_transport::ExecInfo;
///
/// let info = ExecInfo::from_env()?;
/// println!("a credential for {} is wanted", info.config.host);
/// # Ok::<(), kubewire_transport::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExecInfo {
    /// The `apiVersion` in which the client expects the answer: `client.authentication.k8s.io/v1` or `v1beta1`.
    pub api_version: String,
    /// Whether standard input is the person's terminal.
    pub interactive: bool,
    /// The cluster, without any credential.
    pub config: Config,
    /// The settings for this program that stand with the cluster, in the extension named
    /// `client.authentication.k8s.io/exec`.
    pub cluster_config: Option<serde_json::Value>,
}

impl ExecInfo {
    /// Reads the environment variable `KUBERNETES_EXEC_INFO`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when it is not set, and as for [`parse`](Self::parse).
    pub fn from_env() -> Result<Self, Error> {
        match std::env::var(VARIABLE) {
            Ok(json) => Self::parse(&json),
            Err(error) => Err(Error::new(ErrorKind::Config, error).context(format!(
                "the environment variable {VARIABLE} can't be used: a Kubernetes client sets it when it runs a credential program"
            ))),
        }
    }

    /// Reads the value of `KUBERNETES_EXEC_INFO`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when `json` is no ExecCredential of a known version, or tells nothing about the cluster:
    /// it does where the kubeconfig's user entry has `provideClusterInfo: true`.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let wrong = |text: String| Error::new(ErrorKind::Config, text);
        // The parser's own text may quote what it met.
        let info: Info = serde_json::from_str(json).map_err(|error| {
            wrong(format!(
                "{VARIABLE} holds no JSON of an {KIND} (line {}, column {})",
                error.line(),
                error.column()
            ))
        })?;
        if info.kind != KIND {
            return Err(wrong(format!("the kind in {VARIABLE} is {:?}, not {KIND}", info.kind)));
        }
        ApiVersion::parse(&info.api_version)?;
        let cluster = info.spec.cluster.ok_or_else(|| {
            wrong(format!(
                "{VARIABLE} tells nothing about the cluster: set provideClusterInfo in the kubeconfig's user entry"
            ))
        })?;
        let (config, cluster_config) = cluster.into_config()?;
        Ok(Self { api_version: info.api_version, interactive: info.spec.interactive, config, cluster_config })
    }
}

/// The value of the variable.
pub(super) fn encode(version: ApiVersion, interactive: bool, cluster: Option<&Cluster>) -> Secret {
    let info = Info {
        kind: KIND.to_owned(),
        api_version: version.as_str().to_owned(),
        spec: Spec { cluster: cluster.cloned(), interactive },
    };
    // Strings, booleans and JSON values can always be written.
    Secret::new(serde_json::to_string(&info).unwrap_or_default())
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    spec: Spec,
}

#[derive(Default, Serialize, Deserialize)]
struct Spec {
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<Cluster>,
    #[serde(default)]
    interactive: bool,
}

/// The cluster, as a program is told of it.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Cluster {
    server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_server_name: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    insecure_skip_tls_verify: bool,
    /// Base64 of PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    certificate_authority_data: String,
    /// It may hold a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy_url: Option<Secret>,
    #[serde(skip_serializing_if = "is_false")]
    disable_compression: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<serde_json::Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Cluster {
    /// The cluster of `config`; the file of its CA is read.
    pub(super) fn new(config: &Config, exec: &ExecConfig) -> Result<Self, Error> {
        let ca = match &config.tls.ca {
            None => Vec::new(),
            Some(Pem::Data(pem)) => pem.clone(),
            Some(Pem::File(path)) => std::fs::read(path).map_err(|error| {
                Error::new(ErrorKind::Config, error).context(format!(
                    "the CA file {} can't be read for the credential program",
                    path.display()
                ))
            })?,
        };
        Ok(Self {
            server: config.host.clone(),
            tls_server_name: config.tls.server_name.clone(),
            insecure_skip_tls_verify: config.tls.insecure,
            certificate_authority_data: STANDARD.encode(ca),
            proxy_url: config.proxy.as_ref().map(|proxy| Secret::from(proxy.expose().as_str())),
            disable_compression: config.disable_compression,
            config: exec.cluster_config.clone(),
        })
    }

    /// An anonymous config, and the program's own settings.
    fn into_config(self) -> Result<(Config, Option<serde_json::Value>), Error> {
        let wrong = |what: &str| format!("the cluster's {what} in {VARIABLE} can't be used");
        let ca = STANDARD.decode(&self.certificate_authority_data).map_err(|error| {
            Error::new(ErrorKind::Config, error).context(wrong("certificate-authority-data"))
        })?;
        let proxy = match self.proxy_url.as_ref().map(Secret::expose).filter(|url| !url.is_empty()) {
            Some(url) => Some(
                url.parse::<ProxyUrl>()
                    .map_err(|error| Error::new(ErrorKind::Config, error).context(wrong("proxy-url")))?,
            ),
            None => None,
        };
        let config = Config {
            tls: TlsConfig {
                insecure: self.insecure_skip_tls_verify,
                server_name: self.tls_server_name.filter(|name| !name.is_empty()),
                ca: (!ca.is_empty()).then_some(Pem::Data(ca)),
                alpn: Vec::new(),
            },
            proxy,
            disable_compression: self.disable_compression,
            ..Config::new(self.server)
        };
        Ok((config, self.config))
    }
}

// The extension may hold anything.
impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("server", &self.server).finish_non_exhaustive()
    }
}
