use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream as _;

use crate::list::Turner;
use crate::{Decode, Error, Items, Request};

/// One list, item by item, however many pages the server makes of it.
pub(super) struct Listing<T> {
    turner: Turner,
    phase: Phase<T>,
    /// The version of the first page, which is that of all.
    version: String,
    page: usize,
    is_whole: bool,
}

enum Phase<T> {
    Starting(Pin<Box<dyn Future<Output = Result<Items<T>, Error>> + Send>>),
    Open(Box<Items<T>>),
}

/// How a list goes on.
pub(super) enum Step<T> {
    /// The server answers.
    Begun,
    Item(T),
    /// It was read to its end, and is of this version.
    Done(String),
}

impl<T: Decode> Listing<T> {
    pub(super) fn start(request: Request) -> Self {
        let turner = Turner::new(&request);
        let is_whole = request.get_param("limit").is_none();
        let phase = Phase::Starting(Box::pin(request.items()));
        Self { turner, phase, version: String::new(), page: 0, is_whole }
    }

    /// Whether the server answered the request for its first page.
    pub(super) fn has_begun(&self) -> bool {
        self.page > 0
    }

    /// Whether it was asked for in one piece.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The next step. The last one is an error or `Done`.
    pub(super) fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<Step<T>, Error>> {
        loop {
            match &mut self.phase {
                Phase::Starting(starting) => {
                    self.phase = Phase::Open(Box::new(ready!(starting.as_mut().poll(cx))?));
                    self.page += 1;
                    if self.page == 1 {
                        return Poll::Ready(Ok(Step::Begun));
                    }
                }
                Phase::Open(items) => {
                    if let Some(item) = ready!(Pin::new(&mut **items).poll_next(cx)) {
                        return Poll::Ready(item.map(Step::Item));
                    }
                    let metadata = items.metadata()?;
                    let next = self.turner.turn(&metadata)?;
                    if self.page == 1 {
                        self.version = metadata.resource_version;
                    }
                    match next {
                        Some(request) => self.phase = Phase::Starting(Box::pin(request.items())),
                        None => return Poll::Ready(Ok(Step::Done(std::mem::take(&mut self.version)))),
                    }
                }
            }
        }
    }
}
