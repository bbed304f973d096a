use std::time::Duration;

use kubewire_flowcontrol::{
    ItemExponential, ItemFastSlow, ItemLimiter, ManualClock, MaxOf, MaxWait, TokenBucket,
};

const MILLI: Duration = Duration::from_millis(1);

/// BH-F8: base x 2^failures, capped; the thousandth is no different from the hundredth.
#[test]
fn exponential_per_item() {
    let limiter = ItemExponential::new(MILLI, Duration::from_secs(1000));
    let delays: Vec<_> = (0..5).map(|_| limiter.when("one").as_millis()).collect();
    assert_eq!(delays, [1, 2, 4, 8, 16]);
    assert_eq!(limiter.failures(&"one"), 5);
    assert_eq!(limiter.when("two"), MILLI);
    (0..1000).for_each(|_| _ = limiter.when("one"));
    assert_eq!(limiter.when("one"), Duration::from_secs(1000));
    limiter.forget(&"one");
    assert_eq!((limiter.failures(&"one"), limiter.when("one")), (0, MILLI));
    // A nanosecond doubled 40 times is 18 minutes, not the maximum.
    let limiter = ItemExponential::new(Duration::from_nanos(1), Duration::from_secs(1 << 20));
    assert_eq!((0..41).map(|_| limiter.when(())).max(), Some(Duration::from_nanos(1 << 40)));
}

/// BH-F8
#[test]
fn fast_then_slow() {
    let (fast, slow) = (5 * MILLI, Duration::from_secs(10));
    let limiter = ItemFastSlow::new(fast, slow, 3);
    let delays: Vec<_> = (0..5).map(|_| limiter.when("one")).collect();
    assert_eq!(delays, [fast, fast, fast, slow, slow]);
    assert_eq!((limiter.failures(&"one"), limiter.failures(&"two")), (5, 0));
    limiter.forget(&"one");
    assert_eq!(limiter.when("one"), fast);
}

/// BH-F8: a bucket gives each item the next token.
#[test]
fn a_bucket_delays_all_items_together() {
    let clock = ManualClock::new();
    let bucket = TokenBucket::with_clock(10.0, 2, clock.clone()).unwrap();
    let delays: Vec<_> = ["a", "b", "a", "c"].into_iter().map(|item| bucket.when(item).as_millis()).collect();
    assert_eq!(delays, [0, 0, 100, 200]);
    bucket.forget(&"a");
    assert_eq!(bucket.failures(&"a"), 0);
    clock.advance(Duration::from_secs(1));
    assert_eq!(bucket.available(), 2);
}

/// BH-F8: the longest of several, a cap on it, and the usual mix.
#[test]
fn the_longest_of_several() {
    let limiter = MaxOf::new(vec![
        Box::new(ItemFastSlow::new(5 * MILLI, 300 * MILLI, 2)),
        Box::new(ItemExponential::new(MILLI, Duration::from_secs(1))),
    ]);
    let limiter = MaxWait::new(limiter, Duration::from_millis(700));
    let delays: Vec<_> = (0..12).map(|_| limiter.when("one").as_millis()).collect();
    assert_eq!(delays, [5, 5, 300, 300, 300, 300, 300, 300, 300, 512, 700, 700]);
    assert_eq!(limiter.failures(&"one"), 12);
    limiter.forget(&"one");
    assert_eq!(limiter.when("one"), 5 * MILLI);

    let usual = MaxOf::usual();
    assert_eq!(usual.when("one"), 5 * MILLI);
    assert_eq!(usual.when("one"), 10 * MILLI);
    // The other 98 of the first hundred, and then ten a second.
    for item in 0..98 {
        assert_eq!(usual.when(item.to_string().leak()), 5 * MILLI);
    }
    let late = (0..10).map(|item| usual.when(item.to_string().leak())).max().unwrap();
    assert!(late > Duration::from_millis(900) && late <= Duration::from_secs(1), "{late:?}");
}
