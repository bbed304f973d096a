//! 410: what is told of versions that are no longer there.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kubewire_rest::{Object, StatusReason, WatchEvent};
use serde_json::json;

use super::{Context, server};

/// On every server a version that is gone, once its history is cut.
const OLD: &str = "2";

async fn old_versions(context: &Context) {
    let first = || context.list().param("limit", "1");
    let place = json!({"v": "meta.k8s.io/v1", "rv": 2, "start": "x", "ns": "default", "name": "x"});
    for request in [
        first().param("resourceVersion", OLD).param("resourceVersionMatch", "Exact"),
        // With a limit, a version alone means the same.
        first().param("resourceVersion", OLD),
        first().param("continue", URL_SAFE_NO_PAD.encode(place.to_string())),
    ] {
        let error = request.send().await.check().unwrap_err();
        assert!(error.is_resource_expired() && !error.is_gone(), "{error}");
        assert_eq!((error.code(), error.reason()), (Some(410), Some(&StatusReason::EXPIRED)));
        assert!(error.status().unwrap().message.contains("too old"), "{error}");
        assert!(error.to_string().contains("list again"), "{error}");
    }
    let mut watch = context.list().param("resourceVersion", OLD).watch::<Object>().await.unwrap();
    let event = watch.next().await;
    let Some(WatchEvent::Error(status)) = event else { panic!("{event:?}") };
    assert_eq!((status.code, &status.reason), (410, &StatusReason::EXPIRED), "{status:?}");
}

#[cfg(feature = "fake")]
#[tokio::test]
async fn on_the_embedded_server() {
    let server = server::fake().await;
    let context = Context::new(&server.config(), "expired").await;
    for index in 0..3 {
        context.create(&format!("{}-{index}", context.unique), json!({})).await;
    }
    server.objects().compact();
    old_versions(&context).await;
}

#[tokio::test]
async fn on_the_real_server() {
    let Some(config) = server::core() else { return };
    server::compact().await;
    old_versions(&Context::new(&config, "expired").await).await;
}

#[tokio::test]
async fn on_the_server_of_custom_resources() {
    let Some(config) = server::custom() else { return };
    server::compact().await;
    old_versions(&Context::new(&config, "expired").await).await;
}
