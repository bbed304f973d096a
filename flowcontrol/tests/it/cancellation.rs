use std::sync::{Arc, Mutex};
use std::time::Duration;

use kubewire_flowcontrol::{RateLimiter, TokenBucket};
use tokio::time::Instant;

/// Of 10,000 who wait, a random half gives up at random times; no token is lost and nobody starves.
#[tokio::test(start_paused = true)]
async fn a_random_half_gives_up() {
    let mut rng = fastrand::Rng::with_seed(7);
    let bucket = Arc::new(TokenBucket::new(1000.0, 1).unwrap());
    let start = Instant::now();
    let served = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for id in 0..10_000 {
        let (bucket, served) = (Arc::clone(&bucket), Arc::clone(&served));
        let patience = rng.bool().then(|| Duration::from_micros(rng.u64(0..5_000_000)));
        tasks.push(tokio::spawn(async move {
            let turn = async {
                bucket.accept().await.unwrap();
                served.lock().unwrap().push((id, start.elapsed()));
            };
            match patience {
                Some(patience) => drop(tokio::time::timeout(patience, turn).await),
                None => turn.await,
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let served = std::mem::take(&mut *served.lock().unwrap());
    assert!(served.len() > 5_000 && served.len() < 9_000, "{}", served.len());
    // First come, first served, and a token every millisecond from the first on: none was lost.
    for (place, pair) in served.windows(2).enumerate() {
        assert!(pair[0].0 < pair[1].0);
        assert_eq!(pair[1].1.as_millis() as usize, place + 1);
    }
    // And none came out of nothing.
    assert!(!bucket.try_accept());
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(bucket.try_accept());
    assert!(!bucket.try_accept());
}

/// Whoever gives up at the very moment when its turn comes gives its token to the next.
#[tokio::test(start_paused = true)]
async fn a_token_in_hand_comes_back_to_the_next() {
    let bucket = TokenBucket::new(1.0, 2).unwrap();
    assert!(bucket.try_accept_n(2));
    let start = Instant::now();
    let one = bucket.reserve(1).unwrap();
    let two = bucket.reserve(1).unwrap();
    assert_eq!((one.delay().as_secs(), two.delay().as_secs()), (1, 2));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!((one.delay().as_secs(), two.delay().as_secs()), (0, 1));
    one.cancel();
    assert_eq!(two.delay().as_secs(), 0);
    drop(two);
    assert!(!bucket.try_accept());
    bucket.accept().await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(2));
}

/// A reservation that is dropped counts as used, before its turn and after.
#[tokio::test(start_paused = true)]
async fn a_dropped_reservation_is_used() {
    let bucket = TokenBucket::new(1.0, 1).unwrap();
    drop(bucket.reserve(1).unwrap());
    drop(bucket.reserve(1).unwrap());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!bucket.try_accept());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(bucket.try_accept());
}

/// A waker whose end takes another place in the same line with it.
struct Holder(Mutex<Option<Box<dyn Send>>>);

impl std::task::Wake for Holder {
    fn wake(self: Arc<Self>) {
        drop(self.0.lock().unwrap().take());
    }
}

/// Such a waker is replaced, and dropped when its wait is: neither happens under the bucket's lock.
#[tokio::test(start_paused = true)]
async fn dropping_a_waker_may_drop_another_wait() {
    use std::future::Future;
    let bucket: &'static TokenBucket = Box::leak(Box::new(TokenBucket::new(1.0, 1).unwrap()));
    assert!(bucket.try_accept());
    let mut wait = Box::pin(bucket.accept());
    for _ in 0..2 {
        let mut held = Box::pin(bucket.accept());
        assert!(
            held.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending()
        );
        let waker = std::task::Waker::from(Arc::new(Holder(Mutex::new(Some(Box::new(held))))));
        assert!(wait.as_mut().poll(&mut std::task::Context::from_waker(&waker)).is_pending());
    }
    drop(wait);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(bucket.try_accept(), "all have left the line");
}
