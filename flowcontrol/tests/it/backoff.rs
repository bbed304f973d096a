use std::time::Duration;

use kubewire_flowcontrol::{Backoff, Clock, ExponentialBackoff, ManualClock};

const SECOND: Duration = Duration::from_secs(1);

fn seconds(delays: impl IntoIterator<Item = Duration>) -> Vec<f64> {
    delays.into_iter().map(|delay| delay.as_secs_f64()).collect()
}

fn keyed(initial: u32, max: u32) -> (Backoff<&'static str, ManualClock>, ManualClock) {
    let clock = ManualClock::new();
    clock.advance(1000 * SECOND);
    (Backoff::with_clock(initial * SECOND, max * SECOND, clock.clone()), clock)
}

/// BH-F6: 1 s to 50 s.
#[test]
fn doubles_up_to_the_maximum() {
    let (backoff, _) = keyed(1, 50);
    let mut seen = vec![backoff.get("a")];
    for _ in 0..8 {
        assert_eq!(backoff.next("a"), backoff.get("a"));
        seen.push(backoff.get("a"));
    }
    assert_eq!(seconds(seen), [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 50.0, 50.0]);
    assert_eq!(backoff.get("b"), Duration::ZERO);
    assert_eq!(backoff.next("b"), SECOND);
}

/// BH-F6: a maximum of 5 s: idle for 6 s at the cap it stays; idle for 11 s it is not in backoff, and starts over.
#[test]
fn forgets_what_was_idle_for_twice_the_maximum() {
    let (backoff, clock) = keyed(1, 5);
    (0..4).for_each(|_| _ = backoff.next("a"));
    clock.advance(6 * SECOND);
    assert_eq!(backoff.next("a"), 5 * SECOND);
    clock.advance(10 * SECOND);
    assert_eq!(backoff.next("a"), 5 * SECOND, "twice the maximum is not more than twice the maximum");
    clock.advance(11 * SECOND);
    assert!(!backoff.is_in_backoff_since_update("a", clock.now()));
    assert!(!backoff.is_in_backoff_since("a", clock.now()));
    assert_eq!(backoff.get("a"), 5 * SECOND, "get looks at no expiry");
    assert_eq!(backoff.next("a"), SECOND);
}

/// BH-F6: the two questions, and what they compare.
#[test]
fn is_in_backoff() {
    let (backoff, clock) = keyed(1, 60);
    assert!(!backoff.is_in_backoff_since("a", clock.now()));
    (0..3).for_each(|_| _ = backoff.next("a")); // 4 s
    let failed = clock.now();
    assert!(backoff.is_in_backoff_since_update("a", failed + Duration::from_millis(3999)));
    assert!(!backoff.is_in_backoff_since_update("a", failed + 4 * SECOND));
    clock.advance(10 * SECOND);
    // Seen from now, the event counts, not the failure.
    assert!(backoff.is_in_backoff_since("a", failed + Duration::from_millis(6001)));
    assert!(!backoff.is_in_backoff_since("a", failed + 6 * SECOND));
    assert!(!backoff.is_in_backoff_since_update("a", failed + 6 * SECOND));
}

#[test]
fn reset_gc_and_a_rule_of_ones_own() {
    let (backoff, clock) = keyed(1, 2);
    backoff.next("a");
    assert!(backoff.reset("a"));
    assert!(!backoff.reset("a"));
    backoff.next("old");
    clock.advance(4 * SECOND);
    backoff.next("new");
    clock.advance(SECOND);
    backoff.gc();
    assert_eq!((backoff.len(), backoff.get("old"), backoff.get("new")), (1, Duration::ZERO, SECOND));
    let backoff = backoff.with_expiry(|idle, max| idle > max / 4);
    clock.advance(SECOND);
    backoff.gc();
    assert!(backoff.is_empty());
}

/// BH-F7: from the second on, jitter comes after doubling and before the cap; the first is not capped.
#[test]
fn jitter_is_uniform_below_its_factor_times_the_last_delay() {
    for seed in 0..500 {
        let (backoff, _) = keyed(10, 11);
        let backoff = backoff.with_jitter(0.5).with_seed(seed);
        let first = backoff.next("a");
        assert!(first >= 10 * SECOND && first < 15 * SECOND, "{first:?}");
        assert_eq!(backoff.next("a"), 11 * SECOND);

        let delays: Vec<_> = ExponentialBackoff::new(SECOND, 1000 * SECOND)
            .with_jitter(0.1)
            .with_seed(seed)
            .take(9)
            .map(|delay| delay.as_secs_f64())
            .collect();
        assert!((1.0..1.1).contains(&delays[0]));
        for pair in delays.windows(2) {
            let added = pair[1] - 2.0 * pair[0];
            assert!(added > -1e-6 && added < 0.1 * pair[0], "{delays:?}");
        }
    }
    let first: Vec<_> = (0..500)
        .map(|seed| ExponentialBackoff::new(SECOND, SECOND).with_jitter(1.0).with_seed(seed).next().unwrap())
        .collect();
    let mean = first.iter().sum::<Duration>().as_secs_f64() / 500.0;
    assert!((1.45..1.55).contains(&mean), "{mean}");
}

#[tokio::test(start_paused = true)]
async fn waits_retries_and_ends() {
    let start = tokio::time::Instant::now();
    let mut backoff = ExponentialBackoff::new(SECOND, 4 * SECOND).with_attempts(4);
    while backoff.wait().await {}
    assert_eq!(start.elapsed(), 11 * SECOND);
    backoff.reset();
    assert_eq!(backoff.next(), Some(SECOND));

    let mut calls = 0;
    let result: Result<(), u32> = ExponentialBackoff::new(SECOND, 4 * SECOND)
        .with_attempts(2)
        .retry(
            || {
                calls += 1;
                std::future::ready(Err(calls))
            },
            |_| true,
        )
        .await;
    assert_eq!(result, Err(3), "an attempt and two more");
    let result: Result<(), _> = ExponentialBackoff::new(SECOND, SECOND)
        .retry(|| std::future::ready(Err("fatal")), |error| *error != "fatal")
        .await;
    assert_eq!(result, Err("fatal"));
    assert_eq!(start.elapsed(), 14 * SECOND);
}

/// Numbers from elsewhere do no harm.
#[test]
fn odd_numbers_saturate() {
    let max = Duration::MAX;
    assert_eq!(seconds(ExponentialBackoff::new(SECOND, max).with_factor(f64::NAN).take(2)), [1.0, 1.0]);
    assert_eq!(seconds(ExponentialBackoff::new(SECOND, max).with_jitter(f64::NAN).take(2)), [1.0, 2.0]);
    assert_eq!(ExponentialBackoff::new(SECOND, max).with_factor(f64::INFINITY).nth(1), Some(max));
    assert_eq!(ExponentialBackoff::new(max, max).with_jitter(f64::MAX).nth(3), Some(max));
    assert_eq!(
        ExponentialBackoff::new(Duration::ZERO, max).with_factor(f64::INFINITY).nth(3),
        Some(Duration::ZERO)
    );
    assert_eq!(ExponentialBackoff::new(SECOND, max).nth(200), Some(max));
}
