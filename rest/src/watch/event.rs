use crate::{CauseType, Status, StatusCause, StatusDetails, StatusReason};

/// One event of a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchEvent<T> {
    /// An object came, or was there when the watch began.
    Added(T),
    /// An object changed.
    Modified(T),
    /// An object went; this is its last state.
    Deleted(T),
    /// Only the version moved on.
    Bookmark(Bookmark),
    /// The server reports an error. Code 410 says that the version is too old: list again. A cause
    /// [`CLIENT_WATCH_DECODING`](CauseType::CLIENT_WATCH_DECODING) says that this client could not read an event.
    Error(Box<Status>),
}

/// How far a watch has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bookmark {
    /// The version: a watch that begins here misses nothing. Empty where the server sent none.
    pub resource_version: String,
    /// Whether all objects that were there at the start were sent by now, for a watch that asked for them.
    pub is_initial_events_end: bool,
}

/// Whether this annotation of a bookmark says that the objects which were there at the start were all sent.
pub(super) fn ends_initial_events(name: &str, value: &str) -> bool {
    name == "k8s.io/initial-events-end" && value == "true"
}

/// The account of an error event without one.
pub(super) fn no_status() -> Status {
    internal_error("the server sent an error event that holds no Status".to_owned(), Vec::new())
}

/// The account of an event that can't be read.
pub(super) fn undecodable(why: impl std::fmt::Display) -> Status {
    let message = format!("an event of the watch can't be read: {why}");
    let cause = |cause_type| StatusCause { cause_type, message: message.clone(), field: String::new() };
    let causes = vec![cause(CauseType::UNEXPECTED_SERVER_RESPONSE), cause(CauseType::CLIENT_WATCH_DECODING)];
    internal_error(message, causes)
}

/// A failure with code 500.
pub(super) fn internal_error(message: String, causes: Vec<StatusCause>) -> Status {
    Status {
        status: Status::FAILURE.to_owned(),
        code: 500,
        reason: StatusReason::INTERNAL_ERROR,
        message,
        details: Some(StatusDetails { causes, ..StatusDetails::default() }),
        ..Status::default()
    }
}
