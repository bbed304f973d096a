use prometheus::core::Collector;
use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec};

use super::{Made, Naming};
use crate::Buckets;

/// The `kubewire_client_*` families: what the reference's names do not say.
pub(crate) struct Native {
    pub(crate) in_flight: IntGaugeVec,
    pub(crate) first_byte: HistogramVec,
    pub(crate) body: HistogramVec,
    pub(crate) decode: HistogramVec,
    pub(crate) wire_bytes: IntCounterVec,
    pub(crate) decoded_bytes: IntCounterVec,
    pub(crate) retries: IntCounterVec,
    pub(crate) limiter_queue: IntGaugeVec,
    pub(crate) connections_opened: IntCounterVec,
    pub(crate) connections_reused: IntCounterVec,
    pub(crate) tls_handshake: HistogramVec,
    pub(crate) watches_open: IntGaugeVec,
    pub(crate) watch_events: IntCounterVec,
    pub(crate) watch_restarts: IntCounterVec,
    pub(crate) watch_age: HistogramVec,
    pub(crate) watch_last_event: IntGaugeVec,
    pub(crate) list_items: HistogramVec,
}

impl Native {
    pub(crate) fn new(naming: &Naming, buckets: &Buckets) -> Made<Self> {
        let Buckets { parts, watch_age, list_items, .. } = buckets;
        let (host, verb_host, resource_host) =
            (&["host"][..], &["verb", "host"][..], &["resource", "host"][..]);
        Ok(Self {
            in_flight: naming.gauges(
                "kubewire_client_requests_in_flight",
                "Requests begun and not ended.",
                verb_host,
            )?,
            first_byte: naming.histograms(
                "kubewire_client_time_to_first_byte_seconds",
                "Time of an attempt in seconds from sending it until the response's head was there.",
                verb_host,
                parts,
            )?,
            body: naming.histograms(
                "kubewire_client_body_duration_seconds",
                "Time in seconds from the response's head to the end of its body.",
                verb_host,
                parts,
            )?,
            decode: naming.histograms(
                "kubewire_client_decode_duration_seconds",
                "Time in seconds spent decoding a response's body.",
                verb_host,
                parts,
            )?,
            wire_bytes: naming.counters(
                "kubewire_client_response_wire_bytes_total",
                "Bytes of response bodies as they came over the wire.",
                verb_host,
            )?,
            decoded_bytes: naming.counters(
                "kubewire_client_response_decoded_bytes_total",
                "Bytes of response bodies after decompression.",
                verb_host,
            )?,
            retries: naming.counters(
                "kubewire_client_retries_total",
                "Attempts after the first by the reason for them.",
                &["reason", "verb", "host"],
            )?,
            limiter_queue: naming.gauges(
                "kubewire_client_limiter_queue_length",
                "Requests waiting for the client's own rate limiter.",
                host,
            )?,
            connections_opened: naming.counters(
                "kubewire_client_connections_opened_total",
                "Connections that were opened.",
                host,
            )?,
            connections_reused: naming.counters(
                "kubewire_client_connections_reused_total",
                "Attempts that were answered over a connection that was already open.",
                host,
            )?,
            tls_handshake: naming.histograms(
                "kubewire_client_tls_handshake_duration_seconds",
                "Time of TLS handshakes in seconds.",
                host,
                parts,
            )?,
            watches_open: naming.gauges(
                "kubewire_client_watches_open",
                "Watches that are open.",
                resource_host,
            )?,
            watch_events: naming.counters(
                "kubewire_client_watch_events_total",
                "Events of watches by type.",
                &["type", "resource", "host"],
            )?,
            watch_restarts: naming.counters(
                "kubewire_client_watch_restarts_total",
                "Watches that were started again, by the reason for it.",
                &["reason", "resource", "host"],
            )?,
            watch_age: naming.histograms(
                "kubewire_client_watch_age_seconds",
                "Age of watches in seconds at their end.",
                resource_host,
                watch_age,
            )?,
            watch_last_event: naming.gauges(
                "kubewire_client_watch_last_event_timestamp_seconds",
                "When the last event of a watch came, in seconds since 1970.",
                resource_host,
            )?,
            list_items: naming.histograms(
                "kubewire_client_list_items",
                "Items in each list that was read.",
                resource_host,
                list_items,
            )?,
        })
    }

    pub(crate) fn collectors(&self) -> [&dyn Collector; 17] {
        [
            &self.in_flight,
            &self.first_byte,
            &self.body,
            &self.decode,
            &self.wire_bytes,
            &self.decoded_bytes,
            &self.retries,
            &self.limiter_queue,
            &self.connections_opened,
            &self.connections_reused,
            &self.tls_handshake,
            &self.watches_open,
            &self.watch_events,
            &self.watch_restarts,
            &self.watch_age,
            &self.watch_last_event,
            &self.list_items,
        ]
    }
}
