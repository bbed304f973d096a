use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::{ClientCertificate, ExecConfig, Secret};

/// Who the client says it is. Only combinations that a server can make sense of can be written down.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Credentials {
    /// Anonymous.
    #[default]
    None,
    /// `Authorization: Basic`.
    Basic(BasicAuth),
    /// `Authorization: Bearer`.
    Bearer(BearerToken),
    /// A certificate presented in the TLS handshake, and on each request the header credential beside it, if
    /// there is one.
    ClientCertificate {
        /// The certificate and its key.
        certificate: ClientCertificate,
        /// What is sent in the `Authorization` header as well.
        header: HeaderCredential,
    },
    /// A program that prints a token or a certificate when it is run.
    Exec(Box<ExecConfig>),
    /// A named provider, such as `oidc`.
    AuthProvider(AuthProviderConfig),
}

/// A credential sent in the `Authorization` header beside a client certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderCredential {
    /// None: the certificate alone speaks.
    #[default]
    None,
    /// User name and password.
    Basic(BasicAuth),
    /// A token.
    Bearer(BearerToken),
    /// A named provider.
    AuthProvider(AuthProviderConfig),
}

/// User name and password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasicAuth {
    /// The user's name; an empty one is an error when a client is built.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// A bearer token, and the file that holds a fresher one.
///
/// With both, the file wins as soon as it could be read, and the token stands in until then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BearerToken {
    /// The token as known now.
    pub token: Option<Secret>,
    /// A file that is read again while the client runs, since its content rotates.
    pub token_file: Option<PathBuf>,
}

/// A named provider of credentials and its settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthProviderConfig {
    /// The provider's name.
    pub name: String,
    /// Its settings, which often hold secrets.
    pub config: BTreeMap<String, Secret>,
    /// The kubeconfig and user entry that new tokens are saved back to, when the settings came from there.
    pub origin: Option<EntryOrigin>,
}

/// The place of an entry in a kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryOrigin {
    /// The file.
    pub path: PathBuf,
    /// The entry's name in it.
    pub name: String,
}

/// Whom to act as, when the server allows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impersonation {
    /// The user name; empty with anything else set is an error when a client is built.
    pub user: String,
    /// The user's uid.
    pub uid: Option<String>,
    /// The groups, in order.
    pub groups: Vec<String>,
    /// Further attributes, each with one or more values.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl Credentials {
    /// A static bearer token.
    pub fn bearer(token: impl Into<String>) -> Self {
        Self::Bearer(BearerToken { token: Some(Secret::new(token.into())), token_file: None })
    }

    /// A token file that is read again while the client runs.
    pub fn token_file(path: impl Into<PathBuf>) -> Self {
        Self::Bearer(BearerToken { token: None, token_file: Some(path.into()) })
    }

    /// User name and password.
    pub fn basic(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Basic(BasicAuth { username: username.into(), password: Secret::new(password.into()) })
    }

    /// A client certificate alone.
    pub fn client_certificate(certificate: ClientCertificate) -> Self {
        Self::ClientCertificate { certificate, header: HeaderCredential::None }
    }

    /// The static client certificate, if there is one. (A certificate that an exec program gives is not known
    /// before it has run.)
    pub fn certificate(&self) -> Option<&ClientCertificate> {
        match self {
            Self::ClientCertificate { certificate, .. } => Some(certificate),
            _ => None,
        }
    }
}
