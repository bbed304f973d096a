//! CBOR: what is sent, what is asked for, and what is read.

mod answers;
mod lists;
mod refused;

use http::Response;
use kubewire_rest::transport::Body;
use kubewire_rest::{Config, RestClient, cbor};
use serde_json::Value;

use crate::service::{Script, answer, with};

pub const CBOR: &str = "application/cbor";
pub const JSON: &str = "application/json";

/// A client that prefers CBOR.
pub fn client(script: &Script) -> RestClient {
    script.builder(&Config::new("http://server:8080")).prefer_cbor().build().unwrap()
}

/// An answer in CBOR.
pub fn cbor_answer(code: u16, object: &Value) -> Response<Body> {
    typed_answer(code, CBOR, cbor::encode(object).unwrap())
}

pub fn typed_answer(code: u16, content_type: &str, body: Vec<u8>) -> Response<Body> {
    let mut response = with(answer(code, ""), "content-type", content_type);
    response.headers_mut().insert("content-type", content_type.parse().unwrap());
    *response.body_mut() = body.into();
    response
}
