//! Taking tokens, against what nothing can do without: reading the clock and swapping one word.
//!
//! `cargo bench -p kubewire-flowcontrol`. What to compare: `taken` and `refused` against `clock_and_swap`; `reserved`
//! and `accepted` go the way of those who may have to wait, and find a token.

#![allow(clippy::expect_used)]

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Waker};

use divan::{AllocProfiler, Bencher, black_box};
use kubewire_flowcontrol::{Clock, RateLimiter, TokenBucket, TokioClock};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

/// Tokens a second: more than anybody takes.
const FAST: f64 = 1e8;
/// Fewer than one in eleven days.
const SLOW: f64 = 1e-6;

fn main() {
    divan::main();
}

fn full() -> TokenBucket {
    TokenBucket::new(FAST, u32::MAX).expect("well-formed")
}

#[divan::bench(threads = [1, 2], sample_size = 1000)]
fn taken(bencher: Bencher<'_, '_>) {
    let bucket = full();
    bencher.bench(|| assert!(black_box(&bucket).try_accept()));
}

#[divan::bench(threads = [1, 2], sample_size = 1000)]
fn refused(bencher: Bencher<'_, '_>) {
    let bucket = TokenBucket::new(SLOW, 1).expect("well-formed");
    bucket.try_accept();
    bencher.bench(|| assert!(!black_box(&bucket).try_accept()));
}

#[divan::bench(threads = [1, 2], sample_size = 1000)]
fn clock_and_swap(bencher: Bencher<'_, '_>) {
    let (clock, word) = (TokioClock::new(), AtomicU64::new(0));
    bencher.bench(|| {
        black_box(clock.now());
        let before = word.load(Ordering::Acquire);
        word.compare_exchange(before, before + 1, Ordering::AcqRel, Ordering::Acquire)
    });
}

#[divan::bench(sample_size = 1000)]
fn accepted(bencher: Bencher<'_, '_>) {
    let bucket = full();
    bencher.bench_local(|| {
        let waiting = pin!(black_box(&bucket).accept());
        assert!(waiting.poll(&mut Context::from_waker(Waker::noop())).is_ready());
    });
}

#[divan::bench(sample_size = 1000)]
fn reserved(bencher: Bencher<'_, '_>) {
    let bucket = full();
    bencher.bench_local(|| black_box(&bucket).reserve(1).expect("there is one").delay());
}
