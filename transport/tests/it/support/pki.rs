//! Authorities and the certificates that they vouch for.

use std::sync::Arc;

use kubewire_config::{ClientCertificate, Pem, Secret, TlsConfig};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientCertVerifierBuilder, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};

pub struct Ca(CertifiedIssuer<'static, KeyPair>);

/// A certificate chain and its key, in PEM.
#[derive(Clone)]
pub struct Leaf {
    pub certificate: String,
    pub key: String,
}

impl Ca {
    pub fn new(name: &str) -> Self {
        Self(CertifiedIssuer::self_signed(Self::params(name), KeyPair::generate().unwrap()).unwrap())
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params
    }

    /// An authority that this one vouches for.
    pub fn intermediate(&self, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(Self::params(name), key, &self.0).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server's certificate for `names`.
    pub fn server(&self, names: &[&str]) -> Leaf {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let params = CertificateParams::new(names).unwrap();
        self.leaf(params, ExtendedKeyUsagePurpose::ServerAuth, &KeyPair::generate().unwrap())
    }

    /// A client's certificate in the name of `user`.
    pub fn client(&self, user: &str) -> Leaf {
        self.client_with_key(user, &KeyPair::generate().unwrap())
    }

    pub fn client_with_key(&self, user: &str, key: &KeyPair) -> Leaf {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        self.leaf(params, ExtendedKeyUsagePurpose::ClientAuth, key)
    }

    fn leaf(&self, mut params: CertificateParams, usage: ExtendedKeyUsagePurpose, key: &KeyPair) -> Leaf {
        params.extended_key_usages = vec![usage];
        let certificate = params.signed_by(key, &self.0).unwrap();
        Leaf { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// Settings of a client that trusts this authority alone.
    pub fn trusted(&self) -> TlsConfig {
        TlsConfig { ca: Some(Pem::Data(self.pem().into_bytes())), ..TlsConfig::default() }
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }
}

impl Leaf {
    pub fn data(&self) -> ClientCertificate {
        ClientCertificate {
            certificate: Pem::Data(self.certificate.clone().into_bytes()),
            key: Pem::Data(Secret::new(self.key.clone().into_bytes())),
        }
    }
}

/// A server's TLS settings: `clients` is the authority whose certificates clients must show.
pub fn server_config(leaf: &Leaf, clients: Option<&Ca>, alpn: &[&str]) -> Arc<ServerConfig> {
    config(leaf, clients.map(|clients| verifier(clients).build().unwrap()), alpn)
}

/// Those of a server that asks for a certificate, and goes on without one.
pub fn asking_config(leaf: &Leaf, clients: &Ca) -> Arc<ServerConfig> {
    config(leaf, Some(verifier(clients).allow_unauthenticated().build().unwrap()), &["h2", "http/1.1"])
}

fn verifier(clients: &Ca) -> ClientCertVerifierBuilder {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(clients.roots()), provider)
}

fn config(leaf: &Leaf, verifier: Option<Arc<dyn ClientCertVerifier>>, alpn: &[&str]) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = match verifier {
        None => builder.with_no_client_auth(),
        Some(verifier) => builder.with_client_cert_verifier(verifier),
    };
    let chain = CertificateDer::pem_slice_iter(leaf.certificate.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(leaf.key.as_bytes()).unwrap();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Arc::new(config)
}
