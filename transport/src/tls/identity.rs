use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kubewire_config::{ClientCertificate, Pem, Secret};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::FileContent;
use crate::Error;

/// Where the client's certificate and key come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdentitySource {
    certificate: Pem<Vec<u8>>,
    key: Pem<Secret<Vec<u8>>>,
}

impl IdentitySource {
    pub(crate) fn new(pair: &ClientCertificate) -> Self {
        Self { certificate: pair.certificate.clone(), key: pair.key.clone() }
    }

    /// Certificate and key, when both are files: only then are they read again.
    pub(crate) fn files(&self) -> Option<(&PathBuf, &PathBuf)> {
        match (&self.certificate, &self.key) {
            (Pem::File(certificate), Pem::File(key)) => Some((certificate, key)),
            _ => None,
        }
    }
}

/// One of the two halves, as errors name it.
struct Half<'a> {
    what: &'a str,
    path: Option<&'a PathBuf>,
}

impl fmt::Display for Half<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path {
            Some(path) => write!(f, "the {} file {}", self.what, path.display()),
            None => write!(f, "the {} data", self.what),
        }
    }
}

/// Reads certificate and key, checks that they belong together, and hands back the files' content where both are files.
pub(crate) fn load_identity(
    source: &IdentitySource,
    provider: &CryptoProvider,
) -> Result<(Arc<CertifiedKey>, Vec<FileContent>), Error> {
    let certificate_half = half("client certificate", &source.certificate);
    let certificate = match &source.certificate {
        Pem::File(path) => read(&certificate_half, path)?,
        Pem::Data(pem) => FileContent::new(pem.clone()),
    };
    let key_half = half("client key", &source.key);
    let key = match &source.key {
        Pem::File(path) => read(&key_half, path)?,
        Pem::Data(pem) => pem.clone(),
    };
    let content = vec![certificate, key];
    let pair = parse_identity(source, &content, provider)?;
    Ok((Arc::new(pair), content))
}

/// The pair in `content`, certificate first, which was read from `source`.
pub(crate) fn parse_identity(
    source: &IdentitySource,
    content: &[FileContent],
    provider: &CryptoProvider,
) -> Result<CertifiedKey, Error> {
    let pem = |index: usize| content.get(index).map_or(&[][..], |pem: &FileContent| pem.expose());
    let certificate_half = half("client certificate", &source.certificate);
    let key_half = half("client key", &source.key);
    parse(&certificate_half, pem(0), &key_half, pem(1), provider)
}

fn read(half: &Half<'_>, path: &Path) -> Result<FileContent, Error> {
    let failed = |error| Error::config(format!("{half} can't be read")).with_source(error);
    std::fs::read(path).map(FileContent::new).map_err(failed)
}

fn half<'a, T>(what: &'a str, pem: &'a Pem<T>) -> Half<'a> {
    let path = match pem {
        Pem::File(path) => Some(path),
        Pem::Data(_) => None,
    };
    Half { what, path }
}

fn parse(
    certificate_half: &Half<'_>,
    certificate: &[u8],
    key_half: &Half<'_>,
    key: &[u8],
    provider: &CryptoProvider,
) -> Result<CertifiedKey, Error> {
    let chain = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::config(format!("{certificate_half} is not PEM")).with_source(error))?;
    if chain.is_empty() {
        return Err(Error::config(format!("{certificate_half} holds no certificate: PEM is expected")));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
        let text = format!("{key_half} holds no private key: PEM with PKCS#8, PKCS#1 or SEC1 is expected");
        match error {
            // The parser's other errors may quote the text, which is secret.
            rustls::pki_types::pem::Error::NoItemsFound => Error::config(text),
            _ => Error::config(format!("{text}, and this can't be parsed")),
        }
    })?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            Error::config(format!("{certificate_half} and {key_half} don't match: they are not of one pair"))
        }
        other => Error::config(format!("{certificate_half} and {key_half} can't be used")).with_source(other),
    })
}
