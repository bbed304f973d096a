use std::net::IpAddr;

/// The hosts that the environment's proxies are not for: the value of `NO_PROXY`.
///
/// Entries are separated by commas. `*` is every host; `10.0.0.0/8` is a network; `foo.com` is the domain and all below
/// it; `.foo.com` and `*.foo.com` are what is below it only; an IP address is itself. Each may end in `:PORT`, and is
/// then for that port only. Entries that make no sense are of no effect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct NoProxy(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Hosts {
    All,
    Address(IpAddr),
    Network {
        base: IpAddr,
        prefix: u32,
    },
    /// The name and, where `itself` is false, only what is below it.
    Domain {
        name: String,
        itself: bool,
    },
}

impl NoProxy {
    pub(crate) fn parse(text: &str) -> Self {
        Self(text.split(',').filter_map(|entry| Entry::parse(entry.trim())).collect())
    }

    /// Whether `host` (a name, or an IP address without brackets) is to be reached directly.
    pub(crate) fn covers(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let address = host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
        self.0.iter().any(|entry| {
            entry.port.is_none_or(|wanted| wanted == port) && entry.hosts.contain(&host, address)
        })
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if let Some(hosts) = Hosts::network(text) {
            return Some(Self { hosts, port: None });
        }
        // An IPv6 address has colons of its own.
        let (host, port) = match text.rsplit_once(':') {
            _ if text.ends_with(']') || text.parse::<IpAddr>().is_ok() => (text, None),
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text, None),
        };
        Some(Self { hosts: Hosts::parse(host)?, port })
    }
}

impl Hosts {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::All);
        }
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical()));
        }
        let text = text.trim_end_matches('.').to_ascii_lowercase();
        let below = text.strip_prefix("*.").or_else(|| text.strip_prefix('.'));
        let name = below.unwrap_or(&text).to_owned();
        (!name.is_empty()).then_some(Self::Domain { name, itself: below.is_none() })
    }

    fn network(text: &str) -> Option<Self> {
        let (base, prefix) = text.split_once('/')?;
        let (base, prefix) = (base.parse::<IpAddr>().ok()?, prefix.parse().ok()?);
        (prefix <= if base.is_ipv4() { 32 } else { 128 }).then_some(Self::Network { base, prefix })
    }

    fn contain(&self, host: &str, address: Option<IpAddr>) -> bool {
        match self {
            Self::All => true,
            Self::Address(wanted) => address == Some(*wanted),
            Self::Network { base, prefix } => match (base, address) {
                (IpAddr::V4(base), Some(IpAddr::V4(address))) => {
                    let shift = 32 - prefix;
                    let cut = |bits: u32| bits.checked_shr(shift).unwrap_or(0);
                    cut(base.to_bits()) == cut(address.to_bits())
                }
                (IpAddr::V6(base), Some(IpAddr::V6(address))) => {
                    let shift = 128 - prefix;
                    let cut = |bits: u128| bits.checked_shr(shift).unwrap_or(0);
                    cut(base.to_bits()) == cut(address.to_bits())
                }
                _ => false,
            },
            Self::Domain { name, itself } => match host.strip_suffix(name.as_str()) {
                Some("") => *itself,
                Some(rest) => address.is_none() && rest.ends_with('.'),
                None => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &str, covered: &[(&str, u16)], others: &[(&str, u16)]) {
        let no_proxy = NoProxy::parse(list);
        for (host, port) in covered {
            assert!(no_proxy.covers(host, *port), "{list:?} should cover {host}:{port}");
        }
        for (host, port) in others {
            assert!(!no_proxy.covers(host, *port), "{list:?} should not cover {host}:{port}");
        }
    }

    #[test]
    fn bh_t5_domains() {
        check(
            "foo.com",
            &[("foo.com", 443), ("a.foo.com", 80), ("A.B.FOO.com", 1), ("foo.com.", 443)],
            &[("barfoo.com", 443), ("com", 443), ("foo.com.evil.org", 443)],
        );
        check(".foo.com", &[("a.foo.com", 443)], &[("foo.com", 443), ("afoo.com", 443)]);
        check("*.foo.com", &[("a.foo.com", 443)], &[("foo.com", 443)]);
        check(" a.org , FOO.com ,,", &[("foo.com", 1), ("x.a.org", 1)], &[("b.org", 1)]);
    }

    #[test]
    fn bh_t5_all() {
        check("*", &[("foo.com", 443), ("10.0.0.1", 6443), ("::1", 80)], &[]);
        check("a.org,*", &[("foo.com", 443)], &[]);
    }

    #[test]
    fn bh_t5_ports() {
        check("foo.com:8443", &[("foo.com", 8443), ("a.foo.com", 8443)], &[("foo.com", 443)]);
        check("10.0.0.1:6443", &[("10.0.0.1", 6443)], &[("10.0.0.1", 443)]);
        check("[fd00::1]:6443", &[("fd00::1", 6443)], &[("fd00::1", 443)]);
        check("*:8443", &[("foo.com", 8443)], &[("foo.com", 443)]);
        check("foo.com:x", &[], &[("foo.com", 443)]);
    }

    #[test]
    fn bh_t5_addresses_and_networks() {
        check("10.0.0.1", &[("10.0.0.1", 443), ("::ffff:10.0.0.1", 443)], &[("10.0.0.2", 443)]);
        check("fd00::1", &[("fd00:0::1", 443)], &[("fd00::2", 443)]);
        check("[fd00::1]", &[("fd00::1", 443)], &[]);
        check("10.96.0.0/12", &[("10.96.0.1", 443), ("10.111.255.255", 1)], &[("10.112.0.0", 1), ("h", 1)]);
        check("fd00::/8", &[("fd12::1", 443)], &[("fe80::1", 443), ("10.0.0.1", 443)]);
        check("0.0.0.0/0", &[("8.8.8.8", 443)], &[("::1", 443), ("foo.com", 443)]);
        check("10.0.0.0/33", &[], &[("10.0.0.1", 443)]);
        check("0.1", &[], &[("10.0.0.1", 443)]);
    }
}
