use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kubewire_flowcontrol::Backoff;

/// Slows requests down to a host that answers with errors, on top of what the server asks for itself.
pub trait BackoffManager: fmt::Debug + Send + Sync + 'static {
    /// How long to wait before the next attempt to `host` (`host:port`).
    fn delay(&self, host: &str) -> Duration;

    /// Takes note of an attempt's status code; `None` when there was no answer.
    fn update(&self, host: &str, code: Option<u16>);
}

/// Backs off from each host by itself: not at all at first, then by a base time, doubled with each 429 or 5xx up to a
/// maximum, and back to nothing with anything else.
#[derive(Debug)]
pub struct HostBackoff(Backoff<Box<str>>);

impl HostBackoff {
    /// Waits `base` after the first error, and never more than `max` after further ones.
    pub fn new(base: Duration, max: Duration) -> Self {
        Self(Backoff::new(base, max))
    }
}

impl BackoffManager for HostBackoff {
    fn delay(&self, host: &str) -> Duration {
        self.0.get(host)
    }

    fn update(&self, host: &str, code: Option<u16>) {
        if matches!(code, Some(429 | 500..)) {
            self.0.next(host.into());
        } else {
            self.0.reset(host);
        }
    }
}

/// Where a request's backoff comes from.
#[derive(Clone, Debug)]
pub(crate) enum BackoffSource {
    None,
    /// A fresh one for each request.
    Fresh {
        base: Duration,
        max: Duration,
    },
    /// One for all.
    Shared(Arc<dyn BackoffManager>),
}

impl BackoffSource {
    /// What KUBE_CLIENT_BACKOFF_BASE and KUBE_CLIENT_BACKOFF_DURATION ask for, in whole seconds: both, or none at all.
    pub(crate) fn from_env() -> Self {
        Self::from_values(|name| std::env::var(name).ok())
    }

    fn from_values(value: impl Fn(&str) -> Option<String>) -> Self {
        let seconds = |name| value(name)?.parse().ok().map(Duration::from_secs);
        match (seconds("KUBE_CLIENT_BACKOFF_BASE"), seconds("KUBE_CLIENT_BACKOFF_DURATION")) {
            (Some(base), Some(max)) => Self::Fresh { base, max },
            _ => Self::None,
        }
    }

    pub(crate) fn manager(&self) -> Option<Arc<dyn BackoffManager>> {
        match self {
            Self::None => None,
            Self::Fresh { base, max } => Some(Arc::new(HostBackoff::new(*base, *max))),
            Self::Shared(manager) => Some(Arc::clone(manager)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BackoffManager as _, BackoffSource, HostBackoff};

    // BH-X6
    #[test]
    fn doubles_and_forgets() {
        let backoff = HostBackoff::new(Duration::from_secs(1), Duration::from_secs(5));
        let delay = |host| backoff.delay(host).as_secs();
        assert_eq!(delay("a"), 0);
        for expected in [1, 2, 4, 5, 5] {
            backoff.update("a", Some(504));
            assert_eq!((delay("a"), delay("b")), (expected, 0));
        }
        for (code, expected) in [(Some(200), 0), (Some(429), 1), (None, 0), (Some(500), 1), (Some(404), 0)] {
            backoff.update("a", code);
            assert_eq!(delay("a"), expected, "{code:?}");
        }
    }

    // BH-X6
    #[test]
    fn the_environment_must_name_both() {
        for (base, max, some) in [
            (Some("1"), Some("30"), true),
            (Some("1"), None, false),
            (None, Some("30"), false),
            (Some("1s"), Some("30"), false),
            (Some(""), Some(""), false),
        ] {
            let source = BackoffSource::from_values(|name| {
                if name.ends_with("BASE") { base } else { max }.map(str::to_owned)
            });
            assert_eq!(source.manager().is_some(), some, "{base:?} {max:?}");
        }
    }
}
