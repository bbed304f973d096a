//! `list_watch` and `stream_pods`, on the embedded API server and, where there is one, on a real one.

use crate::program::run;

#[tokio::test]
async fn a_map_is_kept_up_to_date() {
    let ran = run("list_watch", &["--count", "4"]).await;
    let lines = ran.lines();
    assert!(lines[0].contains("pods at version"), "{lines:?}");
    let words: Vec<Vec<&str>> = lines[1..].iter().map(|line| line.split_whitespace().collect()).collect();
    let visitor = "default/visitor-1";
    assert_eq!(words[..2], [["new", visitor], ["changed", visitor]]);
    assert_eq!(words[2][..2], ["gone", "default/visitor-1,"]);
    assert_eq!(words[3], ["new", "default/visitor-2"]);
}

#[tokio::test]
async fn pods_are_printed_as_they_come() {
    let ran = run("stream_pods", &["-A"]).await;
    let lines = ran.lines();
    assert_eq!(lines.len(), 9, "{lines:?}");
    assert!(lines[..8].iter().all(|line| line.contains('/')), "{lines:?}");
    assert!(lines[8].starts_with("8 pods at version "), "{lines:?}");
}

#[tokio::test]
async fn on_the_real_server() {
    let Some(server) = kubewire_envtest::server() else { return };
    let kubeconfig = server.kubeconfig();
    let kubeconfig = kubeconfig.to_str().unwrap();
    let ran = run("stream_pods", &["--kubeconfig", kubeconfig, "-A"]).await;
    assert!(ran.lines().last().unwrap().contains("pods at version"), "{}", ran.stdout);
    let ran = run("list_watch", &["--kubeconfig", kubeconfig, "-A", "--count", "0"]).await;
    assert!(ran.lines().is_empty(), "{}", ran.stdout);
}
