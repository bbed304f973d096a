//! Observing allocates nothing.

use std::alloc::System;
use std::hint::black_box;
use std::time::Duration;

use kubewire_metrics::{ClientMetrics, EventType, RetryReason};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn observing_allocates_nothing() {
    let metrics = ClientMetrics::builder().native_names(true).build().unwrap();
    let host = metrics.host("h:1");
    let watch = host.resource("pods").watch_opened();
    let millisecond = Duration::from_millis(1);
    let observe = || {
        let get = host.requests(black_box("GET"));
        let _in_flight = (get.in_flight(), host.limiter_queue(), get.clone());
        get.observe_duration(millisecond);
        get.observe_rate_limiter(millisecond);
        get.observe_request_size(0);
        get.observe_response_size(1000);
        get.observe_first_byte(millisecond);
        get.observe_body(millisecond);
        get.observe_decode(millisecond);
        get.add_wire_bytes(100);
        get.add_decoded_bytes(1000);
        for code in [None, Some(200), Some(429), Some(520), Some(u16::MAX)] {
            get.count_request(code);
            get.count_retry(code);
        }
        get.count_retry_reason(RetryReason::RetryAfter);
        host.count_connection_opened();
        host.count_connection_reused();
        host.observe_tls_handshake(millisecond);
        watch.count_event(EventType::Modified);
    };
    // The first time makes the series.
    observe();
    // Tests on other threads allocate, too: it is enough when nothing did once.
    let quiet = (0..10_000).any(|_| {
        let region = Region::new(ALLOCATOR);
        observe();
        let stats = region.change();
        stats.allocations == 0 && stats.reallocations == 0
    });
    assert!(quiet, "each time something was allocated");
}
