//! Discovery and the mapper, on scripted answers and on servers.

use std::time::Duration;

use http::{Request, Response};
use kubewire_rest::discovery::{CachedDiscovery, Discovery, MapperError, RestMapper};
use kubewire_rest::http;
use kubewire_rest::transport::{Body, BoxFuture, Error, HttpService};
use kubewire_rest::{Config, GroupVersion, RestClient, Unlimited};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::service::answer;

const AGGREGATED: &str = "application/json;v=v2;as=APIGroupDiscoveryList;g=apidiscovery.k8s.io";

/// Code, content type and body.
type Route = (u16, &'static str, String);

/// Answers by path; counts what it was asked.
#[derive(Clone, Default)]
struct Routes {
    answers: Arc<Mutex<HashMap<&'static str, Route>>>,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Routes {
    fn set(&self, path: &'static str, code: u16, content_type: &'static str, body: impl Into<String>) {
        self.answers.lock().unwrap().insert(path, (code, content_type, body.into()));
    }

    fn json(&self, path: &'static str, body: impl Into<String>) {
        self.set(path, 200, "application/json", body);
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().drain(..).map(|(path, _)| path).collect()
    }

    fn discovery(&self) -> Discovery {
        let client = RestClient::builder(&Config::new("http://server:8080/p"))
            .unversioned()
            .http_service(Arc::new(self.clone()))
            .rate_limiter(Arc::new(Unlimited))
            .build()
            .unwrap();
        Discovery::new(&client)
    }
}

impl HttpService for Routes {
    fn execute(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, Error>> {
        let path = request.uri().path().to_owned();
        let accept = request.headers().get("accept").map(|v| v.to_str().unwrap().to_owned());
        self.asked.lock().unwrap().push((path.clone(), accept.unwrap_or_default()));
        let found = self.answers.lock().unwrap().get(path.strip_prefix("/p").unwrap()).cloned();
        Box::pin(async move {
            let (code, content_type, body) =
                found.unwrap_or((404, "text/plain", "404 page not found".to_owned()));
            let mut response = answer(code, body);
            response.headers_mut().insert("content-type", content_type.parse().unwrap());
            Ok(response)
        })
    }
}

fn groups(document: &str) -> String {
    format!(r#"{{"kind":"APIGroupDiscoveryList","items":[{document}]}}"#)
}

const CORE: &str = r#"{"metadata":{"name":""},"versions":[{"version":"v1","freshness":"Current","resources":[
    {"resource":"pods","responseKind":{"group":"","version":"v1","kind":"Pod"},"scope":"Namespaced",
     "singularResource":"pod","verbs":["get","list"],"shortNames":["po"],"categories":["all"]},
    {"resource":"events","responseKind":{"group":"","version":"v1","kind":"Event"},"scope":"Namespaced",
     "singularResource":"event","verbs":["get"],"shortNames":["ev"]},
    {"resource":"nodes","responseKind":{"group":"","version":"v1","kind":"Node"},"scope":"Cluster",
     "singularResource":"node","verbs":["get"],"shortNames":["no"]}]}]}"#;

const APPS: &str = r#"{"metadata":{"name":"apps"},"versions":[
    {"version":"v1","freshness":"Current","resources":[
     {"resource":"deployments","responseKind":{"group":"apps","version":"v1","kind":"Deployment"},"scope":"Namespaced",
      "singularResource":"deployment","verbs":["get"],"shortNames":["deploy"],
      "subresources":[{"subresource":"scale","responseKind":{"group":"autoscaling","version":"v1","kind":"Scale"}}]}]},
    {"version":"v1beta1","freshness":"Current","resources":[
     {"resource":"deployments","responseKind":{"group":"apps","version":"v1beta1","kind":"Deployment"},
      "scope":"Namespaced","singularResource":"deployment"}]}]}"#;

fn all_at_once() -> Routes {
    let routes = Routes::default();
    routes.set("/api", 200, AGGREGATED, groups(CORE));
    routes.set("/apis", 200, AGGREGATED, groups(APPS));
    routes
}

// BH-D1
#[tokio::test]
async fn two_requests_where_all_is_told_at_once() {
    let routes = all_at_once();
    let all = routes.discovery().resources().await.unwrap();
    assert_eq!(all.groups.len(), 2);
    assert_eq!(all.iter().count(), 5);
    assert!(all.failures.is_empty());
    let asked = routes.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2);
    for (_, accept) in asked {
        assert_eq!(
            accept,
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
        );
    }
}

// BH-D1
#[tokio::test]
async fn each_version_is_asked_for_otherwise() {
    let routes = Routes::default();
    routes.json("/api", r#"{"versions":["v1"]}"#);
    routes.json(
        "/apis",
        r#"{"groups":[{"name":"x.io","versions":[{"version":"v2"},{"version":"v1"}],
            "preferredVersion":{"version":"v1"}}]}"#,
    );
    routes
        .json("/api/v1", r#"{"resources":[{"name":"pods","namespaced":true,"kind":"Pod","verbs":["get"]}]}"#);
    routes
        .json("/apis/x.io/v1", r#"{"resources":[{"name":"as","kind":"A"},{"name":"as/status","kind":"A"}]}"#);
    routes.json("/apis/x.io/v2", r#"{"resources":[{"name":"bs","kind":"B"}]}"#);
    let all = routes.discovery().resources().await.unwrap();
    let found: Vec<_> =
        all.preferred().map(|r| (r.group.as_str(), r.version.as_str(), r.name.as_str())).collect();
    assert_eq!(found, [("", "v1", "pods"), ("x.io", "v1", "as"), ("x.io", "v2", "bs")]);
    assert_eq!(routes.asked().len(), 5);
}

// BH-D1
#[tokio::test]
async fn no_core_group_is_fine_and_no_groups_is_not() {
    let routes = Routes::default();
    routes.set("/apis", 200, AGGREGATED, groups(APPS));
    let all = routes.discovery().resources().await.unwrap();
    assert_eq!(all.groups.len(), 1);

    let routes = Routes::default();
    routes.set("/api", 200, AGGREGATED, groups(CORE));
    let error = routes.discovery().resources().await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

// BH-D1, BH-D2
#[tokio::test]
async fn a_part_that_fails_is_asked_twice_and_reported() {
    let routes = Routes::default();
    routes.json(
        "/apis",
        r#"{"groups":[{"name":"metrics.io","versions":[{"version":"v1"}]},
            {"name":"x.io","versions":[{"version":"v1"}]}]}"#,
    );
    routes.set("/apis/metrics.io/v1", 503, "text/plain", "down");
    routes.json("/apis/x.io/v1", r#"{"resources":[{"name":"as","kind":"A"}]}"#);
    let all = routes.discovery().resources().await.unwrap();
    let asked = routes.asked();
    assert_eq!(asked.iter().filter(|path| *path == "/p/apis/metrics.io/v1").count(), 2);
    assert_eq!(all.iter().count(), 1);
    let (failed, why) = &all.failures[0];
    assert_eq!(failed.to_string(), "metrics.io/v1");
    assert!(why.is_transient());
    assert!(why.to_string().contains("/apis/metrics.io/v1"), "{why}");
}

// BH-D3
#[tokio::test]
async fn a_version_that_failed_in_passing_is_asked_again() {
    let routes = Routes::default();
    routes.json("/apis", r#"{"groups":[{"name":"metrics.io","versions":[{"version":"v1"}]}]}"#);
    routes.set("/apis/metrics.io/v1", 503, "text/plain", "down");
    let cache = CachedDiscovery::new(routes.discovery());
    let of = GroupVersion::new("metrics.io", "v1");
    assert!(cache.resources_of(&of).await.unwrap_err().is_transient());
    routes.json("/apis/metrics.io/v1", r#"{"resources":[{"name":"as","kind":"A"}]}"#);
    routes.asked();
    assert_eq!(cache.resources_of(&of).await.unwrap().unwrap()[0].name, "as");
    assert_eq!(routes.asked(), ["/p/apis/metrics.io/v1"]);
    // And remembered then.
    assert_eq!(cache.resources_of(&of).await.unwrap().unwrap().len(), 1);
    assert!(cache.resources().await.unwrap().failures.is_empty());
    assert!(routes.asked().is_empty());
    // What is not served stays unknown until the cache is told to forget.
    let other = GroupVersion::new("other.io", "v1");
    assert!(cache.resources_of(&other).await.unwrap().is_none());
    assert!(routes.asked().is_empty());
}

// BH-D3
#[tokio::test]
async fn a_version_that_is_refused_is_not_asked_again() {
    let routes = Routes::default();
    routes.json("/apis", r#"{"groups":[{"name":"secret.io","versions":[{"version":"v1"}]}]}"#);
    routes.set("/apis/secret.io/v1", 403, "text/plain", "no");
    let cache = CachedDiscovery::new(routes.discovery());
    let of = GroupVersion::new("secret.io", "v1");
    cache.resources_of(&of).await.unwrap_err();
    routes.asked();
    cache.resources_of(&of).await.unwrap_err();
    assert!(routes.asked().is_empty());
}

#[tokio::test]
async fn many_ask_and_the_server_is_asked_once() {
    let routes = all_at_once();
    let cache = CachedDiscovery::new(routes.discovery());
    let answers = futures_util::future::join_all((0..50).map(|_| cache.resources())).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().groups.len() == 2));
    assert_eq!(routes.asked().len(), 2);
}

// BH-D4
#[tokio::test(start_paused = true)]
async fn a_kind_that_came_later_is_found() {
    let routes = all_at_once();
    let mapper = RestMapper::new(routes.discovery());
    assert_eq!(mapper.for_kind("", "Pod").await.unwrap().name, "pods");
    assert_eq!(routes.asked().len(), 2);
    // Fresh: not asked again.
    let error = mapper.for_kind("x.io", "Late").await.unwrap_err();
    assert_eq!(error.to_string(), r#"the server has no kind "Late" in the group x.io"#);
    assert!(routes.asked().is_empty());

    let late = r#"{"metadata":{"name":"x.io"},"versions":[{"version":"v1","resources":[
        {"resource":"lates","responseKind":{"kind":"Late"}}]}]}"#;
    routes.set("/apis", 200, AGGREGATED, groups(&format!("{APPS},{late}")));
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(mapper.for_kind("x.io", "Late").await.unwrap().name, "lates");
    assert_eq!(routes.asked().len(), 2);
}

#[tokio::test]
async fn words_find_resources() {
    let routes = all_at_once();
    let mapper = RestMapper::new(routes.discovery());
    for (word, expected) in [
        ("pods", ("", "v1", "pods")),
        ("pod", ("", "v1", "pods")),
        ("po", ("", "v1", "pods")),
        ("Pod", ("", "v1", "pods")),
        ("deploy", ("apps", "v1", "deployments")),
        ("deployments.apps", ("apps", "v1", "deployments")),
        ("deploy.apps", ("apps", "v1", "deployments")),
        ("deployments.v1beta1.apps", ("apps", "v1beta1", "deployments")),
        ("pods.v1.", ("", "v1", "pods")),
        ("no", ("", "v1", "nodes")),
    ] {
        let found = mapper.for_word(word).await.unwrap();
        assert_eq!((found.group.as_str(), found.version.as_str(), found.name.as_str()), expected, "{word}");
    }
    for word in ["", ".", "podz", "pods.apps", "deployments.v2.apps"] {
        let error = mapper.for_word(word).await.unwrap_err();
        assert!(matches!(error, MapperError::NoResource { .. }), "{word}: {error}");
    }
    let beta = GroupVersion::new("apps", "v1beta1");
    assert_eq!(mapper.for_version_kind(&beta, "Deployment").await.unwrap().version, "v1beta1");
    assert_eq!(mapper.for_kind("apps", "Deployment").await.unwrap().version, "v1");
    assert!(mapper.for_kind("apps", "Pod").await.is_err());
}

/// What any server with the core API shows.
async fn core_api(config: Config) {
    let client = RestClient::builder(&config.without_rate_limit()).unversioned().build().unwrap();
    let discovery = Discovery::new(&client);
    let version = discovery.server_version().await.unwrap();
    assert_eq!(version.major, "1");
    assert!(version.git_version.starts_with("v1."), "{version:?}");

    let all = discovery.resources().await.unwrap();
    assert!(all.failures.is_empty(), "{:?}", all.failures);
    assert_eq!(all.groups[0].name, "");
    let pods = discovery.resources_of(&GroupVersion::V1).await.unwrap();
    let pods = pods.iter().find(|resource| resource.name == "pods").unwrap();
    assert_eq!((pods.kind.as_str(), pods.namespaced), ("Pod", true));
    assert!(pods.supports("list") && pods.supports("watch"));
    assert!(pods.subresource("status").is_some());

    let mapper = RestMapper::new(discovery);
    for (word, expected) in
        [("po", "pods"), ("deploy", "deployments"), ("ns", "namespaces"), ("cm", "configmaps")]
    {
        assert_eq!(mapper.for_word(word).await.unwrap().name, expected);
    }
    let deployments = mapper.for_kind("apps", "Deployment").await.unwrap();
    assert_eq!(deployments.subresource("scale").unwrap().kind, "Scale");
    assert!(!mapper.for_kind("", "Namespace").await.unwrap().namespaced);
    assert!(matches!(mapper.for_kind("", "Nothing").await, Err(MapperError::NoKind { .. })));
}

#[cfg(feature = "fake")]
#[tokio::test]
async fn on_the_embedded_server() {
    let server = kubewire_rest::fake::ApiServer::start().await.unwrap();
    core_api(server.config()).await;
}

#[tokio::test]
async fn on_the_real_server() {
    let Some(server) = kubewire_envtest::server() else { return };
    core_api(Config::from_kubeconfig(server.kubeconfig()).unwrap()).await;
}
