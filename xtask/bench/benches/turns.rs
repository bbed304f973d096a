//! Measures alternatives in turns, so that a noisy machine is noisy for all of them.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// Something to measure: `run` does it so many times.
pub(crate) struct Contender<'a> {
    /// What the report calls it.
    pub(crate) name: &'a str,
    /// Does it so many times. Called from several threads at once.
    pub(crate) run: &'a (dyn Fn(u64) + Sync),
}

/// Nanoseconds a call, for each contender: the median over `rounds`, and its ratio to the first contender's, the median
/// of the ratios round by round.
pub(crate) fn compare(
    contenders: &[Contender<'_>],
    threads: usize,
    calls: u64,
    rounds: usize,
) -> Vec<(f64, f64)> {
    let mut nanos = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..=rounds {
        for (contender, nanos) in contenders.iter().zip(&mut nanos) {
            let elapsed = time(contender, threads, calls);
            if round > 0 {
                nanos.push(elapsed.as_secs_f64() * 1e9 / calls as f64); // The first round warms up.
            }
        }
    }
    let ratios = nanos.iter().map(|own| own.iter().zip(&nanos[0]).map(|(own, first)| own / first).collect());
    nanos.iter().cloned().map(median).zip(ratios.map(median)).collect()
}

/// How long `threads` threads take that each do it `calls` times.
fn time(contender: &Contender<'_>, threads: usize, calls: u64) -> Duration {
    if threads == 1 {
        let start = Instant::now();
        (contender.run)(calls);
        return start.elapsed();
    }
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let run = || {
            barrier.wait();
            let start = Instant::now();
            (contender.run)(calls);
            start.elapsed()
        };
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let own = run();
        others.into_iter().filter_map(|other| other.join().ok()).fold(own, Duration::max)
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
