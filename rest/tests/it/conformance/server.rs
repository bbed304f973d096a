//! The servers: the embedded one, and the real ones where they are to be had.

use kubewire_rest::Config;

/// What the embedded server does not do: it knows no schemas, deprecated versions or metrics.
#[cfg(feature = "fake")]
const NOT_YET: &[&str] = &["deprecated_version_warns", "invalid", "metrics_path"];

/// The embedded server; `None`, said aloud, for a test that it is not up to.
#[cfg(feature = "fake")]
pub async fn fake(test: &str) -> Option<kubewire_rest::fake::ApiServer> {
    if NOT_YET.contains(&test) {
        eprintln!("SKIPPED: the embedded server does not do {test}");
        return None;
    }
    Some(kubewire_rest::fake::ApiServer::start().await.unwrap())
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
