//! The bytes of a watch become events, without any I/O.

use bytes::Bytes;

use super::event::WatchEvent;
use super::json::JsonFrames;
#[cfg(feature = "protobuf")]
use super::protobuf::ProtobufFrames;
use crate::list::Form;
use crate::{Decode, DecodeOptions};

/// Decodes frames as their bytes arrive, as its type asks. After an error it gives nothing sensible any more.
pub(super) enum Frames<T> {
    Json(Box<JsonFrames<T>>),
    #[cfg(feature = "protobuf")]
    Protobuf(Box<ProtobufFrames<T>>),
}

impl<T: Decode> Frames<T> {
    pub(super) fn new(form: Form, options: &DecodeOptions) -> Self {
        #[cfg(feature = "protobuf")]
        if let Some(messages) = T::messages(options) {
            return Self::Protobuf(Box::new(ProtobufFrames::new(messages, options)));
        }
        Self::Json(Box::new(JsonFrames::new(form, options)))
    }

    /// Takes the next bytes, once [`next_event`](Self::next_event) has no more of those before.
    pub(super) fn push(&mut self, chunk: Bytes) {
        match self {
            Self::Json(frames) => frames.push(chunk),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(frames) => frames.push(chunk),
        }
    }

    /// The next event, or what is wrong with it; `None` when more bytes are needed.
    pub(super) fn next_event(&mut self) -> Option<Result<WatchEvent<T>, String>> {
        match self {
            Self::Json(frames) => frames.next_event(),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(frames) => frames.next_event(),
        }
    }

    /// The `resourceVersion` in the latest event; empty where there was none.
    pub(super) fn version(&self) -> &str {
        match self {
            Self::Json(frames) => frames.version(),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(frames) => frames.version(),
        }
    }

    pub(super) fn bytes_read(&self) -> u64 {
        match self {
            Self::Json(frames) => frames.bytes_read(),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(frames) => frames.bytes_read(),
        }
    }
}
