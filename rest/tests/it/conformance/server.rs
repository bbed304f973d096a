//! The servers: the embedded one, and the real ones where they are to be had.

use kubewire_rest::{Config, RestClient};

/// The embedded server.
#[cfg(feature = "fake")]
pub async fn fake() -> kubewire_rest::fake::ApiServer {
    kubewire_rest::fake::ApiServer::start().await.unwrap()
}

/// The real kube-apiserver; `None`, said aloud, where there is none.
pub fn core() -> Option<Config> {
    let server = kubewire_envtest::server()?;
    Some(Config::from_kubeconfig(server.kubeconfig()).unwrap())
}

/// The real server of custom resources.
pub fn custom() -> Option<Config> {
    let server = kubewire_envtest::server()?;
    Some(Config::from_kubeconfig(server.crd_kubeconfig()?).unwrap())
}

/// The real kube-apiserver, as a user without rights.
pub fn without_rights() -> Option<Config> {
    let server = kubewire_envtest::server()?;
    Some(Config::from_kubeconfig(server.user_kubeconfig()).unwrap())
}

/// Makes the real servers' store forget what stood before its version 3: every test's objects are newer.
pub async fn compact() {
    let Some(server) = kubewire_envtest::server() else { return };
    let etcd = RestClient::builder(&Config::new(server.etcd_url())).unversioned().build().unwrap();
    let wanted = serde_json::json!({"revision": "3"});
    let result = etcd.post().abs_path("/v3/kv/compaction").body(&wanted).send().await;
    // It may have been done before.
    let body = String::from_utf8_lossy(result.body());
    assert!(result.error().is_none() || body.contains("has been compacted"), "{result:?}: {body}");
}
