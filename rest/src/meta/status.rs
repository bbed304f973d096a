use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ListMeta, null_as_default};

/// What the API says about a request that did not return an object: most often, why it failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// The kind, `Status`; servers may leave it out.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub kind: String,
    /// The version, `v1`; servers may leave it out.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub api_version: String,
    /// Metadata of the list that was asked for, if any.
    #[serde(deserialize_with = "null_as_default")]
    pub metadata: ListMeta,
    /// `Success` or `Failure`.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub status: String,
    /// A sentence for people.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub message: String,
    /// Why, in one word for programs.
    #[serde(skip_serializing_if = "StatusReason::is_unknown", deserialize_with = "null_as_default")]
    pub reason: StatusReason,
    /// What it is about, and why in detail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<StatusDetails>,
    /// The HTTP status code; 0 when it is not said.
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "null_as_default")]
    pub code: u16,
}

/// What a [`Status`] is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StatusDetails {
    /// The object's name.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub name: String,
    /// The API group.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub group: String,
    /// The kind or the resource.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub kind: String,
    /// The object's uid.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub uid: String,
    /// All that was found wrong.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_as_default")]
    pub causes: Vec<StatusCause>,
    /// After how many seconds to try again; 0 when it is not said.
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "null_as_default")]
    pub retry_after_seconds: u32,
}

/// One thing that was found wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StatusCause {
    /// What sort of cause, in one word for programs.
    #[serde(
        rename = "reason",
        skip_serializing_if = "CauseType::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub cause_type: CauseType,
    /// A sentence for people.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub message: String,
    /// The field it is about, as in `spec.containers[0].name`.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub field: String,
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Status {
    /// The `status` of a failure.
    pub const FAILURE: &'static str = "Failure";
    /// The `status` of a success.
    pub const SUCCESS: &'static str = "Success";

    /// Whether it is about a failure: `status` is exactly `Failure`.
    pub fn is_failure(&self) -> bool {
        self.status == Self::FAILURE
    }

    /// Whether one of its causes is of this type.
    pub fn has_cause(&self, cause: &CauseType) -> bool {
        self.causes().iter().any(|found| found.cause_type == *cause)
    }

    /// All that was found wrong.
    pub fn causes(&self) -> &[StatusCause] {
        self.details.as_ref().map_or(&[], |details| &details.causes)
    }
}

/// One word that programs can look at, with names for the well-known ones.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $constant:ident = $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            $($(#[$doc])* pub const $constant: Self = Self(Cow::Borrowed($text));)*

            /// The word itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether the word is one that this library knows.
            pub fn is_well_known(&self) -> bool {
                matches!(&*self.0, $($text)|*)
            }
        }

        impl From<&'static str> for $name {
            fn from(word: &'static str) -> Self {
                Self(Cow::Borrowed(word))
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                Self(Cow::Owned(word))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

words! {
    /// Why a request failed, in one word. Servers may invent more: compare with the constants, or take
    /// [`as_str`](Self::as_str).
    StatusReason {
        /// No credentials, or none that the server accepts (401).
        UNAUTHORIZED = "Unauthorized";
        /// The user may not do this (403).
        FORBIDDEN = "Forbidden";
        /// There is no such object or resource (404).
        NOT_FOUND = "NotFound";
        /// The object is there already (409).
        ALREADY_EXISTS = "AlreadyExists";
        /// The object was changed in between (409).
        CONFLICT = "Conflict";
        /// The object is gone for good (410).
        GONE = "Gone";
        /// The object breaks a rule of its type (422).
        INVALID = "Invalid";
        /// The server can do it, but not at once (500).
        SERVER_TIMEOUT = "ServerTimeout";
        /// The server's store could not be read (500).
        STORE_READ_ERROR = "StorageReadError";
        /// The request could not be done in time (504).
        TIMEOUT = "Timeout";
        /// Too many requests: wait (429).
        TOO_MANY_REQUESTS = "TooManyRequests";
        /// The request makes no sense to the server (400).
        BAD_REQUEST = "BadRequest";
        /// The resource does not have this verb (405).
        METHOD_NOT_ALLOWED = "MethodNotAllowed";
        /// The server has no content type that the client accepts (406).
        NOT_ACCEPTABLE = "NotAcceptable";
        /// The request's body is too large (413).
        REQUEST_ENTITY_TOO_LARGE = "RequestEntityTooLarge";
        /// The server does not read the request's content type (415).
        UNSUPPORTED_MEDIA_TYPE = "UnsupportedMediaType";
        /// Something is wrong in the server (500).
        INTERNAL_ERROR = "InternalError";
        /// The version or the continue token is too old (410).
        EXPIRED = "Expired";
        /// The server can't serve just now (503).
        SERVICE_UNAVAILABLE = "ServiceUnavailable";
    }
}

words! {
    /// What sort of cause, in one word. Servers may invent more.
    CauseType {
        /// The field's value names something that is not there.
        FIELD_VALUE_NOT_FOUND = "FieldValueNotFound";
        /// The field is missing.
        FIELD_VALUE_REQUIRED = "FieldValueRequired";
        /// The field's value is there already.
        FIELD_VALUE_DUPLICATE = "FieldValueDuplicate";
        /// The field's value is malformed.
        FIELD_VALUE_INVALID = "FieldValueInvalid";
        /// The field's value is none of those that may be.
        FIELD_VALUE_NOT_SUPPORTED = "FieldValueNotSupported";
        /// The field may not be set.
        FIELD_VALUE_FORBIDDEN = "FieldValueForbidden";
        /// The field's value is too long.
        FIELD_VALUE_TOO_LONG = "FieldValueTooLong";
        /// The field has too many values.
        FIELD_VALUE_TOO_MANY = "FieldValueTooMany";
        /// The field's value is of the wrong type.
        FIELD_VALUE_TYPE_INVALID = "FieldValueTypeInvalid";
        /// The answer was not the API's own; the message holds its text.
        UNEXPECTED_SERVER_RESPONSE = "UnexpectedServerResponse";
        /// Another manager owns the field (server-side apply).
        FIELD_MANAGER_CONFLICT = "FieldManagerConflict";
        /// The resourceVersion asked for is larger than any that the server knows.
        RESOURCE_VERSION_TOO_LARGE = "ResourceVersionTooLarge";
        /// The namespace is being deleted.
        NAMESPACE_TERMINATING = "NamespaceTerminating";
        /// An event of a watch could not be decoded by the client.
        CLIENT_WATCH_DECODING = "ClientWatchDecoding";
        /// The exit code of a remote command; the message holds the number.
        EXIT_CODE = "ExitCode";
    }
}

impl StatusReason {
    /// Whether no reason is given.
    pub fn is_unknown(&self) -> bool {
        self.0.is_empty()
    }
}

impl CauseType {
    /// Whether no type is given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{CauseType, Status, StatusReason};

    #[test]
    fn a_status_survives_the_round_trip() {
        let text = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",
            "message":"too many","reason":"TooManyRequests","code":429,
            "details":{"name":"a","group":"apps","kind":"deployments","retryAfterSeconds":3,
            "causes":[{"reason":"FieldValueInvalid","message":"m","field":"spec.x"}]}}"#;
        let status: Status = serde_json::from_str(text).unwrap();
        assert_eq!(status.reason, StatusReason::TOO_MANY_REQUESTS);
        assert!(status.is_failure() && status.has_cause(&CauseType::FIELD_VALUE_INVALID));
        assert!(!status.has_cause(&CauseType::EXIT_CODE));
        let written = serde_json::to_value(&status).unwrap();
        assert_eq!(written, serde_json::from_str::<serde_json::Value>(text).unwrap());

        let sparse: Status =
            serde_json::from_str(r#"{"metadata":null,"details":null,"reason":"Odd"}"#).unwrap();
        assert!(!sparse.reason.is_well_known());
        assert_eq!(sparse.reason.as_str(), "Odd");
    }
}
