use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use kubewire_config::Pem;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::FileContent;
use crate::Error;

/// Where the certificate authorities come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CaSource {
    System,
    File(PathBuf),
    Data(Vec<u8>),
}

impl CaSource {
    pub(crate) fn new(ca: Option<&Pem<Vec<u8>>>) -> Self {
        match ca {
            None => Self::System,
            Some(Pem::File(path)) => Self::File(path.clone()),
            Some(Pem::Data(data)) => Self::Data(data.clone()),
        }
    }
}

impl fmt::Display for CaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("the system's certificate authorities"),
            Self::File(path) => write!(f, "the CA file {}", path.display()),
            Self::Data(_) => f.write_str("the CA data"),
        }
    }
}

/// Reads the certificate authorities, and hands back the file's content where there is a file.
pub(crate) fn load_roots(source: &CaSource) -> Result<(Arc<RootCertStore>, Vec<FileContent>), Error> {
    match source {
        CaSource::System => Ok((system()?, Vec::new())),
        CaSource::Data(pem) => Ok((Arc::new(parse(source, pem)?), Vec::new())),
        CaSource::File(path) => {
            let pem = std::fs::read(path)
                .map_err(|error| Error::config(format!("{source} can't be read")).with_source(error))?;
            let content = vec![FileContent::new(pem)];
            Ok((Arc::new(parse_roots(source, &content)?), content))
        }
    }
}

/// The certificate authorities in `content`, which was read from `source`'s file.
pub(crate) fn parse_roots(source: &CaSource, content: &[FileContent]) -> Result<RootCertStore, Error> {
    parse(source, content.first().map_or(&[], |pem| pem.expose()))
}

fn parse(source: &CaSource, pem: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| {
            Error::config(format!("{source} can't be used: its PEM is broken")).with_source(error)
        })?;
        roots
            .add(certificate)
            .map_err(|error| Error::config(format!("{source} holds a bad certificate")).with_source(error))?;
    }
    if roots.is_empty() {
        return Err(Error::config(format!("{source} holds no certificate: PEM is expected")));
    }
    Ok(roots)
}

/// The system's authorities, read once in a process: there are many.
pub(crate) fn system() -> Result<Arc<RootCertStore>, Error> {
    static SYSTEM: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    if let Some(roots) = SYSTEM.get() {
        return Ok(Arc::clone(roots));
    }
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // The system's store may hold a few that can't be parsed. They are no reason to trust nobody.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let text =
            "the system has no certificate authority: install its CA certificates, or set the config's CA";
        let error = Error::config(text);
        return Err(match found.errors.into_iter().next() {
            Some(cause) => error.with_source(cause),
            None => error,
        });
    }
    Ok(Arc::clone(SYSTEM.get_or_init(|| Arc::new(roots))))
}
