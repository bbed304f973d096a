//! Registries, prefixes, constant labels, buckets.

use std::collections::HashMap;
use std::time::Duration;

use kubewire_metrics::{Buckets, ClientMetrics, MetricsError};
use prometheus::{IntCounter, Registry, TextEncoder};

use crate::samples;

fn text(registry: &Registry) -> String {
    TextEncoder::new().encode_to_string(&registry.gather()).unwrap()
}

fn set(constant: &str) -> ClientMetrics {
    ClientMetrics::builder().constant_label("controller", constant).build().unwrap()
}

#[test]
fn registering_again_changes_nothing() {
    let (registry, other) = (Registry::new(), Registry::new());
    let metrics = ClientMetrics::new();
    metrics.register(&registry).unwrap();
    metrics.register(&registry).unwrap();
    metrics.clone().register(&registry).unwrap();
    metrics.register(&other).unwrap();
    metrics.request("GET", "h").count_request(Some(200));
    let series = r#"rest_client_requests_total{code="200",host="h",method="GET"}"#;
    assert_eq!(samples::value(&text(&registry), series), Some(1.0));
    assert_eq!(text(&registry).matches(series).count(), 1);
    assert_eq!(samples::value(&text(&other), series), Some(1.0), "two registries show the same set");
}

#[test]
fn another_set_of_the_same_names_is_refused_not_lost() {
    let registry = Registry::new();
    ClientMetrics::new().register(&registry).unwrap();
    let error = ClientMetrics::new().register(&registry).unwrap_err();
    assert!(matches!(error, MetricsError::NameTaken { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains("rest_client_") && message.contains("constant labels"), "{message}");
}

#[test]
fn names_taken_by_other_metrics_are_an_error() {
    let registry = Registry::new();
    let taken = IntCounter::new("rest_client_transport_cert_rotation_gc_calls_total", "mine").unwrap();
    registry.register(Box::new(taken)).unwrap();
    ClientMetrics::new().register(&registry).unwrap_err();
    assert_eq!(registry.gather().len(), 1, "nothing of the set is registered");
}

#[test]
fn constant_labels_tell_sets_in_one_registry_apart() {
    let registry = Registry::new();
    let (a, b) = (set("a"), set("b"));
    a.register(&registry).unwrap();
    b.register(&registry).unwrap();
    a.register(&registry).unwrap();
    a.request("GET", "h").count_request(Some(200));
    (0..2).for_each(|_| b.request("GET", "h").count_request(Some(200)));
    let text = text(&registry);
    for (controller, count) in [("a", 1.0), ("b", 2.0)] {
        let series = format!(
            r#"rest_client_requests_total{{code="200",controller="{controller}",host="h",method="GET"}}"#
        );
        assert_eq!(samples::value(&text, &series), Some(count), "{text}");
        let gauge = format!(r#"rest_client_exec_plugin_ttl_seconds{{controller="{controller}"}}"#);
        assert_eq!(samples::value(&text, &gauge), Some(f64::INFINITY));
    }
}

#[test]
fn prefix_and_registry_labels() {
    let labels = HashMap::from([("zone".to_owned(), "north".to_owned())]);
    let registry = Registry::new_custom(Some("outer".to_owned()), Some(labels)).unwrap();
    let metrics = ClientMetrics::builder().prefix("app").build().unwrap();
    metrics.register(&registry).unwrap();
    metrics.request("GET", "h").count_request(Some(200));
    let outer = r#"outer_app_rest_client_requests_total{code="200",host="h",method="GET",zone="north"}"#;
    assert_eq!(samples::value(&text(&registry), outer), Some(1.0));
    let all = metrics.gather_text();
    assert!(samples::all(&all).keys().all(|series| series.starts_with("app_rest_client_")), "{all}");
}

#[test]
fn buckets_of_your_own() {
    let mut buckets = Buckets::default();
    buckets.duration = vec![0.5, 120.0];
    let metrics = ClientMetrics::builder().buckets(buckets).build().unwrap();
    metrics.request("GET", "h").observe_duration(Duration::from_secs(90));
    let text = metrics.gather_text();
    let bounds: Vec<_> = text.lines().filter(|line| line.contains("duration_seconds_bucket")).collect();
    assert_eq!(
        bounds,
        [
            r#"rest_client_request_duration_seconds_bucket{host="h",verb="GET",le="0.5"} 0"#,
            r#"rest_client_request_duration_seconds_bucket{host="h",verb="GET",le="120"} 1"#,
            r#"rest_client_request_duration_seconds_bucket{host="h",verb="GET",le="+Inf"} 1"#,
        ]
    );
}

#[test]
fn a_bad_set_up_is_an_error_that_says_what_to_look_at() {
    let buckets = |duration: &[f64]| {
        let mut buckets = Buckets::default();
        buckets.duration = duration.to_vec();
        ClientMetrics::builder().buckets(buckets)
    };
    for (builder, named) in [
        (ClientMetrics::builder().prefix("1-app"), "1-app"),
        (ClientMetrics::builder().constant_label("a-b", "c"), "a-b"),
        (ClientMetrics::builder().constant_label("host", "c"), "host"),
        (ClientMetrics::builder().constant_label("le", "c"), "le"),
        (buckets(&[2.0, 1.0]), "duration"),
        (buckets(&[1.0, 1.0]), "duration"),
        (buckets(&[]), "duration"),
        (buckets(&[f64::NAN]), "duration"),
        (buckets(&[1.0, f64::NAN]), "duration"),
    ] {
        let error = builder.build().expect_err(named);
        assert!(matches!(error, MetricsError::Invalid { .. }), "{named}: {error:?}");
        assert!(error.to_string().contains(named), "{named}: {error}");
    }
}

#[test]
fn debug_output_is_short() {
    let metrics = ClientMetrics::builder().native_names(true).build().unwrap();
    let host = metrics.host("h:1");
    let text = format!(
        "{metrics:?} {host:?} {:?} {:?} {:?} {:?}",
        host.requests("GET"),
        host.resource("pods"),
        metrics.transport(),
        metrics.exec_plugins()
    );
    assert!(text.contains("h:1") && text.contains("GET") && text.contains("pods"), "{text}");
    assert!(text.len() < 400, "{text}");
}

#[test]
fn the_global_set_is_one_and_registered_nowhere() {
    ClientMetrics::global().request("GET", "global").count_request(Some(200));
    assert!(ClientMetrics::global().gather_text().contains(r#"host="global""#));
    assert!(!text(prometheus::default_registry()).contains("rest_client_"));
}
