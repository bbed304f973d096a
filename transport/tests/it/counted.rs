//! What is counted of connections and bytes.

use std::sync::Arc;

use futures_util::future::join_all;
use kubewire_config::{Config, TlsConfig};
use kubewire_metrics::ClientMetrics;

use crate::support::gzip::{gzip, zipped};
use crate::support::pki::{self, Ca};
use crate::support::server::{Asked, Handler, Server, Setup, handler, text};
use crate::support::{builder, get, request, send, until};

const TEXT: &str = "a text that is long enough, long enough, long enough, long enough to be compressed";

fn answers() -> Handler {
    handler(async |asked: Asked| match asked.request.uri().path() {
        "/gzip" => gzip(futures_util::stream::iter(zipped(&[TEXT]).await.into_iter().map(Ok))),
        _ => text(TEXT),
    })
}

/// The sum of all series of this name.
fn count(metrics: &ClientMetrics, name: &str) -> f64 {
    let text = metrics.gather_text();
    let series = text.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
    series.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_handshakes_and_bytes_are_counted_exactly() {
    let ca = Ca::new("ca");
    let compressed: usize = zipped(&[TEXT]).await.iter().map(bytes::Bytes::len).sum();
    // reqwest's connections, and those that are made without it.
    for server_name in [None, Some("localhost".to_owned())] {
        for protocol in ["h2", "http/1.1"] {
            let tls = pki::server_config(&ca.server(&["localhost", "127.0.0.1"]), None, &[protocol]);
            let server = Server::start(Setup { tls: Some(tls), handler: answers(), max_streams: None }).await;
            let metrics = Arc::new(ClientMetrics::builder().native_names(true).build().unwrap());
            let tls = TlsConfig { server_name: server_name.clone(), ..ca.trusted() };
            let config = Config { tls, ..Config::new(server.url()) };
            let client = builder(&config).metrics(Arc::clone(&metrics)).build().unwrap();
            let connections = |opened: u32, reused: u32| {
                let seen = [
                    "kubewire_client_connections_opened_total",
                    "kubewire_client_connections_reused_total",
                    "kubewire_client_tls_handshake_duration_seconds_count",
                ]
                .map(|name| count(&metrics, name));
                let expected = [opened, reused, opened].map(f64::from);
                assert_eq!(seen, expected, "{protocol}, {server_name:?}");
            };
            let bytes = || {
                ["kubewire_client_response_wire_bytes_total", "kubewire_client_response_decoded_bytes_total"]
                    .map(|name| count(&metrics, name))
            };
            let expected = |wire: usize, decoded: usize| {
                [wire, decoded].map(|bytes| f64::from(u32::try_from(bytes).unwrap()))
            };

            for _ in 0..5 {
                assert_eq!(get(&client, "/").await.unwrap().1, TEXT);
            }
            connections(1, 4);
            assert_eq!(bytes(), expected(5 * TEXT.len(), 5 * TEXT.len()));
            let labels = format!(r#"{{host="{}",verb="GET"}}"#, server.address);
            let series = format!("kubewire_client_response_wire_bytes_total{labels} ");
            assert!(metrics.gather_text().contains(&series), "{series}");

            assert_eq!(get(&client, "/gzip").await.unwrap().1, TEXT);
            connections(1, 5);
            assert_eq!(bytes(), expected(5 * TEXT.len() + compressed, 6 * TEXT.len()));

            server.cut();
            until("the connection is closed", || server.open() == 0).await;
            assert_eq!(get(&client, "/").await.unwrap().0, 200);
            connections(2, 5);
            drop(client);

            // Many at once on a client without a connection.
            let client = builder(&config).metrics(Arc::clone(&metrics)).build().unwrap();
            let crowd = (0..20).map(|_| {
                let client = client.clone();
                tokio::spawn(async move { get(&client, "/").await.unwrap() })
            });
            for answer in join_all(crowd).await {
                assert_eq!(answer.unwrap().0, 200);
            }
            match protocol {
                "h2" => connections(3, 24),
                // How many there are is up to chance, and the last may come when nobody needs it any more.
                _ => {
                    let opened = || count(&metrics, "kubewire_client_connections_opened_total");
                    until("all are counted", || opened() == server.connections() as f64).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn what_never_was_a_connection_is_not_counted() {
    let ca = Ca::new("ca");
    let server = Server::https(&ca, answers()).await;
    let metrics = Arc::new(ClientMetrics::builder().native_names(true).build().unwrap());
    let strange = Config { tls: Ca::new("other").trusted(), ..Config::new(server.url()) };
    let client = builder(&strange).metrics(Arc::clone(&metrics)).build().unwrap();
    send(&client, request("/")).await.unwrap_err();
    let text = metrics.gather_text();
    for name in ["connections_opened_total", "connections_reused_total"] {
        let line = format!("kubewire_client_{name}{{host=\"{}\"}} 0", server.address);
        assert!(text.lines().any(|seen| seen == line), "{line}\n{text}");
    }
    assert!(!text.contains("tls_handshake_duration_seconds_count"), "{text}");
}
