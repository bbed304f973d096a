//! `protobuf_list` on the embedded API server, on one without protobuf, and on a real one.

use std::fs;

use kubewire_rest::fake::{ApiServer, Fault, FaultRule};

use crate::program::{Ran, run};

async fn run_on(kubeconfig: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    fs::write(&path, kubeconfig).unwrap();
    run("protobuf_list", &["--kubeconfig", path.to_str().unwrap(), "-A"]).await
}

#[tokio::test]
async fn on_the_embedded_server_it_prints_pods_and_sizes() {
    let ran = run("protobuf_list", &["-A", "--sizes"]).await;
    let lines = ran.lines();
    assert_eq!(lines.len(), 9, "{lines:?}");
    assert!(lines[..8].iter().all(|line| line.contains('/') && line.contains("  ")), "{lines:?}");
    let words: Vec<&str> = lines[8].split(' ').collect();
    let (protobuf, json): (u32, u32) = (words[0].parse().unwrap(), words[4].parse().unwrap());
    assert!(protobuf > 0 && protobuf < json, "{lines:?}");
}

#[tokio::test]
async fn without_protobuf_it_says_so_and_prints_the_same() {
    let server = ApiServer::builder().pods(3).start().await.unwrap();
    let in_protobuf = run_on(&server.kubeconfig()).await;
    let expected = in_protobuf.lines();
    assert!(in_protobuf.stderr.is_empty() && expected.len() == 3, "{in_protobuf:?}");
    for fault in
        [Fault::Status { code: 406, retry_after: None }, Fault::ContentType("application/json".into())]
    {
        server.faults().add(FaultRule::new(fault).times(1));
        let ran = run_on(&server.kubeconfig()).await;
        assert_eq!(ran.lines(), expected);
        assert!(ran.stderr.contains("no protobuf"), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn on_a_real_server() {
    let Some(server) = kubewire_envtest::server() else { return };
    let kubeconfig = fs::read_to_string(server.kubeconfig()).unwrap();
    let ran = run_on(&kubeconfig).await;
    assert!(ran.success && ran.stderr.is_empty(), "{}", ran.stderr);
}
