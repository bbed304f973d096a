//! The client: one API server, one group and version.

mod base;
mod builder;
mod content;

pub(crate) use base::Base;
pub use builder::RestClientBuilder;
pub(crate) use content::{Content, encode_cbor, encode_json, is_null};

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, Method};
use kubewire_config::Config;
use kubewire_flowcontrol::RateLimiter;
use kubewire_transport::HttpService;

use crate::execute::{Settings, ThrottleLog};
use crate::observe::Observer;
use crate::{Error, GroupVersion, PatchType, Request};

/// A client for the resources of one group and version on one API server.
///
/// Cheap to clone: clones share their connections, their rate limiter and all that is computed once.
///
/// ```no_run
/// use kubewire_rest::{Config, GroupVersion, ListOptions, Object, List, RestClient};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = RestClient::for_config(&Config::new("http://localhost:8001"), GroupVersion::V1)?;
/// let pods: List<Object> = client
///     .get()
///     .namespace("kube-system")
///     .resource("pods")
///     .versioned_params(&ListOptions { limit: Some(500), ..Default::default() })
///     .send()
///     .await
///     .into_object()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RestClient(pub(crate) Arc<Inner>);

#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) service: Arc<dyn HttpService>,
    pub(crate) base: Arc<Base>,
    /// The versioned path below the base, percent-encoded and cleaned.
    pub(crate) prefix: String,
    /// A config with nothing but what the paths of groups hang on.
    pub(crate) paths: Arc<Config>,
    pub(crate) group_version: GroupVersion,
    pub(crate) content: Content,
    /// What each request begins with.
    pub(crate) settings: Settings,
    pub(crate) max_body_bytes: usize,
    pub(crate) observer: Observer,
    pub(crate) propagate: Option<Arc<dyn Propagate>>,
    pub(crate) throttle_log: ThrottleLog,
}

/// Adds headers to each attempt of a request, inside the request's span: the hook by which a program's own tracing
/// layer sends its context on, such as W3C `traceparent`. Closures of `&mut HeaderMap` are one.
pub trait Propagate: Send + Sync + 'static {
    /// Adds the headers.
    fn propagate(&self, headers: &mut HeaderMap);
}

impl<F: Fn(&mut HeaderMap) + Send + Sync + 'static> Propagate for F {
    fn propagate(&self, headers: &mut HeaderMap) {
        self(headers);
    }
}

impl RestClient {
    /// A client for `group_version` on the config's server, with every knob at its default.
    ///
    /// # Errors
    /// A host that is no address, and TLS settings or credentials that can't be used, are errors here, before
    /// any request.
    pub fn for_config(config: &Config, group_version: GroupVersion) -> Result<Self, Error> {
        Self::builder(config).group_version(group_version).build()
    }

    /// A client with settings of its own.
    pub fn builder(config: &Config) -> RestClientBuilder<'_> {
        RestClientBuilder::new(config)
    }

    /// Begins a GET: of one object when a name is given, else of the collection.
    pub fn get(&self) -> Request {
        self.method(Method::GET)
    }

    /// Begins a POST, which creates.
    pub fn post(&self) -> Request {
        self.method(Method::POST)
    }

    /// Begins a PUT, which replaces.
    pub fn put(&self) -> Request {
        self.method(Method::PUT)
    }

    /// Begins a PATCH. Its `Content-Type` is the patch type's, for typed bodies too.
    pub fn patch(&self, patch_type: PatchType) -> Request {
        self.method(Method::PATCH).patch_type(patch_type)
    }

    /// Begins a server-side apply by `field_manager`: a PATCH of type [`PatchType::Apply`]. See
    /// [`Request::force`] for what happens when other managers own a field.
    ///
    /// ```no_run
    /// # use kubewire_rest::{Object, RestClient};
    /// # async fn run(client: RestClient, config_map: Object) -> Result<(), kubewire_rest::Error> {
    /// let applied: Object = client
    ///     .apply("my-controller")
    ///     .namespace("default")
    ///     .resource("configmaps")
    ///     .name(&config_map.metadata.name)
    ///     .body(&config_map)
    ///     .send()
    ///     .await
    ///     .into_object()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn apply(&self, field_manager: &str) -> Request {
        self.patch(PatchType::Apply).field_manager(field_manager)
    }

    /// Begins a DELETE: of one object when a name is given, else of the collection.
    pub fn delete(&self) -> Request {
        self.method(Method::DELETE)
    }

    /// Begins a request with any HTTP method.
    pub fn verb(&self, verb: &str) -> Request {
        match Method::from_bytes(verb.as_bytes()) {
            Ok(method) => self.method(method),
            Err(_) => self.method(Method::GET).fail(crate::RequestError::Method(verb.to_owned())),
        }
    }

    fn method(&self, method: Method) -> Request {
        Request::new(self.clone(), method)
    }

    /// The group and version.
    pub fn group_version(&self) -> &GroupVersion {
        &self.0.group_version
    }

    /// The client's rate limiter.
    pub fn rate_limiter(&self) -> &Arc<dyn RateLimiter> {
        &self.0.settings.limiter
    }

    /// What sends the requests.
    pub fn http_client(&self) -> &Arc<dyn HttpService> {
        &self.0.service
    }

    /// A client for another group and version on the same server. It shares everything with this one:
    /// connections, rate limiter, metrics.
    pub fn for_group_version(&self, group_version: GroupVersion) -> Self {
        let inner = &*self.0;
        let path = inner.paths.versioned_api_path(&group_version.group, &group_version.version);
        let prefix = crate::request::join(&inner.base.path, &path);
        Self(Arc::new(Inner { prefix, group_version, ..inner.clone() }))
    }
}

impl fmt::Debug for RestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestClient")
            .field("server", &self.0.base.origin)
            .field("prefix", &self.0.prefix)
            .field("group_version", &self.0.group_version)
            .finish_non_exhaustive()
    }
}
