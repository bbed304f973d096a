use std::path::PathBuf;

use crate::Secret;

/// Where a piece of PEM stands: in a file, which may be read again when it changes, or in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pem<T> {
    /// The path of a PEM file.
    File(PathBuf),
    /// The PEM text itself.
    Data(T),
}

/// How the server is told from an impostor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// Accept any server certificate. Together with a [`ca`](Self::ca) this is an error when a client is built.
    pub insecure: bool,
    /// The name sent as SNI and checked in the server's certificate; `None` means the host's own.
    pub server_name: Option<String>,
    /// The certificate authorities to trust; `None` means the system's.
    pub ca: Option<Pem<Vec<u8>>>,
    /// Protocols offered by ALPN, most wanted first; empty means `h2`, then `http/1.1`.
    pub alpn: Vec<String>,
}

/// A certificate and its key, with which the client proves who it is in the TLS handshake.
///
/// When both are files they are watched, and a changed pair is used for new connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate chain in PEM, leaf first.
    pub certificate: Pem<Vec<u8>>,
    /// The private key in PEM: PKCS#8, PKCS#1 or SEC1.
    pub key: Pem<Secret<Vec<u8>>>,
}
