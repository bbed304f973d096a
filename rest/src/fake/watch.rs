//! Watches: initial events, the history, what comes, bookmarks, and the end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Response, header};
use kubewire_transport::Body;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use super::read::parse_version;
use super::render::{Form, Media, Shape, full, partial};
use super::request::{Call, Route};
use super::schema::proto;
use super::selectors::Selector;
use super::state::State;
use super::status::ApiError;
use super::store::{Change, Event, Stored};
use super::table;

/// How many changes are taken from the history at a time.
const BATCH: usize = 100;
/// How long a watch lasts that names no time.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(45 * 60);

pub(super) fn watch(state: &Arc<State>, call: &Call, route: &Route) -> Result<Response<Body>, ApiError> {
    let form = Form::negotiate(call, route)?;
    let mut fields = call.param("fieldSelector").to_owned();
    if let Some(name) = &route.name {
        // The old form, /watch/.../NAME, and a watch below one object's path.
        let separator = if fields.is_empty() { "" } else { "," };
        fields = format!("metadata.name={name}{separator}{fields}");
    }
    let selector = Selector::parse(&route.resource, call.param("labelSelector"), &fields)?;
    let version = match call.param("resourceVersion") {
        "" => 0,
        text => parse_version(text)?,
    };
    let initial_list = initial_list(call)?;
    let timeout =
        call.number("timeoutSeconds")?.filter(|s| *s > 0).map_or(DEFAULT_TIMEOUT, Duration::from_secs);
    let bookmarks = call.flag("allowWatchBookmarks").then(|| {
        let mut every = tokio::time::interval_at(Instant::now() + state.bookmark_every, state.bookmark_every);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        every
    });
    let mut watcher = Watcher {
        state: Arc::clone(state),
        route: route.clone(),
        selector,
        form,
        since: version,
        pending: VecDeque::new(),
        newest: state.store.subscribe(),
        stopping: state.stopping.subscribe(),
        deadline: Instant::now() + timeout,
        bookmarks,
        columns_sent: false,
        ended: false,
    };
    if (version == 0 && initial_list.is_none()) || initial_list == Some(true) {
        watcher.initial(initial_list == Some(true))?;
    }
    let frames = futures_util::stream::unfold(watcher, |mut watcher| async move {
        let frame = watcher.next().await?;
        Some((Ok::<_, std::convert::Infallible>(frame), watcher))
    });
    let mut response = Response::new(Body::stream(frames));
    let content_type = match form.media {
        Media::Protobuf => "application/vnd.kubernetes.protobuf;stream=watch",
        _ => "application/json",
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    Ok(response)
}

/// Whether sendInitialEvents was given, and the checks that go with it.
fn initial_list(call: &Call) -> Result<Option<bool>, ApiError> {
    let forbidden = |field: &str, why: &str| {
        ApiError::invalid_option("ListOptions", field, "FieldValueForbidden", &format!("Forbidden: {why}"))
    };
    let asked = call.query.iter().any(|(k, _)| k == "sendInitialEvents");
    let matching = call.param("resourceVersionMatch");
    if !asked {
        if !matching.is_empty() {
            return Err(forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            ));
        }
        return Ok(None);
    }
    if matching != "NotOlderThan" {
        return Err(forbidden(
            "resourceVersionMatch",
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ));
    }
    Ok(Some(call.flag("sendInitialEvents")))
}

struct Watcher {
    state: Arc<State>,
    route: Route,
    selector: Selector,
    form: Form,
    /// The version up to which everything has been looked at.
    since: u64,
    pending: VecDeque<Bytes>,
    newest: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    deadline: Instant,
    bookmarks: Option<tokio::time::Interval>,
    columns_sent: bool,
    ended: bool,
}

impl Watcher {
    /// Everything that is there now, as if just added.
    fn initial(&mut self, mark_end: bool) -> Result<(), ApiError> {
        let current = self.state.store.version();
        if self.since > current {
            return Err(ApiError::version_too_large(self.since, current));
        }
        let resource = self.route.resource.key();
        let (version, objects) = self.state.store.list(&resource, self.route.namespace.as_deref(), None)?;
        for object in objects {
            if self.selector.matches(&object.value) {
                let frame = self.frame("ADDED", &object);
                self.pending.push_back(frame);
            }
        }
        self.since = version;
        if mark_end {
            let frame = self.bookmark(true);
            self.pending.push_back(frame);
        }
        Ok(())
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = self.pending.pop_front() {
                return Some(frame);
            }
            if self.ended {
                return None;
            }
            self.newest.mark_unchanged();
            self.fill();
            if !self.pending.is_empty() {
                continue;
            }
            let bookmarks = self.bookmarks.as_mut();
            let mut bookmark_due = false;
            let bookmark = async {
                match bookmarks {
                    Some(every) => drop(every.tick().await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = self.newest.changed() => if changed.is_err() { return None },
                _ = self.stopping.wait_for(|stop| *stop) => return None,
                () = tokio::time::sleep_until(self.deadline) => return None,
                () = bookmark => bookmark_due = true,
            }
            if bookmark_due {
                let frame = self.bookmark(false);
                self.pending.push_back(frame);
            }
        }
    }

    fn fill(&mut self) {
        let resource = self.route.resource.key();
        match self.state.store.changes(&resource, self.route.namespace.as_deref(), self.since, BATCH) {
            Ok((upto, changes)) => {
                self.since = upto;
                for change in changes {
                    if let Some(frame) = self.change(&change) {
                        self.pending.push_back(frame);
                    }
                }
            }
            Err(gone) => {
                let status = gone.to_status();
                let frame = match self.form.media {
                    Media::Protobuf => proto::watch_frame("ERROR", &proto::encode_status(&status)).into(),
                    _ => frame("ERROR", status.to_string().as_bytes()),
                };
                self.pending.push_back(frame);
                self.ended = true;
            }
        }
    }

    /// A change as this watch sees it: an object that begins to match is added, one that ceases to is deleted.
    fn change(&mut self, change: &Change) -> Option<Bytes> {
        let was = change.previous.as_ref().is_some_and(|o| self.selector.matches(&o.value));
        let is = change.event != Event::Deleted && self.selector.matches(&change.object.value);
        let kind = match (was, is) {
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
            (false, false) => return None,
        };
        Some(self.frame(kind, &change.object))
    }

    fn frame(&mut self, event: &str, object: &Stored) -> Bytes {
        let body = match self.form.shape {
            Shape::Full if self.form.media == Media::Protobuf => {
                return self.protobuf(event, &object.value);
            }
            Shape::Full => full(&self.route, object),
            Shape::Metadata => partial(object).to_string().into(),
            Shape::Table(include) => {
                let rows = vec![table::row(&self.route, object, include, self.state.clock.now())];
                let metadata = json!({"resourceVersion": object.meta("resourceVersion")});
                let table = table::table(&self.route, &rows, &metadata, !self.columns_sent);
                self.columns_sent = true;
                table.to_string().into()
            }
        };
        frame(event, &body)
    }

    fn protobuf(&self, event: &str, object: &Value) -> Bytes {
        let object = proto::encode(&self.route.group_version(), &self.route.resource.kind, object);
        proto::watch_frame(event, &object.unwrap_or_default()).into()
    }

    fn bookmark(&self, end_of_initial: bool) -> Bytes {
        let mut metadata = json!({"resourceVersion": self.since.to_string(), "creationTimestamp": null});
        if end_of_initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object: Value = match self.form.shape {
            Shape::Full if self.form.media == Media::Protobuf => {
                return self.protobuf("BOOKMARK", &json!({"metadata": metadata}));
            }
            Shape::Full => {
                json!({"kind": self.route.resource.kind, "apiVersion": self.route.group_version(), "metadata": metadata})
            }
            Shape::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
            Shape::Table(_) => {
                json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": null, "rows": []})
            }
        };
        frame("BOOKMARK", object.to_string().as_bytes())
    }
}

fn frame(event: &str, object: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(object.len() + 32);
    frame.extend_from_slice(format!("{{\"type\":\"{event}\",\"object\":").as_bytes());
    frame.extend_from_slice(object);
    frame.extend_from_slice(b"}\n");
    frame.freeze()
}
