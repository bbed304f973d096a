use std::path::PathBuf;

use crate::config::in_cluster;
use crate::{Cluster, Config, ConfigError, Environment, LoadingRules, Overrides, Warning};

impl Config {
    /// The config that kubectl would use: that of the kubeconfig files (see [`LoadingRules`]), or of the pod where
    /// no file says which server to use.
    ///
    /// # Errors
    /// When a file is wrong, its chosen context can't be used, or there is no config at all
    /// ([`ConfigError::Empty`]).
    pub fn infer() -> Result<Self, ConfigError> {
        Self::infer_with(&LoadingRules::from_env(), &Overrides::default())
    }

    /// As [`Config::infer`], with given rules and overrides.
    ///
    /// # Errors
    /// As [`Config::infer`].
    pub fn infer_with(rules: &LoadingRules, overrides: &Overrides) -> Result<Self, ConfigError> {
        let kubeconfig = rules.load()?;
        let possible = in_cluster::is_possible(&rules.environment);
        match kubeconfig.resolve(overrides) {
            Ok(mut config) => {
                if possible && !kubeconfig.says_namespace(overrides) {
                    config.namespace = in_cluster::namespace(&rules.environment);
                }
                Ok(config)
            }
            Err(ConfigError::Empty) if possible => {
                let mut config = Self::in_cluster_with(overrides, &rules.environment)?;
                if let Some(namespace) =
                    overrides.context.namespace.as_deref().filter(|name| !name.is_empty())
                {
                    config.namespace = namespace.to_owned();
                }
                Ok(config)
            }
            Err(problem) => Err(problem),
        }
    }

    /// The config that the flags `--server` (or `--master`) and `--kubeconfig` of a program ask for; empty ones count
    /// as not given.
    ///
    /// A server alone makes a config without credentials, a path alone loads just that file, and neither means the
    /// pod's own settings. No other file is looked at.
    ///
    /// # Errors
    /// As [`Config::infer`].
    pub fn from_flags(server: &str, kubeconfig: &str) -> Result<Self, ConfigError> {
        Self::from_flags_with(server, kubeconfig, &Environment::process())
    }

    /// As [`Config::from_flags`], in a given environment.
    ///
    /// # Errors
    /// As [`Config::infer`].
    pub fn from_flags_with(
        server: &str,
        kubeconfig: &str,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        if server.is_empty() && kubeconfig.is_empty() {
            environment.warn(&Warning::NothingGiven);
            match Self::in_cluster_with(&Overrides::default(), environment) {
                Ok(config) => return Ok(config),
                Err(error) => environment.warn(&Warning::NoInCluster { reason: error.to_string() }),
            }
        }
        let mut rules = LoadingRules::from_environment(environment.clone());
        rules.paths.clear();
        rules.explicit_path = (!kubeconfig.is_empty()).then(|| PathBuf::from(kubeconfig));
        let cluster = Cluster { server: server.to_owned(), ..Cluster::default() };
        Self::infer_with(&rules, &Overrides { cluster, ..Overrides::default() })
    }

    /// The config of the current context in the file at `path`.
    ///
    /// # Errors
    /// When the file can't be read or is wrong, or its current context can't be used.
    pub fn from_kubeconfig(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        LoadingRules::explicit(path).load()?.resolve(&Overrides::default())
    }
}
