use prometheus::core::Collector;
use prometheus::{Gauge, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge};

use super::{Made, Naming};
use crate::Buckets;

/// The `rest_client_*` families, as dashboards and alerts know them.
pub(crate) struct Reference {
    pub(crate) duration: HistogramVec,
    pub(crate) dns: HistogramVec,
    pub(crate) request_size: HistogramVec,
    pub(crate) response_size: HistogramVec,
    pub(crate) rate_limiter: HistogramVec,
    pub(crate) requests: IntCounterVec,
    pub(crate) retries: IntCounterVec,
    pub(crate) exec_ttl: Gauge,
    pub(crate) exec_rotation_age: Histogram,
    pub(crate) exec_calls: IntCounterVec,
    pub(crate) exec_policy: IntCounterVec,
    pub(crate) cache_entries: IntGauge,
    pub(crate) create_calls: IntCounterVec,
    pub(crate) ca_reloads: IntCounterVec,
    pub(crate) cert_rotation_gc: IntCounter,
    pub(crate) cache_gc: IntCounterVec,
}

impl Reference {
    pub(crate) fn new(naming: &Naming, buckets: &Buckets) -> Made<Self> {
        let Buckets { duration, dns, size, certificate_age, .. } = buckets;
        let verb_host = &["verb", "host"];
        Ok(Self {
            duration: naming.histograms(
                "rest_client_request_duration_seconds",
                "Time of whole requests in seconds: waits, retries and reading the body included.",
                verb_host,
                duration,
            )?,
            dns: naming.histograms(
                "rest_client_dns_resolution_duration_seconds",
                "Time of name lookups in seconds.",
                &["host"],
                dns,
            )?,
            request_size: naming.histograms(
                "rest_client_request_size_bytes",
                "Size of request bodies in bytes, once for each attempt.",
                verb_host,
                size,
            )?,
            response_size: naming.histograms(
                "rest_client_response_size_bytes",
                "Size of response bodies in bytes.",
                verb_host,
                size,
            )?,
            rate_limiter: naming.histograms(
                "rest_client_rate_limiter_duration_seconds",
                "Time in seconds for which the client's own rate limiter held requests back.",
                verb_host,
                duration,
            )?,
            requests: naming.counters(
                "rest_client_requests_total",
                "Attempts by status code, method and host.",
                &["code", "method", "host"],
            )?,
            retries: naming.counters(
                "rest_client_request_retries_total",
                "Attempts after the first by status code, verb and host.",
                &["code", "verb", "host"],
            )?,
            exec_ttl: naming.float_gauge(
                "rest_client_exec_plugin_ttl_seconds",
                "Seconds until the first of the client certificates from exec plugins expires; \
                 negative when it has, +Inf when there is none.",
            )?,
            exec_rotation_age: naming.histogram(
                "rest_client_exec_plugin_certificate_rotation_age",
                "Age in seconds of client certificates from exec plugins when they were replaced.",
                certificate_age,
            )?,
            exec_calls: naming.counters(
                "rest_client_exec_plugin_call_total",
                "Runs of exec plugins by exit code and outcome.",
                &["code", "call_status"],
            )?,
            exec_policy: naming.counters(
                "rest_client_exec_plugin_policy_call_total",
                "Decisions of the plugin policy by outcome.",
                &["status"],
            )?,
            cache_entries: naming.gauge(
                "rest_client_transport_cache_entries",
                "Transports that clients share at the moment.",
            )?,
            create_calls: naming.counters(
                "rest_client_transport_create_calls_total",
                "Requests for a transport by how the cache answered.",
                &["result"],
            )?,
            ca_reloads: naming.counters(
                "rest_client_transport_ca_reload_total",
                "Looks at CA files by result and reason.",
                &["result", "reason"],
            )?,
            cert_rotation_gc: naming.counter(
                "rest_client_transport_cert_rotation_gc_calls_total",
                "Watchers of client certificate files that ended because nobody used their transport.",
            )?,
            cache_gc: naming.counters(
                "rest_client_transport_cache_gc_calls_total",
                "Attempts to remove an unused transport from the cache by result.",
                &["result"],
            )?,
        })
    }

    pub(crate) fn collectors(&self) -> [&dyn Collector; 16] {
        [
            &self.duration,
            &self.dns,
            &self.request_size,
            &self.response_size,
            &self.rate_limiter,
            &self.requests,
            &self.retries,
            &self.exec_ttl,
            &self.exec_rotation_age,
            &self.exec_calls,
            &self.exec_policy,
            &self.cache_entries,
            &self.create_calls,
            &self.ca_reloads,
            &self.cert_rotation_gc,
            &self.cache_gc,
        ]
    }
}
