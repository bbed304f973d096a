//! What the containers of pods have written, and the subresource that reads it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Response, header};
use jiff::Timestamp;
use kubewire_transport::Body;
use tokio::sync::watch;

use super::read::find;
use super::request::{Call, Route};
use super::state::State;
use super::status::ApiError;

/// How many lines of a container are kept.
const KEPT: usize = 10_000;

/// Namespace, pod and container.
pub(super) type Key = (String, String, String);

/// The lines of all containers.
#[derive(Debug, Default)]
pub(super) struct Logs {
    logs: Mutex<HashMap<Key, Log>>,
    /// Counts the lines.
    written: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Log {
    lines: VecDeque<(Timestamp, String)>,
    /// The number of the first line that is kept.
    first: usize,
}

impl Logs {
    pub(super) fn write(&self, key: Key, at: Timestamp, text: &str) {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let log = logs.entry(key).or_default();
        for line in text.lines() {
            log.lines.push_back((at, line.to_owned()));
        }
        let excess = log.lines.len().saturating_sub(KEPT);
        log.lines.drain(..excess);
        log.first += excess;
        drop(logs);
        self.written.send_modify(|count| *count += 1);
    }

    /// Looks at a container's log.
    fn with<T>(&self, key: &Key, look: impl FnOnce(&Log) -> T) -> T {
        let logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        look(logs.get(key).unwrap_or(&Log::default()))
    }
}

pub(super) fn read(state: &Arc<State>, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let pod = find(state, route)?;
    let container = container(call, route, &pod.value["spec"])?;
    let key = (route.namespace().to_owned(), route.name().to_owned(), container);
    let since = match call.number("sinceSeconds")? {
        Some(seconds) => state.clock.now().checked_sub(Duration::from_secs(seconds)).ok(),
        None => call.param("sinceTime").parse().ok(),
    };
    let tail = call.number("tailLines")?.map(|lines| usize::try_from(lines).unwrap_or(usize::MAX));
    let next = state.logs.with(&key, |log| {
        let old = |(at, _): &&(Timestamp, String)| since.is_some_and(|since| *at < since);
        let skipped = log.lines.iter().take_while(old).count();
        let skipped = tail.map_or(skipped, |tail| skipped.max(log.lines.len().saturating_sub(tail)));
        log.first + skipped
    });
    let reader = Reader {
        written: state.logs.written.subscribe(),
        changed: state.store.subscribe(),
        stopping: state.stopping.subscribe(),
        state: Arc::clone(state),
        route: route.clone(),
        key,
        next,
        left: call
            .number("limitBytes")?
            .map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX)),
        has_times: call.flag("timestamps"),
        follows: call.flag("follow"),
    };
    let chunks = futures_util::stream::unfold(reader, |mut reader| async move {
        let chunk = reader.chunk().await?;
        Some((Ok::<_, std::convert::Infallible>(chunk), reader))
    });
    let mut response = Response::new(Body::stream(chunks));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    Ok(response)
}

/// The container that is meant: the one that is named, or the only one.
fn container(call: &Call, route: &Route, spec: &serde_json::Value) -> Result<String, ApiError> {
    let named = |list: &str| {
        let containers = spec[list].as_array().map(Vec::as_slice).unwrap_or_default();
        containers.iter().filter_map(|one| one["name"].as_str()).collect::<Vec<_>>()
    };
    let (containers, asked, pod) = (named("containers"), call.param("container"), route.name());
    let container = match (asked, &*containers) {
        ("", [only]) => *only,
        ("", several) => {
            let names = several.join(" ");
            return Err(ApiError::bad_request(format!(
                "a container name must be specified for pod {pod}, choose one of: [{names}]"
            )));
        }
        (asked, _) if containers.contains(&asked) || named("initContainers").contains(&asked) => asked,
        (asked, _) => {
            return Err(ApiError::bad_request(format!("container {asked} is not valid for pod {pod}")));
        }
    };
    if call.flag("previous") {
        return Err(ApiError::bad_request(format!(
            "previous terminated container \"{container}\" in pod \"{pod}\" not found"
        )));
    }
    Ok(container.to_owned())
}

struct Reader {
    state: Arc<State>,
    route: Route,
    key: Key,
    /// The number of the next line.
    next: usize,
    /// The bytes that may still be sent.
    left: usize,
    has_times: bool,
    follows: bool,
    written: watch::Receiver<u64>,
    changed: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
}

impl Reader {
    /// The lines that were written since the last; `None` at the end.
    async fn chunk(&mut self) -> Option<Bytes> {
        while self.left > 0 {
            self.written.mark_unchanged();
            self.changed.mark_unchanged();
            let chunk = self.lines();
            if !chunk.is_empty() {
                return Some(chunk);
            }
            if !self.follows || find(&self.state, &self.route).is_err() {
                return None;
            }
            tokio::select! {
                _ = self.written.changed() => {}
                _ = self.changed.changed() => {}
                _ = self.stopping.wait_for(|stop| *stop) => return None,
            }
        }
        None
    }

    fn lines(&mut self) -> Bytes {
        let mut text = BytesMut::new();
        self.state.logs.with(&self.key, |log| {
            for (at, line) in log.lines.iter().skip(self.next.saturating_sub(log.first)) {
                if self.has_times {
                    text.extend_from_slice(format!("{at} ").as_bytes());
                }
                text.extend_from_slice(line.as_bytes());
                text.extend_from_slice(b"\n");
            }
            self.next = self.next.max(log.first + log.lines.len());
        });
        text.truncate(self.left);
        self.left -= text.len();
        text.freeze()
    }
}
