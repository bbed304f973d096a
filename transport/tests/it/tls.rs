//! Who is believed, who the client says it is, and what the errors say.

use std::path::Path;

use kubewire_config::{
    BasicAuth, ClientCertificate, Config, Credentials, HeaderCredential, Pem, Secret, TlsConfig,
};
use kubewire_transport::{Error, ErrorKind, HttpClient};
use rcgen::{KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

use crate::support::pki::{self, Ca, Leaf};
use crate::support::server::{Asked, Server, Setup, handler, text};
use crate::support::{chain, client, config, get, request, send};

/// Tells the client what it saw of it.
async fn mirror(asked: Asked) -> http::Response<crate::support::server::Reply> {
    let certificate = asked.certificate.map_or(0, |der| der.len());
    let authority = asked.request.uri().authority().map(ToString::to_string);
    let host = asked.request.headers().get("host").map(|host| host.to_str().unwrap().to_owned());
    let version = asked.request.version();
    text(format!(
        "{version:?} {} {} {certificate}",
        authority.or(host).unwrap_or_default(),
        asked.sni.unwrap_or_default()
    ))
}

fn build(config: &Config) -> Result<HttpClient, Error> {
    HttpClient::builder(config).shared(false).environment(|_| None).build()
}

#[tokio::test]
async fn a_server_is_believed_by_its_authority_alone() {
    let (ca, other) = (Ca::new("ca"), Ca::new("other"));
    let server = Server::https(&ca, handler(mirror)).await;
    assert_eq!(get(&client(&config(server.url(), ca.trusted())), "/").await.unwrap().0, 200);

    let error = get(&client(&config(server.url(), other.trusted())), "/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert!(error.is_not_processed());
    assert!(error.to_string().contains(&server.address.to_string()), "{error}");
    assert!(error.to_string().contains("the CA data"), "{error}");
    assert!(chain(&error).contains("UnknownIssuer"), "{}", chain(&error));

    let system = get(&client(&Config::new(server.url())), "/").await.unwrap_err();
    assert_eq!(system.kind(), ErrorKind::Tls);
}

#[tokio::test]
async fn an_intermediate_authority_is_followed_to_its_root() {
    let root = Ca::new("root");
    let intermediate = root.intermediate("intermediate");
    let mut leaf = intermediate.server(&["127.0.0.1"]);
    leaf.certificate.push_str(&intermediate.pem());
    let tls = pki::server_config(&leaf, None, &["h2"]);
    let server = Server::start(Setup { tls: Some(tls), handler: handler(mirror), max_streams: None }).await;
    assert_eq!(get(&client(&config(server.url(), root.trusted())), "/").await.unwrap().0, 200);
}

#[tokio::test]
async fn one_ca_file_may_hold_several() {
    let (ca, other) = (Ca::new("ca"), Ca::new("other"));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.crt");
    std::fs::write(&file, format!("# mine\n{}\n{}", other.pem(), ca.pem())).unwrap();
    let tls = TlsConfig { ca: Some(Pem::File(file)), ..TlsConfig::default() };
    let server = Server::https(&ca, handler(mirror)).await;
    assert_eq!(get(&client(&config(server.url(), tls)), "/").await.unwrap().0, 200);
}

#[tokio::test]
async fn bh_t2_insecure_believes_anybody() {
    let server = Server::https(&Ca::new("nobody's"), handler(mirror)).await;
    let tls = TlsConfig { insecure: true, ..TlsConfig::default() };
    assert_eq!(get(&client(&config(server.url(), tls)), "/").await.unwrap().0, 200);
}

#[tokio::test]
async fn bh_t2_the_server_name_is_asked_for_and_verified() {
    let ca = Ca::new("ca");
    let tls = pki::server_config(&ca.server(&["api.internal"]), None, &["h2", "http/1.1"]);
    let server = Server::start(Setup { tls: Some(tls), handler: handler(mirror), max_streams: None }).await;
    let named = |name: &str| TlsConfig { server_name: Some(name.to_owned()), ..ca.trusted() };

    let error = get(&client(&config(server.url(), ca.trusted())), "/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");

    let (_, seen) = get(&client(&config(server.url(), named("api.internal"))), "/").await.unwrap();
    // The name is TLS's alone: HTTP still speaks of the URL's host.
    assert!(seen.starts_with(&format!("HTTP/2.0 {} api.internal", server.address)), "{seen}");

    let error = get(&client(&config(server.url(), named("api.external"))), "/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert!(error.is_not_processed());
}

#[tokio::test]
async fn bh_t2_alpn_is_h2_then_http_1_unless_chosen() {
    let ca = Ca::new("ca");
    let server = Server::https(&ca, handler(mirror)).await;
    let version = async |tls: TlsConfig| get(&client(&config(server.url(), tls)), "/").await.unwrap().1;
    assert!(version(ca.trusted()).await.starts_with("HTTP/2.0"));
    let http1 = TlsConfig { alpn: vec!["http/1.1".to_owned()], ..ca.trusted() };
    assert!(version(http1).await.starts_with("HTTP/1.1"));

    let config = config(server.url(), ca.trusted());
    let builder = HttpClient::builder(&config)
        .shared(false)
        .environment(|name| (name == "DISABLE_HTTP2").then(|| "true".to_owned()));
    assert!(get(&builder.build().unwrap(), "/").await.unwrap().1.starts_with("HTTP/1.1"));
}

fn fixture(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures").join(name))
        .unwrap()
}

#[tokio::test]
async fn every_kind_of_client_key_works() {
    let (ca, clients) = (Ca::new("ca"), Ca::new("clients"));
    let tls = pki::server_config(&ca.server(&["127.0.0.1"]), Some(&clients), &["h2"]);
    let server = Server::start(Setup { tls: Some(tls), handler: handler(mirror), max_streams: None }).await;

    let with = |key: KeyPair, written: Option<&str>| {
        let leaf = clients.client_with_key("jane", &key);
        Leaf { key: written.map_or(leaf.key, fixture), ..leaf }
    };
    let rsa = || KeyPair::from_pem(&fixture("rsa.pkcs8.pem")).unwrap();
    let ec = || KeyPair::from_pem(&fixture("ec.pkcs8.pem")).unwrap();
    let leaves = [
        ("ECDSA P-384", with(KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap(), None)),
        ("Ed25519", with(KeyPair::generate_for(&PKCS_ED25519).unwrap(), None)),
        ("RSA, PKCS#8", with(rsa(), Some("rsa.pkcs8.pem"))),
        ("RSA, PKCS#1", with(rsa(), Some("rsa.pkcs1.pem"))),
        ("ECDSA, PKCS#8", with(ec(), Some("ec.pkcs8.pem"))),
        ("ECDSA, SEC1", with(ec(), Some("ec.sec1.pem"))),
    ];
    for (what, leaf) in leaves {
        let config = Config {
            credentials: Credentials::client_certificate(leaf.data()),
            ..config(server.url(), ca.trusted())
        };
        let (code, seen) =
            get(&client(&config), "/").await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(code, 200, "{what}");
        assert!(!seen.ends_with(" 0"), "{what}: {seen}");
    }
}

#[tokio::test]
async fn a_certificate_chain_is_sent_whole() {
    let (ca, clients) = (Ca::new("ca"), Ca::new("clients"));
    let team = clients.intermediate("team");
    let tls = pki::server_config(&ca.server(&["127.0.0.1"]), Some(&clients), &["h2"]);
    let server = Server::start(Setup { tls: Some(tls), handler: handler(mirror), max_streams: None }).await;
    let mut leaf = team.client("jane");
    leaf.certificate.push_str(&team.pem());
    let credentials = Credentials::client_certificate(leaf.data());
    let config = Config { credentials, ..config(server.url(), ca.trusted()) };
    assert_eq!(get(&client(&config), "/").await.unwrap().0, 200);
}

#[tokio::test]
async fn a_server_that_does_not_accept_the_certificate_is_a_tls_error() {
    let (ca, clients, strangers) = (Ca::new("ca"), Ca::new("clients"), Ca::new("strangers"));
    let tls = pki::server_config(&ca.server(&["127.0.0.1"]), Some(&clients), &["http/1.1"]);
    let server = Server::start(Setup { tls: Some(tls), handler: handler(mirror), max_streams: None }).await;
    let credentials = Credentials::client_certificate(strangers.client("jane").data());
    let config = Config { credentials, ..config(server.url(), ca.trusted()) };
    let error = send(&client(&config), request("/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert!(error.is_not_processed());
}

#[track_caller]
fn refused(config: &Config, parts: &[&str]) {
    let error = build(config).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    for part in parts {
        assert!(chain(&error).contains(part), "{part:?} is not in {}", chain(&error));
    }
}

#[test]
fn bh_t1_configs_that_cannot_work_are_refused_with_the_reason() {
    let ca = Ca::new("ca");
    let base = || config("https://h:6443", ca.trusted());
    refused(
        &Config { tls: TlsConfig { insecure: true, ..ca.trusted() }, ..base() },
        &["insecure is set together with a CA"],
    );
    refused(&Config { credentials: Credentials::basic("", "pw"), ..base() }, &["no user name"]);
    let header = HeaderCredential::Basic(BasicAuth::default());
    let credentials = Credentials::ClientCertificate { certificate: ca.client("jane").data(), header };
    refused(&Config { credentials, ..base() }, &["no user name"]);
    let tls = TlsConfig { server_name: Some("not a name".to_owned()), ..ca.trusted() };
    refused(&Config { tls, ..base() }, &["\"not a name\""]);
    refused(&Config::new("host/server"), &["host/server"]);
}

#[test]
fn errors_say_which_file_or_field_and_why() {
    let ca = Ca::new("ca");
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let with_ca = |ca: Pem<Vec<u8>>| config("https://h", TlsConfig { ca: Some(ca), ..TlsConfig::default() });
    let missing = dir.path().join("missing.crt");
    refused(&with_ca(Pem::File(missing)), &["CA file", "missing.crt", "can't be read"]);
    refused(&with_ca(Pem::File(write("empty.crt", ""))), &["empty.crt", "holds no certificate"]);
    refused(&with_ca(Pem::Data(b"hello".to_vec())), &["the CA data holds no certificate"]);
    let broken = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
    refused(&with_ca(Pem::File(write("broken.crt", broken))), &["broken.crt", "PEM is broken"]);
    let no_certificate = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    refused(&with_ca(Pem::Data(no_certificate.into())), &["the CA data holds a bad certificate"]);

    let with_pair = |certificate: Pem<Vec<u8>>, key: Pem<Secret<Vec<u8>>>| Config {
        credentials: Credentials::client_certificate(ClientCertificate { certificate, key }),
        ..config("https://h", ca.trusted())
    };
    let (jane, joe) = (ca.client("jane"), ca.client("joe"));
    let key_data = |leaf: &Leaf| Pem::Data(Secret::new(leaf.key.clone().into_bytes()));
    let certificate = || Pem::File(write("jane.crt", &jane.certificate));
    refused(&with_pair(certificate(), key_data(&joe)), &["jane.crt", "the client key data", "don't match"]);
    refused(
        &with_pair(certificate(), Pem::File(dir.path().join("missing.key"))),
        &["client key file", "missing.key", "can't be read"],
    );
    refused(
        &with_pair(certificate(), Pem::File(write("jane.key", &jane.certificate))),
        &["jane.key", "holds no private key"],
    );
    refused(&with_pair(Pem::Data(jane.key.clone().into()), key_data(&jane)), &["holds no certificate"]);
}
