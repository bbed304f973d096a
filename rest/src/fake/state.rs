//! Everything one server knows, and the way of a request through it.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use kubewire_transport::Body;
use serde_json::{Value, json};
use tokio::sync::watch as signal;

use super::admission::{Admission, Review};
use super::auth::{self, Access, Tokens};
use super::clock::Clock;
use super::faults::Faults;
use super::kinds::{Registry, Resource};
use super::logs::{self, Logs};
use super::random::Random;
use super::request::{Call, Found, Route, route};
use super::status::{ApiError, bytes_response, json_response};
use super::store::{Store, Stored};
use super::{delete, discovery, openapi, read, reviews, subresources, watch, write};

/// The largest request body that is read, as on the real server.
const MAX_BODY: usize = 3 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) random: Random,
    pub(super) registry: RwLock<Registry>,
    pub(super) tokens: Mutex<Tokens>,
    pub(super) admission: Vec<Admission>,
    pub(super) warnings: Mutex<Vec<(String, String)>>,
    pub(super) faults: Faults,
    pub(super) logs: Logs,
    pub(super) version: (String, String),
    pub(super) bookmark_every: Duration,
    pub(super) graceful_pods: bool,
    pub(super) stopping: signal::Sender<bool>,
}

impl State {
    /// Answers one request; never fails, an error becomes its answer.
    pub(super) async fn answer<B>(self: &Arc<Self>, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<kubewire_transport::BoxError>,
    {
        match self.call(request).await {
            Ok(call) => self.dispatch(&call).unwrap_or_else(ApiError::into_response),
            Err(error) => error.into_response(),
        }
    }

    async fn call<B>(&self, request: Request<B>) -> Result<Call, ApiError>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<kubewire_transport::BoxError>,
    {
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(e) if e.is::<LengthLimitError>() => return Err(ApiError::too_large(MAX_BODY)),
            Err(e) => return Err(ApiError::bad_request(format!("reading the body: {e}"))),
        };
        let query = head.uri.query().unwrap_or_default();
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let user = self
            .tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .authenticate(&head.headers, self.clock.now());
        let user = user.ok_or_else(ApiError::unauthorized)?;
        let path = head.uri.path().to_owned();
        let mut call = Call { method: head.method, path, query, headers: head.headers, body, user };
        if let Some(user) = auth::impersonated(&self.store, &call)? {
            call.user = user;
        }
        Ok(call)
    }

    fn dispatch(self: &Arc<Self>, call: &Call) -> Result<Response<Body>, ApiError> {
        let path = call.path.as_str();
        let found = route(&self.registry.read().unwrap_or_else(PoisonError::into_inner), path);
        let depth = path.split('/').filter(|p| !p.is_empty()).count();
        let resource_path =
            (path.starts_with("/api/") && depth > 2) || (path.starts_with("/apis/") && depth > 3);
        if resource_path {
            return match found {
                Found::Route(route) => self.resource(call, &route),
                Found::NoVersion => Ok(not_found()),
                Found::NoResource => Err(ApiError::unknown_resource()),
            };
        }
        let verb = call.method.as_str().to_lowercase();
        if !auth::path_allowed(&self.store, &call.user, &verb, path) {
            let why = format!("User \"{}\" cannot {verb} path \"{path}\"", call.user.name);
            return Err(ApiError::forbidden_path(&why));
        }
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = discovery::answer(&registry, path, call.header(header::ACCEPT)) {
            return answer;
        }
        if let Some(answer) = openapi::answer(&registry, path, call.header(header::ACCEPT)) {
            return answer;
        }
        drop(registry);
        Ok(match path {
            "/version" | "/version/" => json_response(200, &self.version_info()),
            "/healthz" | "/livez" | "/readyz" => bytes_response(200, "text/plain; charset=utf-8", "ok"),
            "/metrics" => bytes_response(200, "text/plain; version=0.0.4; charset=utf-8", self.metrics()),
            "/" => json_response(
                200,
                &json!({"paths": ["/api", "/apis", "/healthz", "/livez", "/readyz", "/version"]}),
            ),
            _ => not_found(),
        })
    }

    fn metrics(&self) -> String {
        format!(
            "# HELP apiserver_storage_resource_version Version of the newest write.\n\
             # TYPE apiserver_storage_resource_version gauge\n\
             apiserver_storage_resource_version {}\n\
             # HELP apiserver_faults_total Requests and connections that met a fault.\n\
             # TYPE apiserver_faults_total counter\n\
             apiserver_faults_total {}\n",
            self.store.version(),
            self.faults.struck()
        )
    }

    fn version_info(&self) -> Value {
        let (major, minor) = &self.version;
        json!({
            "major": major, "minor": minor, "gitVersion": format!("v{major}.{minor}.0"),
            "gitCommit": "kubewire", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z",
            "goVersion": "none", "compiler": "rustc", "platform": "linux/amd64",
        })
    }

    fn resource(self: &Arc<Self>, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
        let watching = route.watch || call.flag("watch");
        let verb = match (&call.method, route.name.is_some()) {
            (&Method::GET | &Method::HEAD, _) if watching && route.subresource.is_none() => "watch",
            (&Method::GET | &Method::HEAD, true) => "get",
            (&Method::GET | &Method::HEAD, false) => "list",
            (&Method::POST, _) => "create",
            (&Method::PUT, _) => "update",
            (&Method::PATCH, _) => "patch",
            (&Method::DELETE, true) => "delete",
            (&Method::DELETE, false) => "deletecollection",
            _ => return Err(ApiError::method_not_allowed()),
        };
        let access = Access::of(verb, route);
        if !auth::allowed(&self.store, &call.user, &access) {
            return Err(auth::forbidden(&call.user, &access, &route.resource));
        }
        if let Some(answer) = subresources::answer(self, call, route) {
            return answer;
        }
        let placed = route.namespace.is_some() || !route.resource.namespaced;
        let mut response = match (verb, route.subresource.as_deref()) {
            _ if !route.resource.verbs().contains(&verb) && route.subresource.is_none() => {
                return Err(ApiError::method_not_allowed());
            }
            ("watch", None) => watch::watch(self, call, route),
            ("get", None | Some("status" | "approval" | "ephemeralcontainers")) if route.name.is_some() => {
                read::get(self, call, route)
            }
            ("get", Some("log")) if route.resource.plural == "pods" => logs::read(self, call, route),
            ("list", None) => read::list(self, call, route),
            ("create", None) if route.resource.virtual_only && route.name.is_none() => {
                reviews::create(self, call, route)
            }
            ("create", None) if placed && route.name.is_none() => write::create(self, call, route),
            ("update", None | Some("status" | "approval" | "ephemeralcontainers"))
                if route.name.is_some() =>
            {
                write::update(self, call, route)
            }
            ("patch", None | Some("status" | "approval" | "ephemeralcontainers")) if route.name.is_some() => {
                write::patch(self, call, route)
            }
            ("delete", None) => delete::delete(self, call, route),
            ("deletecollection", None) if placed => delete::delete_collection(self, call, route),
            _ => Err(ApiError::method_not_allowed()),
        }?;
        self.add_warnings(route, &mut response);
        Ok(response)
    }

    fn add_warnings(&self, route: &Route, response: &mut Response<Body>) {
        for (_, text) in route.resource.deprecated.iter().filter(|(v, _)| *v == route.version) {
            if let Some(value) = warning_header(text) {
                response.headers_mut().append(header::WARNING, value);
            }
        }
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, text) in warnings.iter().filter(|(r, _)| *r == route.resource.qualified()) {
            if let Some(value) = warning_header(text) {
                response.headers_mut().append(header::WARNING, value);
            }
        }
    }

    pub(super) fn knows_kind(&self, version: &str, kind: &str) -> bool {
        self.registry.read().unwrap_or_else(PoisonError::into_inner).by_kind(version, kind).is_some()
    }

    /// Objects are created in namespaces that are there to stay.
    pub(super) fn check_namespace(&self, route: &Route) -> Result<(), ApiError> {
        let Some(namespace) = &route.namespace else { return Ok(()) };
        let Some(found) = self.store.get("/namespaces", &(String::new(), namespace.clone())) else {
            return Err(ApiError::namespace_not_found(namespace));
        };
        if found.value["status"]["phase"] == "Terminating" {
            let why = format!(
                "unable to create new content in namespace {namespace} because it is being terminated"
            );
            return Err(ApiError::forbidden(&route.resource, route.name(), &why));
        }
        Ok(())
    }

    /// Lets the hooks look at a write.
    pub(super) fn admit(&self, mut review: Review<'_>) -> Result<(), ApiError> {
        for admission in &self.admission {
            (admission.hook)(&mut review).map_err(|why| {
                let text = format!("admission webhook \"{}\" denied the request: {why}", admission.name);
                ApiError::denied(text)
            })?;
        }
        Ok(())
    }

    /// A definition's resource is served as soon as the definition is there.
    pub(super) fn wrote(&self, route: &Route, object: &Stored) {
        if is_definition(route)
            && let Some(resource) = Resource::from_definition(&object.value)
        {
            self.registry.write().unwrap_or_else(PoisonError::into_inner).register(resource);
        }
    }

    pub(super) fn removed(&self, route: &Route) {
        if let (true, Some((plural, group))) = (is_definition(route), route.name().split_once('.')) {
            self.registry.write().unwrap_or_else(PoisonError::into_inner).unregister(group, plural);
        }
    }
}

pub(super) fn warning_header(text: &str) -> Option<http::HeaderValue> {
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    http::HeaderValue::from_str(&format!("299 - \"{quoted}\"")).ok()
}

fn is_definition(route: &Route) -> bool {
    route.resource.plural == "customresourcedefinitions"
}

fn not_found() -> Response<Body> {
    bytes_response(404, "text/plain; charset=utf-8", "404 page not found\n")
}
