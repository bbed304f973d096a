//! The server starts, writes what it promises, and is the same one at the second call.
#![allow(clippy::unwrap_used)]

#[test]
fn starts_once_and_writes_kubeconfigs() {
    let Some(server) = kubewire_envtest::server() else { return };
    for path in [server.kubeconfig(), server.token_kubeconfig(), server.user_kubeconfig()] {
        assert!(std::fs::read_to_string(&path).unwrap().contains("current-context: envtest"), "{path:?}");
    }
    if let Some(path) = server.crd_kubeconfig() {
        assert!(path.is_file());
    }
    let again = kubewire_envtest::server().unwrap();
    assert_eq!(server.kubeconfig(), again.kubeconfig());
}
