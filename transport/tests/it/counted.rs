//! What is counted of connections and bytes.

use std::sync::Arc;

use futures_util::future::join_all;
use kubewire_config::{Config, TlsConfig};
use kubewire_metrics::ClientMetrics;
use kubewire_transport::HttpClient;
use tokio::sync::Barrier;

use crate::support::gzip::{gzip, zipped};
use crate::support::pki::{self, Ca};
use crate::support::server::{Asked, Handler, Server, Setup, handler, text};
use crate::support::{builder, get, request, send, soon, until};

const TEXT: &str = "a text that is long enough, long enough, long enough, long enough to be compressed";

const CROWD: usize = 8;

fn answers() -> Handler {
    let barrier = Arc::new(Barrier::new(CROWD));
    handler(move |asked: Asked| {
        let barrier = Arc::clone(&barrier);
        async move {
            match asked.request.uri().path() {
                "/gzip" => gzip(futures_util::stream::iter(zipped(&[TEXT]).await.into_iter().map(Ok))),
                "/crowd" => {
                    barrier.wait().await;
                    text(TEXT)
                }
                _ => text(TEXT),
            }
        }
    })
}

/// Of the text: compressed and not.
async fn lengths() -> (f64, f64) {
    let compressed: usize = zipped(&[TEXT]).await.iter().map(bytes::Bytes::len).sum();
    (compressed as f64, TEXT.len() as f64)
}

/// The sum of all series of this name.
fn count(metrics: &ClientMetrics, name: &str) -> f64 {
    let text = metrics.gather_text();
    let series = text.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
    series.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

/// A client of a server that speaks `protocol`, and what is counted of it.
struct Counted {
    server: Server,
    config: Config,
    metrics: Arc<ClientMetrics>,
}

impl Counted {
    async fn new(server_name: Option<&str>, protocol: &str) -> Self {
        let ca = Ca::new("ca");
        let tls = pki::server_config(&ca.server(&["localhost", "127.0.0.1"]), None, &[protocol]);
        let server = Server::start(Setup { tls: Some(tls), handler: answers(), max_streams: None }).await;
        let tls = TlsConfig { server_name: server_name.map(str::to_owned), ..ca.trusted() };
        let config = Config { tls, ..Config::new(server.url()) };
        let metrics = Arc::new(ClientMetrics::builder().native_names(true).build().unwrap());
        Self { server, config, metrics }
    }

    fn client(&self) -> HttpClient {
        builder(&self.config).metrics(Arc::clone(&self.metrics)).build().unwrap()
    }

    /// Connections opened, answers over those that were open, handshakes.
    fn connections(&self) -> [f64; 3] {
        [
            "kubewire_client_connections_opened_total",
            "kubewire_client_connections_reused_total",
            "kubewire_client_tls_handshake_duration_seconds_count",
        ]
        .map(|name| count(&self.metrics, name))
    }

    /// Over the wire, and decoded.
    fn bytes(&self) -> [f64; 2] {
        ["kubewire_client_response_wire_bytes_total", "kubewire_client_response_decoded_bytes_total"]
            .map(|name| count(&self.metrics, name))
    }
}

/// reqwest makes the connections to servers of their own name, and we all others.
const NAMES: [Option<&str>; 2] = [None, Some("localhost")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_handshakes_and_bytes_are_counted_over_http_2() {
    let (compressed, plain) = lengths().await;
    for name in NAMES {
        let counted = Counted::new(name, "h2").await;
        let client = counted.client();
        for _ in 0..5 {
            assert_eq!(get(&client, "/").await.unwrap().1, TEXT);
        }
        assert_eq!(counted.connections(), [1.0, 4.0, 1.0], "{name:?}");
        assert_eq!(counted.bytes(), [5.0 * plain, 5.0 * plain]);
        let labels = format!(r#"{{host="{}",verb="GET"}}"#, counted.server.address);
        let series = format!("kubewire_client_response_wire_bytes_total{labels} ");
        assert!(counted.metrics.gather_text().contains(&series), "{series}");

        assert_eq!(get(&client, "/gzip").await.unwrap().1, TEXT);
        assert_eq!(counted.connections(), [1.0, 5.0, 1.0], "{name:?}");
        assert_eq!(counted.bytes(), [5.0 * plain + compressed, 6.0 * plain]);

        counted.server.cut();
        until("the connection is closed", || counted.server.open() == 0).await;
        assert_eq!(get(&client, "/").await.unwrap().0, 200);
        assert_eq!(counted.connections(), [2.0, 5.0, 2.0], "{name:?}");

        // Many at once on a client without a connection: one makes it.
        let client = counted.client();
        let crowd = (0..20).map(|_| {
            let client = client.clone();
            tokio::spawn(async move { get(&client, "/").await.unwrap() })
        });
        for answer in join_all(crowd).await {
            assert_eq!(answer.unwrap().0, 200);
        }
        assert_eq!(counted.connections(), [3.0, 24.0, 3.0], "{name:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_handshakes_and_bytes_are_counted_over_http_1() {
    let (compressed, plain) = lengths().await;
    for name in NAMES {
        let counted = Counted::new(name, "http/1.1").await;
        let client = counted.client();
        // Each is answered only when all are there, on a connection each.
        let crowd = join_all((0..CROWD).map(|_| get(&client, "/crowd")));
        for answer in crowd.await {
            assert_eq!(answer.unwrap().1, TEXT);
        }
        assert_eq!(counted.connections(), [8.0, 0.0, 8.0], "{name:?}");
        assert_eq!(counted.bytes(), [8.0 * plain, 8.0 * plain]);

        // A connection goes back to the pool a moment after its answer has ended.
        let mut answers = 0.0;
        soon("a connection is used again", async {
            while counted.connections()[1] < 1.0 {
                assert_eq!(get(&client, "/gzip").await.unwrap().1, TEXT);
                answers += 1.0;
            }
        })
        .await;
        let gzip = [answers * compressed, answers * plain];
        assert_eq!(counted.bytes(), [8.0 * plain + gzip[0], 8.0 * plain + gzip[1]]);
        // One that another request's end has made superfluous may still be on its way.
        until("what the server counts", || {
            let [opened, _, handshakes] = counted.connections();
            opened == counted.server.connections() as f64 && handshakes == opened
        })
        .await;
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
