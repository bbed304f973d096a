//! What a credential program prints.

use std::sync::Arc;
use std::time::SystemTime;

use http::HeaderValue;
use kubewire_config::{ClientCertificate, Pem, Secret};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use serde::Deserialize;

use super::ApiVersion;
use super::error::OutputError;
use crate::auth::cell::Content;
use crate::auth::headers::bearer_value;
use crate::auth::validity::Validity;
use crate::tls::{IdentitySource, load_identity};

/// A credential as it is used.
pub(super) struct Credential {
    pub(super) header: Option<HeaderValue>,
    pub(super) certificate: Option<Arc<CertifiedKey>>,
    /// When the certificate is valid; `None` too where it does not say so in a way that is understood.
    pub(super) validity: Option<Validity>,
    /// From then on the program is asked again: what it said itself, and at the latest the certificate's end.
    pub(super) expires: Option<SystemTime>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<Secret>,
    client_certificate_data: Option<String>,
    client_key_data: Option<Secret>,
}

impl Credential {
    /// Reads the ExecCredential of version `expected` in `json`.
    pub(super) fn parse(
        json: &[u8],
        expected: ApiVersion,
        provider: &CryptoProvider,
    ) -> Result<Self, OutputError> {
        let credential: ExecCredential = serde_json::from_slice(json)
            .map_err(|error| OutputError::Json { line: error.line(), column: error.column() })?;
        if credential.kind != "ExecCredential" {
            return Err(OutputError::Kind(shortened(&credential.kind)));
        }
        if credential.api_version != expected.as_str() {
            let found = shortened(&credential.api_version);
            return Err(OutputError::ApiVersion { expected: expected.as_str(), found });
        }
        credential.status.ok_or(OutputError::NoStatus)?.into_credential(provider)
    }
}

impl Status {
    fn into_credential(self, provider: &CryptoProvider) -> Result<Credential, OutputError> {
        let token = self.token.filter(|token| !token.expose().is_empty());
        let certificate = self.client_certificate_data.filter(|pem| !pem.is_empty());
        let key = self.client_key_data.filter(|pem| !pem.expose().is_empty());
        let certificate = match (certificate, key) {
            (Some(certificate), Some(key)) => Some(pair(certificate, &key, provider)?),
            (Some(_), None) => return Err(OutputError::NoKey),
            (None, Some(_)) => return Err(OutputError::NoCertificate),
            (None, None) if token.is_none() => return Err(OutputError::Nothing),
            (None, None) => None,
        };
        let header = match token {
            Some(token) => Some(bearer_value(token.expose()).ok_or(OutputError::Token)?),
            None => None,
        };
        let said = match self.expiration_timestamp {
            Some(text) => {
                let time: jiff::Timestamp = text.parse().map_err(|_| OutputError::Expiration)?;
                Some(SystemTime::try_from(time).map_err(|_| OutputError::Expiration)?)
            }
            None => None,
        };
        let validity = certificate.as_ref().and_then(|pair| Validity::of(pair.cert.first()?));
        let end = validity.as_ref().map(|validity| validity.not_after);
        let expires = said.into_iter().chain(end).min();
        Ok(Credential { header, certificate, validity, expires })
    }
}

fn pair(
    certificate: String,
    key: &Secret,
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, OutputError> {
    let pair = ClientCertificate {
        certificate: Pem::Data(certificate.into_bytes()),
        key: Pem::Data(Secret::new(key.expose().clone().into_bytes())),
    };
    load_identity(&IdentitySource::new(&pair), provider).map(|(pair, _)| pair).map_err(OutputError::Pair)
}

/// Enough of a text to recognize it by.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

impl Content for Credential {
    fn same(&self, other: &Self) -> bool {
        self.header == other.header && same_certificate(self.certificate.as_ref(), other.certificate.as_ref())
    }
}

/// Whether two pairs are one. Equal certificates have equal keys.
pub(super) fn same_certificate(one: Option<&Arc<CertifiedKey>>, other: Option<&Arc<CertifiedKey>>) -> bool {
    one.map(|pair| &pair.cert) == other.map(|pair| &pair.cert)
}
