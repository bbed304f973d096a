//! Tasks that read: watches that must end where the last list does, and lists.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kubewire_rest::{Change, Decode, Encoded, ListOptions, Object, Request, RestClient};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::{CATCH_UP, NAMESPACE, Shared, count, text};
use crate::step::Error;

/// What a watch has seen so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    versions: BTreeMap<String, String>,
    pub(super) changes: u64,
    pub(super) inits: u64,
    pub(super) errors: u64,
}

/// Name and version, whatever the type.
pub(super) trait Keyed: Decode {
    fn key(&self) -> (String, String);
}

impl Keyed for Object {
    fn key(&self) -> (String, String) {
        (self.metadata.name.clone(), self.metadata.resource_version.clone())
    }
}

impl Keyed for Encoded<Object> {
    fn key(&self) -> (String, String) {
        (self.name().to_owned(), self.resource_version().unwrap_or_default().to_owned())
    }
}

pub(super) struct Watcher {
    seen: Arc<Mutex<Seen>>,
    task: AbortHandle,
}

impl Watcher {
    pub(super) fn start<T: Keyed>(client: &RestClient, page: Option<u32>) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut request = configmaps(client);
        if let Some(page) = page {
            request = request.param("limit", page.to_string());
        }
        let mut changes = request.list_watch::<T>();
        let shared = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            // Of a new beginning: those that came so far.
            let mut fresh = None;
            while let Some(change) = changes.next().await {
                let mut seen = shared.lock().unwrap_or_else(PoisonError::into_inner);
                match change {
                    Ok(Change::Init) => {
                        seen.inits += 1;
                        fresh = Some(BTreeMap::new());
                    }
                    Ok(Change::Applied(object)) => {
                        seen.changes += 1;
                        let (name, version) = object.key();
                        fresh.as_mut().unwrap_or(&mut seen.versions).insert(name, version);
                    }
                    Ok(Change::Deleted(object)) => {
                        seen.changes += 1;
                        fresh.as_mut().unwrap_or(&mut seen.versions).remove(&object.key().0);
                    }
                    Ok(Change::InitDone) => {
                        if let Some(fresh) = fresh.take() {
                            seen.versions = fresh;
                        }
                    }
                    Err(_) => seen.errors += 1,
                }
            }
        });
        Self { seen, task: task.abort_handle() }
    }

    /// Waits until the watch has come to where the last list is.
    pub(super) async fn caught_up(
        self,
        client: &RestClient,
        last: &BTreeMap<String, Object>,
    ) -> Result<Seen, Error> {
        let last = versions(last);
        let patience = Instant::now() + CATCH_UP;
        loop {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if seen.versions == last {
                self.task.abort();
                return Ok(seen);
            }
            if Instant::now() > patience {
                let behind = |known: &BTreeMap<String, String>| {
                    last.iter().filter(|(name, version)| known.get(*name) != Some(version)).count()
                };
                // Version 0 is whatever the server's cache has, from which its watches are fed, too.
                let cached =
                    Box::pin(configmaps(client).param("resourceVersion", "0").list::<Object>()).await;
                let cached = cached.map_err(text)?;
                let cached = versions(&by_name(cached.items));
                return Err(format!(
                    "of {} objects a watch is behind with {}; the server's own cache is behind with {}",
                    last.len(),
                    behind(&seen.versions),
                    behind(&cached),
                ));
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
}

fn configmaps(client: &RestClient) -> Request {
    client.get().namespace(NAMESPACE).resource("configmaps")
}

fn by_name(objects: Vec<Object>) -> BTreeMap<String, Object> {
    objects.into_iter().map(|object| (object.metadata.name.clone(), object)).collect()
}

fn versions(objects: &BTreeMap<String, Object>) -> BTreeMap<String, String> {
    objects.values().map(Keyed::key).collect()
}

/// Lists again and again.
pub(super) async fn list(client: RestClient, in_pages: bool, shared: Arc<Shared>) {
    while !shared.stopped() {
        let options = ListOptions { limit: in_pages.then_some(25), ..ListOptions::default() };
        let request = configmaps(&client).versioned_params(&options);
        let request = request.timeout(Duration::from_secs(10));
        let answer = if in_pages {
            Box::pin(request.all::<Encoded<Object>>()).await
        } else {
            Box::pin(request.list::<Encoded<Object>>()).await
        };
        count(if answer.is_ok() { &shared.lists } else { &shared.failed_lists });
        sleep(Duration::from_millis(500)).await;
    }
}

/// All there is, once the server answers again.
pub(super) async fn last_list(client: &RestClient) -> Result<BTreeMap<String, Object>, Error> {
    let patience = Instant::now() + CATCH_UP;
    loop {
        match Box::pin(configmaps(client).list::<Object>()).await {
            Ok(list) => return Ok(by_name(list.items)),
            Err(error) if Instant::now() > patience => return Err(text(error)),
            Err(_) => sleep(Duration::from_secs(1)).await,
        }
    }
}
