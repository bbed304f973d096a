//! What a token bucket does, and what else there is to keep to a rate. It takes half a second.
//!
//! `cargo run -p kubewire-examples --example rate_limiter`

use std::sync::Arc;
use std::time::Duration;

use kubewire_flowcontrol::{Adaptive, ExponentialBackoff, ManualClock, Priority, RateLimiter, TokenBucket};
use tokio::time::Instant;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("A bucket of 5 tokens a second and a burst of 3, on a clock that we move by hand:");
    let clock = ManualClock::new();
    let bucket = TokenBucket::with_clock(5.0, 3, clock.clone())?;
    for step in 0..12 {
        let tokens = bucket.available() as usize;
        // Nothing happens at first; then somebody asks twice at each step, which is more than there is.
        let asked = if step < 3 { 0 } else { 2 };
        let taken = (0..asked).filter(|_| bucket.try_accept()).count();
        let picture = "#".repeat(tokens);
        println!("  {:>4} ms  [{picture:<3}]  asked for {asked}, got {taken}", step * 100);
        clock.advance(Duration::from_millis(100));
    }

    println!("\nTen tasks wait for 20 a second; the fourth has no time for that:");
    let bucket = Arc::new(TokenBucket::new(20.0, 2)?);
    let start = Instant::now();
    let mut tasks = Vec::new();
    for id in 1..=10 {
        let bucket = Arc::clone(&bucket);
        tasks.push(tokio::spawn(async move {
            let deadline = (id == 4).then(|| start + Duration::from_millis(20));
            match bucket.wait(deadline).await {
                Ok(()) => println!("  {:>4} ms  task {id} goes", start.elapsed().as_millis()),
                Err(error) => {
                    println!("  {:>4} ms  task {id} gives up: {error}", start.elapsed().as_millis());
                }
            }
        }));
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await?;
    }

    println!("\nHeartbeats have a fifth of the rate for themselves, however much bulk traffic there is:");
    let [heartbeats, bulk] = Priority::split(10.0, 10, [0.2, 0.0])?;
    let sent = (0..1000).filter(|_| bulk.try_accept()).count();
    println!("  bulk sent {sent} of 1000; a heartbeat goes: {}", heartbeats.try_accept());

    println!("\nA limiter that listens to the other side:");
    let limiter = Adaptive::new(1.0, 100.0, 10)?;
    print!("  {} a second", limiter.qps());
    limiter.on_overload(Some(Duration::from_millis(50)));
    println!(", after an overload {} a second, and now a rest: {}", limiter.qps(), !limiter.try_accept());

    let delays = ExponentialBackoff::new(Duration::from_secs(1), Duration::from_secs(30)).with_jitter(0.1);
    println!("\nDelays between retries: {:.1?}", delays.take(7).collect::<Vec<_>>());
    Ok(())
}
