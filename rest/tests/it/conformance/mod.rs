//! One suite, run unchanged on every API server: it needs nothing but a `Config`.
//!
//! `widgets` holds what any server of custom resources does; `core` what takes the core API. Widgets come in JSON, and
//! once more in CBOR.

#[cfg(feature = "cbor")]
mod cbor;
mod core;
mod expired;
#[cfg(feature = "protobuf")]
mod protobuf;
pub mod server;
mod widgets;

use std::sync::atomic::{AtomicU32, Ordering};

use kubewire_config::Credentials;
use kubewire_rest::{Config, GroupVersion, Object, PatchType, RestClient};
use serde_json::{Value, json};

pub const GROUP: &str = "conformance.kubewire.dev";
pub const API_VERSION: &str = "conformance.kubewire.dev/v1";

/// A server, and names of one's own on it.
pub struct Context {
    pub widgets: RestClient,
    pub core: RestClient,
    pub raw: RestClient,
    /// A word that no other test has.
    pub unique: String,
}

impl Context {
    /// Makes sure that the server knows widgets.
    pub async fn new(config: &Config, test: &str) -> Self {
        let client = |config: &Config| RestClient::for_config(config, GroupVersion::V1).unwrap();
        Self::of(config, test, client).await
    }

    /// The same, by a client that prefers CBOR.
    #[cfg(feature = "cbor")]
    pub async fn in_cbor(config: &Config, test: &str) -> Self {
        let client = |config: &Config| {
            RestClient::builder(config).group_version(GroupVersion::V1).prefer_cbor().build().unwrap()
        };
        Self::of(config, test, client).await
    }

    async fn of(config: &Config, test: &str, client: impl Fn(&Config) -> RestClient) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let config = Config { qps: Some(-1.0), ..config.clone() };
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = test.rsplit("::").next().unwrap_or(test).replace('_', "-");
        let core = client(&config);
        let context = Self {
            widgets: core.for_group_version(GroupVersion::new(GROUP, "v1")),
            raw: RestClient::builder(&config).unversioned().build().unwrap(),
            core,
            unique: format!("{name}-{}-{count}", std::process::id()),
        };
        context.install().await;
        context
    }

    async fn install(&self) {
        let crds = self.core.for_group_version(GroupVersion::new("apiextensions.k8s.io", "v1"));
        let created = crds.post().resource("customresourcedefinitions").body(&definition()).send().await;
        if let Some(error) = created.error() {
            assert!(error.is_already_exists(), "{error}");
        }
        // It is served a moment later, both its versions.
        for version in ["v1", "v1alpha1"] {
            let client = self.core.for_group_version(GroupVersion::new(GROUP, version));
            for _ in 0..200 {
                if client.get().resource("widgets").send().await.error().is_none() {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }

    pub fn widget(&self, name: &str, spec: Value) -> Object {
        let mut widget = Object::new(API_VERSION, "Widget", name);
        widget.metadata.namespace = "default".to_owned();
        widget.metadata.labels.insert("test".to_owned(), self.unique.clone());
        widget.fields.insert("spec".to_owned(), spec);
        widget
    }

    pub async fn create(&self, name: &str, spec: Value) -> Object {
        let widget = self.widget(name, spec);
        let created = self.widgets.post().namespace("default").resource("widgets").body(&widget).send().await;
        assert!(created.was_created(), "{created:?}");
        created.into_object().unwrap()
    }

    pub fn get(&self, name: &str) -> kubewire_rest::Request {
        self.widgets.get().namespace("default").resource("widgets").name(name)
    }

    pub fn put(&self, name: &str) -> kubewire_rest::Request {
        self.widgets.put().namespace("default").resource("widgets").name(name)
    }

    pub fn delete(&self, name: &str) -> kubewire_rest::Request {
        self.widgets.delete().namespace("default").resource("widgets").name(name)
    }

    pub fn patch(&self, patch_type: PatchType, name: &str) -> kubewire_rest::Request {
        self.widgets.patch(patch_type).namespace("default").resource("widgets").name(name)
    }

    /// The collection's widgets of this test.
    pub fn list(&self) -> kubewire_rest::Request {
        let selector = format!("test={}", self.unique);
        self.widgets.get().namespace("default").resource("widgets").param("labelSelector", selector)
    }
}

/// Makes sure that a server knows widgets, for tests that are not of this suite.
pub async fn install_widgets(config: &Config) -> GroupVersion {
    Context::new(config, "install").await;
    GroupVersion::new(GROUP, "v1")
}

fn definition() -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
            "colour": {"type": "string", "enum": ["red", "green", "blue"]},
            "size": {"type": "integer", "minimum": 0},
            "replicas": {"type": "integer"},
            "note": {"type": "string"},
        }},
        "status": {"type": "object", "properties": {
            "replicas": {"type": "integer"}, "phase": {"type": "string"}, "selector": {"type": "string"},
        }},
    }}});
    let subresources = json!({"status": {}, "scale": {
        "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }});
    let columns = json!([{"name": "Colour", "type": "string", "jsonPath": ".spec.colour"}]);
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("widgets.{GROUP}")},
        "spec": {
            "group": GROUP, "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [
                {"name": "v1", "served": true, "storage": true, "schema": schema.clone(),
                 "subresources": subresources, "additionalPrinterColumns": columns},
                {"name": "v1alpha1", "served": true, "storage": false, "schema": schema, "deprecated": true,
                 "deprecationWarning": "widgets v1alpha1 are old hat"},
            ],
        },
    })
}

/// Runs each test on each server that it is for.
macro_rules! suite {
    ($($group:ident: $($test:ident),+;)+) => {
        #[cfg(feature = "fake")]
        mod fake {
            $($(#[tokio::test] async fn $test() {
                let server = super::server::fake().await;
                super::$group::$test(&super::Context::new(&server.config(), stringify!($test)).await).await;
            })+)+
        }
        mod real {
            $($(#[tokio::test] async fn $test() {
                let Some(config) = super::server::core() else { return };
                super::$group::$test(&super::Context::new(&config, stringify!($test)).await).await;
            })+)+
        }
        mod custom {
            suite! { @custom new $($group: $($test),+;)+ }
        }
        #[cfg(feature = "cbor")]
        mod custom_in_cbor {
            suite! { @custom in_cbor $($group: $($test),+;)+ }
        }
        // It does not speak CBOR, so that all falls back.
        #[cfg(all(feature = "fake", feature = "cbor"))]
        mod fake_in_cbor {
            $($(#[tokio::test] async fn $test() {
                let server = super::server::fake().await;
                super::$group::$test(&super::Context::in_cbor(&server.config(), stringify!($test)).await).await;
            })+)+
        }
    };
    (@custom $how:ident widgets: $($test:ident),+; $($rest:tt)*) => {
        $(#[tokio::test] async fn $test() {
            let Some(config) = super::server::custom() else { return };
            super::widgets::$test(&super::Context::$how(&config, stringify!($test)).await).await;
        })+
    };
    (@custom $($rest:tt)*) => {};
}

suite! {
    widgets: create_and_get, selectors_and_chunks, update_conflict, json_patch, merge_patch,
        apply_conflict_and_force, status_and_scale, delete_preconditions, delete_propagation, delete_collection,
        dry_run, deprecated_version_warns, not_found, already_exists, invalid, bad_continue_token,
        strategic_merge_is_refused, too_large, two_writers, table, partial_metadata, streams;
    core: config_maps, strategic_merge, eviction, token_request, self_subject_reviews, raw_paths, metrics_path,
        missing_resource, all_namespaces, apply_makes_no_bad_names;
}

#[cfg(feature = "protobuf")]
mod in_protobuf {
    use super::*;

    suite! { protobuf: objects, lists, watches, stores, pods, custom_resources; }
}

/// 403, by the user `token-user`, who may do nothing.
async fn is_forbidden(config: &Config) {
    let client = RestClient::for_config(config, GroupVersion::V1).unwrap();
    let error = client.get().namespace("kube-system").resource("secrets").send().await.check().unwrap_err();
    assert!(error.is_forbidden() && error.code() == Some(403), "{error}");
    let details = error.status().unwrap().details.as_ref().unwrap();
    assert_eq!(details.kind, "secrets");
    let text = error.to_string();
    for part in ["GET /api/v1/namespaces/kube-system/secrets", "token-user", "list", "secrets", "a role"] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
}

#[cfg(feature = "fake")]
#[tokio::test]
async fn forbidden_by_the_embedded_server() {
    let builder = kubewire_rest::fake::ApiServer::builder().user("token", "token-user", &[]);
    is_forbidden(&builder.start().await.unwrap().config()).await;
}

#[tokio::test]
async fn forbidden_by_the_real_server() {
    let Some(config) = server::without_rights() else { return };
    is_forbidden(&config).await;
}

/// 401, by a token that the server does not know.
#[tokio::test]
async fn unauthorized() {
    let Some(config) = server::core() else { return };
    let config = Config { credentials: Credentials::bearer("no-such-token"), ..config };
    let client = RestClient::for_config(&config, GroupVersion::V1).unwrap();
    let error = client.get().resource("pods").send().await.check().unwrap_err();
    assert!(error.is_unauthorized() && error.is_not_processed(), "{error}");
    assert!(error.to_string().contains("kubeconfig"), "{error}");
    assert!(!format!("{error} {error:?}").contains("no-such-token"));
}

/// 410, once the version that a page was read at is gone.
#[cfg(feature = "fake")]
#[tokio::test]
async fn expired() {
    let server = server::fake().await;
    let context = Context::new(&server.config(), "expired").await;
    for index in 0..3 {
        context.create(&format!("{}-{index}", context.unique), json!({})).await;
    }
    let page: kubewire_rest::List<Object> =
        context.list().param("limit", "1").send().await.into_object().unwrap();
    context.create(&format!("{}-x", context.unique), json!({})).await;
    server.objects().compact();
    let next = context.list().param("limit", "1").param("continue", page.metadata.continue_token);
    let error = next.send().await.check().unwrap_err();
    assert!(error.is_resource_expired() && !error.is_gone() && error.code() == Some(410), "{error}");
    assert!(error.to_string().contains("list again"), "{error}");
}
