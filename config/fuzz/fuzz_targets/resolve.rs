//! Parse, merge, resolve, edit, write: any two texts, without a panic, a hang, or memory out of proportion.
//!
//! Run it with `cargo +nightly fuzz run resolve -- -max_len=2048 -timeout=1` in the folder `config`.
#![no_main]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use kubewire_config::{Cluster, ConfigError, Context, Kubeconfig, Overrides, User};
use libfuzzer_sys::fuzz_target;

/// Counts what is allocated, and the most that there ever was.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator; only sizes are added up.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(now, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Reading may take this many times the text's length, and a fixed part that does not grow.
const TIMES: usize = 100;
const FIXED: usize = 256 * 1024;

fuzz_target!(|data: &[u8]| {
    let half = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (first, second) = data.split_at(half);
    let second = second.get(1..).unwrap_or_default();

    let before = NOW.load(Relaxed);
    MOST.store(before, Relaxed);
    let first_read = Kubeconfig::from_bytes(first);
    let taken = MOST.load(Relaxed) - before;
    assert!(taken <= first.len() * TIMES + FIXED, "{taken} bytes for a text of {}", first.len());

    let second_read = Kubeconfig::from_bytes(second);
    for error in [first_read.as_ref().err(), second_read.as_ref().err()].into_iter().flatten() {
        assert!(!error.to_string().is_empty());
    }
    let Ok(first) = first_read else { return };
    let written = first.to_yaml();
    let again = Kubeconfig::from_bytes(written.as_bytes());
    match again {
        Ok(again) => assert_eq!(again, first, "{written}"),
        // Text in quotes can look like too much syntax.
        Err(ConfigError::Excessive { .. }) => {}
        Err(error) => panic!("{error}\n{written}"),
    }

    let merged = match second_read {
        Ok(second) => first.merge(second),
        Err(_) => first,
    };
    let _ = format!("{merged:?}");
    let contexts = merged.contexts.keys().cloned().map(Some).chain([None]).take(4);
    for current_context in contexts {
        let overrides = Overrides { current_context, ..Overrides::default() };
        match merged.resolve(&overrides) {
            Ok(config) => {
                let _ = (config.server_url(), format!("{config:?}"));
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    let mut edited = merged.clone();
    edited.set_cluster("a", &Cluster { server: "https://a".into(), ..Cluster::default() });
    edited.set_credentials("a", &User { token: Some("t".into()), ..User::default() });
    edited.set_context("a", &Context { cluster: "a".into(), user: "a".into(), ..Context::default() });
    edited.redact();
    edited.shorten();
    let _ = edited.minify();
});
