use std::path::PathBuf;

use bytes::Bytes;
use futures_core::Stream;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use kubewire_transport::{Body, BoxError};
use serde::Serialize;

use super::Request;
use crate::client::{encode_cbor, encode_json, is_null};
use crate::{MediaType, PatchType, RequestError};

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

impl Request {
    /// A typed body, encoded as the client's content type (JSON, unless the config says otherwise), which becomes the
    /// `Content-Type`. Null, such as `None`, is no body. In a [patch](crate::RestClient::patch) it is JSON of the
    /// patch's type; in one of server-side apply it is CBOR where the client sends that.
    ///
    /// Text and bytes that are encoded already go to [`body_bytes`](Self::body_bytes).
    pub fn body<T: Serialize + ?Sized>(self, object: &T) -> Self {
        self.set(|this| {
            let (encoded, content_type) = match this.patch {
                Some(patch) => {
                    let (encoded, sent) = this.encode_patch(patch, object)?;
                    let content_type = (sent != patch).then(|| HeaderValue::from_static(sent.content_type()));
                    (Some(encoded).filter(|bytes| !is_null(bytes)), content_type)
                }
                None => {
                    let wire = this.client.0.content.wire();
                    (wire.encode(object)?, Some(wire.content_type.clone()))
                }
            };
            let Some(encoded) = encoded else {
                this.body = RequestBody::Empty;
                return Ok(());
            };
            if let Some(content_type) = content_type {
                this.headers.insert(CONTENT_TYPE, content_type);
            }
            this.body = RequestBody::Bytes(encoded.into());
            Ok(())
        })
    }

    /// Encodes a patch, and says which type of patch it is then.
    fn encode_patch<T: Serialize + ?Sized>(
        &self,
        patch: PatchType,
        object: &T,
    ) -> Result<(Vec<u8>, PatchType), RequestError> {
        let content = &self.client.0.content;
        let is_cbor = match patch {
            PatchType::Apply => content.wire().media_type == MediaType::Cbor,
            PatchType::ApplyCbor => !content.is_cbor_refused(),
            _ => return Ok((encode_json(object)?, patch)),
        };
        if !is_cbor {
            return Ok((encode_json(object)?, PatchType::Apply));
        }
        Ok((encode_cbor(object)?, PatchType::ApplyCbor))
    }

    /// A body of bytes or text as they are. `Content-Type` is not set.
    pub fn body_bytes(self, bytes: impl Into<Bytes>) -> Self {
        self.set(|this| {
            this.body = RequestBody::Bytes(bytes.into());
            Ok(())
        })
    }

    /// The content of a file, read when the request is sent. `Content-Type` is not set.
    pub fn body_file(self, path: impl Into<PathBuf>) -> Self {
        self.set(|this| {
            this.body = RequestBody::File(path.into());
            Ok(())
        })
    }

    /// A body of chunks. It can't be sent twice, so the request is not sent again whatever happens. `Content-Type` is
    /// not set.
    pub fn body_stream<S, E>(self, chunks: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.set(|this| {
            this.body = RequestBody::Stream(Body::stream(chunks));
            Ok(())
        })
    }
}
