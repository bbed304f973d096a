//! The servers: the embedded one, and the real ones where they are to be had.

use kubewire_rest::Config;

/// What the embedded server does not do yet.
#[cfg(feature = "fake")]
const NOT_YET: &[&str] = &[
    "apply_conflict_and_force",
    "deprecated_version_warns",
    "eviction",
    "invalid",
    "raw_paths",
    "self_subject_reviews",
    "strategic_merge",
    "status_and_scale",
    "token_request",
];

/// The embedded server; `None`, said aloud, for a test that it is not up to yet.
#[cfg(feature = "fake")]
pub async fn fake(test: &str) -> Option<kubewire_rest::fake::ApiServer> {
    if NOT_YET.contains(&test) {
        eprintln!("SKIPPED: the embedded server does not do {test} yet");
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
