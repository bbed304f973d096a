//! BH-C14: forms of the host, and API paths.

use kubewire_config::{ClientCertificate, Config, Credentials, Pem, Secret, TlsConfig};

use crate::variants;

#[test]
fn c14_hosts() {
    for (host, expected) in [
        ("", Some("http://localhost/")),
        ("127.0.0.1", Some("http://127.0.0.1/")),
        ("host:8080", Some("http://host:8080/")),
        ("host/", Some("http://host/")),
        ("HOST", Some("http://host/")),
        ("::1", Some("http://[::1]/")),
        ("[::1]:6443", Some("http://[::1]:6443/")),
        ("http://h", Some("http://h/")),
        ("https://h", Some("https://h/")),
        ("https://h:443", Some("https://h/")),
        ("HTTPS://h", Some("https://h/")),
        ("https://[fd00::1]:6443", Some("https://[fd00::1]:6443/")),
        ("http://h:8080//", Some("http://h:8080//")),
        ("https://h/prefix", Some("https://h/prefix/")),
        ("https://h/prefix/", Some("https://h/prefix/")),
        ("https://h/a/b?q=1#f", Some("https://h/a/b/")),
        ("https://h?q=1", Some("https://h/")),
        ("https://user:pass@h", Some("https://user:pass@h/")),
        ("host/server", None),
        ("host:port", None),
        ("///:://localhost", None),
        ("http://", None),
        ("ftp://h", None),
        ("https://h:99999", None),
        ("a b", None),
        ("unix:///socket", None),
    ] {
        match (Config::new(host).server_url(), expected) {
            (Ok(url), Some(expected)) => assert_eq!(url.as_str(), expected, "{host}"),
            (Err(error), None) => assert_eq!(variants(&error), ["BadHost"], "{host}"),
            (found, _) => panic!("{host}: {found:?}, expected {expected:?}"),
        }
    }
}

#[test]
fn c14_tls_settings_make_a_bare_host_https() {
    let pair = ClientCertificate { certificate: Pem::Data(vec![1]), key: Pem::Data(Secret::new(vec![1])) };
    let insecure = TlsConfig { insecure: true, ..TlsConfig::default() };
    let ca = TlsConfig { ca: Some(Pem::File("ca".into())), ..TlsConfig::default() };
    let name = TlsConfig { server_name: Some("n".into()), ..TlsConfig::default() };
    for (config, expected) in [
        (Config::new("h"), "http://h/"),
        (Config::new("h").with_tls(insecure.clone()), "https://h/"),
        (Config::new("h").with_tls(ca), "https://h/"),
        (Config::new("h").with_tls(name), "http://h/"),
        (Config::new("h").with_credentials(Credentials::client_certificate(pair.clone())), "https://h/"),
        (Config::new("h").with_credentials(Credentials::bearer("t")), "http://h/"),
        (Config::new("http://h").with_tls(insecure), "http://h/"),
    ] {
        assert_eq!(config.server_url().unwrap().as_str(), expected, "{config:?}");
    }
    let wrong = Config::new("///:://localhost").with_credentials(Credentials::client_certificate(pair));
    assert!(wrong.server_url().is_err());
}

#[test]
fn c14_errors_do_not_show_passwords() {
    let error = Config::new("https://me:hunter2@h:99999").server_url().unwrap_err().to_string();
    assert!(!error.contains("hunter2") && error.contains("h:99999"), "{error}");
}

#[test]
fn c14_api_paths() {
    for (base, group, version, expected) in [
        (None, "", "v1", "/api/v1"),
        (None, "apps", "v1", "/apis/apps/v1"),
        (None, "rbac.authorization.k8s.io", "v1beta1", "/apis/rbac.authorization.k8s.io/v1beta1"),
        (None, "", "", "/api"),
        (Some("/api"), "", "v1", "/api/v1"),
        (Some("apis"), "apps", "v1", "/apis/apps/v1"),
        (Some("/other/"), "g", "v2", "/other/g/v2"),
        (Some("/"), "", "v1", "/v1"),
    ] {
        let config = Config { api_path: base.map(str::to_owned), ..Config::new("h") };
        assert_eq!(config.versioned_api_path(group, version), expected, "{base:?} {group} {version}");
    }
}
