use std::sync::Arc;
use std::time::Duration;

use kubewire_flowcontrol::{
    Clock, ManualClock, Never, Passive, RateError, RateLimiter, Timestamp, TokenBucket, Unlimited, WaitError,
    limiter_for,
};
use proptest::prelude::*;
use tokio::time::Instant;

/// BH-F1: what settings of zero and below mean.
#[test]
fn settings_of_zero_and_below() {
    let burst = |limiter: &Arc<dyn RateLimiter>| (0..1000).take_while(|_| limiter.try_accept()).count();
    let default = limiter_for(0.0, 0).unwrap();
    assert_eq!((default.qps(), burst(&default)), (5.0, 10));
    assert_eq!(burst(&limiter_for(50.0, 0).unwrap()), 10);
    assert_eq!(burst(&limiter_for(0.0, 20).unwrap()), 20);
    for burst in [-1, 0, 1] {
        assert_eq!(limiter_for(-1.0, burst).unwrap().qps(), f64::INFINITY);
    }
    assert_eq!(limiter_for(1.0, -1).unwrap_err(), RateError::Burst(-1));
    assert!(limiter_for(f64::NAN, 1).is_err());
}

#[test]
fn refuses_rates_that_no_bucket_has() {
    for qps in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-10, 1e9] {
        let error = TokenBucket::new(qps, 1).unwrap_err();
        assert!(error.to_string().contains("choose a rate from"), "{error}");
    }
    assert_eq!(TokenBucket::new(1.0, 0).unwrap_err(), RateError::Burst(0));
    for (qps, burst) in [(1e-9, 1), (1e-9, u32::MAX), (1e8, 1), (1e8, u32::MAX)] {
        let bucket = TokenBucket::new(qps, burst).unwrap();
        assert_eq!((bucket.qps(), bucket.burst()), (qps, burst));
        assert!(bucket.try_accept_n(burst));
    }
}

/// BH-F2: starts full, refills at the rate, never above the burst.
#[test]
fn starts_full_and_refills_up_to_the_burst() {
    let clock = ManualClock::new();
    let bucket = TokenBucket::with_clock(10.0, 3, clock.clone()).unwrap();
    assert!(bucket.try_accept_n(3));
    assert!(!bucket.try_accept());
    clock.advance(Duration::from_millis(100) - Duration::from_nanos(1));
    assert!(!bucket.try_accept());
    clock.advance(Duration::from_nanos(1));
    assert!(bucket.try_accept());
    clock.advance(Duration::from_secs(3600));
    assert_eq!(bucket.available(), 3);
    assert!(!bucket.try_accept_n(4));
    assert!(bucket.try_accept_n(3));
}

/// BH-F5: the passive variants.
/// So many tokens of a slow bucket are more than a word can count.
#[test]
fn refuses_more_than_it_can_ever_hold() {
    for qps in [1e-9, 1e-6, 0.01, 1000.0] {
        let bucket = TokenBucket::new(qps, 1).unwrap();
        assert!(!bucket.try_accept_n(2));
        assert!(!bucket.try_accept_n(u32::MAX));
        assert!(bucket.try_accept());
        assert!(!bucket.try_accept_n(u32::MAX));
    }
}

#[test]
fn passive_limiters_only_try() {
    let bucket = Passive::new(TokenBucket::new(0.001, 1).unwrap());
    assert!(bucket.try_accept());
    assert!(!bucket.try_accept());
    assert!(Passive::new(Unlimited).try_accept());
    assert!(!Passive::new(Never::new()).try_accept());
    assert_eq!(Passive::new(Never::new()).qps(), 0.0);
}

#[tokio::test(start_paused = true)]
async fn many_tokens_at_once() {
    let bucket = TokenBucket::new(10.0, 5).unwrap();
    let start = Instant::now();
    bucket.wait_n(5, None).await.unwrap();
    bucket.wait_n(0, None).await.unwrap();
    bucket.wait_n(5, None).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_millis(500));
    let error = bucket.wait_n(6, None).await.unwrap_err();
    assert_eq!(error, WaitError::ExceedsBurst { asked: 6, burst: 5 });
    assert_eq!(error.to_string(), "6 tokens asked for at once, but the bucket holds 5 at most");
}

/// A change of the rate moves those who wait: earlier, and later.
#[tokio::test(start_paused = true)]
async fn a_change_of_the_rate_reaches_those_who_wait() {
    for (qps, millis) in [(10.0, 1_900), (0.5, 19_000)] {
        let bucket = Arc::new(TokenBucket::new(1.0, 1).unwrap());
        assert!(bucket.try_accept());
        let start = Instant::now();
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let bucket = Arc::clone(&bucket);
                tokio::spawn(async move { bucket.accept().await.unwrap() })
            })
            .collect();
        tokio::time::sleep(Duration::from_secs(1)).await;
        bucket.set_rate(qps, 1).unwrap();
        for task in tasks {
            task.await.unwrap();
        }
        // One came in the first second, and nine more at the new rate.
        assert_eq!(start.elapsed(), Duration::from_millis(millis));
    }
}

/// A deadline that a later change of the rate has made hopeless still ends the wait.
#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_its_deadline_whatever_happens() {
    let bucket = Arc::new(TokenBucket::new(1.0, 1).unwrap());
    assert!(bucket.try_accept());
    let start = Instant::now();
    let waiting = Arc::clone(&bucket);
    let task = tokio::spawn(async move { waiting.wait(Some(start + Duration::from_secs(2))).await });
    tokio::task::yield_now().await;
    bucket.set_rate(0.001, 1).unwrap();
    assert_eq!(task.await.unwrap(), Err(WaitError::DeadlineExceeded));
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    tokio::time::sleep(Duration::from_secs(998)).await;
    assert!(bucket.try_accept(), "the wait has taken nothing");
}

#[tokio::test(start_paused = true)]
async fn a_pause_empties_the_bucket_and_holds_the_line() {
    let bucket = Arc::new(TokenBucket::new(1.0, 10).unwrap());
    let start = Instant::now();
    bucket.pause(Duration::from_secs(60));
    bucket.pause(Duration::from_secs(5));
    assert!(!bucket.try_accept());
    assert_eq!(bucket.available(), 0);
    let waiting = Arc::clone(&bucket);
    let task = tokio::spawn(async move { waiting.accept().await });
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(!bucket.try_accept());
    bucket.set_rate(2.0, 10).unwrap();
    task.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), Duration::from_millis(60_500));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(bucket.available(), 10);
}

/// A clock that goes back costs the tokens that were there at most, wherever it goes.
#[test]
fn recovers_when_the_clock_goes_back() {
    let clock = ManualClock::new();
    clock.set(Timestamp::from_nanos(u64::MAX / 2));
    let bucket = TokenBucket::with_clock(1.0, 5, clock.clone()).unwrap();
    for back in [1, 1_000_000_000, u64::MAX / 4, u64::MAX / 5] {
        assert!(bucket.try_accept());
        clock.set(Timestamp::from_nanos(clock.now().as_nanos() - back));
        while bucket.try_accept() {}
        clock.advance(Duration::from_secs(1));
        assert!(bucket.try_accept());
        assert!(!bucket.try_accept());
        clock.advance(Duration::from_secs(5));
    }
    bucket.pause(Duration::from_secs(3600));
    clock.set(Timestamp::from_nanos(0));
    assert!(!bucket.try_accept());
    clock.advance(Duration::from_secs(1));
    assert!(bucket.try_accept(), "a pause does not outlast its clock");
}

/// Tokens that `bucket` gives in `nanos` if it is asked every `step`.
fn demand(bucket: &TokenBucket<ManualClock>, clock: &ManualClock, nanos: u64, step: u64) -> u64 {
    let mut taken = 0;
    for _ in 0..nanos / step {
        clock.advance(Duration::from_nanos(step));
        while bucket.try_accept() {
            taken += 1;
        }
    }
    taken
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any rate from 0.001 to 10 million a second, over any time: at most burst + qps x t tokens, and at least 99.9 % of
    /// qps x t under constant demand, however old the bucket is.
    #[test]
    fn keeps_to_its_rate_without_drift(exponent in -3.0..7.0_f64, burst in 2..1000_u32, age in 0..u64::MAX / 8, odd in 1..100_u64) {
        let qps = 10_f64.powf(exponent);
        let clock = ManualClock::new();
        let bucket = TokenBucket::with_clock(qps, burst, clock.clone()).unwrap();
        clock.advance(Duration::from_nanos(age));
        prop_assert!(bucket.try_accept_n(burst));
        // 3,000 tokens' time, asked at odd times, at least once a token. (A bucket of one would run over in between.)
        let nanos = (3e12 / qps) as u64;
        let step = ((1e9 / qps) as u64).saturating_sub(odd).max(1);
        let start = clock.now();
        let taken = demand(&bucket, &clock, nanos, step) as f64;
        let seconds = clock.now().saturating_since(start).as_secs_f64();
        prop_assert!(taken <= qps * seconds + 1e-6, "{taken} of {}", qps * seconds);
        // The last token may be on its way.
        prop_assert!(taken + 1.0 >= 0.999 * qps * seconds, "{taken} of {}", qps * seconds);
    }
}
