//! The bytes of a watch in protobuf become events, without any I/O.

use bytes::{Buf as _, Bytes};

use super::event::{Bookmark, WatchEvent, ends_initial_events, no_status};
use crate::protobuf::{Gather, Malformed, Messages, each, each_of_metadata, entry, object, open, status};
use crate::{Decode, DecodeOptions, FieldPathError, ProtobufErrorKind as Kind, Status};

/// Bytes of the length before each frame, the highest first.
const HEADER: usize = 4;

/// Decodes frames as their bytes arrive. After an error it gives nothing sensible any more.
pub(super) struct ProtobufFrames<T> {
    limit: usize,
    /// The length that comes before a frame; how many bytes of it have come.
    header: [u8; HEADER],
    came: usize,
    gather: Gather,
    chunk: Bytes,
    offset: u64,
    index: usize,
    messages: Result<Messages<T>, FieldPathError>,
    version: String,
}

impl<T: Decode> ProtobufFrames<T> {
    pub(super) fn new(messages: Result<Messages<T>, FieldPathError>, options: &DecodeOptions) -> Self {
        Self {
            limit: options.frame_limits().item,
            header: [0; HEADER],
            came: 0,
            gather: Gather::default(),
            chunk: Bytes::new(),
            offset: 0,
            index: 0,
            messages,
            version: String::new(),
        }
    }

    pub(super) fn push(&mut self, chunk: Bytes) {
        self.chunk = chunk;
    }

    pub(super) fn next_event(&mut self) -> Option<Result<WatchEvent<T>, String>> {
        match self.next_frame() {
            Ok(None) => None,
            Ok(Some(frame)) => {
                let event = self.event(&frame);
                self.index += 1;
                Some(event)
            }
            Err(kind) => Some(Err(self.fault(&kind))),
        }
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.offset
    }

    fn fault(&self, kind: &Kind) -> String {
        format!("{kind}, in event {}, before byte {}", self.index, self.offset)
    }

    /// The next frame, once it is whole.
    fn next_frame(&mut self) -> Result<Option<Bytes>, Kind> {
        while self.came < HEADER {
            if self.chunk.is_empty() {
                return Ok(None);
            }
            self.header[self.came] = self.chunk.get_u8();
            self.came += 1;
            self.offset += 1;
            if self.came == HEADER {
                let size = u32::from_be_bytes(self.header);
                let length = usize::try_from(size).unwrap_or(usize::MAX);
                if length > self.limit {
                    return Err(Kind::ItemTooLarge { size: size.into(), limit: self.limit });
                }
                self.gather.start(length);
            }
        }
        let (taken, frame) = self.gather.take(&self.chunk, 0);
        self.chunk.advance(taken);
        self.offset += taken as u64;
        if frame.is_some() {
            self.came = 0;
        }
        Ok(frame)
    }

    fn event(&mut self, frame: &[u8]) -> Result<WatchEvent<T>, String> {
        self.version.clear();
        self.try_event(frame).map_err(|kind| self.fault(&kind))
    }

    fn try_event(&mut self, frame: &[u8]) -> Result<WatchEvent<T>, Kind> {
        let (mut event_type, mut body) = ("", None);
        each(frame, |number, value| {
            match number {
                1 => event_type = value.text()?,
                // Its object is wrapped once more.
                2 => each(value.bytes()?, |number, value| {
                    if number == 1 {
                        body = Some(value.bytes()?);
                    }
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })?;
        let body = body.ok_or(Kind::Malformed("an event without an object"))?;
        if event_type == "ERROR" {
            return Ok(WatchEvent::Error(Box::new(error_status(body))));
        }
        let (_, message) = open(body)?;
        let event: fn(T) -> WatchEvent<T> = match event_type {
            "BOOKMARK" => return self.bookmark(message),
            "ADDED" => WatchEvent::Added,
            "MODIFIED" => WatchEvent::Modified,
            "DELETED" => WatchEvent::Deleted,
            _ => return Err(Kind::Malformed("an event of an unknown type")),
        };
        if T::VERSION.is_none() {
            self.find_version(message)?;
        }
        let decoded = match &mut self.messages {
            Ok(messages) => messages.read(message)?,
            Err(error) => return Err(error.clone().into()),
        };
        if let Some(version) = T::VERSION {
            match version(&decoded) {
                Some(version) => version.clone_into(&mut self.version),
                // It may have been left out.
                None => self.find_version(message)?,
            }
        }
        Ok(event(decoded))
    }

    fn find_version(&mut self, message: &[u8]) -> Result<(), Malformed> {
        each_of_metadata(message, |number, value| {
            if number == object::RESOURCE_VERSION {
                value.text()?.clone_into(&mut self.version);
            }
            Ok(())
        })
    }

    fn bookmark(&mut self, message: &[u8]) -> Result<WatchEvent<T>, Kind> {
        self.find_version(message)?;
        let mut is_initial_events_end = false;
        each_of_metadata(message, |number, value| {
            if number == object::ANNOTATIONS {
                let (name, value) = entry(value.bytes()?)?;
                is_initial_events_end |= ends_initial_events(name, value);
            }
            Ok(())
        })?;
        Ok(WatchEvent::Bookmark(Bookmark { resource_version: self.version.clone(), is_initial_events_end }))
    }
}

/// The Status of an error event. Whatever else came as one is an error too.
fn error_status(body: &[u8]) -> Status {
    status(body).ok().filter(|status| status.kind == "Status").unwrap_or_else(no_status)
}
