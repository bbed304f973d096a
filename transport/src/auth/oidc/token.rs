use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use kubewire_config::Secret;
use serde::Deserialize;

use super::error::OidcError;
use crate::auth::cell::Content;
use crate::auth::headers::bearer_value;

/// A token is not used in its last seconds: the server's clock may be ahead.
const LEEWAY: Duration = Duration::from_secs(10);

/// An id-token, ready to be sent.
#[derive(Clone)]
pub(super) struct IdToken {
    pub(super) header: HeaderValue,
    expires: SystemTime,
}

#[derive(Deserialize)]
struct Claims {
    exp: Option<serde_json::Number>,
}

impl IdToken {
    /// Reads when the token expires. Its signature is the server's to check.
    pub(super) fn parse(token: &Secret) -> Result<Self, OidcError> {
        let token = token.expose();
        let [_, payload, _] = token.split('.').collect::<Vec<_>>()[..] else {
            return Err(OidcError::Token("it does not have three parts"));
        };
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| OidcError::Token("it is not base64url"))?;
        let payload = Secret::new(payload);
        let claims: Claims = serde_json::from_slice(payload.expose())
            .map_err(|_| OidcError::Token("its claims are not JSON, or exp is no number"))?;
        let header = bearer_value(token).ok_or(OidcError::Token("it can't stand in a header"))?;
        Ok(Self { header, expires: expiry(claims.exp.as_ref()) })
    }

    pub(super) fn is_valid(&self, now: SystemTime) -> bool {
        now + LEEWAY < self.expires
    }
}

/// A time in seconds since 1970, whole or not. Without one, or before 1970, it is long over.
fn expiry(exp: Option<&serde_json::Number>) -> SystemTime {
    let seconds = exp.and_then(|exp| {
        exp.as_u64().or_else(|| {
            exp.as_f64().map(|exp| {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "the cast saturates"
                )]
                let seconds = exp as u64;
                seconds
            })
        })
    });
    let since = Duration::from_secs(seconds.unwrap_or(0));
    // So far away that no clock can tell it: far enough to be a year ahead, whenever that is.
    SystemTime::UNIX_EPOCH
        .checked_add(since)
        .unwrap_or_else(|| SystemTime::now() + Duration::from_secs(31_536_000))
}

impl Content for IdToken {
    fn same(&self, other: &Self) -> bool {
        self.header == other.header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(claims: &str) -> Result<IdToken, OidcError> {
        IdToken::parse(&format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims)).into())
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    // BH-T15
    #[test]
    fn a_token_is_valid_until_ten_seconds_before_its_end() {
        for claims in [r#"{"exp":1000}"#, r#"{"exp":1000.5,"sub":"me"}"#, r#"{"exp":1e3}"#] {
            let token = parse(claims).unwrap();
            assert!(token.is_valid(at(989)), "{claims}");
            assert!(!token.is_valid(at(990)), "{claims}");
            assert!(token.header.is_sensitive());
        }
        for claims in ["{}", r#"{"exp":null}"#, r#"{"exp":-5}"#] {
            assert!(!parse(claims).unwrap().is_valid(at(0)), "{claims}");
        }
        assert!(parse(r#"{"exp":18446744073709551615}"#).unwrap().is_valid(SystemTime::now()));
    }

    // BH-T15
    #[test]
    fn what_is_no_token_is_an_error_that_does_not_show_it() {
        for token in ["", "marked", "a.b", "a.b.c.d", "a.!.c"] {
            let error = IdToken::parse(&token.into()).err().unwrap().to_string();
            assert!(!error.contains("marked"), "{error}");
        }
        for claims in ["", "[]", r#"{"exp":"marked"}"#] {
            let error = parse(claims).err().unwrap().to_string();
            assert!(error.contains("claims") && !error.contains("marked"), "{error}");
        }
    }
}
