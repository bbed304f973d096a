use std::fs;

use crate::{
    BearerToken, Config, ConfigError, Credentials, Environment, Overrides, Pem, Secret, TlsConfig, Warning,
};

impl Config {
    /// The config of a pod: the API server that its environment names, and its service account's token, which is
    /// read again while the client runs.
    ///
    /// # Errors
    /// [`ConfigError::NotInCluster`] outside of a cluster; [`ConfigError::InClusterToken`] when the token can't be
    /// read. A `ca.crt` that can't be used is only a [`Warning`]: the system's authorities are trusted then.
    pub fn in_cluster() -> Result<Self, ConfigError> {
        Self::in_cluster_with(&Overrides::default(), &Environment::process())
    }

    /// The config of a pod, with overrides of server, token, token file and certificate authority file, and in a
    /// given environment.
    ///
    /// # Errors
    /// As [`Config::in_cluster`].
    pub fn in_cluster_with(overrides: &Overrides, environment: &Environment) -> Result<Self, ConfigError> {
        let address =
            environment.var("KUBERNETES_SERVICE_HOST").zip(environment.var("KUBERNETES_SERVICE_PORT"));
        let Some((host, port)) = address else { return Err(ConfigError::NotInCluster) };
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let folder = environment.service_account();

        let path = folder.join("token");
        let token = fs::read_to_string(&path)
            .map_err(|source| ConfigError::InClusterToken { path: path.clone(), source })?;
        let mut credentials = BearerToken { token: Some(Secret::new(token)), token_file: Some(path) };

        let ca = folder.join("ca.crt");
        let unusable = match fs::read(&ca) {
            Ok(pem) if is_pem(&pem) => None,
            Ok(_) => Some("it holds no certificate".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        let ca = match unusable {
            None => Some(Pem::File(ca)),
            Some(reason) => {
                environment.warn(&Warning::UnreadableCa { path: ca, reason });
                None
            }
        };
        let mut config = Self {
            tls: TlsConfig { ca, ..TlsConfig::default() },
            namespace: namespace(environment),
            ..Self::new(format!("https://{host}:{port}"))
        };

        if !overrides.cluster.server.is_empty() {
            config.host.clone_from(&overrides.cluster.server);
        }
        let user = &overrides.user;
        let token = user.token.clone().filter(|token| !token.expose().is_empty());
        let file = user.token_file.clone().filter(|file| !file.as_os_str().is_empty());
        if token.is_some() || file.is_some() {
            credentials = BearerToken { token, token_file: file };
        }
        config.credentials = Credentials::Bearer(credentials);
        if let Some(file) =
            overrides.cluster.certificate_authority.clone().filter(|f| !f.as_os_str().is_empty())
        {
            config.tls.ca = Some(Pem::File(file));
        }
        Ok(config)
    }
}

/// Whether [`Config::in_cluster`] is worth a try: both variables are set and there is a token file.
pub(crate) fn is_possible(environment: &Environment) -> bool {
    environment.var("KUBERNETES_SERVICE_HOST").is_some()
        && environment.var("KUBERNETES_SERVICE_PORT").is_some()
        && fs::metadata(environment.service_account().join("token")).is_ok_and(|file| !file.is_dir())
}

/// A pod's namespace: POD_NAMESPACE, else that of its service account, else `default`.
pub(crate) fn namespace(environment: &Environment) -> String {
    let file = || {
        let text = fs::read_to_string(environment.service_account().join("namespace")).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    environment.var("POD_NAMESPACE").or_else(file).unwrap_or_else(|| "default".to_owned())
}

fn is_pem(bytes: &[u8]) -> bool {
    let begin = b"-----BEGIN CERTIFICATE-----";
    bytes.windows(begin.len()).any(|part| part == begin)
}
