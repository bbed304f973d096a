//! What encoded objects hold, and give back: counted by the allocator, which is why this is a binary of its own.
#![allow(clippy::unwrap_used)]

use std::alloc::System;

use kubewire_rest::{Bytes, DecodeOptions, Encoded, ListDecoder, Object};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What the test's own harness may hold meanwhile.
const SLACK: usize = 16 << 10;

fn live_bytes() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn kept(list: &Bytes) -> Vec<Encoded<Object>> {
    let mut decoder = ListDecoder::new(&DecodeOptions::default());
    for piece in list.chunks(16 << 10) {
        decoder.push(Bytes::copy_from_slice(piece));
    }
    decoder.finish();
    std::iter::from_fn(|| decoder.next_item()).map(Result::unwrap).collect()
}

#[test]
fn objects_hold_their_size_and_give_it_back_one_by_one() {
    let list = Bytes::from(kubewire_sample::pod_list(1000));
    drop(kept(&list));
    let before = live_bytes();
    let mut pods = kept(&list);

    let mut random = fastrand::Rng::with_seed(1);
    for left in [1000, 500, 100, 10] {
        while pods.len() > left {
            drop(pods.swap_remove(random.usize(..pods.len())));
        }
        pods.shrink_to_fit();
        let expected =
            pods.iter().map(Encoded::size).sum::<usize>() + pods.len() * size_of::<Encoded<Object>>();
        let live = live_bytes() - before;
        assert!(live.abs_diff(expected) < SLACK, "{left} left: {live} bytes live, {expected} expected");
    }

    // One object of the list alone keeps nothing of the others.
    let clone = pods[0].clone();
    drop(pods);
    assert!((live_bytes() - before).abs_diff(clone.size()) < SLACK);
}
