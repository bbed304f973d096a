//! A certificate authority of the server's own, and a certificate from it.

use std::io;
use std::sync::Arc;

use kubewire_transport::BoxError;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What a TLS server needs, and the CA that its clients trust.
pub(super) struct Tls {
    pub(super) acceptor: TlsAcceptor,
    /// Shows a certificate that has expired.
    pub(super) expired: TlsAcceptor,
    /// Knows no protocol that clients offer: handshakes end in an alert.
    pub(super) alert: TlsAcceptor,
    pub(super) ca_pem: String,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    pub(super) fn generate(http2: bool) -> io::Result<Self> {
        Self::try_generate(http2).map_err(io::Error::other)
    }

    fn try_generate(http2: bool) -> Result<Self, BoxError> {
        let mut ca = CertificateParams::new(Vec::new())?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        ca.distinguished_name.push(DnType::CommonName, "kubewire-fake-ca");
        let ca_key = KeyPair::generate()?;
        let ca_pem = ca.self_signed(&ca_key)?.pem();
        let issuer = Issuer::new(ca, ca_key);

        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let mut leaf = CertificateParams::new(names)?;
        leaf.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        let mut old = leaf.clone();
        old.not_before = rcgen::date_time_ymd(2000, 1, 1);
        old.not_after = rcgen::date_time_ymd(2001, 1, 1);
        let alpn: &[&[u8]] = if http2 { &[b"h2", b"http/1.1"] } else { &[b"http/1.1"] };
        Ok(Self {
            acceptor: acceptor(&leaf, &issuer, alpn)?,
            expired: acceptor(&old, &issuer, alpn)?,
            alert: acceptor(&leaf, &issuer, &[b"no-such-protocol"])?,
            ca_pem,
        })
    }
}

fn acceptor(
    params: &CertificateParams,
    issuer: &Issuer<'_, KeyPair>,
    alpn: &[&[u8]],
) -> Result<TlsAcceptor, BoxError> {
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
    Ok(TlsAcceptor::from(Arc::new(config)))
}
