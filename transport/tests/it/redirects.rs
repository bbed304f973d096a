//! Redirects, and requests to other hosts: credentials stay at home.

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::BodyExt as _;
use kubewire_config::{Config, Credentials, HeaderCredential, Impersonation};
use kubewire_transport::Body;

use crate::support::pki::{self, Ca};
use crate::support::server::{Asked, Handler, Reply, Server, Setup, handler, status, text};
use crate::support::{bytes, client, config, get, request, send};

type Seen = Arc<Mutex<Vec<String>>>;

/// Writes down each request, and redirects by its path: /CODE/LOCATION.
fn redirecting(seen: &Seen) -> Handler {
    let seen = Arc::clone(seen);
    handler(move |asked: Asked| {
        let seen = Arc::clone(&seen);
        async move {
            let headers = asked.request.headers();
            let carried: Vec<_> = ["authorization", "impersonate-user", "cookie"]
                .into_iter()
                .filter(|name| headers.contains_key(*name))
                .collect();
            let certificate = asked.certificate.is_some();
            let (method, path) = (asked.request.method().clone(), asked.request.uri().path().to_owned());
            let body = asked.request.into_body().collect().await.unwrap().to_bytes();
            let body = String::from_utf8_lossy(&body).into_owned();
            seen.lock()
                .unwrap()
                .push(format!("{method} {path} {carried:?} certificate={certificate} {body}"));
            match path.strip_prefix('/').and_then(|path| path.split_once('/')) {
                Some((code, location)) if code.len() == 3 => redirect(code, location),
                _ => text("home"),
            }
        }
    })
}

fn redirect(code: &str, location: &str) -> Response<Reply> {
    let mut response = status(code.parse().unwrap());
    response.headers_mut().insert("location", location.parse().unwrap());
    response
}

fn with_all_credentials(server: &Server, ca: &Ca, clients: &Ca) -> Config {
    let header = HeaderCredential::Bearer(kubewire_config::BearerToken {
        token: Some("secret".into()),
        token_file: None,
    });
    Config {
        credentials: Credentials::ClientCertificate { certificate: clients.client("jane").data(), header },
        impersonate: Some(Impersonation { user: "joe".to_owned(), ..Impersonation::default() }),
        ..config(server.url(), ca.trusted())
    }
}

/// A server that asks for a certificate and goes on without one.
async fn asking(ca: &Ca, clients: &Ca, seen: &Seen) -> Server {
    let tls = pki::asking_config(&ca.server(&["127.0.0.1"]), clients);
    Server::start(Setup { tls: Some(tls), handler: redirecting(seen), max_streams: None }).await
}

#[tokio::test]
async fn bh_t16_credentials_never_go_to_another_host() {
    let (ca, clients) = (Ca::new("ca"), Ca::new("clients"));
    let (at_home, elsewhere) = (Seen::default(), Seen::default());
    let home = asking(&ca, &clients, &at_home).await;
    let away = asking(&ca, &clients, &elsewhere).await;
    let client = client(&with_all_credentials(&home, &ca, &clients));

    let mut first = request(&format!("/302/{}/there", away.url()));
    first.headers_mut().insert("cookie", "secret".parse().unwrap());
    let response = send(&client, first).await.unwrap();
    assert_eq!(bytes(response).await.unwrap(), "home");
    let carried = r#"["authorization", "impersonate-user", "cookie"] certificate=true"#;
    assert!(at_home.lock().unwrap()[0].contains(carried), "{at_home:?}");
    assert_eq!(*elsewhere.lock().unwrap(), ["GET /there [] certificate=false "]);

    // The way back does not bring them back.
    let there_and_back = format!("/302/{}/302/{}/end", away.url(), home.url());
    let answer = get(&client, &there_and_back).await.unwrap();
    assert_eq!(answer.0, 200, "{at_home:?} {elsewhere:?}");
    assert_eq!(*at_home.lock().unwrap().last().unwrap(), "GET /end [] certificate=false ");

    // Nor does a request that goes to another host from the start carry them.
    assert_eq!(get(&client, &format!("{}/direct", away.url())).await.unwrap().0, 200);
    assert_eq!(*elsewhere.lock().unwrap().last().unwrap(), "GET /direct [] certificate=false ");
    // At home they are there, the certificate of the connection too.
    assert_eq!(get(&client, "/302//other").await.unwrap().0, 200);
    assert!(
        at_home
            .lock()
            .unwrap()
            .last()
            .unwrap()
            .starts_with(r#"GET /other ["authorization", "impersonate-user"] certificate=true"#)
    );
}

#[tokio::test]
async fn redirects_are_followed_as_far_as_that_is_safe() {
    let ca = Ca::new("ca");
    let (seen, plain_seen) = (Seen::default(), Seen::default());
    let server = Server::https(&ca, redirecting(&seen)).await;
    let plain = Server::http(redirecting(&plain_seen)).await;
    let away = Server::https(&ca, redirecting(&plain_seen)).await;
    let client = client(&config(server.url(), ca.trusted()));
    let ask = async |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path).body(Body::from("body")).unwrap();
        let code = send(&client, request).await.unwrap().status().as_u16();
        (code, seen.lock().unwrap().last().unwrap().clone())
    };
    // The method and the body stay where they must.
    assert_eq!(ask("POST", "/307//end").await, (200, "POST /end [] certificate=false body".to_owned()));
    assert_eq!(ask("PUT", "/308//end").await, (200, "PUT /end [] certificate=false body".to_owned()));
    assert_eq!(ask("POST", "/303//end").await, (200, "GET /end [] certificate=false ".to_owned()));
    // These answers are for the caller.
    assert_eq!(ask("POST", "/302//end").await.0, 302);
    assert_eq!(ask("POST", &format!("/307/{}/x", away.url())).await.0, 307);
    assert_eq!(ask("GET", &format!("/302/{}/x", plain.url())).await.0, 302);
    assert_eq!(ask("GET", "/302/ftp://h/").await.0, 302);
    assert_eq!(ask("GET", "/304//end").await.0, 304);
    assert!(plain_seen.lock().unwrap().is_empty());
    // A circle ends.
    let circle = Server::http(handler(async |_| redirect("302", "/again"))).await;
    let client = crate::support::client(&Config::new(circle.url()));
    assert_eq!(get(&client, "/").await.unwrap().0, 302);
}
