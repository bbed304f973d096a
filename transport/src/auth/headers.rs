use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::HeaderValue;
use kubewire_config::BasicAuth;

use crate::{Error, ErrorKind};

/// The `Authorization` header of a user name and password.
pub(super) fn basic(basic: &BasicAuth) -> Result<HeaderValue, Error> {
    if basic.username.is_empty() {
        return Err(Error::new(ErrorKind::Config, "basic credentials have no user name"));
    }
    let pair = STANDARD.encode(format!("{}:{}", basic.username, basic.password.expose()));
    secret_value(&format!("Basic {pair}"))
        .ok_or_else(|| Error::new(ErrorKind::Config, "the user name and password make no header"))
}

/// The `Authorization` header of a token.
pub(super) fn bearer(token: &str) -> Result<HeaderValue, Error> {
    bearer_value(token).ok_or_else(|| {
        Error::new(
            ErrorKind::Config,
            "the bearer token holds a line break or another character that can't stand in a header",
        )
    })
}

/// The `Authorization` header of a token; `None` when it holds bytes that can't stand in a header.
pub(super) fn bearer_value(token: &str) -> Option<HeaderValue> {
    secret_value(&format!("Bearer {token}"))
}

fn secret_value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_bytes(text.as_bytes()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_sensitive_and_right() {
        let value = basic(&BasicAuth { username: "user".to_owned(), password: "p:w".into() }).unwrap();
        assert!(value.is_sensitive());
        assert_eq!(value, "Basic dXNlcjpwOnc=");
        let value = bearer("abc").unwrap();
        assert!(value.is_sensitive());
        assert_eq!(value, "Bearer abc");
    }

    // BH-T1
    #[test]
    fn a_basic_pair_needs_a_user() {
        let error = basic(&BasicAuth { username: String::new(), password: "p".into() }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }

    #[test]
    fn a_token_that_is_no_header_is_not_shown() {
        let error = bearer("mark\ned").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!format!("{error:?}").contains("mark"));
    }
}
