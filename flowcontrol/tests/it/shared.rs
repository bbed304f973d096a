//! Limiters that share a rate, or find it.

use std::sync::Arc;
use std::time::Duration;

use kubewire_flowcontrol::{Adaptive, Priority, RateError, RateLimiter, WaitError};
use tokio::time::Instant;

/// However long the line of one class is, another one's own share is there at once.
#[tokio::test(start_paused = true)]
async fn a_lease_is_never_stuck_behind_lists() {
    let [leases, lists] = Priority::split(100.0, 100, [0.2, 0.0]).unwrap();
    let start = Instant::now();
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let lists = lists.clone();
            tokio::spawn(async move { lists.accept().await.unwrap() })
        })
        .collect();
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let before = Instant::now();
        for _ in 0..10 {
            leases.accept().await.unwrap();
        }
        assert_eq!(before.elapsed(), Duration::ZERO);
    }
    for task in tasks {
        task.await.unwrap();
    }
    // 80 at once, then 80 a second: the leases' share was nobody else's.
    assert_eq!(start.elapsed(), Duration::from_millis(920 * 1000 / 80));
    assert_eq!((leases.qps().round(), lists.qps().round()), (100.0, 80.0));
}

/// A class gets its own part and the common one, in order, and all together no more than the whole.
#[tokio::test(start_paused = true)]
async fn a_class_alone_gets_all_that_is_not_reserved() {
    let classes = Priority::split(10.0, 10, [0.5, 0.3]).unwrap();
    let start = Instant::now();
    assert_eq!((0..100).take_while(|_| classes[0].try_accept()).count(), 7);
    assert_eq!((0..100).take_while(|_| classes[1].try_accept()).count(), 3);
    let (served, mut turns) = tokio::sync::mpsc::unbounded_channel();
    for id in 0..70 {
        let (class, served) = (classes[0].clone(), served.clone());
        tokio::spawn(async move {
            class.accept().await.unwrap();
            served.send(id).unwrap();
        });
    }
    for id in 0..70 {
        assert_eq!(turns.recv().await, Some(id));
    }
    // What 0.5 and 0.3 leave of 1 is a little less than 0.2, and timers count whole milliseconds.
    assert!(start.elapsed() >= Duration::from_secs(10));
    assert!(start.elapsed() <= Duration::from_millis(10_001));
    // Whoever was served by one bucket has left the other one's line.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((0..100).take_while(|_| classes[0].try_accept()).count(), 7);
    let deadline = Some(Instant::now() + Duration::from_millis(100));
    assert_eq!(classes[0].wait(deadline).await, Err(WaitError::DeadlineExceeded));
}

#[test]
fn refuses_shares_that_are_none() {
    for shares in [[0.6, 0.6], [-0.1, 0.5], [f64::NAN, 0.5], [1.0, 0.0]] {
        let error = Priority::split(10.0, 10, shares).unwrap_err();
        assert!(matches!(error, RateError::Shares(_)), "{error}");
    }
    assert!(Priority::split(10.0, 10, [0.7, 0.2, 0.1]).is_ok());
    assert_eq!(Priority::split(10.0, 2, [0.1, 0.1]).unwrap_err(), RateError::Burst(0));
    assert_eq!(Priority::split(10.0, 1, [0.5, 0.5]).unwrap_err(), RateError::Burst(1));
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_rate_falls_at_once_and_grows_slowly() {
    let limiter = Adaptive::new(1.0, 60.0, 1).unwrap();
    assert_eq!(limiter.qps(), 60.0);
    // A hundred overloads at once are one.
    (0..100).for_each(|_| limiter.on_overload(None));
    assert_eq!(limiter.qps(), 30.0);
    limiter.on_success();
    assert_eq!(limiter.qps(), 30.0);
    // It grows by 1/60 of the ceiling in a second of successes, not before it has settled.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        limiter.on_success();
        limiter.on_success();
    }
    assert!((limiter.qps() - 35.0).abs() < 1e-6, "{}", limiter.qps());
    // An idle hour is no hour of successes.
    tokio::time::sleep(Duration::from_secs(3600)).await;
    limiter.on_success();
    assert!((limiter.qps() - 36.0).abs() < 1e-6, "{}", limiter.qps());
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        limiter.on_success();
    }
    assert_eq!(limiter.qps(), 60.0);
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        limiter.on_overload(None);
    }
    assert_eq!(limiter.qps(), 1.0);
    assert_eq!(Adaptive::new(2.0, 1.0, 1).unwrap_err(), RateError::Qps(2.0));
    assert_eq!(Adaptive::new(0.0, 1.0, 1).unwrap_err(), RateError::Qps(0.0));
}

/// Whoever asks for a rest gets it, and those who wait keep their order.
#[tokio::test(start_paused = true)]
async fn an_adaptive_limiter_leaves_the_other_side_alone_for_as_long_as_it_asks() {
    let limiter = Arc::new(Adaptive::new(1.0, 10.0, 5).unwrap());
    let start = Instant::now();
    limiter.on_overload(Some(Duration::from_secs(30)));
    tokio::time::sleep(Duration::from_secs(10)).await;
    // A shorter rest does not end the longer one, nor does it lower the rate again.
    limiter.on_overload(Some(Duration::from_secs(5)));
    assert_eq!(limiter.qps(), 5.0);
    let hopeless = limiter.wait(Some(start + Duration::from_secs(29))).await;
    assert_eq!(hopeless, Err(WaitError::DeadlineExceeded));
    for turn in 1..=5 {
        limiter.accept().await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_millis(30_000 + 200 * turn));
    }
}
