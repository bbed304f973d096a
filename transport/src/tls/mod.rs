//! From PEM to what a handshake needs.

mod identity;
mod roots;
mod sessions;
mod verify;

use std::sync::Arc;

use kubewire_config::{Secret, TlsConfig};
use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};

use crate::Error;

pub(crate) use identity::{IdentitySource, load_identity, parse_identity};
pub(crate) use roots::{CaSource, load_roots, parse_roots, system};

/// The bytes of a file, which may be a key's.
pub(crate) type FileContent = Secret<Vec<u8>>;

/// The cryptography in use: the feature's, else the process's default.
pub(crate) fn provider() -> Result<Arc<CryptoProvider>, Error> {
    // The unit tests have it through the test server's dependencies.
    #[cfg(any(feature = "ring", test))]
    return Ok(Arc::new(rustls::crypto::ring::default_provider()));
    #[cfg(all(feature = "aws-lc-rs", not(any(feature = "ring", test))))]
    return Ok(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    #[cfg(not(any(feature = "ring", feature = "aws-lc-rs", test)))]
    CryptoProvider::get_default().cloned().ok_or_else(|| {
        Error::config("no cryptography for TLS: turn on the feature ring or aws-lc-rs, or install a rustls CryptoProvider")
    })
}

/// Which servers are believed.
#[derive(Clone)]
pub(crate) enum Trust {
    /// Those that one of these authorities vouches for.
    Roots(Arc<RootCertStore>),
    /// All.
    Anything,
    /// None.
    Nothing,
}

/// The configuration of one generation of connections. Sessions are resumed within it and never beyond it.
pub(crate) fn client_config(
    provider: &Arc<CryptoProvider>,
    trust: &Trust,
    identity: Option<Arc<CertifiedKey>>,
    alpn: &[Vec<u8>],
) -> Result<ClientConfig, Error> {
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::Roots(roots) => verify::by_roots(roots, provider)?,
        Trust::Anything => Arc::new(verify::Unverified::new(provider, true)),
        Trust::Nothing => Arc::new(verify::Unverified::new(provider, false)),
    };
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| Error::config("the TLS versions 1.2 and 1.3 can't be used").with_source(error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some(identity) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity))),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.to_vec();
    config.resumption = Resumption::store(Arc::new(sessions::Sessions::new()));
    Ok(config)
}

/// The protocols to offer, most wanted first.
pub(crate) fn alpn(tls: &TlsConfig, http2: bool) -> Vec<Vec<u8>> {
    let wanted: Vec<Vec<u8>> = if tls.alpn.is_empty() {
        vec![b"h2".to_vec(), b"http/1.1".to_vec()]
    } else {
        tls.alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect()
    };
    wanted.into_iter().filter(|protocol| http2 || protocol != b"h2").collect()
}
