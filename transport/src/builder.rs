use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use kubewire_config::Config;

use crate::engine::Ping;
use crate::limits::{Limits, NEVER};
use crate::observe::Observer;
use crate::{Error, HttpClient};

/// How long the answer to a ping is waited for by default.
const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// Reads an environment variable.
pub(crate) type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Settings of an [`HttpClient`] beyond its [`Config`].
///
/// ```no_run
/// use std::time::Duration;
/// use kubewire_config::Config;
/// use kubewire_transport::HttpClient;
///
/// let client = HttpClient::builder(&Config::new("https://10.0.0.1:6443"))
///     .connect_timeout(Duration::from_secs(5))
///     .drain_timeout(Duration::from_secs(60))
///     .build()?;
/// # Ok::<(), kubewire_transport::Error>(())
/// ```
#[must_use = "a builder does nothing until it builds"]
pub struct HttpClientBuilder {
    pub(crate) config: Config,
    pub(crate) options: Options,
    pub(crate) http2: Option<bool>,
    pub(crate) ping: PingChoice,
    pub(crate) token_file_period: Duration,
    pub(crate) clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    pub(crate) shared: bool,
    pub(crate) environment: Environment,
    pub(crate) observer: Observer,
}

/// What shapes connections. Clients share connections only where this is equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) limits: Limits,
    pub(crate) tcp_keepalive: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) max_idle: usize,
    pub(crate) ping: Option<Ping>,
    pub(crate) stream_window: Option<u32>,
    pub(crate) connection_window: Option<u32>,
    pub(crate) long_lived_per_connection: usize,
    pub(crate) drain: Duration,
    pub(crate) file_period: Duration,
    pub(crate) file_pause: Duration,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum PingChoice {
    Environment,
    Never,
    Every(Ping),
}

impl HttpClientBuilder {
    pub(crate) fn new(config: &Config) -> Self {
        let options = Options {
            limits: Limits { dial: Duration::from_secs(30), handshake: Duration::from_secs(10) },
            tcp_keepalive: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(90),
            max_idle: 25,
            ping: None,
            stream_window: None,
            connection_window: None,
            long_lived_per_connection: 8,
            drain: Duration::from_secs(600),
            file_period: Duration::from_secs(300),
            file_pause: Duration::from_secs(1),
        };
        Self {
            config: config.clone(),
            options,
            http2: None,
            ping: PingChoice::Environment,
            token_file_period: Duration::from_secs(50),
            clock: Arc::new(SystemTime::now),
            shared: true,
            environment: Arc::new(|name| std::env::var(name).ok()),
            observer: Observer::default(),
        }
    }

    /// How long the way to the server may take: name lookup, TCP and proxy together, and the wait for another request's
    /// connection that may serve this one too. Default: 30 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.limits.dial = timeout;
        self
    }

    /// How long the TLS handshake may take that follows; one with an https proxy has as much for itself. Default: 10 s.
    pub fn tls_handshake_timeout(mut self, timeout: Duration) -> Self {
        self.options.limits.handshake = timeout;
        self
    }

    /// How long a TCP connection is silent before the system probes it. Default: 30 s. Systems count in whole seconds.
    pub fn tcp_keepalive(mut self, time: Duration) -> Self {
        self.options.tcp_keepalive = time;
        self
    }

    /// How long a connection is kept that no request uses. Default: 90 s.
    pub fn idle_timeout(mut self, time: Duration) -> Self {
        self.options.idle_timeout = time;
        self
    }

    /// How many unused HTTP/1.1 connections are kept to each host. Default: 25. One HTTP/2 connection is always enough.
    pub fn max_idle(mut self, connections: usize) -> Self {
        self.options.max_idle = connections;
        self
    }

    /// Whether HTTP/2 is offered to the server. Default: yes, unless the variable `DISABLE_HTTP2` is set and not
    /// empty.
    pub fn http2(mut self, offered: bool) -> Self {
        self.http2 = Some(offered);
        self
    }

    /// Asks an HTTP/2 connection for a sign of life after `interval` without a frame, and gives it up when none comes
    /// within `timeout`: its requests then end with [`ErrorKind::ConnectionLost`](crate::ErrorKind::ConnectionLost).
    /// Idle connections are asked too. An interval of zero is [`no_http2_ping`](Self::no_http2_ping), a timeout of zero
    /// the default one. Default: 30 s and 15 s, or what the variables `HTTP2_READ_IDLE_TIMEOUT_SECONDS` (0: never) and
    /// `HTTP2_PING_TIMEOUT_SECONDS` say.
    pub fn http2_ping(mut self, interval: Duration, timeout: Duration) -> Self {
        self.ping = PingChoice::Every(Ping { interval, timeout });
        self
    }

    /// Never asks for a sign of life. A connection that died without a word is then found dead by TCP only, which
    /// takes minutes.
    pub fn no_http2_ping(mut self) -> Self {
        self.ping = PingChoice::Never;
        self
    }

    /// How many bytes the server may send ahead on one HTTP/2 stream and on one connection. Default: 2 MiB and
    /// 5 MiB. Each is at least 65,535, which is HTTP/2's own default, and at most 2 GiB less one byte.
    pub fn http2_windows(mut self, stream: u32, connection: u32) -> Self {
        let allowed = |bytes: u32| bytes.clamp(u16::MAX.into(), i32::MAX.unsigned_abs());
        self.options.stream_window = Some(allowed(stream));
        self.options.connection_window = Some(allowed(connection));
        self
    }

    /// How many long-lived answers, such as watches, share one connection. They never share one with other
    /// requests. Servers allow a bounded number on each connection, often 100, some far fewer, and a slow reader
    /// holds up its neighbours. Where a server allows fewer than this, one that finds no room waits for its head until
    /// another ends: set it to what the server allows. Default: 8. At least 1.
    pub fn long_lived_per_connection(mut self, answers: usize) -> Self {
        self.options.long_lived_per_connection = answers.max(1);
        self
    }

    /// After a certificate or the CA has changed, how long a long-lived answer, such as a watch, may go on using its
    /// old connection before it ends with [`ErrorKind::ConnectionLost`](crate::ErrorKind::ConnectionLost). All other
    /// requests end in their own time. Default: 10 min.
    pub fn drain_timeout(mut self, time: Duration) -> Self {
        self.options.drain = time;
        self
    }

    /// How often the files of the client's certificate and of the CA are read again. Default: 5 min. At least 10 ms.
    /// They are also read when a connection is made, at most once in a second. Files that can't be used are reported to
    /// `tracing`, and what was read before stays in use.
    pub fn certificate_file_period(mut self, period: Duration) -> Self {
        let period = period.max(Duration::from_millis(10));
        self.options.file_period = period;
        self.options.file_pause = period.min(Duration::from_secs(1));
        self
    }

    /// How old the copy of a token file may get before the file is read again. Default: 50 s. Zero: it is read for
    /// each request. While it can't be read, the last good token is sent.
    pub fn token_file_period(mut self, period: Duration) -> Self {
        self.token_file_period = period;
        self
    }

    /// The wall clock by which credentials expire. Default: the system's. Tests may bring their own. It is asked for
    /// each request, and must not wait.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(now);
        self
    }

    /// Whether this client may share connections with others that are equal in all that shapes these: TLS settings,
    /// certificate files, and the settings of this builder. They must live in the same tokio runtime too; clients
    /// built outside a runtime, or with a proxy of their own, share nothing. Default: yes.
    pub fn shared(mut self, shared: bool) -> Self {
        self.shared = shared;
        self
    }

    /// Where environment variables are looked up: those of proxies (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` and their
    /// like in small letters) and of HTTP/2. They are read once, by [`build`](Self::build). Default: in the process's own.
    pub fn environment(mut self, variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.environment = Arc::new(variable);
        self
    }

    /// Where to count connections, lookups and rotations. Default: nowhere.
    #[cfg(feature = "metrics")]
    pub fn metrics(mut self, metrics: Arc<kubewire_metrics::ClientMetrics>) -> Self {
        self.observer = Observer::new(metrics);
        self
    }

    /// Builds the client.
    ///
    /// Files that the config names are read here, once, and without waiting for a runtime; no connection is made.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the config can't work, with the field or file and why.
    pub fn build(self) -> Result<HttpClient, Error> {
        HttpClient::from_builder(self)
    }

    /// Settles what the environment has a say in.
    pub(crate) fn settle(&mut self) -> bool {
        let variable = |name: &str| (self.environment)(name).filter(|value| !value.is_empty());
        let seconds = |name: &str, default: u64| {
            Duration::from_secs(variable(name).and_then(|value| value.parse().ok()).unwrap_or(default))
        };
        self.options.ping = match self.ping {
            PingChoice::Never => None,
            PingChoice::Every(ping) => Some(ping),
            PingChoice::Environment => Some(Ping {
                interval: seconds("HTTP2_READ_IDLE_TIMEOUT_SECONDS", 30),
                timeout: seconds("HTTP2_PING_TIMEOUT_SECONDS", PING_TIMEOUT.as_secs()),
            }),
        }
        .filter(|ping| !ping.interval.is_zero())
        // The HTTP/2 beneath adds them to the time it is.
        .map(|Ping { interval, timeout }| Ping {
            interval: interval.min(NEVER),
            // No answer comes within no time.
            timeout: if timeout.is_zero() { PING_TIMEOUT } else { timeout.min(NEVER) },
        });
        self.http2.unwrap_or_else(|| variable("DISABLE_HTTP2").is_none())
    }
}

impl fmt::Debug for HttpClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClientBuilder")
            .field("config", &self.config)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(variables: &'static [(&str, &str)]) -> (bool, Option<Ping>) {
        let mut builder = HttpClientBuilder::new(&Config::new("https://h")).environment(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        (builder.settle(), builder.options.ping)
    }

    fn ping(interval: u64, timeout: u64) -> Option<Ping> {
        Some(Ping { interval: Duration::from_secs(interval), timeout: Duration::from_secs(timeout) })
    }

    #[test]
    fn bh_t3_pings_follow_the_environment() {
        assert_eq!(settled(&[]), (true, ping(30, 15)));
        let set = &[("HTTP2_READ_IDLE_TIMEOUT_SECONDS", "7"), ("HTTP2_PING_TIMEOUT_SECONDS", "3")];
        assert_eq!(settled(set).1, ping(7, 3));
        assert_eq!(settled(&[("HTTP2_READ_IDLE_TIMEOUT_SECONDS", "0")]).1, None);
        assert_eq!(settled(&[("HTTP2_READ_IDLE_TIMEOUT_SECONDS", "-1")]).1, ping(30, 15));
        assert_eq!(settled(&[("HTTP2_PING_TIMEOUT_SECONDS", "soon")]).1, ping(30, 15));
        assert_eq!(settled(&[("HTTP2_PING_TIMEOUT_SECONDS", "0")]).1, ping(30, 15));
        assert_eq!(
            settled(&[("HTTP2_PING_TIMEOUT_SECONDS", "18446744073709551615")]).1,
            ping(30, NEVER.as_secs())
        );
    }

    #[test]
    fn bh_t3_http2_can_be_disabled() {
        assert!(!settled(&[("DISABLE_HTTP2", "1")]).0);
        assert!(settled(&[("DISABLE_HTTP2", "")]).0);
    }
}
