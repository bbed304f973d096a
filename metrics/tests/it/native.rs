//! The names of our own.

use std::time::Duration;

use kubewire_metrics::{ClientMetrics, EventType, RestartReason, RetryReason};

use crate::samples;

fn exercise(metrics: &ClientMetrics) {
    let host = metrics.host("h");
    let get = host.requests("GET");
    get.observe_first_byte(Duration::from_millis(3));
    get.observe_body(Duration::from_millis(5));
    get.observe_decode(Duration::from_millis(1));
    get.add_wire_bytes(100);
    get.add_decoded_bytes(900);
    get.count_retry_reason(RetryReason::Goaway);
    host.count_connection_reused();
    host.observe_tls_handshake(Duration::from_millis(7));
    let pods = host.resource("pods");
    pods.observe_list_items(500);
    pods.count_watch_restart(RestartReason::Expired);
    let watch = pods.watch_opened();
    watch.count_event(EventType::Added);
    watch.count_event(EventType::Added);
    watch.count_event(EventType::Bookmark);
    host.count_connection_opened();
    drop((get.in_flight(), host.limiter_queue()));
}

fn native() -> ClientMetrics {
    ClientMetrics::builder().native_names(true).build().unwrap()
}

#[test]
fn only_when_asked_for() {
    let metrics = ClientMetrics::new();
    assert!(!metrics.has_native_names());
    exercise(&metrics);
    assert!(!metrics.gather_text().contains("kubewire_"));
}

#[test]
fn observations_add_up() {
    let metrics = native();
    assert!(metrics.has_native_names());
    exercise(&metrics);
    let text = metrics.gather_text();
    for (series, expected) in [
        (r#"kubewire_client_time_to_first_byte_seconds_sum{host="h",verb="GET"}"#, 0.003),
        (r#"kubewire_client_body_duration_seconds_sum{host="h",verb="GET"}"#, 0.005),
        (r#"kubewire_client_decode_duration_seconds_sum{host="h",verb="GET"}"#, 0.001),
        (r#"kubewire_client_response_wire_bytes_total{host="h",verb="GET"}"#, 100.0),
        (r#"kubewire_client_response_decoded_bytes_total{host="h",verb="GET"}"#, 900.0),
        (r#"kubewire_client_retries_total{host="h",reason="goaway",verb="GET"}"#, 1.0),
        (r#"kubewire_client_connections_opened_total{host="h"}"#, 1.0),
        (r#"kubewire_client_connections_reused_total{host="h"}"#, 1.0),
        (r#"kubewire_client_tls_handshake_duration_seconds_sum{host="h"}"#, 0.007),
        (r#"kubewire_client_watch_events_total{host="h",resource="pods",type="added"}"#, 2.0),
        (r#"kubewire_client_watch_events_total{host="h",resource="pods",type="bookmark"}"#, 1.0),
        (r#"kubewire_client_watch_restarts_total{host="h",reason="expired",resource="pods"}"#, 1.0),
        (r#"kubewire_client_watch_age_seconds_count{host="h",resource="pods"}"#, 1.0),
        (r#"kubewire_client_list_items_sum{host="h",resource="pods"}"#, 500.0),
    ] {
        assert_eq!(samples::value(&text, series), Some(expected), "{series}\n{text}");
    }
    let last = samples::value(
        &text,
        r#"kubewire_client_watch_last_event_timestamp_seconds{host="h",resource="pods"}"#,
    );
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!(last.is_some_and(|last| (now - last).abs() < 60.0), "{last:?}");
}

#[test]
fn gauges_count_what_is_held() {
    let metrics = native();
    let host = metrics.host("h");
    let get = host.requests("GET").clone();
    let gauges = || {
        let text = metrics.gather_text();
        [
            r#"kubewire_client_requests_in_flight{host="h",verb="GET"}"#,
            r#"kubewire_client_limiter_queue_length{host="h"}"#,
            r#"kubewire_client_watches_open{host="h",resource="pods"}"#,
        ]
        .map(|series| samples::value(&text, series).unwrap())
    };
    let held = (get.in_flight(), get.in_flight(), host.limiter_queue());
    let watch = host.resource("pods").watch_opened();
    assert_eq!(gauges(), [2.0, 1.0, 1.0]);
    drop((held, watch));
    assert_eq!(gauges(), [0.0; 3]);
}
