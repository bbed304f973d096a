use std::path::PathBuf;

use bytes::Bytes;
use kubewire_transport::Body;

use crate::RequestError;

/// The body of a request that is being put together.
#[derive(Debug, Default)]
pub(crate) enum RequestBody {
    #[default]
    Empty,
    /// Bytes that can be sent again.
    Bytes(Bytes),
    /// A file, read when the request is sent.
    File(PathBuf),
    /// A stream, which can be sent but once.
    Stream(Body),
}

impl RequestBody {
    /// Whether it can be sent but once.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self, Self::Stream(_))
    }

    /// Reads a file, without blocking the runtime, and keeps its content in place of its name.
    pub(crate) async fn load(&mut self) -> Result<(), RequestError> {
        let Self::File(path) = self else { return Ok(()) };
        let to_read = path.clone();
        let read = tokio::task::spawn_blocking(move || std::fs::read(to_read)).await;
        match read.unwrap_or_else(|stopped| Err(std::io::Error::other(stopped))) {
            Ok(bytes) => *self = Self::Bytes(bytes.into()),
            Err(source) => return Err(RequestError::File { path: std::mem::take(path), source }),
        }
        Ok(())
    }

    /// The body of one attempt. A stream is there for the first, a file once it is [loaded](Self::load).
    pub(crate) fn for_attempt(&mut self) -> Body {
        match self {
            Self::Bytes(bytes) => bytes.clone().into(),
            Self::Stream(body) => std::mem::take(body),
            Self::Empty | Self::File(_) => Body::empty(),
        }
    }
}
