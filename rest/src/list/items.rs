use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::Deserialize;

use super::Form;
use super::sealed::FromJson;
use crate::answer::ByteStream;
use crate::observe::ListObserver;
use crate::{Decode, Error, ItemError, ListDecoder, ListMeta};

/// After so many scanned bytes the stream lets other tasks run: decoding them takes less than a
/// millisecond.
const STEP_BYTES: u64 = 64 * 1024;

/// The items of a list, decoded one by one as the server sends them, in memory for one of them.
///
/// The list is read no faster than its items are taken. The first error ends it. Dropping it ends the request.
///
/// Made by [`Request::items`](crate::Request::items).
pub struct Items<T> {
    body: ByteStream,
    decoder: ListDecoder<T>,
    observer: ListObserver,
    yielded_at: u64,
    ended: bool,
    /// The list's kind, once an item was given that may borrow.
    kind: Option<String>,
}

impl<T: Decode> Items<T> {
    pub(super) fn new(body: ByteStream, observer: ListObserver) -> Result<Self, Error> {
        let form = match body.media_type() {
            #[cfg(feature = "protobuf")]
            Some(found) if T::messages(body.options()).is_some() => match found {
                crate::MediaType::Protobuf => Ok(Form::Json),
                _ => Err(crate::DecodeFault::NotProtobuf),
            },
            found => Form::of_list(found),
        };
        let form = form.map_err(|fault| body.decode_error(String::new(), fault))?;
        let decoder = ListDecoder::of(form, body.options());
        Ok(Self { body, decoder, observer, yielded_at: 0, ended: false, kind: None })
    }

    /// The next item; `None` at the end. Cancellation safe: nothing is lost.
    ///
    /// # Errors
    /// The answer broke off, or is no list; an item is no `T`. There is nothing after an error.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The next item as another type, which may borrow from its bytes until the one after it is asked for; `None` at the
    /// end. Cancellation safe: nothing is lost.
    ///
    /// Nothing is copied for a field that borrows. A `&str` takes strings without escapes; a `Cow` takes
    /// any string. `T` stands for what is read from the server: take `serde::de::IgnoredAny` for all of it, an
    /// [`Encoded`](crate::Encoded) for all but the managedFields, and a [`Projected`](crate::Projected) for its paths.
    /// To borrow from an object that is kept, or that comes of a watch, take
    /// [`Encoded::decode_as`](crate::Encoded::decode_as).
    ///
    /// ```no_run
    /// # async fn run(client: kubewire_rest::RestClient) -> Result<(), kubewire_rest::Error> {
    /// use std::borrow::Cow;
    /// use serde::{Deserialize, de::IgnoredAny};
    ///
    /// #[derive(Deserialize)]
    /// struct Pod<'a> {
    ///     #[serde(borrow)]
    ///     metadata: Metadata<'a>,
    ///     #[serde(borrow)]
    ///     status: Status<'a>,
    /// }
    /// #[derive(Deserialize)]
    /// struct Metadata<'a> {
    ///     name: &'a str,
    /// }
    /// #[derive(Deserialize)]
    /// struct Status<'a> {
    ///     #[serde(borrow, default)]
    ///     message: Cow<'a, str>,
    /// }
    ///
    /// let mut pods = client.get().resource("pods").items::<IgnoredAny>().await?;
    /// while let Some(pod) = pods.next_as::<Pod<'_>>().await {
    ///     let pod = pod?;
    ///     println!("{}: {}", pod.metadata.name, pod.status.message);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next_as<'a, U: Deserialize<'a>>(&'a mut self) -> Option<Result<U, Error>>
    where
        T: FromJson,
    {
        if let Err(error) = std::future::poll_fn(|cx| self.poll_by(cx, ListDecoder::make_ready)).await? {
            return Some(Err(error));
        }
        // What is wrong with an item that borrows from the decoder can't ask that any more.
        if self.kind.is_none() {
            self.kind = self.decoder.kind();
        }
        let item = self.observer.decode(|| self.decoder.next_item_as())?;
        self.ended |= item.is_err();
        let kind = || self.kind.clone().unwrap_or_default();
        Some(item.map_err(|error| self.body.decode_error(kind(), error.into())))
    }

    /// The list's own metadata: servers send it before the items, so it is there with the first of them; surely it is
    /// after the last.
    ///
    /// # Errors
    /// It is no list's metadata.
    pub fn metadata(&self) -> Result<ListMeta, Error> {
        self.decoder.metadata().map_err(|error| self.fault(error))
    }

    /// What the decoder gives next, read on until it gives something.
    fn poll_by<R>(
        &mut self,
        cx: &mut Context<'_>,
        next: fn(&mut ListDecoder<T>) -> Option<Result<R, ItemError>>,
    ) -> Poll<Option<Result<R, Error>>> {
        while !self.ended {
            let read = self.decoder.bytes_read();
            if read - self.yielded_at >= STEP_BYTES {
                self.yielded_at = read;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Some(item) = self.observer.item(|| next(&mut self.decoder)) {
                if item.is_err() {
                    self.ended = true;
                }
                return Poll::Ready(Some(item.map_err(|error| self.fault(error))));
            }
            match ready!(Pin::new(&mut self.body).poll_next(cx)) {
                Some(Ok(chunk)) => self.decoder.push(chunk),
                Some(Err(error)) => {
                    self.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    self.decoder.finish();
                    let last = self.observer.item(|| next(&mut self.decoder));
                    if last.is_none() {
                        self.observer.finished();
                    }
                    self.ended = true;
                    return Poll::Ready(last.map(|item| item.map_err(|error| self.fault(error))));
                }
            }
        }
        Poll::Ready(None)
    }

    fn fault(&self, error: ItemError) -> Error {
        self.body.decode_error(self.decoder.kind().unwrap_or_default(), error.into())
    }

    /// Takes the decoder and what it needs to go on elsewhere.
    pub(super) fn into_parts(self) -> (ByteStream, ListDecoder<T>, ListObserver) {
        (self.body, self.decoder, self.observer)
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.decoder.bytes_read()
    }
}

impl<T: Decode> Stream for Items<T> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_by(cx, ListDecoder::next_item)
    }
}

// A stream of items holds no item that is pinned.
impl<T> Unpin for Items<T> {}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("decoder", &self.decoder).finish_non_exhaustive()
    }
}
