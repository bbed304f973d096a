use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kubewire_flowcontrol::{Never, RateLimiter, TokenBucket, WaitError};
use tokio::time::Instant;

/// 10,000 tasks wait on a bucket of 1,000 a second; `cancelled` of them give up at some time.
#[tokio::test(start_paused = true)]
async fn serves_ten_thousand_waiters_in_order_in_ten_seconds_less_the_burst() {
    let bucket = Arc::new(TokenBucket::new(1000.0, 100).unwrap());
    let start = Instant::now();
    let served = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for id in 0..10_000 {
        let (bucket, served) = (Arc::clone(&bucket), Arc::clone(&served));
        tasks.push(tokio::spawn(async move {
            bucket.accept().await.unwrap();
            served.lock().unwrap().push((id, start.elapsed()));
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(start.elapsed(), Duration::from_millis(9_900));
    let served = served.lock().unwrap();
    for (place, (id, at)) in served.iter().enumerate() {
        assert_eq!(*id, place);
        assert_eq!(at.as_millis() as usize, (place + 1).saturating_sub(100));
    }
}

/// BH-F3: a wait that cannot succeed in time fails at once and takes nothing.
#[tokio::test(start_paused = true)]
async fn a_hopeless_wait_fails_at_once() {
    let bucket = TokenBucket::new(0.0001, 1).unwrap();
    let start = Instant::now();
    bucket.accept().await.unwrap();
    let error = bucket.wait(Some(start + Duration::from_secs(1))).await.unwrap_err();
    assert_eq!(error, WaitError::DeadlineExceeded);
    assert_eq!(start.elapsed(), Duration::ZERO);
    // 10,000 s after the first token there is the second: the failed wait has taken none.
    bucket.wait(Some(start + Duration::from_secs(10_000))).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(10_000));
}

/// BH-F5, BH-F2: `stop` frees those who wait.
#[tokio::test(start_paused = true)]
async fn never_accepts_until_it_is_stopped() {
    let never = Arc::new(Never::new());
    assert!(!never.try_accept());
    let deadline = Instant::now() + Duration::from_secs(3600);
    assert_eq!(never.wait(Some(deadline)).await, Err(WaitError::DeadlineExceeded));
    let waiting = Arc::clone(&never);
    let task = tokio::spawn(async move { waiting.accept().await });
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(!task.is_finished());
    never.stop();
    assert_eq!(task.await.unwrap(), Err(WaitError::Stopped));
    assert_eq!(never.accept().await, Err(WaitError::Stopped));
}

/// A wait that is dropped before it is polled has taken nothing.
#[tokio::test(start_paused = true)]
async fn an_unpolled_wait_takes_nothing() {
    let bucket = TokenBucket::new(1.0, 1).unwrap();
    drop(bucket.accept());
    assert!(bucket.try_accept());
}

/// BH-F4: one token comes back in whole, and those behind move up.
#[tokio::test(start_paused = true)]
async fn a_cancelled_wait_moves_the_others_up() {
    let bucket = Arc::new(TokenBucket::new(1.0, 1).unwrap());
    assert!(bucket.try_accept());
    let start = Instant::now();
    let spawn = |bucket: &Arc<TokenBucket>| {
        let bucket = Arc::clone(bucket);
        tokio::spawn(async move {
            bucket.accept().await.unwrap();
            start.elapsed().as_secs()
        })
    };
    let first = spawn(&bucket);
    let second = spawn(&bucket);
    let third = spawn(&bucket);
    tokio::task::yield_now().await;
    second.abort();
    assert_eq!(first.await.unwrap(), 1);
    assert_eq!(third.await.unwrap(), 2);
    bucket.accept().await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 3);
}

/// A future that nobody polls holds up no one.
#[tokio::test(start_paused = true)]
async fn an_idle_future_at_the_head_holds_up_no_one() {
    let bucket = TokenBucket::new(1.0, 2).unwrap();
    assert!(bucket.try_accept_n(2));
    let start = Instant::now();
    let mut idle = Box::pin(bucket.accept());
    let waker = std::task::Waker::noop();
    assert!(idle.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    bucket.accept().await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    drop(idle);
    assert!(bucket.try_accept(), "what it had got comes back");
    assert!(!bucket.try_accept());
}

/// Tokens come back as far as there is room for them, or a long-idle future would let twice the burst through.
#[tokio::test(start_paused = true)]
async fn what_comes_back_does_not_exceed_the_burst() {
    let bucket = TokenBucket::new(1.0, 10).unwrap();
    assert!(bucket.try_accept_n(10));
    let mut idle = Box::pin(bucket.wait_n(10, None));
    let waker = std::task::Waker::noop();
    assert!(idle.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    tokio::time::advance(Duration::from_secs(19)).await;
    assert!(bucket.try_accept_n(9), "served 10 at second 10, and 9 are there since");
    drop(idle);
    assert!(bucket.try_accept_n(1), "19 seconds after an empty bucket there is room for 10 and no more");
    assert!(!bucket.try_accept_n(1));
}
