//! Lists that are kept up to date: what there is, then what becomes of it.

#[cfg(feature = "fake")]
mod drops;
#[cfg(feature = "protobuf")]
mod protobuf;
mod recorder;
mod refused;
mod scale;
mod steps;

use std::time::Duration;

use kubewire_rest::transport::ErrorKind;
use kubewire_rest::{Change, Error, ListWatch, Object};
use serde_json::json;
use tokio::time::Instant;

use crate::lists::page;
use crate::service::{Script, Step, answer, fail};
use crate::watch::pods;

fn frames(frames: &[String]) -> Step {
    Step::Answer(answer(200, frames.concat()))
}

fn list(numbers: std::ops::Range<usize>, token: &str, version: &str) -> Step {
    Step::Answer(answer(200, page(numbers, token, version)))
}

/// An answer with a code, and a Status with a reason.
fn refuse(code: u16, reason: &str) -> Step {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "scripted",
        "reason": reason, "code": code});
    Step::Answer(answer(code, status.to_string()))
}

fn too_large() -> Step {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Timeout", "code": 504,
        "details": {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}});
    Step::Answer(answer(504, status.to_string()))
}

fn down() -> Step {
    fail(ErrorKind::ConnectionRefused)
}

fn list_watch(script: &Script) -> ListWatch<Object> {
    pods(script).max_retries(0).list_watch()
}

fn seen(change: &Result<Change<Object>, Error>) -> String {
    match change {
        Ok(Change::Init) => "init".to_owned(),
        Ok(Change::Applied(object)) => format!("+{}", object.metadata.name),
        Ok(Change::Deleted(object)) => format!("-{}", object.metadata.name),
        Ok(Change::InitDone) => "done".to_owned(),
        Err(error) => match error.code() {
            Some(code) => format!("!{code}"),
            None => "!".to_owned(),
        },
    }
}

/// All that comes until the end, or for 300 seconds.
async fn all(mut watch: ListWatch<Object>) -> String {
    let end = Instant::now() + Duration::from_secs(300);
    let mut all = Vec::new();
    while let Ok(next) = tokio::time::timeout_at(end, watch.next()).await {
        match next {
            Some(change) => all.push(seen(&change)),
            None => {
                all.push("end".to_owned());
                break;
            }
        }
    }
    all.join(" ")
}

/// What was asked for, in short: `all@V` is a watch that begins with what there is, `list@V` a list in one piece,
/// `pages@V` one with a limit, `next` a further page, `watch@V` a watch of changes.
fn asked(script: &Script) -> String {
    let sent = script.sent();
    sent.iter().map(|sent| asked_by(sent.uri.query().unwrap_or(""))).collect::<Vec<_>>().join(" ")
}

/// The same of one query.
fn asked_by(query: &str) -> String {
    let value = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let version = value("resourceVersion").unwrap_or_default();
    if value("watch").is_some() {
        assert_eq!(value("allowWatchBookmarks").as_deref(), Some("true"), "{query}");
        let seconds: u64 = value("timeoutSeconds").unwrap().parse().unwrap();
        assert!((300..=600).contains(&seconds), "{query}");
        assert_eq!(value("limit"), None, "{query}");
        assert_eq!(value("sendInitialEvents").is_some(), value("resourceVersionMatch").is_some(), "{query}");
        return match value("resourceVersionMatch").as_deref() {
            Some("NotOlderThan") => format!("all@{version}"),
            _ => format!("watch@{version}"),
        };
    }
    for name in ["allowWatchBookmarks", "timeoutSeconds", "sendInitialEvents"] {
        assert_eq!(value(name), None, "{query}");
    }
    // With a limit, a version alone means exactly that one.
    let is_page = value("limit").is_some() && !matches!(&*version, "" | "0");
    assert_eq!(value("resourceVersionMatch"), is_page.then(|| "NotOlderThan".to_owned()), "{query}");
    match (value("continue"), value("limit")) {
        (Some(_), _) => "next".to_owned(),
        (None, Some(_)) => format!("pages@{version}"),
        (None, None) => format!("list@{version}"),
    }
}
