//! Clients that are equal in all that shapes connections share these.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rustls::crypto::CryptoProvider;
use tokio::runtime::{Handle, Id};

use crate::Error;
use crate::observe::{Made, Observer};
use crate::proxy::Proxies;
use crate::transport::{Recipe, Transport};

static SHARED: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

struct Entry {
    recipe: Arc<Recipe>,
    /// Connections are driven by the runtime that they were made in. In another one a request could wait for one that
    /// is not running.
    runtime: Id,
    transport: Weak<Transport>,
}

/// The transport for `recipe`: a shared one where `shared` and the recipe allow it.
pub(crate) fn transport(
    recipe: Recipe,
    provider: &Arc<CryptoProvider>,
    shared: bool,
) -> Result<Arc<Transport>, Error> {
    let observer = recipe.observer.clone();
    let recipe = Arc::new(recipe);
    let runtime = match Handle::try_current() {
        Ok(runtime) if shared && !matches!(recipe.proxies, Proxies::Fixed(_)) => runtime.id(),
        _ => {
            let transport = Transport::new(recipe, provider)?;
            observer.transport_made(Made::Unshared);
            return Ok(transport);
        }
    };
    let mut made = Made::Miss;
    if let Some(entry) = find(&lock(), &recipe, runtime) {
        match entry.upgrade() {
            Some(transport) => {
                observer.transport_made(Made::Hit);
                return Ok(transport);
            }
            None => made = Made::MissGone,
        }
    }
    // Files are read without the lock. When another client was faster, its transport is the one to use; ours is
    // dropped after the lock, which it takes when it goes.
    let transport = Transport::new(Arc::clone(&recipe), provider)?;
    let (winner, shared) = {
        let mut entries = lock();
        let winner = find(&entries, &recipe, runtime).and_then(|entry| entry.upgrade());
        if winner.is_none() {
            entries.push(Entry { recipe, runtime, transport: Arc::downgrade(&transport) });
        }
        (winner, count(&entries, &observer))
    };
    observer.transports_shared(shared);
    match winner {
        Some(winner) => {
            observer.transport_made(Made::Hit);
            Ok(winner)
        }
        None => {
            observer.transport_made(made);
            Ok(transport)
        }
    }
}

/// Takes the transport made from this very `recipe` out of the cache.
pub(crate) fn forget(recipe: &Arc<Recipe>) {
    let (removed, shared) = {
        let mut entries = lock();
        let before = entries.len();
        entries.retain(|entry| !Arc::ptr_eq(&entry.recipe, recipe));
        (entries.len() < before, count(&entries, &recipe.observer))
    };
    // One that was never shared is nobody's loss.
    if removed {
        recipe.observer.transport_freed();
        recipe.observer.transports_shared(shared);
    }
}

fn find(entries: &MutexGuard<'_, Vec<Entry>>, recipe: &Recipe, runtime: Id) -> Option<Weak<Transport>> {
    // The newest first: an older one may be on its way out.
    let found = entries.iter().rev().find(|entry| entry.runtime == runtime && *entry.recipe == *recipe);
    found.map(|entry| Weak::clone(&entry.transport))
}

/// How many of the transports tell the same metrics of themselves.
fn count(entries: &[Entry], observer: &Observer) -> usize {
    entries.iter().filter(|entry| entry.recipe.observer == *observer).count()
}

fn lock() -> MutexGuard<'static, Vec<Entry>> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}
