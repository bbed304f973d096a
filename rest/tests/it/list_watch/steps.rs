//! What is asked for after what, and what comes of it.

use std::time::Duration;

use kubewire_rest::transport::ErrorKind;
use kubewire_rest::{Encoded, Object};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{all, asked, down, frames, list, list_watch, refuse, too_large};
use crate::lists::{EXPIRED, page, pieces};
use crate::service::{Script, Step, answer, come_back, fail, stays_open};
use crate::watch::{bookmark, error, frame, pods};

/// What there is as a watch: one object, at version 9.
fn initial() -> Step {
    frames(&[frame("ADDED", "a", "4"), bookmark("9", "true")])
}

/// Walks through a script, whose last step hangs, and compares what came and what was asked for.
async fn walk(what: &str, steps: Vec<Step>, came: &str, requests: &str) {
    let script = Script::new(steps.into_iter().chain([Step::Hang]));
    assert_eq!(all(list_watch(&script)).await, came, "{what}");
    assert_eq!(asked(&script), requests, "{what}");
}

// BH-W4
#[tokio::test(start_paused = true)]
async fn what_there_is_comes_as_a_watch() {
    let no = || refuse(422, "Invalid");
    let lists = || list(0..2, "", "42");
    let began = || frames(&[frame("ADDED", "a", "4")]);
    for (what, steps, came, requests) in [
        (
            "the same watch goes on",
            vec![frames(&[
                frame("ADDED", "a", "4"),
                frame("ADDED", "b", "3"),
                bookmark("9", "true"),
                frame("MODIFIED", "b", "12"),
                frame("DELETED", "a", "13"),
            ])],
            "init +a +b done +b -a",
            "all@ watch@13",
        ),
        (
            "no objects",
            vec![frames(&[bookmark("9", "true"), frame("ADDED", "a", "10")])],
            "init done +a",
            "all@ watch@10",
        ),
        (
            "changes meanwhile",
            vec![frames(&[
                frame("ADDED", "a", "4"),
                frame("MODIFIED", "a", "10"),
                frame("DELETED", "a", "11"),
                bookmark("11", "true"),
            ])],
            "init +a +a -a done",
            "all@ watch@11",
        ),
        (
            "an end that is not exactly true",
            vec![frames(&[
                frame("ADDED", "a", "4"),
                bookmark("9", "false"),
                bookmark("9", "True"),
                bookmark("9", "true"),
            ])],
            "init +a done",
            "all@ watch@9",
        ),
        ("refused as invalid", vec![no(), lists()], "init +pod-0 +pod-1 done", "all@ pages@0 watch@42"),
        (
            "refused as a bad request",
            vec![refuse(400, "BadRequest"), lists()],
            "init +pod-0 +pod-1 done",
            "all@ pages@0 watch@42",
        ),
        (
            "failed inside",
            vec![refuse(500, "InternalError"), lists()],
            "init +pod-0 +pod-1 done",
            "all@ pages@0 watch@42",
        ),
        ("nobody listens", vec![down(), initial()], "! init +a done", "all@ all@ watch@9"),
        (
            "too many requests",
            vec![refuse(429, "TooManyRequests"), initial()],
            "!429 init +a done",
            "all@ all@ watch@9",
        ),
        ("an early end", vec![began(), initial()], "init +a init +a done", "all@ all@ watch@9"),
        (
            "early ends again and again",
            vec![began(), began(), began(), lists()],
            "init +a init +a init +a init +pod-0 +pod-1 done",
            "all@ all@ all@ pages@0 watch@42",
        ),
        ("an end at once", vec![frames(&[]), lists()], "init +pod-0 +pod-1 done", "all@ pages@0 watch@42"),
        (
            "a lost connection",
            vec![fail(ErrorKind::UnexpectedEof), lists()],
            "init +pod-0 +pod-1 done",
            "all@ pages@0 watch@42",
        ),
        (
            "an expired version",
            vec![initial(), refuse(410, "Expired"), refuse(410, "Expired"), initial()],
            "init +a done init +a done",
            "all@ watch@9 all@9 all@ watch@9",
        ),
        (
            "a version too large",
            vec![initial(), refuse(410, "Expired"), too_large(), initial()],
            "init +a done init +a done",
            "all@ watch@9 all@9 all@ watch@9",
        ),
        (
            "an error event that says expired",
            vec![
                initial(),
                frames(&[error(410)]),
                frames(&[frame("ADDED", "a", "4"), error(410)]),
                initial(),
            ],
            "init +a done init +a init +a done",
            "all@ watch@9 all@9 all@ watch@9",
        ),
        (
            "an object that can't be read",
            vec![frames(&[r#"{"type":"ADDED","object":7}"#.to_owned()]), lists()],
            "init +pod-0 +pod-1 done",
            "all@ pages@0 watch@42",
        ),
        (
            "an end without a version",
            vec![frames(&[bookmark("", "true")]), lists()],
            "! init +pod-0 +pod-1 done",
            "all@ pages@0 watch@42",
        ),
    ] {
        walk(what, steps, came, requests).await;
    }
}

// BH-W8, BH-W9
#[tokio::test(start_paused = true)]
async fn what_there_is_comes_as_a_list() {
    let no = || refuse(422, "Invalid");
    let expired = || Step::Answer(answer(410, EXPIRED));
    let gone = || frames(&[error(410)]);
    let one = || list(0..1, "", "42");
    for (what, steps, came, requests) in [
        ("at first", vec![no(), one()], "init +pod-0 done", "all@ pages@0 watch@42"),
        (
            "then at the last that was seen",
            vec![no(), one(), frames(&[frame("ADDED", "a", "50"), error(410)]), no(), one()],
            "init +pod-0 done +a init +pod-0 done",
            "all@ pages@0 watch@42 all@50 list@50 watch@42",
        ),
        (
            "expired",
            vec![no(), one(), gone(), no(), expired(), one()],
            "init +pod-0 done init +pod-0 done",
            "all@ pages@0 watch@42 all@42 list@42 pages@ watch@42",
        ),
        ("gone", vec![no(), refuse(410, "Gone"), one()], "init +pod-0 done", "all@ pages@0 pages@ watch@42"),
        (
            "too large",
            vec![no(), one(), gone(), no(), too_large(), one()],
            "init +pod-0 done init +pod-0 done",
            "all@ pages@0 watch@42 all@42 list@42 pages@ watch@42",
        ),
        (
            "expired twice",
            vec![no(), expired(), expired(), no(), one()],
            "!410 init +pod-0 done",
            "all@ pages@0 pages@ all@ pages@ watch@42",
        ),
        (
            "pages",
            vec![no(), list(0..2, "t", "42"), list(2..3, "", "77")],
            "init +pod-0 +pod-1 +pod-2 done",
            "all@ pages@0 next watch@42",
        ),
        (
            "an expired page",
            vec![no(), list(0..2, "t", "42"), expired(), list(0..3, "", "50")],
            "init +pod-0 +pod-1 init +pod-0 +pod-1 +pod-2 done",
            "all@ pages@0 next list@0 watch@50",
        ),
        (
            "a page that is gone",
            vec![no(), list(0..1, "t", "42"), refuse(410, "Gone"), no(), one()],
            "init +pod-0 !410 init +pod-0 done",
            "all@ pages@0 next all@ pages@0 watch@42",
        ),
        (
            "pages that lead in a circle",
            vec![no(), list(0..1, "t", "42"), list(1..2, "t", "42"), no(), one()],
            "init +pod-0 +pod-1 ! init +pod-0 done",
            "all@ pages@0 next all@ pages@0 watch@42",
        ),
        (
            "cut short",
            vec![no(), Step::Answer(answer(200, page(0..2, "", "42").split_at(700).0)), no(), one()],
            "init +pod-0 !200 init +pod-0 done",
            "all@ pages@0 all@ pages@0 watch@42",
        ),
        (
            "forbidden",
            vec![refuse(403, "Forbidden"), refuse(403, "Forbidden"), initial()],
            "!403 init +a done",
            "all@ pages@0 all@ watch@9",
        ),
        (
            "without a version",
            vec![no(), list(0..1, "", ""), one()],
            "init +pod-0 done ! init +pod-0 done",
            "all@ pages@0 pages@0 watch@42",
        ),
    ] {
        walk(what, steps, came, requests).await;
    }
}

#[tokio::test(start_paused = true)]
async fn changes_come_without_a_gap() {
    let change = |version| frames(&[frame("MODIFIED", "a", version)]);
    let unreadable = || frames(&[r#"{"type":"ADDED","object":{"metadata":7}}"#.to_owned()]);
    for (what, steps, came, requests) in [
        (
            "ends",
            vec![initial(), change("12"), change("13")],
            "init +a done +a +a",
            "all@ watch@9 watch@12 watch@13",
        ),
        (
            "bookmarks",
            vec![initial(), frames(&[bookmark("20", "false")])],
            "init +a done",
            "all@ watch@9 watch@20",
        ),
        (
            "a lost connection",
            vec![initial(), fail(ErrorKind::ConnectionLost), change("12")],
            "init +a done ! +a",
            "all@ watch@9 watch@9 watch@12",
        ),
        (
            "down for long",
            [vec![initial()], (0..7).map(|_| down()).collect(), vec![change("12")]]
                .into_iter()
                .flatten()
                .collect(),
            "init +a done ! ! ! ! ! ! ! +a",
            "all@ watch@9 watch@9 watch@9 watch@9 watch@9 watch@9 watch@9 watch@9 watch@12",
        ),
        (
            "an error",
            vec![initial(), frames(&[frame("MODIFIED", "a", "12"), internal()]), change("13")],
            "init +a done +a !500 +a",
            "all@ watch@9 watch@12 watch@13",
        ),
        (
            "the version is gone",
            vec![initial(), frames(&[frame("MODIFIED", "a", "12"), error(410)]), initial()],
            "init +a done +a init +a done",
            "all@ watch@9 all@12 watch@9",
        ),
        (
            "the version is gone at the start",
            vec![initial(), refuse(410, "Expired"), initial()],
            "init +a done init +a done",
            "all@ watch@9 all@9 watch@9",
        ),
        (
            "refused again and again",
            vec![
                initial(),
                refuse(403, "Forbidden"),
                refuse(403, "Forbidden"),
                refuse(403, "Forbidden"),
                list(0..1, "", "42"),
            ],
            "init +a done !403 !403 !403 init +pod-0 done",
            "all@ watch@9 watch@9 watch@9 list@9 watch@42",
        ),
        (
            "ends at once, again and again",
            vec![initial(), frames(&[]), frames(&[]), frames(&[]), one_more()],
            "init +a done ! ! ! init +pod-0 done",
            "all@ watch@9 watch@9 watch@9 list@9 watch@42",
        ),
        (
            "an event that can't be read",
            vec![initial(), unreadable(), unreadable(), unreadable(), one_more()],
            "init +a done !500 !500 !500 init +pod-0 done",
            "all@ watch@9 watch@9 watch@9 list@9 watch@42",
        ),
        (
            "an event without a version",
            vec![initial(), frames(&[frame("ADDED", "b", "")]), initial()],
            "init +a done ! init +a done",
            "all@ watch@9 all@9 watch@9",
        ),
    ] {
        walk(what, steps, came, requests).await;
    }
}

/// An error event that says nothing of the version.
fn internal() -> String {
    json!({"type": "ERROR", "object": {"kind": "Status", "status": "Failure", "reason": "InternalError", "code": 500}})
        .to_string()
}

fn one_more() -> Step {
    list(0..1, "", "42")
}

#[tokio::test(start_paused = true)]
async fn a_limit_means_pages() {
    let script = Script::new([list(0..2, "t", "42"), list(2..3, "", "42"), Step::Hang]);
    let request = pods(&script).param("limit", "2").param("labelSelector", "a").param("resourceVersion", "7");
    assert_eq!(all(request.list_watch::<Object>()).await, "init +pod-0 +pod-1 +pod-2 done");
    assert_eq!(asked(&script), "pages@0 next watch@42");
    for sent in script.sent() {
        assert!(sent.uri.query().unwrap().contains("labelSelector=a"), "{}", sent.uri);
    }
}

#[tokio::test(start_paused = true)]
async fn pages_are_never_older_than_what_was_seen() {
    let expired = || frames(&[error(410)]);
    for (steps, came, requests) in [
        (
            vec![list(0..1, "", "42"), expired(), list(1..2, "", "50")],
            "init +pod-0 done init +pod-1 done",
            "pages@0 watch@42 pages@42 watch@50",
        ),
        // A server that lists again what it can't watch from is asked for the newest.
        (
            vec![list(0..1, "", "42"), expired(), list(1..2, "", "42"), expired(), list(2..3, "", "60")],
            "init +pod-0 done init +pod-1 done init +pod-2 done",
            "pages@0 watch@42 pages@42 watch@42 pages@ watch@60",
        ),
    ] {
        let script = Script::new(steps.into_iter().chain([Step::Hang]));
        assert_eq!(all(pods(&script).param("limit", "2").list_watch()).await, came);
        assert_eq!(asked(&script), requests);
    }
}

#[tokio::test(start_paused = true)]
async fn every_type_of_objects_and_one_at_a_time() {
    let text = page(0..500, "", "42");
    let script = Script::new([refuse(422, "Invalid"), Step::Answer(pieces(&text, 1000)), Step::Hang]);
    let mut changes = pods(&script).list_watch::<Encoded<Value>>();
    let mut names = Vec::new();
    loop {
        match changes.next().await.unwrap().unwrap() {
            kubewire_rest::Change::Applied(pod) => names.push(pod.name().to_owned()),
            kubewire_rest::Change::InitDone => break,
            _ => {}
        }
        // Dropped before it is ready, a future takes nothing with it.
        let _ = futures_util::FutureExt::now_or_never(std::pin::pin!(async {
            tokio::task::yield_now().await;
            changes.next().await
        }));
    }
    assert_eq!(names, (0..500).map(|n| format!("pod-{n}")).collect::<Vec<_>>());
    assert_eq!(changes.resource_version(), "42");
}

/// Waits grow, are random, and no shorter than what the server asks for; success makes them short again.
#[tokio::test(start_paused = true)]
async fn waits_between_failures() {
    let failing = |count: usize| (0..count).map(|_| down());
    let script = Script::new(
        failing(12).chain([initial()]).chain(failing(2)).chain([come_back(503, "50"), Step::Hang]),
    );
    let start = Instant::now();
    let mut changes = list_watch(&script);
    while script.attempts() < 17 {
        let next = changes.next();
        let _ = tokio::time::timeout(Duration::from_secs(60), next).await;
    }
    let times: Vec<f64> = script.sent().iter().map(|sent| (sent.at - start).as_secs_f64()).collect();
    let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!((0.8..1.6).contains(&gaps[0]), "{gaps:?}");
    assert!(gaps[..12].windows(2).all(|pair| pair[1] >= pair[0].min(29.0)), "{gaps:?}");
    assert!(gaps[11] >= 29.0 && gaps[11] <= 60.0, "{gaps:?}");
    assert!((0.99..1.01).contains(&gaps[12]), "after a watch that worked, at once: {gaps:?}");
    assert!((0.8..1.6).contains(&gaps[13]), "{gaps:?}");
    assert!((49.99..50.01).contains(&gaps[15]), "{gaps:?}");
}

/// A watch in which nothing comes any more is given up half a minute after its end, or when the caller says.
#[tokio::test(start_paused = true)]
async fn a_dead_watch_is_given_up() {
    for (idle, least, most) in [(None, 329, 632), (Some(40), 40, 42)] {
        let dead = stays_open(&(frame("ADDED", "a", "4") + &bookmark("9", "true")));
        let script = Script::new([dead, Step::Hang, frames(&[frame("MODIFIED", "a", "12")]), Step::Hang]);
        let mut request = pods(&script).max_retries(0);
        if let Some(seconds) = idle {
            request = request.idle_timeout(Duration::from_secs(seconds));
        }
        let mut changes = request.list_watch::<Object>();
        let mut seen = Vec::new();
        while seen.len() < 4 {
            seen.push(super::seen(&changes.next().await.unwrap()));
        }
        assert_eq!(seen, ["init", "+a", "done", "+a"]);
        assert_eq!(asked(&script), "all@ watch@9 watch@9");
        for gap in script.gaps() {
            assert!((least..=most).contains(&gap), "{gap} with {idle:?}");
        }
    }
}

/// A list that stalls is an error, and is tried again.
#[tokio::test(start_paused = true)]
async fn a_stalled_list_is_given_up() {
    let text = page(0..3, "", "42");
    let stalled = stays_open(text.split_at(800).0);
    let script = Script::new([stalled, Step::Hang, list(0..1, "", "42"), Step::Hang]);
    let mut changes = pods(&script).param("limit", "500").list_watch::<Object>();
    let mut seen = Vec::new();
    while seen.len() < 7 {
        seen.push(super::seen(&changes.next().await.unwrap()));
    }
    assert_eq!(seen, ["init", "+pod-0", "!", "!", "init", "+pod-0", "done"]);
    assert!(script.gaps().iter().all(|gap| (120..=124).contains(gap)), "{:?}", script.gaps());
}
