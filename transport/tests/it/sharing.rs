//! Which clients share connections, and what is counted.

use std::sync::Arc;
use std::time::Duration;

use kubewire_config::{Config, Credentials, TlsConfig};
use kubewire_metrics::ClientMetrics;
use kubewire_transport::HttpClient;

use crate::support::pki::Ca;
use crate::support::server::{Server, handler, text};
use crate::support::{config, get};

fn client(config: &Config, metrics: &Arc<ClientMetrics>) -> HttpClient {
    HttpClient::builder(config).environment(|_| None).metrics(Arc::clone(metrics)).build().unwrap()
}

#[track_caller]
fn metric(metrics: &ClientMetrics, line: &str) {
    let text = metrics.gather_text();
    assert!(text.lines().any(|seen| seen == line), "{line} is not in\n{text}");
}

#[tokio::test]
async fn bh_t9_equal_clients_share_their_connections() {
    let ca = Ca::new("ca");
    let server = Server::https(&ca, handler(async |_| text("hello"))).await;
    let metrics = Arc::new(ClientMetrics::new());
    let base = config(server.url(), ca.trusted());
    // Who one is on each request is no matter of the connection.
    let one = client(&base, &metrics);
    let other = client(&Config { credentials: Credentials::bearer("abc"), ..base.clone() }, &metrics);
    for client in [&one, &other] {
        assert_eq!(get(client, "/").await.unwrap().0, 200);
    }
    assert_eq!(server.connections(), 1);
    metric(&metrics, r#"rest_client_transport_create_calls_total{result="miss"} 1"#);
    metric(&metrics, r#"rest_client_transport_create_calls_total{result="hit"} 1"#);
    metric(&metrics, "rest_client_transport_cache_entries 1");

    // Another way to connect is another connection.
    let differing = [
        Config {
            tls: TlsConfig { server_name: Some("localhost".to_owned()), ..ca.trusted() },
            ..base.clone()
        },
        Config { tls: TlsConfig { alpn: vec!["h2".to_owned()], ..ca.trusted() }, ..base.clone() },
        Config { tls: TlsConfig { insecure: true, ..TlsConfig::default() }, ..base.clone() },
        Config { credentials: Credentials::client_certificate(ca.client("jane").data()), ..base.clone() },
    ];
    for (number, config) in differing.iter().enumerate() {
        let client = client(config, &metrics);
        assert_eq!(get(&client, "/").await.unwrap().0, 200);
        assert_eq!(server.connections(), number + 2);
    }
    let pinging = HttpClient::builder(&base)
        .environment(|_| None)
        .metrics(Arc::clone(&metrics))
        .http2_ping(Duration::from_secs(1), Duration::from_secs(1))
        .build()
        .unwrap();
    assert_eq!(get(&pinging, "/").await.unwrap().0, 200);
    assert_eq!(server.connections(), 6);

    // The last user takes it along.
    drop((one, other, pinging));
    metric(&metrics, "rest_client_transport_cache_entries 0");
    metric(&metrics, r#"rest_client_transport_cache_gc_calls_total{result="deleted"} 6"#);
    let again = client(&base, &metrics);
    assert_eq!(get(&again, "/").await.unwrap().0, 200);
    assert_eq!(server.connections(), 7);
}

#[tokio::test]
async fn bh_t9_a_proxy_of_ones_own_shares_nothing() {
    let metrics = Arc::new(ClientMetrics::new());
    let config = Config { proxy: Some("http://p:1".parse().unwrap()), ..Config::new("http://h") };
    let _clients = [client(&config, &metrics), client(&config, &metrics)];
    metric(&metrics, r#"rest_client_transport_create_calls_total{result="uncacheable"} 2"#);
    metric(&metrics, "rest_client_transport_cache_entries 0");
}

#[test]
fn a_connection_never_leaves_its_runtime() {
    // A request that shared a connection of the first runtime would wait for ever: nobody drives it any more.
    let ca = Ca::new("ca");
    let metrics = Arc::new(ClientMetrics::new());
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    let keeper = std::thread::spawn({
        let (ca_pem, ca) = (ca.pem(), ca);
        move || {
            let serving = runtime();
            let server = serving.block_on(Server::https(&ca, handler(async |_| text("hello"))));
            (serving, server, ca_pem)
        }
    });
    let (serving, server, ca_pem) = keeper.join().unwrap();
    let tls = TlsConfig { ca: Some(kubewire_config::Pem::Data(ca_pem.into_bytes())), ..TlsConfig::default() };
    let config = config(server.url(), tls);
    let stop = tokio_util::sync::CancellationToken::new();
    let driver = std::thread::spawn({
        let stop = stop.clone();
        move || serving.block_on(stop.cancelled_owned())
    });
    let ask = |runtime: &tokio::runtime::Runtime| {
        runtime.block_on(async {
            let client = client(&config, &metrics);
            assert_eq!(get(&client, "/").await.unwrap().0, 200);
            client
        })
    };
    let one = ask(&first);
    let other = ask(&second);
    assert_eq!(server.connections(), 2);
    drop((one, other));
    stop.cancel();
    driver.join().unwrap();
}

#[tokio::test]
async fn lookups_and_ca_reloads_are_counted() {
    let ca = Ca::new("ca");
    let server = Server::https(&ca, handler(async |_| text("hello"))).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca.crt");
    std::fs::write(&path, ca.pem()).unwrap();
    let tls = TlsConfig { ca: Some(kubewire_config::Pem::File(path.clone())), ..TlsConfig::default() };
    let metrics = Arc::new(ClientMetrics::new());
    let config = config(format!("https://localhost:{}", server.address.port()), tls);
    let client = HttpClient::builder(&config)
        .environment(|_| None)
        .metrics(Arc::clone(&metrics))
        .certificate_file_period(Duration::from_millis(10))
        .build()
        .unwrap();
    assert_eq!(get(&client, "/").await.unwrap().0, 200);
    metric(&metrics, r#"rest_client_dns_resolution_duration_seconds_count{host="localhost"} 1"#);
    let counted = |labels: &str| {
        let start = format!("rest_client_transport_ca_reload_total{{{labels}}} ");
        let text = metrics.gather_text();
        text.lines().find_map(|line| line.strip_prefix(&start)).is_some_and(|count| count != "0")
    };
    let labels = |result: &str, reason: &str| format!(r#"reason="{reason}",result="{result}""#);
    crate::support::until("unchanged", || counted(&labels("success", "unchanged"))).await;
    std::fs::write(&path, "").unwrap();
    crate::support::until("empty", || counted(&labels("failure", "empty"))).await;
    std::fs::write(&path, "garbage").unwrap();
    crate::support::until("garbage", || counted(&labels("failure", "ca_parse_error"))).await;
    std::fs::remove_file(&path).unwrap();
    crate::support::until("missing", || counted(&labels("failure", "read_error"))).await;
    std::fs::write(&path, format!("{}{}", ca.pem(), Ca::new("second").pem())).unwrap();
    crate::support::until("updated", || counted(&labels("success", "updated"))).await;
    drop(client);
    metric(&metrics, "rest_client_transport_cert_rotation_gc_calls_total 1");
}
