//! What can go wrong, and how to tell it apart.

mod api;
mod hint;
mod predicates;
mod request;
mod target;

pub use api::ApiError;
pub use request::RequestError;
pub(crate) use target::Place;
pub use target::Target;

use std::fmt;
use std::time::Duration;

use kubewire_flowcontrol::WaitError;
use kubewire_transport as transport;

use crate::Status;

/// Why a request did not give what was asked for.
///
/// Its text says what was tried, on which host, why it failed and, where that is known, what to do. It holds no secret.
/// Ask the predicates ([`is_not_found`](Self::is_not_found), [`is_conflict`](Self::is_conflict), ...) rather than match:
/// they look at the API's reason wherever there is one.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The client can't be built from its configuration.
    Client(Box<ClientError>),
    /// The request was put together wrongly; nothing was sent.
    Request {
        /// What was to be sent, as far as it was known.
        target: Box<Target>,
        /// What is wrong.
        source: Box<RequestError>,
    },
    /// The server answered with an error.
    Api(Box<ApiError>),
    /// There was no answer, or not all of it.
    Transport {
        /// What was tried.
        target: Box<Target>,
        /// What went wrong on the way.
        source: Box<transport::Error>,
        /// Which part of the exchange it was.
        stage: Stage,
        /// What an earlier attempt failed with, when that was something else.
        previous: Option<Box<str>>,
    },
    /// The client's own rate limiter let the request not through; nothing was sent.
    RateLimiter {
        /// What was to be sent.
        target: Box<Target>,
        /// Why the limiter gave no token.
        source: WaitError,
        /// What an earlier attempt failed with.
        previous: Option<Box<str>>,
    },
    /// The request's own timeout or deadline has passed.
    Timeout {
        /// What was tried.
        target: Box<Target>,
        /// The timeout; `None` when it was a deadline.
        after: Option<Duration>,
        /// What an earlier attempt failed with.
        previous: Option<Box<str>>,
    },
    /// The answer's body is larger than the client takes.
    TooLarge {
        /// What was tried.
        target: Box<Target>,
        /// The limit in bytes.
        limit: usize,
    },
    /// The answer can't be read as what was asked for.
    Decode(Box<DecodeError>),
    /// Each answer can be read, but together they make no sense.
    Protocol {
        /// What was tried.
        target: Box<Target>,
        /// What is wrong.
        why: &'static str,
    },
}

/// The part of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Sending, up to the answer's head.
    Head,
    /// Reading the answer's body.
    Body,
}

/// Why a client can't be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server's address can't be used.
    #[error("{0}")]
    Host(String),
    /// Which API the client is for was not said.
    #[error(
        "no group and version given: call group_version(...), or unversioned() for a client of raw paths"
    )]
    NoGroupVersion,
    /// A setting can't be used.
    #[error("{setting} can't be used: {why}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The HTTP client can't be built.
    #[error("the HTTP client can't be built: {0}")]
    Transport(transport::Error),
}

/// Why an answer can't be read.
#[derive(Debug)]
pub struct DecodeError {
    /// What was asked.
    pub target: Target,
    /// The answer's status code.
    pub code: u16,
    /// The answer's content type, as it was sent.
    pub content_type: String,
    /// What the answer says it is, such as `v1 Pod`; empty when it says nothing.
    pub found: String,
    /// What is wrong.
    pub source: DecodeFault,
}

/// What is wrong with an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeFault {
    /// There is nothing to read.
    #[error("the body is empty")]
    Empty,
    /// There is no decoder for its content type.
    #[error("there is no decoder for its content type")]
    NoDecoder,
    /// It is no protobuf, which the type asked for is read from.
    #[cfg(feature = "protobuf")]
    #[error("the type asked for is read from application/vnd.kubernetes.protobuf alone")]
    NotProtobuf,
    /// The content type is no media type.
    #[error("its content type is no media type")]
    ContentType,
    /// It is no JSON, or not of the type asked for.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// It is no JSON, or an object in it is not of the type asked for, or larger than the limit.
    #[error(transparent)]
    Item(#[from] crate::ItemError),
    /// It is no YAML, or not of the type asked for.
    #[error(transparent)]
    Yaml(#[from] serde_yaml::Error),
    /// It is no protobuf.
    #[cfg(feature = "protobuf")]
    #[error(transparent)]
    Protobuf(#[from] crate::ProtobufErrorKind),
}

impl Error {
    /// The API's account of the failure, if the server gave an answer.
    pub fn status(&self) -> Option<&Status> {
        match self {
            Self::Api(error) => Some(&error.status),
            _ => None,
        }
    }

    /// The HTTP status code, if the server gave an answer.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Api(error) => Some(error.code),
            Self::Decode(error) => Some(error.code),
            _ => None,
        }
    }

    /// What was tried; `None` when a client could not be built.
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Client(_) => None,
            Self::Request { target, .. }
            | Self::Transport { target, .. }
            | Self::RateLimiter { target, .. }
            | Self::Timeout { target, .. }
            | Self::Protocol { target, .. }
            | Self::TooLarge { target, .. } => Some(target),
            Self::Api(error) => Some(&error.target),
            Self::Decode(error) => Some(&error.target),
        }
    }

    /// The failure beneath, when there was no (whole) answer.
    pub fn transport(&self) -> Option<&transport::Error> {
        match self {
            Self::Transport { source, .. } => Some(source),
            Self::Client(error) => match &**error {
                ClientError::Transport(source) => Some(source),
                _ => None,
            },
            _ => None,
        }
    }

    /// What an earlier attempt of the same request failed with, when that was something else.
    pub fn previous(&self) -> Option<&str> {
        match self {
            Self::Transport { previous, .. }
            | Self::RateLimiter { previous, .. }
            | Self::Timeout { previous, .. } => previous.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(error) => write!(f, "{error}")?,
            Self::Request { target, source } => write!(f, "{target}: {source}")?,
            Self::Api(error) => write!(f, "{error}")?,
            Self::Transport { target, source, stage: Stage::Head, .. } => write!(f, "{target}: {source}")?,
            Self::Transport { target, source, stage: Stage::Body, .. } => {
                write!(f, "{target}: the answer broke off: {source}")?;
            }
            Self::RateLimiter { target, source, .. } => {
                write!(f, "{target}: held back by the client's own rate limiter: {source}")?;
            }
            Self::Timeout { target, after: Some(after), .. } => {
                write!(f, "{target}: no whole answer within the request's timeout of {after:?}")?;
            }
            Self::Timeout { target, after: None, .. } => {
                write!(f, "{target}: no whole answer before the request's deadline")?;
            }
            Self::TooLarge { target, limit } => {
                write!(f, "{target}: the answer is larger than the client's limit of {limit} bytes")?;
            }
            Self::Decode(error) => write!(f, "{error}")?,
            Self::Protocol { target, why } => write!(f, "{target}: {why}")?,
        }
        if let Some(hint) = hint::hint(self) {
            write!(f, "; {hint}")?;
        }
        if let Some(previous) = self.previous() {
            write!(f, " (an earlier attempt failed with: {previous})")?;
        }
        Ok(())
    }
}

// The text of each error holds that of the error right beneath, so the chain goes on one further down: a reporter that
// prints the chain repeats nothing.
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Client(error) => match &**error {
                ClientError::Transport(error) => error.source(),
                _ => None,
            },
            Self::Request { source, .. } => source.source(),
            Self::Transport { source, .. } => source.source(),
            Self::Decode(error) => match &error.source {
                DecodeFault::Json(error) => error.source(),
                DecodeFault::Item(error) => std::error::Error::source(error),
                DecodeFault::Yaml(error) => error.source(),
                _ => None,
            },
            Self::Api(_)
            | Self::RateLimiter { .. }
            | Self::Timeout { .. }
            | Self::TooLarge { .. }
            | Self::Protocol { .. } => None,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: the answer", self.target)?;
        if !self.found.is_empty() {
            write!(f, " is a {} and", self.found)?;
        }
        write!(
            f,
            " can't be read (status {}, content type {:?}): {}",
            self.code, self.content_type, self.source
        )
    }
}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        Self::Client(Box::new(error))
    }
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self::Api(Box::new(error))
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::Decode(Box::new(error))
    }
}
