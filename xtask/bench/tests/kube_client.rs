//! A kube-rs program runs on kubewire's transport.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Api, DeleteParams, ListParams, PostParams, WatchEvent, WatchParams};
use kubewire_rest::fake::ApiServer;
use kubewire_rest::transport::HttpClient;
use tokio::time::timeout;

type Done = Result<(), Box<dyn std::error::Error>>;

/// A server that speaks TLS and wants a token, and kube's client on our transport.
async fn start(pods: usize) -> Result<(ApiServer, kube::Client), Box<dyn std::error::Error>> {
    let server = ApiServer::builder().tls(true).token("secret").pods(pods).start().await?;
    let transport = HttpClient::new(&server.config())?;
    Ok((server, kube::Client::new(transport, "default")))
}

/// Certificate authority and token are the transport's business: kube is told of neither.
#[tokio::test]
async fn lists_gets_creates_and_deletes() -> Done {
    let (server, client) = start(40).await?;
    let listed = Api::<Pod>::all(client.clone()).list(&ListParams::default()).await?;
    assert_eq!(listed.items.len(), 40);

    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let mut map = ConfigMap::default();
    map.metadata.name = Some("settings".to_owned());
    let created = maps.create(&PostParams::default(), &map).await?;
    assert!(created.metadata.uid.is_some());
    assert_eq!(maps.get("settings").await?.metadata.uid, created.metadata.uid);
    maps.delete("settings", &DeleteParams::default()).await?;
    let error = maps.get("settings").await.unwrap_err();
    assert!(matches!(&error, kube::Error::Api(status) if status.code == 404), "{error:?}");
    // One connection served them all.
    assert_eq!(server.connections(), 1);
    Ok(())
}

/// kube's watches come in while they are open.
#[tokio::test]
async fn watches() -> Done {
    let (server, client) = start(0).await?;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let version = server.objects().version().to_string();
    let mut events = std::pin::pin!(maps.watch(&WatchParams::default(), &version).await?);
    for name in ["a", "b"] {
        server.objects().put(serde_json::json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"},
        }))?;
        let event = timeout(Duration::from_secs(20), events.try_next()).await??;
        assert!(
            matches!(&event, Some(WatchEvent::Added(map)) if map.metadata.name.as_deref() == Some(name)),
            "{event:?}"
        );
    }
    Ok(())
}
