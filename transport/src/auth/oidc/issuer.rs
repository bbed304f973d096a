//! The OpenID issuer, where a refresh token is exchanged for a new id-token.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use kubewire_config::Secret;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::error::OidcError;
use crate::{Body, Error, ErrorKind, HttpService};

const MAX_ANSWER: usize = 1 << 20;

pub(super) struct Issuer {
    http: Arc<dyn HttpService>,
    url: Url,
}

/// Who asks the issuer.
pub(super) struct Client<'a> {
    pub(super) id: &'a str,
    /// Public clients have none.
    pub(super) secret: Option<&'a Secret>,
}

/// What the issuer says about itself.
#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    token_endpoint: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// The answer to a refresh.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub(super) id_token: Option<Secret>,
    pub(super) refresh_token: Option<Secret>,
}

/// How a client with a secret shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Header,
    Form,
}

impl Issuer {
    pub(super) fn new(http: Arc<dyn HttpService>, url: Url) -> Self {
        Self { http, url }
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Exchanges the refresh token.
    pub(super) async fn refresh(
        &self,
        client: &Client<'_>,
        refresh_token: &Secret,
    ) -> Result<Tokens, OidcError> {
        let metadata = self.metadata().await?;
        let endpoint = self.token_endpoint(&metadata.token_endpoint)?;
        let mut refused = None;
        for method in methods(client, metadata.token_endpoint_auth_methods_supported.as_deref()) {
            let request = token_request(&endpoint, client, *method, refresh_token);
            match self.ask(endpoint.to_string(), request).await {
                // Not a word about the refresh token: the client was not recognized.
                Err(
                    error @ OidcError::Status {
                        status: StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST,
                        ..
                    },
                ) if !is_about_the_grant(&error) => {
                    refused.get_or_insert(error);
                }
                outcome => return outcome,
            }
        }
        let nothing =
            OidcError::Content { url: endpoint.to_string(), problem: "no way to authenticate is known" };
        Err(refused.unwrap_or(nothing))
    }

    async fn metadata(&self) -> Result<Metadata, OidcError> {
        let url = format!("{}/.well-known/openid-configuration", self.url.as_str().trim_end_matches('/'));
        let request = Request::get(&url).header(ACCEPT, "application/json").body(Body::empty());
        self.ask(url, request).await
    }

    pub(super) fn token_endpoint(&self, endpoint: &str) -> Result<Url, OidcError> {
        let bad = |problem| OidcError::Content { url: self.url.to_string(), problem };
        if endpoint.is_empty() {
            return Err(bad("it has no token_endpoint"));
        }
        let endpoint = Url::parse(endpoint).map_err(|_| bad("its token_endpoint is no URL"))?;
        match endpoint.scheme() {
            "https" => Ok(endpoint),
            "http" if self.url.scheme() == "http" => Ok(endpoint),
            _ => Err(bad("its token_endpoint is not https, and the refresh token is not sent in the clear")),
        }
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        url: String,
        request: http::Result<Request<Body>>,
    ) -> Result<T, OidcError> {
        let request = match request {
            Ok(request) => request,
            Err(error) => {
                return Err(OidcError::Request { url, source: Error::new(ErrorKind::Config, error) });
            }
        };
        let response = match self.http.execute(request).await {
            Ok(response) => response,
            Err(source) => return Err(OidcError::Request { url, source }),
        };
        let (head, body) = response.into_parts();
        let bytes = match Limited::new(body, MAX_ANSWER).collect().await {
            Ok(body) => Secret::new(body.to_bytes().to_vec()),
            Err(error) => {
                return Err(match error.downcast::<Error>() {
                    Ok(source) => OidcError::Answer { url, source: *source },
                    Err(_) => OidcError::TooLong { url, limit: MAX_ANSWER },
                });
            }
        };
        if head.status != StatusCode::OK {
            let code = error_code(bytes.expose());
            return Err(OidcError::Status { url, status: head.status, code });
        }
        serde_json::from_slice(bytes.expose())
            .map_err(|_| OidcError::Content { url, problem: "it is no JSON with the fields expected" })
    }
}

/// The ways to try, best first. Where the issuer does not say, both are possible.
fn methods(client: &Client<'_>, supported: Option<&[String]>) -> &'static [Method] {
    if client.secret.is_none() {
        return &[Method::Form];
    }
    let supports = |name: &str| supported.is_none_or(|methods| methods.iter().any(|method| method == name));
    match (supports("client_secret_basic"), supports("client_secret_post")) {
        (true, true) => &[Method::Header, Method::Form],
        (true, false) => &[Method::Header],
        (false, true) => &[Method::Form],
        (false, false) => &[],
    }
}

fn token_request(
    endpoint: &Url,
    client: &Client<'_>,
    method: Method,
    refresh_token: &Secret,
) -> http::Result<Request<Body>> {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", refresh_token.expose());
    let mut request = Request::post(endpoint.as_str())
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    match (method, client.secret) {
        (Method::Header, Some(secret)) => request = request.header(AUTHORIZATION, basic(client.id, secret)),
        (Method::Form, Some(secret)) => {
            form.append_pair("client_id", client.id).append_pair("client_secret", secret.expose());
        }
        (_, None) => {
            form.append_pair("client_id", client.id);
        }
    }
    request.body(Body::from(form.finish()))
}

fn basic(id: &str, secret: &Secret) -> HeaderValue {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", encode(id), encode(secret.expose())));
    // Base64 can always stand in a header.
    let mut value = HeaderValue::from_str(&format!("Basic {pair}")).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// The code of an OAuth error, if the answer is one. The codes have only such characters, and secrets don't get into
/// them by accident.
fn error_code(answer: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        error: String,
    }
    let answer: Answer = serde_json::from_slice(answer).ok()?;
    let is_code = answer.error.len() <= 40
        && answer.error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_code.then_some(answer.error)
}

fn is_about_the_grant(error: &OidcError) -> bool {
    matches!(error, OidcError::Status { code: Some(code), .. } if code != "invalid_client" && code != "unauthorized_client")
}
