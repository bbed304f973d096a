//! Requests: what is observed is what is shown, and labels stay bounded.

use std::time::Duration;

use kubewire_metrics::ClientMetrics;

use crate::samples;

#[test]
fn observations_add_up() {
    let metrics = ClientMetrics::new();
    let get = metrics.request("GET", "h:6443");
    for milliseconds in [4, 30, 30, 2000, 90_000] {
        get.observe_duration(Duration::from_millis(milliseconds));
    }
    get.observe_request_size(0);
    get.observe_response_size(1000);
    get.observe_rate_limiter(Duration::from_millis(200));
    get.count_request(Some(200));
    get.count_request(Some(503));
    get.count_request(None);
    get.count_retry(Some(200));

    let text = metrics.gather_text();
    let value = |series: &str| samples::value(&text, series);
    for (le, count) in [("0.005", 1.0), ("0.025", 1.0), ("0.1", 3.0), ("2", 4.0), ("60", 4.0), ("+Inf", 5.0)]
    {
        let series =
            format!(r#"rest_client_request_duration_seconds_bucket{{host="h:6443",verb="GET",le="{le}"}}"#);
        assert_eq!(value(&series), Some(count), "{series}");
    }
    assert_eq!(value(r#"rest_client_request_duration_seconds_sum{host="h:6443",verb="GET"}"#), Some(92.064));
    assert_eq!(
        value(r#"rest_client_request_size_bytes_bucket{host="h:6443",verb="GET",le="64"}"#),
        Some(1.0)
    );
    assert_eq!(value(r#"rest_client_response_size_bytes_sum{host="h:6443",verb="GET"}"#), Some(1000.0));
    assert_eq!(
        value(r#"rest_client_rate_limiter_duration_seconds_sum{host="h:6443",verb="GET"}"#),
        Some(0.2)
    );
    for code in ["200", "503", "<error>"] {
        let series = format!(r#"rest_client_requests_total{{code="{code}",host="h:6443",method="GET"}}"#);
        assert_eq!(value(&series), Some(1.0), "{series}");
    }
    assert_eq!(value(r#"rest_client_request_retries_total{code="200",host="h:6443",verb="GET"}"#), Some(1.0));
}

#[test]
fn nothing_is_shown_before_it_is_observed() {
    let metrics = ClientMetrics::new();
    metrics.host("h").requests("GET").count_request(Some(200));
    let text = metrics.gather_text();
    assert!(text.contains("rest_client_requests_total"));
    assert!(!text.contains("rest_client_request_duration_seconds"), "a watch, for example, has no duration");
}

#[test]
fn clones_and_handles_of_one_set_share_its_counters() {
    let metrics = ClientMetrics::new();
    let other = metrics.clone();
    metrics.request("GET", "h").count_request(Some(200));
    other.host("h").requests("GET").count_request(Some(200));
    let series = r#"rest_client_requests_total{code="200",host="h",method="GET"}"#;
    assert_eq!(samples::value(&metrics.gather_text(), series), Some(2.0));
    assert_eq!(metrics.gather_text(), other.gather_text());
}

#[test]
fn threads_lose_no_observation() {
    let metrics = ClientMetrics::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let get = metrics.request("GET", "h");
                for code in (0..1000).map(|n| 200 + n % 3) {
                    get.count_request(Some(code));
                    get.observe_request_size(1);
                }
            });
        }
    });
    let text = metrics.gather_text();
    let counted = samples::all(&text)
        .into_iter()
        .filter(|(series, _)| series.starts_with("rest_client_requests_total"));
    assert_eq!(counted.map(|(_, value)| value).sum::<f64>(), 4000.0);
    assert_eq!(
        samples::value(&text, r#"rest_client_request_size_bytes_sum{host="h",verb="GET"}"#),
        Some(4000.0)
    );
}

#[test]
fn a_hostile_server_cannot_make_series_without_end() {
    let metrics = ClientMetrics::builder().max_label_values(10).native_names(true).build().unwrap();
    for n in 0..1000 {
        let host = metrics.host(&format!("host-{n}"));
        for verb in ["GET", "BREW", "get", "PROPFIND"] {
            for code in 0..1000 {
                host.requests(verb).count_request(Some(code));
            }
        }
        host.resource(&format!("resource-{n}")).observe_list_items(1);
        metrics.dns(&format!("name-{n}")).observe(Duration::ZERO);
    }
    let text = metrics.gather_text();
    let all = samples::all(&text);
    let of = |start: &str| all.keys().filter(|series| series.starts_with(start)).count();
    // 11 hosts, GET and the rest, 63 codes and 5 classes and the rest.
    assert_eq!(of("rest_client_requests_total{"), 11 * 2 * 69);
    assert_eq!(of("rest_client_dns_resolution_duration_seconds_count{"), 11);
    assert_eq!(of("kubewire_client_list_items_count{"), 11, "10 pairs of resource and host, then the rest");
    assert!(all.contains_key(r#"rest_client_requests_total{code="5xx",host="<other>",method="<other>"}"#));
    let sum: f64 = all
        .iter()
        .filter(|(series, _)| series.starts_with("rest_client_requests_total{"))
        .map(|(_, v)| v)
        .sum();
    assert_eq!(sum, 4_000_000.0, "and nothing is lost");
}
