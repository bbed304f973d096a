//! The table of names, types, labels and buckets that dashboards count on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kubewire_metrics::{CaReload, CacheGc, CacheResult, ClientMetrics, ExecOutcome};

use crate::samples;

const DURATION: &str = "0.005 0.025 0.1 0.25 0.5 1 2 4 8 15 30 60 +Inf";
const DNS: &str = "0.005 0.025 0.1 0.25 0.5 1 2 4 8 15 30 +Inf";
const SIZE: &str = "64 256 512 1024 4096 16384 65536 262144 1048576 4194304 16777216 +Inf";
const AGE: &str = "600 1800 3600 14400 86400 604800 2592000 7776000 15552000 31104000 124416000 +Inf";

/// Name, type, labels, buckets.
const TABLE: [(&str, &str, &str, &str); 16] = [
    ("rest_client_request_duration_seconds", "histogram", "host verb", DURATION),
    ("rest_client_dns_resolution_duration_seconds", "histogram", "host", DNS),
    ("rest_client_request_size_bytes", "histogram", "host verb", SIZE),
    ("rest_client_response_size_bytes", "histogram", "host verb", SIZE),
    ("rest_client_rate_limiter_duration_seconds", "histogram", "host verb", DURATION),
    ("rest_client_requests_total", "counter", "code host method", ""),
    ("rest_client_request_retries_total", "counter", "code host verb", ""),
    ("rest_client_exec_plugin_ttl_seconds", "gauge", "", ""),
    ("rest_client_exec_plugin_certificate_rotation_age", "histogram", "", AGE),
    ("rest_client_exec_plugin_call_total", "counter", "call_status code", ""),
    ("rest_client_exec_plugin_policy_call_total", "counter", "status", ""),
    ("rest_client_transport_cache_entries", "gauge", "", ""),
    ("rest_client_transport_create_calls_total", "counter", "result", ""),
    ("rest_client_transport_ca_reload_total", "counter", "reason result", ""),
    ("rest_client_transport_cert_rotation_gc_calls_total", "counter", "", ""),
    ("rest_client_transport_cache_gc_calls_total", "counter", "result", ""),
];

/// Every family of the reference has at least one sample.
fn filled() -> ClientMetrics {
    let metrics = ClientMetrics::new();
    let get = metrics.request("GET", "h:1");
    get.observe_duration(Duration::from_secs(1));
    get.observe_request_size(1);
    get.observe_response_size(1);
    get.observe_rate_limiter(Duration::from_secs(1));
    get.count_request(Some(200));
    get.count_retry(Some(200));
    metrics.dns("h").observe(Duration::from_secs(1));
    metrics.exec_plugins().count_call(ExecOutcome::Success);
    metrics
}

#[derive(Default)]
struct Family {
    kind: String,
    labels: BTreeSet<String>,
    buckets: Vec<String>,
}

fn families(text: &str) -> BTreeMap<String, Family> {
    let mut families = BTreeMap::<String, Family>::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(header) = line.strip_prefix("# TYPE ") {
            let (name, kind) = header.split_once(' ').unwrap();
            current = name.to_owned();
            families.entry(current.clone()).or_default().kind = kind.to_owned();
        } else if !line.starts_with('#') {
            let family = families.get_mut(&current).unwrap();
            let series = line.rsplit_once(' ').unwrap().0;
            let labels = series.split_once('{').map_or("", |(_, labels)| labels.trim_end_matches('}'));
            for label in labels.split(',').filter(|label| !label.is_empty()) {
                let (name, value) = label.split_once('=').unwrap();
                if name == "le" {
                    family.buckets.push(value.trim_matches('"').to_owned());
                } else {
                    family.labels.insert(name.to_owned());
                }
            }
        }
    }
    families
}

#[test]
fn bh_m_names_types_labels_and_buckets() {
    let text = filled().gather_text();
    let families = families(&text);
    let words = |labels: &BTreeSet<String>| labels.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let found: BTreeSet<_> = families
        .iter()
        .map(|(name, family)| {
            (name.as_str(), family.kind.as_str(), words(&family.labels), family.buckets.join(" "))
        })
        .collect();
    let expected: BTreeSet<_> = TABLE
        .iter()
        .map(|(name, kind, labels, buckets)| (*name, *kind, (*labels).to_owned(), (*buckets).to_owned()))
        .collect();
    assert_eq!(found, expected, "no more and no fewer by default");
}

#[test]
fn bh_m_exec_plugins() {
    let metrics = ClientMetrics::new();
    let plugins = metrics.exec_plugins();
    for outcome in [
        ExecOutcome::Success,
        ExecOutcome::Failed { code: 73 },
        ExecOutcome::Failed { code: -1 },
        ExecOutcome::Failed { code: 1_000_000 },
        ExecOutcome::NotFound,
        ExecOutcome::ClientError,
    ] {
        plugins.count_call(outcome);
    }
    plugins.count_policy_denied();
    plugins.observe_rotation_age(Duration::from_secs(3600));
    assert_eq!(
        samples::non_zero(&metrics.gather_text())
            .into_iter()
            .filter(|line| !line.contains("bucket"))
            .collect::<Vec<_>>(),
        [
            r#"rest_client_exec_plugin_call_total{call_status="client_internal_error",code="1"} 1"#,
            r#"rest_client_exec_plugin_call_total{call_status="no_error",code="0"} 1"#,
            r#"rest_client_exec_plugin_call_total{call_status="plugin_execution_error",code="-1"} 1"#,
            r#"rest_client_exec_plugin_call_total{call_status="plugin_execution_error",code="73"} 1"#,
            r#"rest_client_exec_plugin_call_total{call_status="plugin_execution_error",code="<other>"} 1"#,
            r#"rest_client_exec_plugin_call_total{call_status="plugin_not_found_error",code="1"} 1"#,
            "rest_client_exec_plugin_certificate_rotation_age_count 1",
            "rest_client_exec_plugin_certificate_rotation_age_sum 3600",
            r#"rest_client_exec_plugin_policy_call_total{status="denied"} 1"#,
        ]
    );
}

#[test]
fn bh_m_certificate_ttl_runs_with_the_clock() {
    let metrics = ClientMetrics::new();
    let ttl = || samples::value(&metrics.gather_text(), "rest_client_exec_plugin_ttl_seconds").unwrap();
    assert_eq!(ttl(), f64::INFINITY);
    let expiry = metrics.exec_plugins().certificate_expiry();
    expiry.set(Some(std::time::SystemTime::now() + Duration::from_secs(3600)));
    let (first, second) = (ttl(), ttl());
    assert!(first <= 3600.0 && first > 3000.0, "{first}");
    assert!(second < first, "computed at each scrape: {first}, then {second}");
    drop(expiry);
    assert_eq!(ttl(), f64::INFINITY);
}

#[test]
fn bh_m_transports() {
    let metrics = ClientMetrics::new();
    let transport = metrics.transport();
    transport.set_cache_entries(2);
    for (times, result) in
        (1..).zip([CacheResult::Hit, CacheResult::Miss, CacheResult::MissGc, CacheResult::Uncacheable])
    {
        (0..times).for_each(|_| transport.count_create_call(result));
    }
    for (times, reload) in (1..).zip([
        CaReload::Updated,
        CaReload::Unchanged,
        CaReload::ReadError,
        CaReload::Empty,
        CaReload::ParseError,
    ]) {
        (0..times).for_each(|_| transport.count_ca_reload(reload));
    }
    transport.count_cert_rotation_gc();
    transport.count_cache_gc(CacheGc::Deleted);
    (0..2).for_each(|_| transport.count_cache_gc(CacheGc::Skipped));
    assert_eq!(
        samples::non_zero(&metrics.gather_text()),
        [
            r#"rest_client_transport_ca_reload_total{reason="ca_parse_error",result="failure"} 5"#,
            r#"rest_client_transport_ca_reload_total{reason="empty",result="failure"} 4"#,
            r#"rest_client_transport_ca_reload_total{reason="read_error",result="failure"} 3"#,
            r#"rest_client_transport_ca_reload_total{reason="unchanged",result="success"} 2"#,
            r#"rest_client_transport_ca_reload_total{reason="updated",result="success"} 1"#,
            "rest_client_transport_cache_entries 2",
            r#"rest_client_transport_cache_gc_calls_total{result="deleted"} 1"#,
            r#"rest_client_transport_cache_gc_calls_total{result="skipped"} 2"#,
            "rest_client_transport_cert_rotation_gc_calls_total 1",
            r#"rest_client_transport_create_calls_total{result="hit"} 1"#,
            r#"rest_client_transport_create_calls_total{result="miss"} 2"#,
            r#"rest_client_transport_create_calls_total{result="miss-gc"} 3"#,
            r#"rest_client_transport_create_calls_total{result="uncacheable"} 4"#,
        ]
    );
}
