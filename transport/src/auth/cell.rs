//! One credential, many who use it: whoever finds it too old starts a fetch, and all others join that one.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{Shared, WeakShared};

use crate::BoxFuture;

/// Which credential a request carried; the default stands for one that can't be refreshed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp(Option<Age>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Age {
    /// How many fetches had come to an end.
    fetches: u64,
    /// How often what the credential holds had changed.
    version: u64,
}

/// What a [`Cell`] holds.
pub(super) trait Content: Send + Sync + 'static {
    /// Whether the server would see no difference.
    fn same(&self, other: &Self) -> bool;
}

/// Holds the credential `C` in force.
pub(super) struct Cell<C, E> {
    state: Mutex<State<C, E>>,
}

struct State<C, E> {
    current: Option<Arc<C>>,
    age: Age,
    /// The fetch under way. It is weak: when all who wait for it are gone, the fetch is dropped with them.
    fetch: Option<WeakShared<Fetch<C, E>>>,
}

type Fetch<C, E> = BoxFuture<'static, Result<(Arc<C>, Stamp), Arc<E>>>;

impl<C: Content, E: Send + Sync + 'static> Cell<C, E> {
    pub(super) fn new(first: Option<C>) -> Arc<Self> {
        let state = State { current: first.map(Arc::new), age: Age { fetches: 0, version: 0 }, fetch: None };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// What is there now, however old.
    pub(super) fn current(&self) -> Option<(Arc<C>, Stamp)> {
        let state = self.lock();
        state.current.clone().map(|current| (current, Stamp(Some(state.age))))
    }

    /// The credential in force if it is `fresh`, else the outcome of a fetch, which may be one that runs already.
    ///
    /// A fetch runs as long as somebody waits for it.
    pub(super) async fn get<F>(
        self: &Arc<Self>,
        fresh: impl FnOnce(&C) -> bool,
        fetch: impl FnOnce() -> F,
    ) -> Result<(Arc<C>, Stamp), Arc<E>>
    where
        F: Future<Output = Result<C, E>> + Send + 'static,
    {
        let fetching = {
            let mut state = self.lock();
            match &state.current {
                Some(current) if fresh(current) => return Ok((Arc::clone(current), Stamp(Some(state.age)))),
                _ => self.join(&mut state, fetch),
            }
        };
        fetching.await
    }

    /// Fetches, unless a fetch has come to an end since `stamp`. Tells whether the credential is another one now.
    pub(super) async fn refresh<F>(self: &Arc<Self>, stamp: &Stamp, fetch: impl FnOnce() -> F) -> bool
    where
        F: Future<Output = Result<C, E>> + Send + 'static,
    {
        let Some(seen) = stamp.0 else { return false };
        let fetching = {
            let mut state = self.lock();
            if state.age.fetches > seen.fetches {
                return state.age.version != seen.version;
            }
            self.join(&mut state, fetch)
        };
        // A failure is the fetch's to log.
        let _ = fetching.await;
        self.lock().age.version != seen.version
    }

    fn join<F>(self: &Arc<Self>, state: &mut State<C, E>, fetch: impl FnOnce() -> F) -> Shared<Fetch<C, E>>
    where
        F: Future<Output = Result<C, E>> + Send + 'static,
    {
        if let Some(running) = state.fetch.as_ref().and_then(WeakShared::upgrade) {
            return running;
        }
        let cell = Arc::clone(self);
        let future = fetch();
        let running: Fetch<C, E> = Box::pin(async move { cell.finish(future.await) });
        let running = running.shared();
        state.fetch = running.downgrade();
        running
    }

    /// Keeps what was fetched. What was there stays when the fetch failed.
    fn finish(&self, outcome: Result<C, E>) -> Result<(Arc<C>, Stamp), Arc<E>> {
        let mut state = self.lock();
        state.fetch = None;
        state.age.fetches += 1;
        let fetched = Arc::new(outcome.map_err(Arc::new)?);
        if !state.current.as_ref().is_some_and(|current| current.same(&fetched)) {
            state.age.version += 1;
        }
        state.current = Some(Arc::clone(&fetched));
        Ok((fetched, Stamp(Some(state.age))))
    }

    fn lock(&self) -> MutexGuard<'_, State<C, E>> {
        // The state is whole between any two statements that could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Waker};

    use tokio::sync::oneshot;

    use super::*;

    impl Content for &'static str {
        fn same(&self, other: &Self) -> bool {
            self == other
        }
    }

    fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        future.poll_unpin(&mut Context::from_waker(Waker::noop()))
    }

    type TextCell = Cell<&'static str, &'static str>;

    #[tokio::test]
    async fn one_fetch_serves_a_hundred() {
        let cell: Arc<TextCell> = Cell::new(None);
        let fetches = Arc::new(AtomicUsize::new(0));
        let callers = (0..100).map(|_| {
            let (cell, fetches) = (Arc::clone(&cell), Arc::clone(&fetches));
            tokio::spawn(async move {
                let fetch = || async move {
                    fetches.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    Ok("a")
                };
                cell.get(|_| true, fetch).await.map(|(text, _)| *text)
            })
        });
        for caller in callers.collect::<Vec<_>>() {
            assert_eq!(caller.await.unwrap(), Ok("a"));
        }
        assert_eq!(fetches.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_fetch_outlives_the_caller_that_started_it() {
        let cell: Arc<TextCell> = Cell::new(None);
        let (done, wait) = oneshot::channel();
        let mut first = Box::pin(cell.get(|_| true, || async { wait.await.map_err(|_| "gone") }));
        assert!(poll_once(&mut first).is_pending());
        let mut second = Box::pin(cell.get(|_| true, || async { Err("a second fetch") }));
        assert!(poll_once(&mut second).is_pending());
        drop(first);
        done.send("a").unwrap();
        assert_eq!(*second.await.unwrap().0, "a");
    }

    #[tokio::test]
    async fn a_fetch_ends_with_its_last_waiter() {
        let cell: Arc<TextCell> = Cell::new(None);
        let (mut alive, held) = oneshot::channel::<()>();
        let mut caller = Box::pin(cell.get(
            |_| true,
            || async {
                let _ = held.await;
                Ok("a")
            },
        ));
        assert!(poll_once(&mut caller).is_pending());
        drop(caller);
        alive.closed().await;
        assert_eq!(*cell.get(|_| true, || async { Ok("b") }).await.unwrap().0, "b");
    }

    #[tokio::test]
    async fn a_refresh_happens_once_for_what_failed() {
        let cell: Arc<TextCell> = Cell::new(Some("a"));
        let (_, stamp) = cell.current().unwrap();
        let unexpected = || async { Err("fetched again") };
        assert!(cell.refresh(&stamp, || async { Ok("b") }).await);
        assert!(cell.refresh(&stamp, unexpected).await, "told without another fetch");

        let (text, stamp) = cell.get(|_| true, unexpected).await.unwrap();
        assert_eq!(*text, "b");
        assert!(!cell.refresh(&stamp, || async { Ok("b") }).await, "the same again is nothing new");
        assert!(!cell.refresh(&stamp, unexpected).await);

        let (_, stamp) = cell.current().unwrap();
        assert!(!cell.refresh(&stamp, || async { Err("no") }).await);
        assert!(!cell.refresh(&stamp, || async { Ok("c") }).await, "a failed fetch counts");
        assert_eq!(*cell.current().unwrap().0, "b");
        assert!(!cell.refresh(&Stamp::default(), unexpected).await);
    }
}
