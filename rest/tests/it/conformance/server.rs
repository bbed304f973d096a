//! The servers: the embedded one, and the real ones where they are to be had.

use kubewire_rest::Config;

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
