//! What a person can do about an error.

use kubewire_transport::ErrorKind;

use super::{DecodeFault, Error};
use crate::CauseType;

/// One clause that says what to do, where that is known.
pub(super) fn hint(error: &Error) -> Option<&'static str> {
    match error {
        Error::Transport { source, .. } => transport_hint(source.kind()),
        Error::RateLimiter { .. } => {
            Some("raise the config's qps and burst, or give the request a later deadline")
        }
        Error::TooLarge { .. } => Some("ask for less (a limit, a selector), or raise max_body_bytes()"),
        Error::Decode(decode) => match decode.source {
            DecodeFault::Empty | DecodeFault::NoDecoder | DecodeFault::ContentType => {
                Some("raw() gives the bytes as they came")
            }
            #[cfg(feature = "protobuf")]
            DecodeFault::NotProtobuf => Some(
                "ask for it by accept_protobuf(); where the server has none, as for custom resources, take a serde type",
            ),
            _ => None,
        },
        Error::Api(_) => api_hint(error),
        Error::Client(_) | Error::Request { .. } | Error::Timeout { .. } | Error::Protocol { .. } => None,
    }
}

fn transport_hint(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Dns => Some("check the server's name in the kubeconfig, and the network"),
        ErrorKind::ConnectionRefused => Some("is the API server running, and is this its address?"),
        ErrorKind::ConnectTimeout => Some("check the address, the network, firewalls and proxies"),
        ErrorKind::Tls => {
            Some("check the config's certificate authority, the server name and the client's certificate")
        }
        _ => None,
    }
}

fn api_hint(error: &Error) -> Option<&'static str> {
    if error.is_unauthorized() {
        Some(
            "the server does not accept these credentials: check the user in the kubeconfig, or log in again",
        )
    } else if error.is_forbidden() {
        Some("the credentials are good, but a role that allows this is missing")
    } else if error.is_not_found() && error.has_status_cause(&CauseType::UNEXPECTED_SERVER_RESPONSE) {
        Some(
            "the server knows no such path: check the resource, its group and version, and the server's path prefix",
        )
    } else if error.is_method_not_supported() {
        Some("is the object's name missing, or has this resource no such verb?")
    } else if error.is_conflict() && !error.has_status_cause(&CauseType::FIELD_MANAGER_CONFLICT) {
        Some("read the object again and repeat the change on what is there now")
    } else if error.has_status_cause(&CauseType::FIELD_MANAGER_CONFLICT) {
        Some("apply with force(true) to take the fields over, or leave them out")
    } else if error.is_not_acceptable() {
        Some(
            "ask for a media type that the server has; custom resources have no protobuf, so take a serde type",
        )
    } else if error.is_resource_expired() || error.is_gone() {
        Some("list again from the start")
    } else {
        None
    }
}
