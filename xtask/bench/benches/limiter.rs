//! `try_accept` against governor's `check`: `cargo bench -p kubewire-bench --bench limiter`.

mod turns;

use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::MonotonicClock;
use governor::{Quota, RateLimiter as Governor};
use kubewire_flowcontrol::{FastClock, RateLimiter, TokenBucket};

use self::turns::{Contender, compare};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{:<40} {:>8} {:>8}", "", "ns/call", "ratio");
    for (case, period, burst) in [
        ("accepted", Duration::from_micros(1), NonZeroU32::MAX),
        ("refused", Duration::from_secs(1000), NonZeroU32::MIN),
    ] {
        let qps = 1.0 / period.as_secs_f64();
        let quota = Quota::with_period(period).ok_or("no quota")?.allow_burst(burst);
        let governor_quanta = Governor::direct(quota);
        let governor_std = Governor::direct_with_clock(quota, MonotonicClock);
        let fast = TokenBucket::with_clock(qps, burst.get(), FastClock::new())?;
        let bucket = TokenBucket::new(qps, burst.get())?;
        let contenders = [
            Contender {
                name: "governor",
                run: &|calls| (0..calls).for_each(|_| drop(black_box(governor_quanta.check()))),
            },
            Contender {
                name: "kubewire, FastClock",
                run: &|calls| (0..calls).for_each(|_| _ = black_box(fast.try_accept())),
            },
            Contender {
                name: "governor, std's clock",
                run: &|calls| (0..calls).for_each(|_| drop(black_box(governor_std.check()))),
            },
            Contender {
                name: "kubewire, TokioClock",
                run: &|calls| (0..calls).for_each(|_| _ = black_box(bucket.try_accept())),
            },
        ];
        // Short turns, so that most are not interrupted; with two threads long enough for both to run at once.
        for (threads, calls) in [(1, 20_000), (2, 200_000)] {
            let results = compare(&contenders, threads, calls, 20_000_000 / calls as usize);
            for (contender, (nanos, ratio)) in contenders.iter().zip(results) {
                println!(
                    "{:<40} {nanos:>8.2} {ratio:>8.3}",
                    format!("{case}, {threads} thread(s): {}", contender.name)
                );
            }
        }
    }
    Ok(())
}
