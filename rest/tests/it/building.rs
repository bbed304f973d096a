//! Requests as they are put together: URLs, headers, bodies, and what is refused.

use std::sync::Arc;
use std::time::Duration;

use kubewire_rest::{
    Config, FieldValidation, GroupVersion, ListOptions, PatchType, PropagationPolicy, Request, RestClient,
};

use crate::service::Script;

type Build = fn(RestClient) -> Request;

pub fn client(host: &str, group: &'static str) -> RestClient {
    let config = Config::new(host);
    let version = if group.is_empty() { "v1" } else { "v1beta1" };
    Script::default().builder(&config).group_version(GroupVersion::new(group, version)).build().unwrap()
}

pub fn location(request: &Request) -> String {
    let url = request.url();
    url[url::Position::BeforePath..].to_owned()
}

// BH-R1, BH-R2
#[test]
fn hosts_and_groups_make_the_base() {
    for (host, group, url) in [
        ("", "", "http://localhost/api/v1"),
        ("h", "", "http://h/api/v1"),
        ("h:8080", "", "http://h:8080/api/v1"),
        ("http://h", "", "http://h/api/v1"),
        ("https://h:6443", "", "https://h:6443/api/v1"),
        ("https://h:6443/", "apps", "https://h:6443/apis/apps/v1beta1"),
        ("https://h/p1", "", "https://h/p1/api/v1"),
        ("https://h/p1/", "apps", "https://h/p1/apis/apps/v1beta1"),
        ("https://h/p1/p2?x=y#f", "", "https://h/p1/p2/api/v1"),
        ("127.0.0.1", "", "http://127.0.0.1/api/v1"),
        ("[::1]:80", "", "http://[::1]/api/v1"),
        ("::1", "", "http://[::1]/api/v1"),
        ("unix:///run/api.sock", "", "http://localhost/api/v1"),
    ] {
        assert_eq!(client(host, group).get().url().as_str(), url, "{host:?}");
    }
}

// BH-R1
#[test]
fn bad_clients_are_refused() {
    for host in ["host/server", "http://", "ftp://h", "///:://localhost", "h:port", "http://h:99999"] {
        let error = RestClient::for_config(&Config::new(host), GroupVersion::V1).unwrap_err();
        assert!(error.target().is_none() && error.is_not_processed(), "{host}: {error}");
    }
    let config = Config::new("h");
    for (group_version, unversioned, builds) in [
        (None, false, false),
        (Some(GroupVersion::default()), false, false),
        (Some(GroupVersion::new("apps", "")), false, false),
        (None, true, true),
        (Some(GroupVersion::V1), false, true),
        (Some(GroupVersion::V1), true, true),
    ] {
        let mut builder = RestClient::builder(&config).http_service(Arc::new(Script::default()));
        if let Some(group_version) = group_version.clone() {
            builder = builder.group_version(group_version);
        }
        if unversioned {
            builder = builder.unversioned();
        }
        let built = builder.build();
        assert_eq!(built.is_ok(), builds, "{group_version:?} {unversioned}");
        if let Err(error) = built {
            assert!(error.to_string().contains("group_version"), "{error}");
        }
    }
    let config = Config { content_type: Some("application/,x".to_owned()), ..Config::new("h") };
    assert!(RestClient::for_config(&config, GroupVersion::V1).is_err());
}

// BH-R1
#[test]
fn api_paths_of_ones_own_and_none() {
    let config = Config { api_path: Some("/mine".to_owned()), ..Config::new("http://h/p") };
    let script = Script::default();
    let client = script.builder(&config).group_version(GroupVersion::new("g", "v2")).build().unwrap();
    assert_eq!(client.get().url().path(), "/p/mine/g/v2");
    assert_eq!(client.for_group_version(GroupVersion::new("", "v3")).get().url().path(), "/p/mine/v3");
    let config = Config::new("http://h/p");
    let raw =
        RestClient::builder(&config).http_service(Arc::new(Script::default())).unversioned().build().unwrap();
    assert_eq!(raw.get().url().path(), "/p");
    assert_eq!(raw.get().abs_path("/version").url().path(), "/p/version");
}

// BH-R3, BH-R4, BH-R5
#[test]
fn urls() {
    let cases: &[(Build, &str)] = &[
        // Paths.
        (|c| c.get(), "/api/v1"),
        (|c| c.get().resource("pods"), "/api/v1/pods"),
        (|c| c.get().resource("Pods"), "/api/v1/pods"),
        (|c| c.get().resource("pods").name("a"), "/api/v1/pods/a"),
        (|c| c.get().resource("pods").name("A.b:c"), "/api/v1/pods/A.b:c"),
        (|c| c.get().namespace("ns").resource("pods"), "/api/v1/namespaces/ns/pods"),
        (|c| c.get().resource("pods").namespace("ns"), "/api/v1/namespaces/ns/pods"),
        (|c| c.get().namespace("").resource("pods"), "/api/v1/pods"),
        (|c| c.get().namespace_if(true, "ns").resource("pods"), "/api/v1/namespaces/ns/pods"),
        (|c| c.get().namespace_if(false, "ns").resource("nodes"), "/api/v1/nodes"),
        (|c| c.get().namespace("ns"), "/api/v1/namespaces/ns"),
        (|c| c.get().resource("pods").name("a").subresource("log"), "/api/v1/pods/a/log"),
        (|c| c.get().subresource("log").name("a").resource("pods"), "/api/v1/pods/a/log"),
        (|c| c.get().resource("").resource("pods"), "/api/v1/pods"),
        (|c| c.get().resource("pods").subresource("").subresource("status"), "/api/v1/pods/status"),
        (|c| c.get().resource("pods").suffix("x/y"), "/api/v1/pods/x/y"),
        (|c| c.get().resource("pods").suffix("/x/").suffix("y"), "/api/v1/pods/x/y"),
        (
            |c| c.get().resource("pods").name("a").subresource("proxy").suffix("m?x"),
            "/api/v1/pods/a/proxy/m%3Fx",
        ),
        (|c| c.get().resource("pods").name("a").suffix("../b"), "/api/v1/pods/b"),
        (|c| c.get().resource("pods").suffix("a//b/./c"), "/api/v1/pods/a/b/c"),
        (|c| c.get().prefix("watch").resource("pods"), "/api/v1/watch/pods"),
        (|c| c.get().prefix("a").prefix("b/c").resource("pods"), "/api/v1/a/b/c/pods"),
        (|c| c.get().prefix("/a//b/../c/"), "/api/v1/a/c"),
        (|c| c.get().resource("pods").name("a b"), "/api/v1/pods/a%20b"),
        (|c| c.get().resource("pods").name("ü#?"), "/api/v1/pods/%C3%BC%23%3F"),
        // Absolute paths.
        (|c| c.get().abs_path("/version"), "/version"),
        (|c| c.get().abs_path("version"), "/version"),
        (|c| c.get().abs_path("/"), "/"),
        (|c| c.get().abs_path(""), "/"),
        (|c| c.get().abs_path("/api/"), "/api/"),
        (|c| c.get().abs_path("/api/").resource("pods"), "/api/pods"),
        (|c| c.get().abs_path("/api/").namespace("ns"), "/api/namespaces/ns"),
        (|c| c.get().abs_path("/api/").suffix("x"), "/api/x"),
        (|c| c.get().abs_path("/a/../b//c"), "/b/c"),
        (|c| c.get().abs_path("/a%2fb"), "/a%252fb"),
        (|c| c.get().prefix("gone").abs_path("/x"), "/x"),
        // Request URIs.
        (|c| c.get().request_uri("/test?foo=b&c=1&c=2"), "/test?c=1&c=2&foo=b"),
        (|c| c.get().param("gone", "1").request_uri("/test?foo=b"), "/test?foo=b"),
        (|c| c.get().param("gone", "1").request_uri("/test"), "/test"),
        (|c| c.get().request_uri("/test").param("kept", "1"), "/test?kept=1"),
        (|c| c.get().request_uri("https://other:1/x/y?z#f"), "/x/y?z="),
        (|c| c.get().request_uri("x/y"), "/x/y"),
        (|c| c.get().request_uri("/a%20b/c%2Fd"), "/a%20b/c%2Fd"),
        (|c| c.get().request_uri("/x/").resource("pods"), "/x/pods"),
        (|c| c.get().request_uri("/x/?q=a+b%26c"), "/x/?q=a+b%26c"),
        // Parameters.
        (|c| c.get().param("b", "2").param("a", "1"), "/api/v1?a=1&b=2"),
        (|c| c.get().param("a", "2").param("a", "1"), "/api/v1?a=2&a=1"),
        (|c| c.get().param("a", ""), "/api/v1?a="),
        (|c| c.get().param("a b", "c&d=e+f ~*'()"), "/api/v1?a+b=c%26d%3De%2Bf+~%2A%27%28%29"),
        (|c| c.get().param("limit", "1").versioned_params(&limit(2)), "/api/v1?limit=1&limit=2"),
        (|c| c.get().versioned_params(&limit(1)).versioned_params(&limit(2)), "/api/v1?limit=1&limit=2"),
        (|c| c.get().timeout(Duration::from_secs(90)), "/api/v1?timeout=1m30s"),
        (|c| c.get().timeout(Duration::from_millis(1500)), "/api/v1?timeout=1.5s"),
        (|c| c.get().timeout(Duration::ZERO), "/api/v1"),
        (|c| c.get().param("timeout", "9s").timeout(Duration::from_secs(1)), "/api/v1?timeout=1s"),
        (|c| c.get().timeout(Duration::from_secs(1)).param("timeout", "9s"), "/api/v1?timeout=1s"),
        (|c| c.get().timeout(Duration::from_secs(1)).timeout(Duration::ZERO), "/api/v1"),
        (|c| c.get().param("timeout", "9s").timeout(Duration::ZERO), "/api/v1"),
        (|c| c.get().param("timeout", "9s"), "/api/v1?timeout=9s"),
        (
            |c| c.get().label_selector("a=b").field_selector("d=e").label_selector("a in (b,c)"),
            "/api/v1?fieldSelector=d%3De&labelSelector=a+in+%28b%2Cc%29",
        ),
        (|c| c.get().label_selector("a=b").label_selector(""), "/api/v1"),
        (
            |c| c.get().dry_run().field_manager("m").force(true),
            "/api/v1?dryRun=All&fieldManager=m&force=true",
        ),
        (|c| c.get().field_validation(FieldValidation::Strict), "/api/v1?fieldValidation=Strict"),
        (|c| c.get().propagation_policy(PropagationPolicy::Orphan), "/api/v1?propagationPolicy=Orphan"),
        (|c| c.apply("me").force(false), "/api/v1?fieldManager=me&force=false"),
    ];
    for (index, (build, expected)) in cases.iter().enumerate() {
        assert_eq!(location(&build(client("http://h", ""))), *expected, "case {index}");
    }
    // Below a server's own path.
    let cases: &[(Build, &str)] = &[
        (|c| c.get().namespace("ns").resource("pods"), "/p1/api/v1/namespaces/ns/pods"),
        (|c| c.get().abs_path("/"), "/p1/"),
        (|c| c.get().abs_path("/api/"), "/p1/api/"),
        (|c| c.get().abs_path("/api"), "/p1/api"),
        (|c| c.get().abs_path(""), "/p1"),
        (|c| c.get().abs_path("../x"), "/x"),
        (|c| c.get().request_uri("/test"), "/test"),
        (|c| c.get().prefix("watch"), "/p1/api/v1/watch"),
    ];
    for (index, (build, expected)) in cases.iter().enumerate() {
        assert_eq!(location(&build(client("http://h/p1", ""))), *expected, "case {index} below a path");
    }
}

fn limit(limit: i64) -> ListOptions {
    ListOptions { limit: Some(limit), ..ListOptions::default() }
}

// BH-R3, BH-R4, BH-R8, BH-R10
#[tokio::test]
async fn what_is_refused() {
    let cases: &[(Build, &[&str])] = &[
        (|c| c.get().resource("a").resource("b"), &["resource", "\"a\"", "\"b\""]),
        (|c| c.get().resource("a").resource(""), &["resource", "\"a\""]),
        (|c| c.get().resource("."), &["resource", "\".\""]),
        (|c| c.get().resource(".."), &["resource", "\"..\""]),
        (|c| c.get().resource("a/b"), &["resource", "\"a/b\""]),
        (|c| c.get().resource("a%b"), &["resource", "\"a%b\""]),
        (|c| c.get().name(""), &["name is empty"]),
        (|c| c.get().name("a").name("b"), &["name", "\"a\"", "\"b\""]),
        (|c| c.get().name("."), &["name"]),
        (|c| c.get().name(".."), &["name"]),
        (|c| c.get().name("a/b"), &["name", "\"a/b\""]),
        (|c| c.get().name("test%2bsegment"), &["name", "test%2bsegment"]),
        (|c| c.get().namespace("a").namespace("b"), &["namespace", "\"a\"", "\"b\""]),
        (|c| c.get().namespace("").namespace("b"), &["namespace", "\"\"", "\"b\""]),
        (|c| c.get().namespace(".."), &["namespace"]),
        (|c| c.get().namespace("a/b"), &["namespace"]),
        (|c| c.get().namespace("a%b"), &["namespace"]),
        (|c| c.get().subresource("a").subresource("b"), &["subresource", "\"a\"", "\"b\""]),
        (|c| c.get().subresource("a/b"), &["subresource"]),
        (|c| c.get().subresource("%"), &["subresource"]),
        (|c| c.get().request_uri("http://[x"), &["request URI"]),
        (|c| c.get().request_uri("mailto:x"), &["request URI", "no path"]),
        (|c| c.get().request_uri("/a%zz"), &["request URI", "hexadecimal"]),
        (|c| c.get().request_uri("/a%2"), &["request URI", "hexadecimal"]),
        (|c| c.get().header("bad name", "x"), &["header", "bad name"]),
        (|c| c.get().header("x-token", "se\ncret"), &["header", "x-token"]),
        (|c| c.verb("BAD VERB"), &["BAD VERB", "method"]),
        (|c| c.get().body_file("/no/such/file"), &["/no/such/file"]),
        // The namespace, set but empty.
        (|c| c.post().namespace("").resource("pods"), &["namespace is empty", "POST"]),
        (|c| c.post().namespace("").resource("pods").name("a"), &["namespace is empty"]),
        (|c| c.get().namespace("").resource("pods").name("a"), &["namespace is empty", "GET"]),
        (|c| c.put().namespace("").resource("pods").name("a"), &["namespace is empty", "PUT"]),
        (|c| c.delete().namespace("").resource("pods").name("a"), &["namespace is empty", "DELETE"]),
        // The first error is the one that is kept.
        (|c| c.get().name("").resource("a/b").namespace("%"), &["name is empty"]),
        (|c| c.get().resource("a/b").name(""), &["resource"]),
        (|c| c.post().namespace("").name(""), &["name is empty"]),
        // A body that can't be encoded.
        (
            |c| c.post().body(&std::collections::BTreeMap::from([((1, 2), 3)])),
            &["body", "key must be a string"],
        ),
        #[cfg(not(feature = "cbor"))]
        (|c| c.patch(PatchType::ApplyCbor).body(&1), &["no encoder", "cbor"]),
    ];
    for (index, (build, words)) in cases.iter().enumerate() {
        let script = Script::default();
        let error = build(script.client()).send().await.check().unwrap_err();
        assert_eq!(script.attempts(), 0, "case {index}: nothing may be sent");
        let text = error.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "case {index}: {text}");
        assert!(!text.contains("se\ncret"), "{text}");
        assert!(error.is_not_processed() && error.target().unwrap().attempts == 0);
        let raw = build(script.client()).send_raw().await.unwrap_err();
        assert_eq!(raw.to_string(), text, "case {index}");
    }
}

// BH-R8
#[tokio::test]
async fn what_is_not_refused() {
    let cases: &[Build] = &[
        |c| c.get().namespace("").resource("pods"),
        |c| c.put().namespace("").resource("pods"),
        |c| c.delete().namespace("").resource("pods"),
        |c| c.patch(PatchType::Merge).namespace("").resource("pods").name("a"),
        |c| c.verb("OPTIONS").namespace("").name("a"),
        |c| c.post().resource("namespaces"),
        |c| c.get().resource("nodes").name("n"),
    ];
    for (index, build) in cases.iter().enumerate() {
        let script = Script::default();
        build(script.client()).send().await.check().unwrap_or_else(|error| panic!("case {index}: {error}"));
        assert_eq!(script.attempts(), 1, "case {index}");
    }
    // A raw stream does not look at the namespace.
    let script = Script::default();
    script.client().post().namespace("").resource("pods").stream().await.unwrap();
    assert_eq!(script.attempts(), 1);
}

// BH-R10
#[tokio::test]
async fn after_an_error_setters_do_nothing_but_some() {
    let script = Script::default();
    let request = script.client().get().name("").resource("pods").namespace("ns").param("a", "b").suffix("x");
    assert_eq!(location(&request), "/api/v1");
    let error = request.header("x-later", "1").max_retries(3).send().await.check().unwrap_err();
    assert!(error.to_string().contains("name is empty"), "{error}");
}

// BH-R5
#[tokio::test(start_paused = true)]
async fn a_configured_timeout_shows_on_every_request() {
    let script = Script::default();
    let config = Config { timeout: Some(Duration::from_secs(90)), ..Config::new("h") };
    let client = script.builder(&config).build().unwrap();
    for (request, query) in [
        (client.get(), Some("timeout=1m30s")),
        (client.get().timeout(Duration::from_secs(5)), Some("timeout=5s")),
        (client.get().timeout(Duration::ZERO), None),
    ] {
        assert_eq!(request.url().query(), query);
    }
}

#[test]
fn verbs_and_their_methods() {
    let client = client("h", "");
    let method = |request: Request| format!("{request:?}").split('"').next().unwrap_or_default().to_owned();
    for (request, verb) in [
        (client.get(), "GET"),
        (client.post(), "POST"),
        (client.put(), "PUT"),
        (client.patch(PatchType::Json), "PATCH"),
        (client.delete(), "DELETE"),
        (client.verb("OPTIONS"), "OPTIONS"),
        (client.verb("PURGE"), "PURGE"),
    ] {
        assert!(method(request).contains(&format!("method: {verb},")), "{verb}");
    }
}
