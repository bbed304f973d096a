use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use kubewire_transport::Body;

use super::decode::{failure_status, readable};
use super::generic::generic_status;
use super::media_type::{MediaType, content_type, is_text};
use crate::error::{ApiError, Place};
use crate::execute::{Exchange, retry_after_seconds};
use crate::{DecodeFault, DecodeOptions, Error, Status, StatusReason, Warning};

/// A whole answer, judged.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) place: Place,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) warnings: Vec<Warning>,
    /// What is read of the body.
    pub(crate) options: DecodeOptions,
    /// The body's form; `None` when its content type is no media type.
    pub(crate) media_type: Option<MediaType>,
    /// The error that the code tells of.
    generic: Option<Box<Status>>,
    /// The API's own account of it.
    structured: Option<Box<Status>>,
}

impl Answered {
    /// Reads the body of an answer and judges it.
    pub(crate) async fn read(exchange: Box<Exchange>, response: Response<Body>) -> Result<Self, Error> {
        let (parts, body) = response.into_parts();
        let warnings = exchange.take_warnings(&parts.headers);
        // After 101 the connection is the caller's: there is no body to read.
        let is_upgrade = parts.status == StatusCode::SWITCHING_PROTOCOLS;
        let body = if is_upgrade { Bytes::new() } else { exchange.whole(body, &parts.headers).await? };

        let sent = content_type(&parts.headers);
        let media_type = match sent {
            "" => Some(exchange.place.client.0.content.wire().media_type),
            sent => MediaType::parse(sent),
        };
        let code = parts.status.as_u16();
        let (generic, structured) = if media_type.is_none() {
            (Some(bad_content_type(sent)), None)
        } else if is_upgrade || (200..=206).contains(&code) {
            (None, None)
        } else {
            let text = is_text(sent).then_some(&body[..]);
            let retry_after = retry_after_seconds(&parts.headers);
            (
                Some(generic_status(&exchange.about(), code, text, retry_after)),
                readable(&body, media_type, exchange.place.client.0.max_body_bytes)
                    .ok()
                    .and_then(|(body, media_type)| failure_status(&body, media_type)),
            )
        };
        let Exchange { place, options, .. } = *exchange;
        Ok(Self {
            place,
            options,
            status: parts.status,
            headers: parts.headers,
            body,
            warnings,
            media_type,
            generic: generic.map(Box::new),
            structured: structured.map(Box::new),
        })
    }

    /// Whether the code says success.
    pub(crate) fn is_success(&self) -> bool {
        self.generic.is_none()
    }

    /// The content type as it was sent, else the client's.
    pub(crate) fn content_type(&self) -> &str {
        match content_type(&self.headers) {
            "" => self.place.client.0.content.wire().content_type.to_str().unwrap_or_default(),
            sent => sent,
        }
    }

    /// The body in a form that serde reads, and which that is.
    pub(crate) fn readable(&self) -> Result<(Bytes, Option<MediaType>), DecodeFault> {
        readable(&self.body, self.media_type, self.place.client.0.max_body_bytes)
    }

    /// The error with the API's account of it, where there is one.
    pub(crate) fn error(&self) -> Option<Error> {
        self.structured.as_ref().or(self.generic.as_ref()).map(|status| self.api_error((**status).clone()))
    }

    /// The error that the code alone tells of.
    pub(crate) fn generic_error(&self) -> Option<Error> {
        self.generic.as_ref().map(|status| self.api_error((**status).clone()))
    }

    /// The error of an answer that is one.
    pub(crate) fn into_error(self) -> Error {
        self.error().unwrap_or_else(|| self.api_error(Status::default()))
    }

    /// An error with `status` as the API's account.
    pub(crate) fn api_error(&self, status: Status) -> Error {
        ApiError {
            target: self.place.target(),
            code: self.status.as_u16(),
            status,
            headers: self.headers.clone(),
            body: self.body.clone(),
            warnings: self.warnings.clone(),
        }
        .into()
    }

    /// The body, or the error that the code alone tells of.
    pub(crate) fn into_raw(self) -> Result<Bytes, Error> {
        match self.generic_error() {
            None => Ok(self.body),
            Some(error) => Err(error),
        }
    }
}

fn bad_content_type(sent: &str) -> Status {
    Status {
        status: Status::FAILURE.to_owned(),
        code: 500,
        reason: StatusReason::INTERNAL_ERROR,
        message: format!("the answer's content type {sent:?} is no media type"),
        ..Status::default()
    }
}
