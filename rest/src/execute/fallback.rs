//! Servers that don't read CBOR are sent JSON.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

use super::Exchange;
use crate::request::RequestBody;
use crate::{PatchType, cbor};

impl Exchange {
    /// Whether the server has refused the request for its CBOR, and the request is JSON now.
    pub(super) fn falls_back_to_json(&mut self, status: StatusCode) -> bool {
        if status != StatusCode::UNSUPPORTED_MEDIA_TYPE || !self.machine.end().reads_whole() {
            return false;
        }
        let sent = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let Some(json_type) = sent.and_then(json_in_place_of) else { return false };
        let client = &self.place.client.0;
        client.content.refuse_cbor();
        let RequestBody::Bytes(sent) = &self.body else { return false };
        let Ok(json) = cbor::to_json(sent, client.max_body_bytes) else { return false };
        tracing::debug!("the server does not read CBOR: the request is sent again as JSON");
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(json_type));
        self.body = RequestBody::Bytes(json.into());
        self.machine.begin_anew("the server does not read CBOR");
        true
    }
}

/// The content type of the same body in JSON, of one that is CBOR.
fn json_in_place_of(content_type: &str) -> Option<&'static str> {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let is = |other: &str| essence.eq_ignore_ascii_case(other);
    if is("application/cbor") {
        Some("application/json")
    } else if is(PatchType::ApplyCbor.content_type()) {
        Some(PatchType::Apply.content_type())
    } else {
        None
    }
}
