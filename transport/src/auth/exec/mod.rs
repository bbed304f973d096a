//! Credentials that a program prints.

mod error;
mod hint;
mod info;
mod lookup;
mod observe;
mod output;
mod run;
#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use http::HeaderValue;
use kubewire_config::{Config, ExecConfig};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use tokio::sync::watch;

use super::AuthOptions;
use super::cell::{Cell, Stamp};
use super::shared::Shared;
use crate::{Error, ErrorKind};
use error::ExecError;
use hint::Hint;
use info::Cluster;
pub use info::ExecInfo;
use observe::Observe;
use output::{Credential, same_certificate};
use run::Terminal;

/// The versions of ExecCredential that are spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ApiVersion {
    V1,
    V1Beta1,
}

impl ApiVersion {
    fn parse(text: &str) -> Result<Self, Error> {
        [Self::V1, Self::V1Beta1].into_iter().find(|version| version.as_str() == text).ok_or_else(|| {
            let text = format!(
                "the apiVersion {text:?} of a credential program is not known: use {} or {}",
                Self::V1.as_str(),
                Self::V1Beta1.as_str()
            );
            Error::new(ErrorKind::Config, text)
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "client.authentication.k8s.io/v1",
            Self::V1Beta1 => "client.authentication.k8s.io/v1beta1",
        }
    }
}

/// What makes two uses of a program one: the same configuration, and the same cluster where the program is told of it.
#[derive(Clone, PartialEq)]
struct Spec {
    exec: ExecConfig,
    version: ApiVersion,
    cluster: Option<Cluster>,
}

impl Spec {
    fn new(config: &Config, exec: &ExecConfig) -> Result<Self, Error> {
        let wrong = |text: &str| Err(Error::new(ErrorKind::Config, text));
        if exec.command.as_os_str().is_empty() {
            return wrong("the credential program has no command");
        }
        if exec.env.iter().any(|(name, _)| name.is_empty()) {
            return wrong("the credential program has an environment variable without a name");
        }
        exec.policy.validate().map_err(|error| Error::new(ErrorKind::Config, error))?;
        let version = ApiVersion::parse(&exec.api_version)?;
        let cluster = exec.provide_cluster_info.then(|| Cluster::new(config, exec)).transpose()?;
        Ok(Self { exec: exec.clone(), version, cluster })
    }
}

/// A program and its credential, shared by all clients that are configured alike.
struct Plugin {
    spec: Spec,
    cell: Arc<Cell<Credential, ExecError>>,
    certificate: watch::Sender<Option<Arc<CertifiedKey>>>,
    hint: Hint,
}

/// One client's use of a program.
pub(super) struct Exec {
    plugin: Arc<Plugin>,
    now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    provider: Arc<CryptoProvider>,
    observe: Observe,
}

impl Exec {
    pub(super) fn new(config: &Config, exec: &ExecConfig, options: &AuthOptions) -> Result<Self, Error> {
        static PLUGINS: Shared<Plugin> = Shared::new();
        let spec = Spec::new(config, exec)?;
        Ok(Self {
            plugin: PLUGINS.get(|plugin| plugin.spec == spec, || Ok(Plugin::new(spec.clone())))?,
            now: Arc::clone(&options.now),
            provider: Arc::clone(&options.provider),
            observe: Observe::new(options),
        })
    }

    /// The header to send, where the program gives a token. Its certificate is in place before this returns.
    pub(super) async fn header(&self) -> Result<(Option<HeaderValue>, Stamp), Error> {
        let now = (self.now)();
        let fresh = |credential: &Credential| credential.expires.is_none_or(|expires| now <= expires);
        let (credential, stamp) = self
            .plugin
            .cell
            .get(fresh, || self.fetch())
            .await
            .map_err(|error| Error::new(ErrorKind::Credential, error))?;
        self.observe.expiry(credential.validity.as_ref());
        Ok((credential.header.clone(), stamp))
    }

    /// Runs the program; whether it gave another credential.
    pub(super) async fn refresh(&self, stamp: &Stamp) -> bool {
        let fetch = || {
            let fetch = self.fetch();
            async move {
                let outcome = fetch.await;
                if let Err(error) = &outcome {
                    let cause = std::error::Error::source(error).map(tracing::field::display);
                    tracing::warn!(cause, "the credential was refused, and there is no new one: {error}");
                }
                outcome
            }
        };
        self.plugin.cell.refresh(stamp, fetch).await
    }

    pub(super) fn certificates(&self) -> watch::Receiver<Option<Arc<CertifiedKey>>> {
        self.plugin.certificate.subscribe()
    }

    fn fetch(&self) -> impl Future<Output = Result<Credential, ExecError>> + Send + use<> {
        let (plugin, provider) = (Arc::clone(&self.plugin), Arc::clone(&self.provider));
        let (observe, now) = (self.observe.clone(), Arc::clone(&self.now));
        async move {
            let fetched = plugin.run(&provider, &observe).await?;
            if let Some((previous, _)) = plugin.cell.current()
                && !same_certificate(previous.certificate.as_ref(), fetched.certificate.as_ref())
            {
                observe.rotated(previous.validity.as_ref(), now());
            }
            plugin.publish(&fetched);
            Ok(fetched)
        }
    }
}

impl Plugin {
    fn new(spec: Spec) -> Self {
        Self { spec, cell: Cell::new(None), certificate: watch::Sender::new(None), hint: Hint::default() }
    }

    /// Asks the program once.
    async fn run(&self, provider: &CryptoProvider, observe: &Observe) -> Result<Credential, ExecError> {
        let Spec { exec, version, cluster } = &self.spec;
        let command = &exec.command;
        let path = std::env::var_os("PATH");
        let resolve = |command: &Path| lookup::resolve(command, path.as_deref());
        let allowed = exec.policy.allows(command, resolve);
        observe.policy(allowed);
        if !allowed {
            return Err(ExecError::Denied(command.clone()));
        }
        let interactive = run::interactive(exec, std::io::stdin().is_terminal())
            .map_err(|reason| ExecError::Interactive { command: command.clone(), reason })?;
        let outcome = match resolve(command) {
            Some(program) => {
                let info = info::encode(*version, interactive, cluster.as_ref());
                run::run(exec, &program, Terminal::new(interactive), &info).await
            }
            None => {
                let help = self.hint.text(exec.printable_install_hint());
                Err(ExecError::NotFound { command: command.clone(), help })
            }
        };
        observe.call(outcome.as_ref().err());
        let output = outcome?;
        Credential::parse(&output, *version, provider)
            .map_err(|source| ExecError::Output { command: command.clone(), source })
    }

    /// Makes the certificate known, if it is another one.
    fn publish(&self, credential: &Credential) {
        self.certificate.send_if_modified(|current| {
            let changed = !same_certificate(current.as_ref(), credential.certificate.as_ref());
            if changed {
                current.clone_from(&credential.certificate);
            }
            changed
        });
    }
}
