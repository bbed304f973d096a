//! Connections that can't be made, and how callers hear of it.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use kubewire_config::{Config, TlsConfig};
use kubewire_transport::{ErrorKind, HttpService as _};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::support::server::{Server, handler, text};
use crate::support::{builder, chain, client, request, send, soon, still_clock};

#[tokio::test]
async fn connection_failures_say_what_and_where() {
    let free = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        listener.local_addr().unwrap()
    };
    let refused = client(&Config::new(format!("https://{free}")));
    let error = send(&refused, request("/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error:?}");
    assert!(error.is_not_processed());
    assert!(error.to_string().contains(&free.to_string()), "{error}");

    let unknown = client(&Config::new("http://no-such-host.invalid:6443"));
    let error = send(&unknown, request("/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Dns, "{error:?}");
    assert!(error.to_string().contains("no-such-host.invalid"), "{error}");

    // Accepts, and never says a word.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let config = Config::new(format!("https://{}", silent.local_addr().unwrap()));
    let slow = builder(&config).tls_handshake_timeout(Duration::from_millis(200)).build().unwrap();
    let error = send(&slow, request("/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectTimeout, "{error:?}");
    assert!(error.to_string().contains("0.2 s"), "{error}");

    // Speaks no TLS.
    let server = Server::http(handler(async |_| text("hello"))).await;
    let confused = client(&Config::new(format!("https://{}", server.address)));
    let error = send(&confused, request("/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{}", chain(&error));
}

#[tokio::test]
async fn a_connect_that_hangs_holds_nobody_up_for_ever() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let config = Config::new(format!("https://{}", silent.local_addr().unwrap()));
    let limit = Duration::from_millis(300);
    let client = builder(&config).connect_timeout(limit).tls_handshake_timeout(limit).build().unwrap();
    let crowd = (0..20).map(|_| send(&client, request("/")));
    let start = Instant::now();
    for result in soon("all of them fail", futures_util::future::join_all(crowd)).await {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::ConnectTimeout);
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

// BH-T3
#[tokio::test(start_paused = true)]
async fn a_dial_has_thirty_seconds_and_a_handshake_ten() {
    let _still = still_clock();
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = silent.local_addr().unwrap();
    let url = format!("https://{address}");
    let through = |proxy: &str| Config { proxy: Some(proxy.parse().unwrap()), ..Config::new(&url) };
    let handshake = format!("the TLS handshake on the way to {address} took longer than 10 s");
    let named = TlsConfig { server_name: Some("server".to_owned()), ..TlsConfig::default() };
    // All of them say something first, and never get an answer.
    for (config, seconds, text) in [
        (Config::new(&url), 10, handshake.clone()),
        // The second engine.
        (Config { tls: named, ..Config::new(&url) }, 10, handshake.clone()),
        (through(&url), 10, handshake),
        (through(&format!("http://{address}")), 30, format!("no connection to {address} within 30 s")),
        (through(&format!("socks5://{address}")), 30, format!("no connection to {address} within 30 s")),
    ] {
        let config = Config { tls: TlsConfig { insecure: true, ..config.tls }, ..config };
        let client = client(&config);
        let asking = tokio::spawn(async move { client.execute(request("/")).await });
        let (mut stream, _) = silent.accept().await.unwrap();
        stream.read_u8().await.unwrap();
        let moment = Duration::from_millis(100);
        tokio::time::advance(Duration::from_secs(seconds) - moment).await;
        assert!(!asking.is_finished(), "{text}");
        tokio::time::advance(moment).await;
        let error = asking.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectTimeout, "{error:?}");
        assert!(error.is_not_processed());
        assert!(error.to_string().contains(&text), "{error}");
    }
}
