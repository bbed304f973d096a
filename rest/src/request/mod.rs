//! Requests: put together by a consuming builder, then sent by one of its ends.

mod body;
mod ends;
mod location;
mod options;
mod path;
#[cfg(feature = "protobuf")]
mod protobuf;
mod query;
mod settings;
mod template;

pub(crate) use body::RequestBody;
pub(crate) use ends::answer_body;
pub(crate) use path::join;

use std::fmt;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::time::Instant;

pub(crate) use self::location::Location;
use crate::client::RestClient;
use crate::execute::Settings;
use crate::observe::ResourceObserver;
use crate::{DecodeOptions, FieldPath, FieldPathError, PatchType, RequestError, Target, VersionedParams};

/// A request that is being put together.
///
/// Each method takes the request and gives it back. What is wrong is kept, the first of it, and comes out at the end, so
/// that a chain of calls needs one check.
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    client: RestClient,
    method: Method,
    location: Location,
    headers: HeaderMap,
    accept_removed: bool,
    patch: Option<PatchType>,
    body: RequestBody,
    /// They begin as the client's.
    settings: Settings,
    deadline: Option<Instant>,
    idle_timeout: Option<Duration>,
    options: DecodeOptions,
    error: Option<Box<RequestError>>,
}

impl Request {
    pub(crate) fn new(client: RestClient, method: Method) -> Self {
        Self {
            settings: client.0.settings.clone(),
            client,
            method,
            location: Location::default(),
            headers: HeaderMap::new(),
            accept_removed: false,
            patch: None,
            body: RequestBody::Empty,
            deadline: None,
            idle_timeout: None,
            options: DecodeOptions::default(),
            error: None,
        }
    }

    /// Keeps the first error.
    pub(crate) fn fail(mut self, error: RequestError) -> Self {
        self.error.get_or_insert_with(|| Box::new(error));
        self
    }

    /// Does `set`, unless something was wrong before.
    fn set(mut self, set: impl FnOnce(&mut Self) -> Result<(), RequestError>) -> Self {
        if self.error.is_none()
            && let Err(error) = set(&mut self)
        {
            self.error = Some(Box::new(error));
        }
        self
    }

    /// The resource, such as `pods`; it is sent in lower case. Once a request.
    pub fn resource(self, resource: impl AsRef<str>) -> Self {
        self.set(|this| this.location.set_resource(resource.as_ref()))
    }

    /// The object's name. Once a request; empty is an error.
    pub fn name(self, name: impl AsRef<str>) -> Self {
        self.set(|this| this.location.set_name(name.as_ref()))
    }

    /// The namespace. Once a request. An empty one is all namespaces, and an error where an object is created, read,
    /// replaced or deleted.
    pub fn namespace(self, namespace: impl AsRef<str>) -> Self {
        self.set(|this| this.location.set_namespace(namespace.as_ref()))
    }

    /// The namespace, if the resource stands in namespaces.
    pub fn namespace_if(self, namespaced: bool, namespace: impl AsRef<str>) -> Self {
        if namespaced { self.namespace(namespace) } else { self }
    }

    /// The subresource, such as `status`. Once a request.
    pub fn subresource(self, subresource: impl AsRef<str>) -> Self {
        self.set(|this| this.location.set_subresource(subresource.as_ref()))
    }

    /// Adds to the path before the namespace and the resource. It is cleaned, not checked.
    pub fn prefix(self, path: impl AsRef<str>) -> Self {
        self.set(|this| {
            this.location.add_prefix(&this.client.0.prefix, path.as_ref());
            Ok(())
        })
    }

    /// Adds to the path after everything else, such as the path behind a proxy. It is cleaned, not checked.
    pub fn suffix(self, path: impl AsRef<str>) -> Self {
        self.set(|this| {
            this.location.add_suffix(path.as_ref());
            Ok(())
        })
    }

    /// Takes `path` in place of the group and version, below the server's own path: `/version`, `/healthz`. It is
    /// cleaned; a slash at its end stays, unless more follows.
    pub fn abs_path(self, path: impl AsRef<str>) -> Self {
        self.set(|this| {
            this.location.set_abs_path(&this.client.0.base.path, path.as_ref());
            Ok(())
        })
    }

    /// Takes path and query from a URI as a server writes it, such as a self link, in place of everything: the server's
    /// own path and the parameters set before are gone. Its host and fragment are ignored.
    pub fn request_uri(self, uri: impl AsRef<str>) -> Self {
        self.set(|this| this.location.set_request_uri(uri.as_ref()))
    }

    /// Adds a query parameter. The same name again adds another value.
    pub fn param(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.set(|this| {
            this.location.add_param(name.as_ref(), value.as_ref());
            Ok(())
        })
    }

    /// Adds options as query parameters. Doing so twice sends both values.
    pub fn versioned_params(self, options: &(impl VersionedParams + ?Sized)) -> Self {
        self.set(|this| {
            options.each(&mut |name, value| this.location.add_param(name, value));
            Ok(())
        })
    }

    /// Sets a header in place of all its values.
    pub fn header<N, V>(self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName> + fmt::Debug + Clone,
        V: TryInto<HeaderValue>,
    {
        self.header_values(name, [value])
    }

    /// Sets a header to several values, in place of all it has; none removes it.
    pub fn header_values<N, V>(mut self, name: N, values: impl IntoIterator<Item = V>) -> Self
    where
        N: TryInto<HeaderName> + fmt::Debug + Clone,
        V: TryInto<HeaderValue>,
    {
        let said = name.clone();
        let Ok(name) = name.try_into() else {
            let name = format!("{said:?}");
            return self.fail(RequestError::Header { name, why: "it is no header name".to_owned() });
        };
        let mut any = false;
        for value in values {
            let Ok(value) = value.try_into() else {
                let why = "its value holds characters that a header may not".to_owned();
                return self.fail(RequestError::Header { name: name.to_string(), why });
            };
            if any {
                self.headers.append(name.clone(), value);
            } else {
                self.headers.insert(name.clone(), value);
            }
            any = true;
        }
        if !any {
            self.headers.remove(&name);
        }
        if name == ACCEPT {
            self.accept_removed = !any;
        }
        self
    }

    /// Leaves these fields out of what is read, be it a list, a stream of items or one object: they are cut from the
    /// bytes as they come, before anything is allocated for them. Paths are those of
    /// [`FieldPath`](crate::FieldPath); [`DecodeOptions::skip_fields`] says more.
    ///
    /// ```no_run
    /// # async fn run(client: kubewire_rest::RestClient) -> Result<(), kubewire_rest::Error> {
    /// use kubewire_rest::{List, Object};
    ///
    /// let pods: List<Object> = client.get().resource("pods").skip_fields(["metadata.managedFields"]).list().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn skip_fields<P>(self, paths: impl IntoIterator<Item = P>) -> Self
    where
        P: TryInto<FieldPath>,
        P::Error: Into<FieldPathError>,
    {
        self.set(|this| {
            let options = std::mem::take(&mut this.options);
            this.options = options.skip_fields(paths).map_err(RequestError::FieldPath)?;
            Ok(())
        })
    }

    /// What is read of the answer, and how much, in place of what was set before.
    pub fn decode_options(mut self, options: DecodeOptions) -> Self {
        self.options = options;
        self
    }

    /// The same request without its body, for the next page: what is wrong with it stays with the first.
    pub(crate) fn again(&self) -> Self {
        Self {
            client: self.client.clone(),
            method: self.method.clone(),
            location: self.location.clone(),
            headers: self.headers.clone(),
            accept_removed: self.accept_removed,
            patch: self.patch,
            body: RequestBody::Empty,
            settings: self.settings.clone(),
            deadline: self.deadline,
            idle_timeout: self.idle_timeout,
            options: self.options.clone(),
            error: None,
        }
    }

    /// Sets a query parameter in place of all its values; `None` removes it.
    pub(crate) fn set_param(&mut self, name: &str, value: Option<&str>) {
        self.location.remove_param(name);
        if let Some(value) = value {
            self.location.add_param(name, value);
        }
    }

    /// The first value of a query parameter.
    pub(crate) fn get_param(&self, name: &str) -> Option<&str> {
        self.location.param(name)
    }

    pub(crate) fn get_idle_timeout(&self) -> Option<Duration> {
        self.idle_timeout
    }

    /// What is observed of the resource.
    pub(crate) fn resource_observer(&self) -> ResourceObserver {
        let client = &self.client.0;
        client.observer.resource(&client.group_version.group, self.location.resource())
    }

    /// Whether its deadline has passed.
    pub(crate) fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    /// The earlier of a time and its deadline.
    pub(crate) fn no_later(&self, at: Instant) -> Instant {
        self.deadline.map_or(at, |deadline| deadline.min(at))
    }

    /// What it is about, for errors that are noticed before it is sent or after all is read.
    pub(crate) fn target(&self) -> Box<Target> {
        Box::new(Target {
            path: self.url().path().to_owned(),
            server: self.client.0.base.origin.clone(),
            method: self.method.clone(),
            attempts: 0,
        })
    }

    pub(crate) fn patch_type(mut self, patch_type: PatchType) -> Self {
        self.patch = Some(patch_type);
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(patch_type.content_type()));
        self
    }

    /// The URL that the request would go to. A part that is wrong is left out of it.
    pub fn url(&self) -> url::Url {
        let text = self.url_text();
        // The text is made of a URL's parts, each percent-encoded, so it parses.
        url::Url::parse(&text).unwrap_or_else(|_| self.client.0.base.url.clone())
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn host(&self) -> &str {
        &self.client.0.base.host
    }

    /// The path with names taken out.
    pub(crate) fn path_template(&self) -> String {
        template::path_template(&self.client.0.base.path, self.url().path())
    }

    fn url_text(&self) -> String {
        self.location.url(&self.client.0.base.origin, &self.client.0.prefix, self.settings.timeout)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.url().path())
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}
