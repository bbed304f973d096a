//! Long lists: their items are found on the runtime's thread, and decoded on others.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio::task::coop::consume_budget;

use super::batch::Batch;
use super::items::Items;
use crate::answer::ByteStream;
use crate::observe::ListObserver;
use crate::{Decode, DecodeOptions, Error, ItemError, List, ListDecoder};

/// One thread finds items for so many others that decode them.
const MAX_THREADS: usize = 8;

/// How many threads can decode at a time. Asking the system takes longer than reading a short list, so it is asked once.
pub(super) fn threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| available_parallelism().map_or(1, usize::from).min(MAX_THREADS))
}

/// What became of a batch, and how long that took.
type Decoded<T> = (Result<Vec<T>, ItemError>, Duration);

/// Goes on with a list: its items are decoded on threads for blocking work, so many at a time.
pub(super) async fn finish<T: Decode>(
    items: Items<T>,
    list: List<T>,
    threads: usize,
) -> Result<List<T>, Error> {
    let (body, decoder, observer) = items.into_parts();
    let options = Arc::new(body.options().clone());
    let decoding = VecDeque::with_capacity(threads + 1);
    Elsewhere { body, decoder, observer, options, decoding, list }.finish(threads).await
}

struct Elsewhere<T> {
    body: ByteStream,
    decoder: ListDecoder<T>,
    observer: ListObserver,
    options: Arc<DecodeOptions>,
    /// The batches on other threads, in the order of the list.
    decoding: VecDeque<JoinHandle<Decoded<T>>>,
    list: List<T>,
}

impl<T: Decode> Elsewhere<T> {
    async fn finish(mut self, threads: usize) -> Result<List<T>, Error> {
        let mut batch = Batch::new();
        let mut found = Ok(());
        loop {
            while let Some(item) = self.observer.item(|| self.decoder.next_into(&mut batch)) {
                found = item;
                if batch.is_full() {
                    self.decode(std::mem::replace(&mut batch, Batch::new()));
                }
                while self.decoding.len() > threads {
                    self.take().await?;
                }
            }
            if found.is_err() || self.decoder.is_finished() {
                break;
            }
            // Chunks that are there already would keep the thread for ever.
            consume_budget().await;
            match self.body.chunk().await {
                Some(chunk) => self.decoder.push(chunk?),
                None => self.decoder.finish(),
            }
        }
        // Of several errors the first item's counts.
        self.decode(batch);
        while !self.decoding.is_empty() {
            self.take().await?;
        }
        found.map_err(|error| self.fault(error))?;
        self.observer.finished();
        self.list.metadata = self.decoder.metadata().map_err(|error| self.fault(error))?;
        Ok(self.list)
    }

    /// Sends a batch to another thread.
    fn decode(&mut self, batch: Batch<T>) {
        let options = Arc::clone(&self.options);
        self.decoding.push_back(tokio::task::spawn_blocking(move || {
            let start = Instant::now();
            (batch.decode(&options), start.elapsed())
        }));
    }

    /// Waits for the first batch, and panics if its thread did.
    async fn take(&mut self) -> Result<(), Error> {
        let Some(first) = self.decoding.pop_front() else { return Ok(()) };
        let (objects, time) = match first.await {
            Ok(decoded) => decoded,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // Only a runtime that shuts down cancels it, and then nobody waits here.
            Err(_) => std::future::pending().await,
        };
        self.observer.decoded_elsewhere(time);
        self.list.items.append(&mut objects.map_err(|error| self.fault(error))?);
        Ok(())
    }

    fn fault(&self, error: ItemError) -> Error {
        self.body.decode_error(self.decoder.kind().unwrap_or_default(), error.into())
    }
}
