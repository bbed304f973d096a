use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::Form;
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
        Ok(Self { body, decoder, observer, yielded_at: 0, ended: false })
    }

    /// The next item; `None` at the end. Cancellation safe: nothing is lost.
    ///
    /// # Errors
    /// The answer broke off, or is no list; an item is no `T`. There is nothing after an error.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The list's own metadata: servers send it before the items, so it is there with the first of them; surely it is
    /// after the last.
    ///
    /// # Errors
    /// It is no list's metadata.
    pub fn metadata(&self) -> Result<ListMeta, Error> {
        self.decoder.metadata().map_err(|error| self.fault(error))
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
        let this = self.get_mut();
        while !this.ended {
            let read = this.decoder.bytes_read();
            if read - this.yielded_at >= STEP_BYTES {
                this.yielded_at = read;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Some(item) = this.observer.item(|| this.decoder.next_item()) {
                if item.is_err() {
                    this.ended = true;
                }
                return Poll::Ready(Some(item.map_err(|error| this.fault(error))));
            }
            match ready!(Pin::new(&mut this.body).poll_next(cx)) {
                Some(Ok(chunk)) => this.decoder.push(chunk),
                Some(Err(error)) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    this.decoder.finish();
                    let last = this.observer.item(|| this.decoder.next_item());
                    if last.is_none() {
                        this.observer.finished();
                    }
                    this.ended = true;
                    return Poll::Ready(last.map(|item| item.map_err(|error| this.fault(error))));
                }
            }
        }
        Poll::Ready(None)
    }
}

// A stream of items holds no item that is pinned.
impl<T> Unpin for Items<T> {}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("decoder", &self.decoder).finish_non_exhaustive()
    }
}
