use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, USER_AGENT};
use kubewire_config::{Config, Impersonation};

use crate::Error;

const IMPERSONATE_USER: HeaderName = HeaderName::from_static("impersonate-user");
const IMPERSONATE_UID: HeaderName = HeaderName::from_static("impersonate-uid");
const IMPERSONATE_GROUP: HeaderName = HeaderName::from_static("impersonate-group");
const IMPERSONATE_EXTRA: &str = "impersonate-extra-";

/// The headers that every request of one client carries, credentials apart.
#[derive(Clone, Debug)]
pub(crate) struct StandingHeaders {
    user_agent: HeaderValue,
    impersonation: Vec<(HeaderName, HeaderValue)>,
}

impl StandingHeaders {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let user_agent = HeaderValue::try_from(config.user_agent_or_default())
            .map_err(|_| Error::config("the user agent holds characters that no header may hold"))?;
        let impersonation = config.impersonate.as_ref().map(impersonation).transpose()?.unwrap_or_default();
        Ok(Self { user_agent, impersonation })
    }

    /// Adds the user agent, unless the request has its own.
    pub(crate) fn identify(&self, headers: &mut HeaderMap) {
        headers.entry(USER_AGENT).or_insert_with(|| self.user_agent.clone());
    }

    /// Adds whom to act as, unless the request says that by itself.
    pub(crate) fn impersonate(&self, headers: &mut HeaderMap) {
        if self.impersonation.is_empty() || headers.contains_key(IMPERSONATE_USER) {
            return;
        }
        for (name, value) in &self.impersonation {
            headers.append(name.clone(), value.clone());
        }
    }
}

/// Whether a header speaks for a user, so that it must not reach another host.
pub(crate) fn is_credential(name: &HeaderName) -> bool {
    matches!(name.as_str(), "authorization" | "proxy-authorization" | "cookie" | "www-authenticate")
        || name.as_str().starts_with("impersonate-")
}

fn impersonation(whom: &Impersonation) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
    let others = whom.uid.is_some() || !whom.groups.is_empty() || !whom.extra.is_empty();
    if whom.user.is_empty() {
        return if others {
            Err(Error::config("uid, groups or extra are to be impersonated without a user: set the user too"))
        } else {
            Ok(Vec::new())
        };
    }
    let mut headers = vec![(IMPERSONATE_USER, value("user", &whom.user)?)];
    if let Some(uid) = &whom.uid {
        headers.push((IMPERSONATE_UID, value("uid", uid)?));
    }
    for group in &whom.groups {
        headers.push((IMPERSONATE_GROUP, value("group", group)?));
    }
    for (key, values) in &whom.extra {
        let name = HeaderName::try_from(format!("{IMPERSONATE_EXTRA}{}", escape(key)))
            .map_err(|_| Error::config(format!("the extra key {key:?} to impersonate makes no header")))?;
        for text in values {
            headers.push((name.clone(), value("extra value", text)?));
        }
    }
    Ok(headers)
}

fn value(what: &str, text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text).map_err(|_| {
        Error::config(format!("the {what} {text:?} to impersonate holds characters that no header may hold"))
    })
}

/// Percent-escapes each byte that no header's name may hold, and '%' itself.
fn escape(key: &str) -> String {
    use std::fmt::Write as _;

    let mut escaped = String::with_capacity(key.len());
    for &byte in key.as_bytes() {
        if byte != b'%' && is_name_byte(byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers_of(whom: Impersonation) -> Result<HeaderMap, Error> {
        let config = Config { impersonate: Some(whom), ..Config::new("https://h") };
        let mut headers = HeaderMap::new();
        StandingHeaders::new(&config)?.impersonate(&mut headers);
        Ok(headers)
    }

    #[test]
    fn bh_t6_extra_keys_are_escaped() {
        assert_eq!(escape("a/b%20c"), "a%2Fb%2520c");
        assert_eq!(escape("example.org/Scopes"), "example.org%2FScopes");
        assert_eq!(escape("ü|~"), "%C3%BC|~");
    }

    #[test]
    fn bh_t6_everything_is_sent() {
        let whom = Impersonation {
            user: "jane".to_owned(),
            uid: Some("42".to_owned()),
            groups: vec!["b".to_owned(), "a".to_owned()],
            extra: [("a/b".to_owned(), vec!["1".to_owned(), "2".to_owned()])].into(),
        };
        let headers = headers_of(whom).unwrap();
        assert_eq!(headers["impersonate-user"], "jane");
        assert_eq!(headers["impersonate-uid"], "42");
        assert_eq!(headers.get_all("impersonate-group").iter().collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(headers.get_all("impersonate-extra-a%2fb").iter().collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn bh_t6_a_requests_own_headers_stay_alone() {
        let whom =
            Impersonation { user: "jane".to_owned(), groups: vec!["a".to_owned()], ..Default::default() };
        let config = Config { impersonate: Some(whom), ..Config::new("https://h") };
        let standing = StandingHeaders::new(&config).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(IMPERSONATE_USER, HeaderValue::from_static("joe"));
        headers.insert(USER_AGENT, HeaderValue::from_static("mine"));
        standing.impersonate(&mut headers);
        standing.identify(&mut headers);
        assert_eq!(headers["impersonate-user"], "joe");
        assert!(!headers.contains_key("impersonate-group"));
        assert_eq!(headers[USER_AGENT], "mine");
    }

    #[test]
    fn groups_without_a_user_are_an_error() {
        let whom = Impersonation { groups: vec!["a".to_owned()], ..Default::default() };
        let error = headers_of(whom).unwrap_err();
        assert!(error.to_string().contains("without a user"), "{error}");
        let error = headers_of(Impersonation { user: "a\nb".to_owned(), ..Default::default() }).unwrap_err();
        assert!(error.to_string().contains(r#""a\nb""#), "{error}");
    }
}
