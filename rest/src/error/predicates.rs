use std::time::Duration;

use kubewire_transport::ErrorKind;

use super::Error;
use crate::{CauseType, StatusReason};

/// Questions to an error. The API's reason decides; the code counts where the reason is none of the well-known ones.
impl Error {
    /// The version can't be had: too old, or newer than what the server knows by now.
    pub(crate) fn is_version_unavailable(&self) -> bool {
        const TOO_LARGE: &str = "Too large resource version";
        let is_too_large = |status: &crate::Status| {
            // Servers before 1.19 say so in words alone.
            status.has_cause(&CauseType::RESOURCE_VERSION_TOO_LARGE)
                || self.is_timeout()
                    && (status.message.contains(TOO_LARGE)
                        || status.causes().iter().any(|cause| cause.message == TOO_LARGE))
        };
        self.is_resource_expired() || self.is_gone() || self.status().is_some_and(is_too_large)
    }

    /// The request makes no sense to the server (400).
    pub fn is_bad_request(&self) -> bool {
        self.reason_or_code(&StatusReason::BAD_REQUEST, 400)
    }

    /// The credentials are missing or not accepted (401).
    pub fn is_unauthorized(&self) -> bool {
        self.reason_or_code(&StatusReason::UNAUTHORIZED, 401)
    }

    /// The user may not do this (403).
    pub fn is_forbidden(&self) -> bool {
        self.reason_or_code(&StatusReason::FORBIDDEN, 403)
    }

    /// There is no such object or resource (404).
    pub fn is_not_found(&self) -> bool {
        self.reason_or_code(&StatusReason::NOT_FOUND, 404)
    }

    /// The resource does not have this verb (405).
    pub fn is_method_not_supported(&self) -> bool {
        self.reason_or_code(&StatusReason::METHOD_NOT_ALLOWED, 405)
    }

    /// The server has no content type that the client accepts (406).
    pub fn is_not_acceptable(&self) -> bool {
        self.reason_or_code(&StatusReason::NOT_ACCEPTABLE, 406)
    }

    /// The object is there already. Only the reason tells it from a conflict.
    pub fn is_already_exists(&self) -> bool {
        self.reason() == Some(&StatusReason::ALREADY_EXISTS)
    }

    /// The object was changed since it was read, or another manager owns a field (409).
    pub fn is_conflict(&self) -> bool {
        self.reason_or_code(&StatusReason::CONFLICT, 409)
    }

    /// What was asked for is gone for good (410). Not [expired](Self::is_resource_expired).
    pub fn is_gone(&self) -> bool {
        self.reason_or_code(&StatusReason::GONE, 410)
    }

    /// The version or the continue token is too old: list again.
    pub fn is_resource_expired(&self) -> bool {
        self.reason() == Some(&StatusReason::EXPIRED)
    }

    /// The request's body is too large for the server (413).
    pub fn is_request_entity_too_large(&self) -> bool {
        self.reason() == Some(&StatusReason::REQUEST_ENTITY_TOO_LARGE) || self.status_code_is(413)
    }

    /// The server does not read the request's content type (415).
    pub fn is_unsupported_media_type(&self) -> bool {
        self.reason_or_code(&StatusReason::UNSUPPORTED_MEDIA_TYPE, 415)
    }

    /// The object breaks a rule of its type (422); the status' causes say which.
    pub fn is_invalid(&self) -> bool {
        self.reason_or_code(&StatusReason::INVALID, 422)
    }

    /// The server asks for fewer requests (429), which [`retry_after`](Self::retry_after) may say more of.
    pub fn is_too_many_requests(&self) -> bool {
        self.reason() == Some(&StatusReason::TOO_MANY_REQUESTS) || self.status_code_is(429)
    }

    /// Something is wrong in the server (500).
    pub fn is_internal_error(&self) -> bool {
        self.reason_or_code(&StatusReason::INTERNAL_ERROR, 500)
    }

    /// The server can't serve just now (503).
    pub fn is_service_unavailable(&self) -> bool {
        self.reason_or_code(&StatusReason::SERVICE_UNAVAILABLE, 503)
    }

    /// The server could not do it in time (504). For the client's own time see
    /// [`is_client_timeout`](Self::is_client_timeout).
    pub fn is_timeout(&self) -> bool {
        self.reason_or_code(&StatusReason::TIMEOUT, 504)
    }

    /// The server can do it, but not at once: try again after [`retry_after`](Self::retry_after).
    pub fn is_server_timeout(&self) -> bool {
        self.reason() == Some(&StatusReason::SERVER_TIMEOUT)
    }

    /// The server's store could not be read, often for want of a decryption key.
    pub fn is_store_read_error(&self) -> bool {
        self.reason() == Some(&StatusReason::STORE_READ_ERROR)
    }

    /// The answer was not the API's own, such as a proxy's page.
    pub fn is_unexpected_server_response(&self) -> bool {
        self.has_status_cause(&CauseType::UNEXPECTED_SERVER_RESPONSE)
    }

    /// The answer is an object, but not of the type asked for.
    pub fn is_unexpected_object(&self) -> bool {
        matches!(self, Self::Decode(error) if !error.found.is_empty())
    }

    /// Whether the status has a cause of this type.
    pub fn has_status_cause(&self, cause: &CauseType) -> bool {
        self.status().is_some_and(|status| status.has_cause(cause))
    }

    /// The API's reason, if there was an answer.
    pub fn reason(&self) -> Option<&StatusReason> {
        self.status().map(|status| &status.reason)
    }

    /// How long the server suggests to wait before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Api(error) => error.retry_after(),
            _ => None,
        }
    }

    /// The time that the caller allowed is over: the request's timeout or deadline, or the client's own.
    pub fn is_client_timeout(&self) -> bool {
        matches!(self, Self::Timeout { .. })
            || self
                .transport_kind()
                .is_some_and(|kind| matches!(kind, ErrorKind::Timeout | ErrorKind::ConnectTimeout))
    }

    /// Whether it is certain that the server did not act on the request, so that sending it again does nothing
    /// twice.
    pub fn is_not_processed(&self) -> bool {
        match self {
            Self::Client(_) | Self::Request { .. } => true,
            Self::RateLimiter { target, .. } => target.attempts == 0,
            Self::Transport { source, target, .. } => source.is_not_processed() && target.attempts <= 1,
            _ => self.is_unauthorized() || self.is_too_many_requests(),
        }
    }

    fn transport_kind(&self) -> Option<ErrorKind> {
        self.transport().map(kubewire_transport::Error::kind)
    }

    fn status_code_is(&self, code: u16) -> bool {
        self.status().is_some_and(|status| status.code == code)
    }

    fn reason_or_code(&self, reason: &StatusReason, code: u16) -> bool {
        self.status().is_some_and(|status| {
            status.reason == *reason || (!status.reason.is_well_known() && status.code == code)
        })
    }
}
