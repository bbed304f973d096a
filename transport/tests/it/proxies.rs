//! Ways through proxies: of the config and of the environment.

use kubewire_config::{Config, TlsConfig};
use kubewire_transport::{Error, ErrorKind, HttpClient};

use crate::support::pki::{self, Ca};
use crate::support::proxies::Proxy;
use crate::support::server::{Asked, Reply, Server, Setup, handler, text};
use crate::support::{chain, client, config, get, request, send};

async fn mirror(asked: Asked) -> http::Response<Reply> {
    let told = asked.request.headers().contains_key("proxy-authorization");
    let authority = asked.request.uri().authority().map(ToString::to_string);
    let host = asked.request.headers().get("host").map(|host| host.to_str().unwrap().to_owned());
    let sni = asked.sni.unwrap_or_default();
    text(format!("{} sni={sni} told={told}", authority.or(host).unwrap_or_default()))
}

async fn https(ca: &Ca, names: &[&str]) -> Server {
    let tls = pki::server_config(&ca.server(names), None, &["h2", "http/1.1"]);
    Server::start(Setup { tls: Some(tls), handler: handler(mirror), max_streams: None }).await
}

fn through(proxy: &str, url: &str, tls: TlsConfig) -> Config {
    Config { proxy: Some(proxy.parse().unwrap()), ..config(url, tls) }
}

const USER: Option<(&str, &str)> = Some(("me@home", "p:w"));

#[tokio::test]
async fn bh_t5_every_kind_of_proxy_leads_to_every_kind_of_host() {
    let ca = Ca::new("ca");
    let names = ["api.example.com", "10.1.2.3", "fd00::1", "api.internal"];
    let server = https(&ca, &names).await;
    // Names are looked up by the proxy: these exist nowhere.
    for (host, socks) in
        [("api.example.com", "api.example.com"), ("10.1.2.3", "10.1.2.3"), ("[fd00::1]", "fd00::1")]
    {
        for server_name in [None, Some("api.internal".to_owned())] {
            let url = format!("https://{host}:6443");
            let tls = TlsConfig { server_name: server_name.clone(), ..ca.trusted() };
            let connect = format!("CONNECT {host}:6443 HTTP/1.1");

            let plain = Proxy::http(server.address, USER).await;
            let secured =
                Proxy::https(server.address, pki::server_config(&ca.server(&["127.0.0.1"]), None, &[])).await;
            let socks5 = Proxy::socks(server.address, USER).await;
            let ways = [
                (format!("http://me%40home:p%3Aw@{}", plain.address), &plain, vec![connect.clone()]),
                (
                    format!("https://{}", secured.address),
                    &secured,
                    vec!["TLS, client certificate: false".to_owned(), connect.clone()],
                ),
                (
                    format!("socks5://me%40home:p%3Aw@{}", socks5.address),
                    &socks5,
                    vec![format!("{socks} 6443")],
                ),
            ];
            for (url_of_proxy, proxy, asked) in ways {
                let client = client(&through(&url_of_proxy, &url, tls.clone()));
                let (code, seen) =
                    get(&client, "/").await.unwrap_or_else(|e| panic!("{url_of_proxy}: {}", chain(&e)));
                assert_eq!(code, 200);
                let sni = match &server_name {
                    Some(name) => name.clone(),
                    None if host.starts_with(char::is_alphabetic) => host.to_owned(),
                    // There is no SNI for addresses.
                    None => String::new(),
                };
                assert_eq!(seen, format!("{host}:6443 sni={sni} told=false"), "{url_of_proxy}");
                assert_eq!(proxy.asked(), asked, "{url_of_proxy}");
                // The second request needs no second connection.
                get(&client, "/").await.unwrap();
                assert_eq!(proxy.asked(), asked);
            }
        }
    }
}

#[tokio::test]
async fn an_https_proxy_is_not_shown_the_clients_certificate() {
    let (ca, clients) = (Ca::new("ca"), Ca::new("clients"));
    let tls = pki::server_config(&ca.server(&["api.example.com"]), Some(&clients), &["h2"]);
    let server = Server::start(Setup { tls: Some(tls), handler: handler(mirror), max_streams: None }).await;
    // The proxy asks for a certificate, and would take none for an answer.
    let tls = pki::asking_config(&ca.server(&["127.0.0.1"]), &clients);
    let proxy = Proxy::https(server.address, tls).await;
    let config = Config {
        credentials: kubewire_config::Credentials::client_certificate(clients.client("jane").data()),
        ..through(&format!("https://{}", proxy.address), "https://api.example.com", ca.trusted())
    };
    assert_eq!(get(&client(&config), "/").await.unwrap().0, 200);
    assert_eq!(proxy.asked()[0], "TLS, client certificate: false");
}

#[tokio::test]
async fn plain_http_goes_through_proxies_too() {
    let server = Server::http(handler(mirror)).await;
    let proxy = Proxy::http(server.address, USER).await;
    let config = through(
        &format!("http://me%40home:p%3Aw@{}", proxy.address),
        "http://api.example.com:8080",
        TlsConfig::default(),
    );
    assert_eq!(get(&client(&config), "/x").await.unwrap().1, "api.example.com:8080 sni= told=false");
    assert_eq!(proxy.asked(), ["GET http://api.example.com:8080/x HTTP/1.1"]);

    let socks = Proxy::socks(server.address, None).await;
    let config =
        through(&format!("socks5h://{}", socks.address), "http://api.example.com", TlsConfig::default());
    assert_eq!(get(&client(&config), "/").await.unwrap().1, "api.example.com sni= told=false");
    assert_eq!(socks.asked(), ["api.example.com 80"]);
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told_as_such_and_keeps_its_secret() {
    let ca = Ca::new("ca");
    let server = https(&ca, &["api.example.com"]).await;
    let proxy = Proxy::http(server.address, USER).await;
    let url = format!("http://me:marked@{}", proxy.address);
    let error = send(&client(&through(&url, "https://api.example.com", ca.trusted())), request("/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.is_not_processed());
    let text = chain(&error);
    for part in ["api.example.com", "407", "check the user and the password", &proxy.address.to_string()] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    assert!(!text.contains("marked") && !format!("{error:?}").contains("marked"), "{error:?}");

    let socks = Proxy::socks(server.address, USER).await;
    let url = format!("socks5://me:marked@{}", socks.address);
    let error = send(&client(&through(&url, "https://api.example.com", ca.trusted())), request("/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
    assert!(!format!("{error:?}").contains("marked"), "{error:?}");

    let free = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let config = through(&format!("http://{free}"), "https://api.example.com", ca.trusted());
    let error = send(&client(&config), request("/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error:?}");
    assert!(chain(&error).contains(&free.to_string()), "{}", chain(&error));
}

fn with_environment(config: &Config, variables: Vec<(&'static str, String)>) -> Result<HttpClient, Error> {
    HttpClient::builder(config)
        .shared(false)
        .environment(move |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        })
        .build()
}

#[tokio::test]
async fn bh_t5_the_environments_proxy_is_used_where_it_should() {
    let ca = Ca::new("ca");
    let server = https(&ca, &["api.example.com", "10.1.2.3"]).await;
    let proxy = Proxy::http(server.address, None).await;
    let variable = || ("HTTPS_PROXY", proxy.address.to_string());
    let away = config("https://api.example.com", ca.trusted());
    let client = with_environment(&away, vec![variable()]).unwrap();
    assert_eq!(get(&client, "/").await.unwrap().0, 200);
    assert_eq!(proxy.asked(), ["CONNECT api.example.com:443 HTTP/1.1"]);

    // Loopback goes directly, and so does what NO_PROXY names: these names lead nowhere.
    let near = config(server.url(), TlsConfig { server_name: Some("10.1.2.3".to_owned()), ..ca.trusted() });
    let client = with_environment(&near, vec![variable()]).unwrap();
    assert_eq!(get(&client, "/").await.unwrap().0, 200);
    for no_proxy in ["example.com", "*", "api.example.com:443"] {
        let client = with_environment(&away, vec![variable(), ("NO_PROXY", no_proxy.to_owned())]).unwrap();
        let error = send(&client, request("/")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Dns, "{no_proxy}: {error:?}");
    }
    assert_eq!(proxy.asked().len(), 1);

    let error =
        with_environment(&away, vec![("HTTPS_PROXY", "gopher://me:marked@h".to_owned())]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(chain(&error).contains("gopher") && !chain(&error).contains("marked"), "{}", chain(&error));
}
