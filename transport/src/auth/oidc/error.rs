use http::StatusCode;
use kubewire_config::ConfigError;

/// Why there is no id-token. No token and no secret is ever in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum OidcError {
    #[error("the id-token can't be used: {0}")]
    Token(&'static str),
    #[error("the id-token is over, and there is no refresh-token to get another: log in again")]
    NoRefreshToken,
    #[error("the OpenID issuer can't be asked at {url}")]
    Request { url: String, source: crate::Error },
    #[error("the OpenID issuer's answer at {url} can't be read")]
    Answer { url: String, source: crate::Error },
    #[error("the OpenID issuer's answer at {url} is longer than {limit} bytes")]
    TooLong { url: String, limit: usize },
    #[error("the OpenID issuer says {status} at {url}{}", reason(code.as_deref()))]
    Status {
        url: String,
        status: StatusCode,
        /// The OAuth error code, such as `invalid_grant`.
        code: Option<String>,
    },
    #[error("the OpenID issuer's answer at {url} can't be used: {problem}")]
    Content { url: String, problem: &'static str },
    #[error("the OpenID issuer took longer than {0} s")]
    TimedOut(u64),
    #[error("the new tokens can't be saved to the kubeconfig")]
    Save(#[source] ConfigError),
    #[error(
        "the new tokens can't be saved: the user {0:?} of the kubeconfig is no longer one of auth-provider oidc"
    )]
    Moved(String),
    #[error("the refresh ended with the runtime it ran on")]
    Ended,
}

fn reason(code: Option<&str>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}
