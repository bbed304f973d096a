//! What it can't go on from, and what else ends it.

use std::time::Duration;

use kubewire_rest::{Error, Object, TokenBucket};
use tokio::time::Instant;

use super::{all, asked, frames, list_watch};
use crate::service::{Script, Step};
use crate::watch::{bookmark, frame, pods};

#[tokio::test(start_paused = true)]
async fn a_request_that_is_wrong_is_told_and_ends_it() {
    let script = Script::default();
    let mut changes = pods(&script).name("").list_watch::<Object>();
    let error = changes.next().await.unwrap().unwrap_err();
    assert!(matches!(&error, Error::Request { .. }) && error.to_string().contains("name"), "{error}");
    assert!(changes.next().await.is_none());
    assert!(changes.next().await.is_none());
    assert_eq!(script.attempts(), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_it_is_read_nor_after_it_is_dropped() {
    let script = Script::new([Step::Hang]);
    let mut changes = list_watch(&script);
    assert_eq!(script.attempts(), 0);
    assert!(tokio::time::timeout(Duration::from_secs(5), changes.next()).await.is_err());
    assert_eq!(asked(&script), "all@");
    drop(changes);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(script.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn its_deadline_ends_it() {
    for steps in [
        vec![Step::Hang],
        vec![super::down()],
        vec![frames(&[frame("ADDED", "a", "4"), bookmark("9", "true")]), Step::Hang],
    ] {
        let last = if matches!(steps[0], Step::Fail(_)) { super::down() } else { Step::Hang };
        let script = Script::new(steps.into_iter().chain([last]));
        let start = Instant::now();
        let deadline = start + Duration::from_secs(2);
        let came = all(pods(&script).max_retries(0).deadline(deadline).list_watch()).await;
        assert!(came.ends_with("! end"), "{came}");
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    }
}

// BH-X8: what is sent as a watch does not wait for the client's limiter; lists do.
#[tokio::test(start_paused = true)]
async fn the_limiter_holds_lists_back() {
    let script = Script::new([super::refuse(422, "Invalid"), super::list(0..1, "", "42"), Step::Hang]);
    let limiter = std::sync::Arc::new(TokenBucket::new(0.1, 1).unwrap());
    assert!(limiter.try_accept_n(1));
    let changes = pods(&script).throttle(limiter).list_watch::<Object>();
    assert_eq!(all(changes).await, "init +pod-0 done");
    assert_eq!(script.gaps(), [10, 0]);
}
