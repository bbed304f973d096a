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
    /// The body to send. Reading a file does not block the runtime.
    pub(crate) async fn load(self) -> Result<Body, RequestError> {
        match self {
            Self::Empty => Ok(Body::empty()),
            Self::Bytes(bytes) => Ok(bytes.into()),
            Self::Stream(body) => Ok(body),
            Self::File(path) => {
                let to_read = path.clone();
                let read = tokio::task::spawn_blocking(move || std::fs::read(to_read)).await;
                let read = read.unwrap_or_else(|stopped| Err(std::io::Error::other(stopped)));
                read.map(Body::from).map_err(|source| RequestError::File { path, source })
            }
        }
    }
}
