//! The bytes of a watch in JSON become events, without any I/O.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use bytes::{Buf as _, Bytes};
use serde::Deserialize;

use super::event::{Bookmark, WatchEvent, ends_initial_events, no_status};
use crate::encoded::RESOURCE_VERSION;
use crate::json::string;
use crate::list::sealed::Text;
use crate::list::{Feed, Form, decode_document};
use crate::scan::{Item, Scanner, frame_slot};
use crate::{Decode, DecodeOptions, ItemError, Status};

/// Decodes frames as their bytes arrive. After an error it gives nothing sensible any more.
pub(super) struct JsonFrames<T> {
    feed: Feed,
    chunk: Bytes,
    /// An error that comes after the frames which are still there.
    error: Option<ItemError>,
    objects: Objects<T>,
}

/// How the objects in frames are read.
struct Objects<T> {
    /// For types that name what they read: a second pass over what the first has left.
    narrow: Option<Scanner>,
    /// The version in the latest event.
    version: String,
    of: PhantomData<fn() -> T>,
}

impl<T: Decode> JsonFrames<T> {
    pub(super) fn new(form: Form, options: &DecodeOptions) -> Self {
        let (scanner, narrow) = options.frames::<T>();
        let objects = Objects { narrow, version: String::new(), of: PhantomData };
        let feed = Feed::new(form, scanner);
        Self { feed, chunk: Bytes::new(), error: None, objects }
    }

    /// Takes the next bytes, once [`next_event`](Self::next_event) has no more of those before.
    pub(super) fn push(&mut self, chunk: Bytes) {
        self.chunk = chunk;
    }

    /// The next event, or what is wrong with it; `None` when more bytes are needed.
    pub(super) fn next_event(&mut self) -> Option<Result<WatchEvent<T>, String>> {
        loop {
            if let Some(item) = self.feed.next_item() {
                return Some(self.objects.event(item));
            }
            if let Some(error) = self.error.take() {
                return Some(Err(error.to_string()));
            }
            if self.chunk.is_empty() {
                return None;
            }
            match self.feed.feed(&self.chunk) {
                Ok(taken) => self.chunk.advance(taken),
                Err(error) => self.error = Some(error),
            }
        }
    }

    /// The `resourceVersion` in the latest event; empty where there was none.
    pub(super) fn version(&self) -> &str {
        &self.objects.version
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.feed.scanner().offset()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Type {
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
}

impl Type {
    fn read(text: &str) -> Result<Self, serde_json::Error> {
        match string(text.trim_ascii()).as_deref() {
            Some("ADDED") => Ok(Self::Added),
            Some("MODIFIED") => Ok(Self::Modified),
            Some("DELETED") => Ok(Self::Deleted),
            _ => serde_json::from_str(text),
        }
    }
}

impl<T: Decode> Objects<T> {
    fn event(&mut self, Text { item: frame, tokens }: Text<'_>) -> Result<WatchEvent<T>, String> {
        self.version.clear();
        let whole = |slot: usize| {
            let span = frame.marks[slot]?;
            Some((span.start, &frame.text[span.start as usize..span.end as usize]))
        };
        let (_, event_type) = whole(frame_slot::TYPE).ok_or("it has no type")?;
        let event_type = Type::read(event_type).map_err(|error| format!("its type: {error}"))?;
        let (start, object) = whole(frame_slot::OBJECT).ok_or("it has no object")?;
        let text = object.trim_ascii_start();
        let start = start + (object.len() - text.len()) as u32;
        let text = text.trim_ascii_end();
        if !text.starts_with('{') {
            return Err("what it holds is no object".to_owned());
        }
        if let Some((_, version)) = whole(RESOURCE_VERSION) {
            self.version.push_str(&string(version.trim_ascii()).unwrap_or_default());
        }
        let mut object = || {
            let object = match &mut self.narrow {
                Some(scanner) => {
                    scanner.restart();
                    decode_document(text.as_bytes(), scanner, tokens).map_err(|error| error.to_string())
                }
                None => {
                    let mut marks = frame.marks;
                    (marks[frame_slot::TYPE], marks[frame_slot::OBJECT]) = (None, None);
                    for span in marks.iter_mut().flatten() {
                        (span.start, span.end) = (span.start - start, span.end - start);
                    }
                    let item = Item { text, marks, index: frame.index, offset: frame.offset };
                    T::from_item(Text { item, tokens }).map_err(|error| error.to_string())
                }
            };
            object.map_err(|error| format!("event {}, its object: {error}", frame.index))
        };
        Ok(match event_type {
            Type::Added => WatchEvent::Added(object()?),
            Type::Modified => WatchEvent::Modified(object()?),
            Type::Deleted => WatchEvent::Deleted(object()?),
            Type::Bookmark => WatchEvent::Bookmark(Bookmark {
                resource_version: self.version.clone(),
                is_initial_events_end: is_initial_events_end(text),
            }),
            Type::Error => WatchEvent::Error(Box::new(status(text))),
        })
    }
}

fn is_initial_events_end(object: &str) -> bool {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Object {
        metadata: Metadata,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Metadata {
        annotations: BTreeMap<String, String>,
    }
    let object: Object = serde_json::from_str(object).unwrap_or_default();
    object.metadata.annotations.iter().any(|(name, value)| ends_initial_events(name, value))
}

/// The Status of an error event. Whatever else came as one is an error too.
fn status(object: &str) -> Status {
    match serde_json::from_str::<Status>(object) {
        Ok(mut status) if status.kind == "Status" => {
            // The caller may have left a field of this name out.
            if status.status.is_empty() {
                Status::FAILURE.clone_into(&mut status.status);
            }
            status
        }
        _ => no_status(),
    }
}
