use std::sync::Arc;

use base64::Engine as _;
use http::HeaderValue;
use kubewire_config::ProxyUrl;
use percent_encoding::percent_decode_str;

use crate::Error;
use crate::no_proxy::NoProxy;

/// Which connections go through a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proxies {
    /// None.
    Direct,
    /// All, through one that the config names.
    Fixed(ProxyUrl),
    /// Those that the environment says.
    Environment(Arc<EnvironmentProxies>),
}

/// What `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EnvironmentProxies {
    https: Option<ProxyUrl>,
    http: Option<ProxyUrl>,
    no_proxy: NoProxy,
}

/// Where a connection is to lead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) https: bool,
    /// A name, or an IP address without brackets.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
}

impl Proxies {
    pub(crate) fn from_environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let value = |upper: &str| {
            let lower = upper.to_ascii_lowercase();
            [upper, &lower].into_iter().find_map(|name| variable(name).filter(|value| !value.is_empty()))
        };
        let proxy = |name: &str| value(name).map(|text| parse(name, &text)).transpose();
        let https = proxy("HTTPS_PROXY")?;
        // In a CGI program a client's header "Proxy" becomes HTTP_PROXY: it must not be believed there.
        let http = if variable("REQUEST_METHOD").is_some() { None } else { proxy("HTTP_PROXY")? };
        if https.is_none() && http.is_none() {
            return Ok(Self::Direct);
        }
        let no_proxy = value("NO_PROXY").map(|text| NoProxy::parse(&text)).unwrap_or_default();
        Ok(Self::Environment(Arc::new(EnvironmentProxies { https, http, no_proxy })))
    }

    /// Whether connections to any of the proxies use TLS.
    pub(crate) fn use_tls(&self) -> bool {
        let is_https = |proxy: &ProxyUrl| proxy.expose().scheme() == "https";
        match self {
            Self::Direct => false,
            Self::Fixed(proxy) => is_https(proxy),
            Self::Environment(environment) => {
                [&environment.https, &environment.http].into_iter().flatten().any(is_https)
            }
        }
    }

    /// The proxy for connections to `target`.
    pub(crate) fn proxy_for(&self, target: Target<'_>) -> Option<&ProxyUrl> {
        match self {
            Self::Direct => None,
            Self::Fixed(proxy) => Some(proxy),
            Self::Environment(environment) => environment.proxy_for(target),
        }
    }
}

impl EnvironmentProxies {
    fn proxy_for(&self, Target { https, host, port }: Target<'_>) -> Option<&ProxyUrl> {
        let proxy = if https { self.https.as_ref() } else { self.http.as_ref() }?;
        let loopback = host.eq_ignore_ascii_case("localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        (!loopback && !self.no_proxy.covers(host, port)).then_some(proxy)
    }
}

fn parse(name: &str, text: &str) -> Result<ProxyUrl, Error> {
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    url.parse()
        .map_err(|error| Error::config(format!("the variable {name} can't be used")).with_source(error))
}

/// User and password in a proxy's URL, decoded.
pub(crate) fn user_info(proxy: &ProxyUrl) -> Option<(String, String)> {
    let url = proxy.expose();
    let password = url.password().unwrap_or_default();
    if url.username().is_empty() && password.is_empty() {
        return None;
    }
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((decode(url.username()), decode(password)))
}

/// The header by which a proxy is told user and password.
pub(crate) fn authorization(proxy: &ProxyUrl) -> Option<HeaderValue> {
    let (user, password) = user_info(proxy)?;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    let mut value = HeaderValue::try_from(format!("Basic {pair}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Result<Proxies, Error> {
        Proxies::from_environment(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[track_caller]
    fn proxy(variables: &[(&str, &str)], https: bool, host: &str) -> Option<String> {
        let proxies = environment(variables).unwrap();
        proxies.proxy_for(Target { https, host, port: 443 }).map(ToString::to_string)
    }

    #[test]
    fn bh_t5_each_scheme_has_its_variable() {
        let both = [("HTTPS_PROXY", "http://s:1"), ("HTTP_PROXY", "p:2"), ("ALL_PROXY", "http://all:1")];
        assert_eq!(proxy(&both, true, "h").unwrap(), "http://s:1");
        assert_eq!(proxy(&both, false, "h").unwrap(), "http://p:2");
        assert_eq!(proxy(&both[1..], true, "h"), None);
        assert_eq!(environment(&both[2..]).unwrap(), Proxies::Direct);
    }

    #[test]
    fn bh_t5_upper_case_comes_first() {
        let names = [("https_proxy", "http://lower:1"), ("HTTPS_PROXY", "http://upper:1")];
        assert_eq!(proxy(&names, true, "h").unwrap(), "http://upper:1");
        assert_eq!(proxy(&names[..1], true, "h").unwrap(), "http://lower:1");
        let empty = [("https_proxy", "http://lower:1"), ("HTTPS_PROXY", "")];
        assert_eq!(proxy(&empty, true, "h").unwrap(), "http://lower:1");
    }

    #[test]
    fn bh_t5_loopback_and_no_proxy_go_directly() {
        let variables = [("HTTPS_PROXY", "http://s:1"), ("NO_PROXY", "10.0.0.1,foo.com:443")];
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "::1", "10.0.0.1", "foo.com"] {
            assert_eq!(proxy(&variables, true, host), None, "{host}");
        }
        assert!(proxy(&variables, true, "10.0.0.2").is_some());
    }

    #[test]
    fn a_cgi_program_believes_https_proxy_only() {
        let variables =
            [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://p:1"), ("HTTPS_PROXY", "http://s:1")];
        assert_eq!(proxy(&variables, false, "h"), None);
        assert!(proxy(&variables, true, "h").is_some());
    }

    #[test]
    fn schemes_are_checked_and_secrets_are_not_told() {
        let error = environment(&[("HTTPS_PROXY", "ftp://me:marked@h")]).unwrap_err();
        assert!(error.to_string().contains("HTTPS_PROXY"), "{error}");
        assert!(!format!("{error:?}").contains("marked"));
    }

    #[test]
    fn user_and_password_are_decoded() {
        let proxy: ProxyUrl = "http://me%40x:p%3Aw@h".parse().unwrap();
        assert_eq!(user_info(&proxy).unwrap(), ("me@x".to_owned(), "p:w".to_owned()));
        let header = authorization(&proxy).unwrap();
        assert_eq!(header, "Basic bWVAeDpwOnc=");
        assert!(header.is_sensitive());
        assert_eq!(user_info(&"http://h".parse().unwrap()), None);
    }
}
