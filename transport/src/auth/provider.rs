//! Credentials of a named provider, the kubeconfig's `auth-provider`.

use kubewire_config::AuthProviderConfig;

use super::{AuthOptions, Source};
use crate::{Error, ErrorKind};

/// The source that `provider` names.
#[cfg_attr(not(feature = "oidc"), expect(unused_variables, reason = "only oidc needs them"))]
pub(super) fn source(provider: &AuthProviderConfig, options: &AuthOptions) -> Result<Source, Error> {
    let text = match provider.name.as_str() {
        #[cfg(feature = "oidc")]
        "oidc" => return super::oidc::Oidc::new(provider, options).map(Source::Oidc),
        #[cfg(not(feature = "oidc"))]
        "oidc" => "the auth-provider oidc needs the feature oidc of kubewire-transport".to_owned(),
        "gcp" => removed("gcp", "gke-gcloud-auth-plugin"),
        "azure" => removed("azure", "kubelogin"),
        name => format!("there is no auth-provider {name:?}: use oidc, or a credential program (exec)"),
    };
    Err(Error::new(ErrorKind::Config, text))
}

fn removed(name: &str, program: &str) -> String {
    format!(
        "there is no auth-provider {name} any more: use the credential program {program} in its place (exec)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    // BH-T15
    #[test]
    fn providers_that_are_gone_or_unknown_are_told() {
        let options = AuthOptions::new(crate::tls::provider().unwrap());
        for (name, text) in [
            ("gcp", "gke-gcloud-auth-plugin"),
            ("azure", "kubelogin"),
            ("mine", "there is no auth-provider \"mine\""),
            #[cfg(not(feature = "oidc"))]
            ("oidc", "the feature oidc"),
        ] {
            let provider = AuthProviderConfig { name: name.to_owned(), ..AuthProviderConfig::default() };
            let error = source(&provider, &options).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Config);
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.contains(text), "{source}");
        }
    }
}
