use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use kubewire_transport::ErrorKind;
use tracing::Instrument as _;

use super::event::{WatchEvent, undecodable};
use super::frames::Frames;
use crate::answer::ByteStream;
use crate::execute::breaks_watch;
use crate::list::Form;
use crate::observe::WatchObserver;
use crate::trace::request_span;
use crate::{Decode, DecodeOptions, Error, Request};

/// After so many scanned bytes the stream lets other tasks run.
const STEP_BYTES: u64 = 64 * 1024;

impl Request {
    /// Sends the request as a watch, and gives its events as they come. `watch=true` is set by itself.
    ///
    /// `T` may be any serde type, narrow ones too, [`Encoded`](crate::Encoded) or [`Projected`](crate::Projected). Fields
    /// are left out by [`skip_fields`](Self::skip_fields); leave `metadata.resourceVersion` in.
    ///
    /// The first attempt does not wait for the client's rate limiter. When the connection can't be kept open long
    /// enough for an answer, however often it is tried, the stream is empty rather than an error: a watch ends like
    /// that at any time. [`retry_watch`](Self::retry_watch) goes on by itself.
    ///
    /// The request's timeout does not end a watch; its [deadline](Self::deadline) does, and the `timeout_seconds` of
    /// its [`ListOptions`](crate::ListOptions), after which the server ends it. One in which nothing comes any more ends
    /// after its [`idle_timeout`](Self::idle_timeout).
    ///
    /// ```no_run
    /// # async fn run(client: kubewire_rest::RestClient) -> Result<(), kubewire_rest::Error> {
    /// use kubewire_rest::{List, Object, WatchEvent};
    ///
    /// let pods: List<Object> = client.get().resource("pods").list().await?;
    /// let version = pods.metadata.resource_version;
    /// let mut watch = client.get().resource("pods").param("resourceVersion", version).watch::<Object>().await?;
    /// while let Some(event) = watch.next().await {
    ///     match event {
    ///         WatchEvent::Added(pod) | WatchEvent::Modified(pod) => println!("{}", pod.metadata.name),
    ///         WatchEvent::Deleted(pod) => println!("{} is gone", pod.metadata.name),
    ///         WatchEvent::Bookmark(_) => {}
    ///         WatchEvent::Error(status) => println!("{}", status.message),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`send`](Self::send). Any code but 200. A content type that is none of a watch.
    ///
    /// Cancellation: dropping the future, or the stream, ends the request at once.
    pub async fn watch<T: Decode>(self) -> Result<WatchStream<T>, Error> {
        let span = request_span(&self);
        async {
            match self.reading::<T>().watch_body().await? {
                Some((body, observer)) => WatchStream::new(body, observer),
                None => Ok(WatchStream::empty()),
            }
        }
        .instrument(span)
        .await
    }
}

/// The events of a watch, as they come.
///
/// It ends without a word when the server or the connection ends it, as happens every few minutes. An event that
/// can't be read, or is larger than 16 MiB, is the last: a [`WatchEvent::Error`] with code 500. One that the server
/// sends does not end it by itself. Dropping it ends the request.
///
/// Made by [`Request::watch`].
pub struct WatchStream<T> {
    /// `None` once it has ended.
    open: Option<(ByteStream, WatchObserver)>,
    frames: Frames<T>,
    yielded_at: u64,
    /// Whether it ended because an event can't be read.
    is_unreadable: bool,
    /// Whether it ended because nothing came any more.
    is_silent: bool,
}

impl<T: Decode> WatchStream<T> {
    fn new(body: ByteStream, observer: WatchObserver) -> Result<Self, Error> {
        let media_type = if body.content_type().is_empty() { None } else { body.media_type() };
        let form = match media_type {
            #[cfg(feature = "protobuf")]
            found if T::messages(body.options()).is_some() => match found {
                Some(crate::MediaType::Protobuf) => Ok(Form::Json),
                _ => Err(crate::DecodeFault::NotProtobuf),
            },
            found => Form::of_watch(found),
        };
        let form = form.map_err(|fault| body.decode_error(String::new(), fault))?;
        let frames = Frames::new(form, body.options());
        Ok(Self { open: Some((body, observer)), ..Self::of(frames) })
    }

    fn empty() -> Self {
        Self::of(Frames::new(Form::Json, &DecodeOptions::default()))
    }

    fn of(frames: Frames<T>) -> Self {
        Self { open: None, frames, yielded_at: 0, is_unreadable: false, is_silent: false }
    }

    /// The next event; `None` at the end. Cancellation safe: nothing is lost.
    pub async fn next(&mut self) -> Option<WatchEvent<T>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The `resourceVersion` in the latest event, from which another watch goes on; empty where there was none.
    pub fn resource_version(&self) -> &str {
        self.frames.version()
    }

    pub(super) fn is_unreadable(&self) -> bool {
        self.is_unreadable
    }

    pub(super) fn is_silent(&self) -> bool {
        self.is_silent
    }

    /// Ends the watch with an error event.
    fn fail(&mut self, why: impl fmt::Display) -> WatchEvent<T> {
        let event = WatchEvent::Error(Box::new(undecodable(why)));
        if let Some((_, observer)) = self.open.take() {
            observer.event(&event);
        }
        event
    }
}

impl<T: Decode> Stream for WatchStream<T> {
    type Item = WatchEvent<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        while let Some((body, observer)) = &mut this.open {
            let read = this.frames.bytes_read();
            if read - this.yielded_at >= STEP_BYTES {
                this.yielded_at = read;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            match this.frames.next_event() {
                Some(Ok(event)) => {
                    observer.event(&event);
                    return Poll::Ready(Some(event));
                }
                Some(Err(why)) => {
                    this.is_unreadable = true;
                    return Poll::Ready(Some(this.fail(why)));
                }
                None => {}
            }
            match ready!(Pin::new(&mut *body).poll_next(cx)) {
                Some(Ok(chunk)) => this.frames.push(chunk),
                Some(Err(error)) if ends_silently(&error) => {
                    tracing::debug!(%error, "the watch ended");
                    this.is_silent = body.is_silent();
                    this.open = None;
                }
                Some(Err(error)) => return Poll::Ready(Some(this.fail(error))),
                None => this.open = None,
            }
        }
        Poll::Ready(None)
    }
}

/// Whether the end of a body is one of those that a watch comes to every few minutes.
fn ends_silently(error: &Error) -> bool {
    match error {
        Error::Timeout { .. } => true,
        Error::Transport { source, .. } => {
            breaks_watch(source.kind()) || source.kind() == ErrorKind::ConnectionLost
        }
        _ => false,
    }
}

// A stream of events holds no event that is pinned.
impl<T> Unpin for WatchStream<T> {}

impl<T> fmt::Debug for WatchStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchStream").field("is_open", &self.open.is_some()).finish_non_exhaustive()
    }
}
