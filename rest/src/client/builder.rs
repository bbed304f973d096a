use std::sync::Arc;

use kubewire_config::Config;
use kubewire_flowcontrol::{RateLimiter, limiter_for};
use kubewire_transport::{HttpClient, HttpService};

use super::content::Preferences;
use super::{Base, Content, Inner, Propagate, RestClient};
use crate::error::ClientError;
use crate::execute::{BackoffSource, Settings, ThrottleLog};
use crate::observe::Observer;
use crate::request::join;
use crate::{BackoffManager, Error, GroupVersion, RetryPolicy, WarningHandler};

/// Builds a [`RestClient`] with settings of its own.
#[must_use = "a builder does nothing until build() is called"]
pub struct RestClientBuilder<'a> {
    config: &'a Config,
    group_version: Option<GroupVersion>,
    unversioned: bool,
    service: Option<Arc<dyn HttpService>>,
    /// `None` means one that the config asks for.
    limiter: Option<Arc<dyn RateLimiter>>,
    /// But for the limiter.
    settings: Settings,
    max_body_bytes: usize,
    preferences: Preferences,
    propagate: Option<Arc<dyn Propagate>>,
    #[cfg(feature = "metrics")]
    metrics: Option<Arc<kubewire_metrics::ClientMetrics>>,
}

impl<'a> RestClientBuilder<'a> {
    /// How often a request is sent again, unless said otherwise.
    pub const DEFAULT_MAX_RETRIES: u32 = 10;
    /// The largest body that is read, in bytes, unless said otherwise: 1 GiB.
    pub const DEFAULT_MAX_BODY_BYTES: usize = 1024 * 1024 * 1024;

    pub(super) fn new(config: &'a Config) -> Self {
        Self {
            config,
            group_version: None,
            unversioned: false,
            service: None,
            limiter: None,
            settings: Settings {
                backoff: BackoffSource::from_env(),
                timeout: config.timeout.filter(|timeout| !timeout.is_zero()),
                ..Settings::default()
            },
            max_body_bytes: Self::DEFAULT_MAX_BODY_BYTES,
            preferences: Preferences::default(),
            propagate: None,
            #[cfg(feature = "metrics")]
            metrics: None,
        }
    }

    /// The group and version whose resources the client is for.
    pub fn group_version(mut self, group_version: GroupVersion) -> Self {
        self.group_version = Some(group_version);
        self
    }

    /// A client of no group: requests name their whole path with [`abs_path`](crate::Request::abs_path) or
    /// [`request_uri`](crate::Request::request_uri).
    pub fn unversioned(mut self) -> Self {
        self.unversioned = true;
        self
    }

    /// What sends the requests, in place of an [`HttpClient`] made of the config. Clients that share it share
    /// its connections.
    pub fn http_service(mut self, service: Arc<dyn HttpService>) -> Self {
        self.service = Some(service);
        self
    }

    /// The rate limiter, in place of one made of the config's `qps` and `burst`. Clients that share it share its tokens.
    pub fn rate_limiter(mut self, limiter: Arc<dyn RateLimiter>) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// What decides whether a request is sent again, in place of [`StandardRetry`](crate::StandardRetry).
    pub fn retry_policy(mut self, policy: Arc<dyn RetryPolicy>) -> Self {
        self.settings.retry = policy;
        self
    }

    /// How often a request may be sent again; 0 turns retries off. Default: [`DEFAULT_MAX_RETRIES`](Self::DEFAULT_MAX_RETRIES), 10.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.settings.max_retries = retries;
        self
    }

    /// The backoff for hosts that answer with 5xx and 429, remembered from one request to the next. By default there is
    /// none, unless the environment asks for one.
    pub fn backoff(mut self, backoff: Arc<dyn BackoffManager>) -> Self {
        self.settings.backoff = BackoffSource::Shared(backoff);
        self
    }

    /// What becomes of the warnings that answers carry; by default they are logged.
    pub fn warning_handler(mut self, handler: Arc<dyn WarningHandler>) -> Self {
        self.settings.warnings = handler;
        self
    }

    /// The largest body that is read as a whole, in bytes: a larger one is an error. Default:
    /// [`DEFAULT_MAX_BODY_BYTES`](Self::DEFAULT_MAX_BODY_BYTES), 1 GiB. Objects that are decoded from it can take more memory
    /// than their text, most of all a list of many empty ones.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// Asks for protobuf first and sends it, where the config names neither a content type nor an accept list.
    pub fn prefer_protobuf(mut self) -> Self {
        self.preferences.protobuf = true;
        self
    }

    /// Lets CBOR count where the config names it, as `content_type` or among `accept_content_types`; otherwise it is
    /// read as JSON.
    ///
    /// When the server refuses a body of CBOR (415), the client sends JSON from then on, and the request once more as
    /// JSON, unless its body is a stream.
    #[cfg(feature = "cbor")]
    pub fn allow_cbor(mut self) -> Self {
        self.preferences.allow_cbor = true;
        self
    }

    /// [Allows](Self::allow_cbor) CBOR, sends it where the config names no content type, and asks for it first where
    /// the config names no accept list either. [`prefer_protobuf`](Self::prefer_protobuf) comes before it.
    ///
    /// [`cbor`](crate::cbor) says when it is worth it.
    #[cfg(feature = "cbor")]
    pub fn prefer_cbor(mut self) -> Self {
        self.preferences.allow_cbor = true;
        self.preferences.cbor = true;
        self
    }

    /// Called for each attempt, inside the request's span, with the headers about to be sent: the place to add W3C
    /// `traceparent` from the program's own tracing layer.
    pub fn propagate(mut self, hook: impl Propagate) -> Self {
        self.propagate = Some(Arc::new(hook));
        self
    }

    /// The metrics that the client's requests are counted in, and the connections beneath, unless
    /// [`http_service`](Self::http_service) brings those.
    #[cfg(feature = "metrics")]
    pub fn metrics(mut self, metrics: Arc<kubewire_metrics::ClientMetrics>) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// [`Error::Client`] when the host is no address, no group and version is given, or the config can't be used.
    pub fn build(self) -> Result<RestClient, Error> {
        let config = self.config;
        let base = Base::new(config)?;
        let group_version = match (self.group_version, self.unversioned) {
            (Some(group_version), _) if !group_version.version.is_empty() => group_version,
            (_, true) => GroupVersion::default(),
            _ => return Err(ClientError::NoGroupVersion.into()),
        };
        let path = if group_version.version.is_empty() {
            config.api_path.clone().unwrap_or_default()
        } else {
            config.versioned_api_path(&group_version.group, &group_version.version)
        };
        let content = Content::new(config, self.preferences)?;
        let service = match self.service {
            Some(service) => service,
            None => {
                let builder = HttpClient::builder(config);
                #[cfg(feature = "metrics")]
                let builder = match &self.metrics {
                    Some(metrics) => builder.metrics(Arc::clone(metrics)),
                    None => builder,
                };
                Arc::new(builder.build().map_err(ClientError::Transport)?)
            }
        };
        let limiter = match self.limiter {
            Some(limiter) => limiter,
            None => limiter_of(config)?,
        };
        #[cfg(feature = "metrics")]
        let observer = Observer::new(self.metrics.as_deref(), &base.host);
        #[cfg(not(feature = "metrics"))]
        let observer = Observer::default();
        Ok(RestClient(Arc::new(Inner {
            service,
            prefix: join(&base.path, &path),
            paths: Arc::new(Config { api_path: config.api_path.clone(), ..Config::default() }),
            base: Arc::new(base),
            group_version,
            content,
            settings: Settings { limiter, ..self.settings },
            max_body_bytes: self.max_body_bytes,
            observer,
            propagate: self.propagate,
            throttle_log: ThrottleLog::default(),
        })))
    }
}

/// The limiter that the config's `qps` and `burst` ask for.
fn limiter_of(config: &Config) -> Result<Arc<dyn RateLimiter>, ClientError> {
    limiter_for(config.qps.unwrap_or_default(), config.burst.unwrap_or_default().into())
        .map_err(|error| ClientError::Setting { setting: "qps and burst", why: error.to_string() })
}
