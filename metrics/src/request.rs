use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus::{Histogram, HistogramVec, IntCounter, IntGauge};

use crate::GaugeGuard;
use crate::bounded::OVERFLOW;
use crate::codes::CodeCounters;
use crate::families::Families;

/// Why a request was sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryReason {
    /// The server asked for it with a `Retry-After` header.
    RetryAfter,
    /// No connection could be made.
    Connect,
    /// The connection was reset or broken.
    ConnectionReset,
    /// The connection ended before the response did.
    UnexpectedEof,
    /// The server sent the request back unprocessed: HTTP/2 `GOAWAY` or `REFUSED_STREAM`.
    Goaway,
    /// The attempt took too long.
    Timeout,
    /// The credential was refused and has been renewed.
    Unauthorized,
    /// Any other reason.
    Other,
}

impl RetryReason {
    const ALL: [(Self, &'static str); 8] = [
        (Self::RetryAfter, "retry_after"),
        (Self::Connect, "connect"),
        (Self::ConnectionReset, "connection_reset"),
        (Self::UnexpectedEof, "unexpected_eof"),
        (Self::Goaway, "goaway"),
        (Self::Timeout, "timeout"),
        (Self::Unauthorized, "unauthorized"),
        (Self::Other, "other"),
    ];
}

/// The HTTP methods that have a label value of their own; the last stands for all others.
const VERBS: [&str; 10] =
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", OVERFLOW];

/// The handles of all verbs to one host.
pub(crate) struct Verbs([OnceLock<RequestMetrics>; VERBS.len()]);

impl Verbs {
    pub(crate) const fn new() -> Self {
        Self([const { OnceLock::new() }; VERBS.len()])
    }

    pub(crate) fn get(&self, verb: &str, families: &Arc<Families>, host: &Arc<str>) -> &RequestMetrics {
        let slot = VERBS.iter().position(|known| *known == verb).unwrap_or(VERBS.len() - 1);
        self.0[slot].get_or_init(|| RequestMetrics::new(Arc::clone(families), VERBS[slot], Arc::clone(host)))
    }
}

/// What is observed of the requests with one verb to one host.
///
/// Get it once (from [`HostMetrics::requests`](crate::HostMetrics::requests)) and keep it: it is cheap to clone, and
/// observing allocates nothing and takes no lock, but for the first observation of each kind.
#[derive(Clone)]
pub struct RequestMetrics(Arc<Inner>);

impl fmt::Debug for RequestMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestMetrics")
            .field("verb", &self.0.verb)
            .field("host", &self.0.host)
            .finish_non_exhaustive()
    }
}

struct Inner {
    families: Arc<Families>,
    verb: &'static str,
    host: Arc<str>,
    duration: OnceLock<Histogram>,
    request_size: OnceLock<Histogram>,
    response_size: OnceLock<Histogram>,
    rate_limiter: OnceLock<Histogram>,
    requests: CodeCounters,
    retries: CodeCounters,
    native: Option<Native>,
}

struct Native {
    in_flight: IntGauge,
    first_byte: OnceLock<Histogram>,
    body: OnceLock<Histogram>,
    decode: OnceLock<Histogram>,
    wire_bytes: IntCounter,
    decoded_bytes: IntCounter,
    retries: [OnceLock<IntCounter>; RetryReason::ALL.len()],
}

impl RequestMetrics {
    fn new(families: Arc<Families>, verb: &'static str, host: Arc<str>) -> Self {
        let native = families.native.as_ref().map(|native| {
            let labels = &[verb, &host];
            Native {
                in_flight: native.in_flight.with_label_values(labels),
                first_byte: OnceLock::new(),
                body: OnceLock::new(),
                decode: OnceLock::new(),
                wire_bytes: native.wire_bytes.with_label_values(labels),
                decoded_bytes: native.decoded_bytes.with_label_values(labels),
                retries: [const { OnceLock::new() }; RetryReason::ALL.len()],
            }
        });
        Self(Arc::new(Inner {
            families,
            verb,
            host,
            duration: OnceLock::new(),
            request_size: OnceLock::new(),
            response_size: OnceLock::new(),
            rate_limiter: OnceLock::new(),
            requests: CodeCounters::new(),
            retries: CodeCounters::new(),
            native,
        }))
    }

    /// One request from start to end: throttling, waits, retries and reading the body included; also one that failed.
    pub fn observe_duration(&self, duration: Duration) {
        self.child(&self.0.duration, &self.0.families.reference.duration).observe(duration.as_secs_f64());
    }

    /// The size of a request's body in bytes, once for each attempt: 0 without a body, nothing when it is unknown.
    pub fn observe_request_size(&self, bytes: u64) {
        self.child(&self.0.request_size, &self.0.families.reference.request_size).observe(as_f64(bytes));
    }

    /// The size in bytes of the body of the response that counts.
    pub fn observe_response_size(&self, bytes: u64) {
        self.child(&self.0.response_size, &self.0.families.reference.response_size).observe(as_f64(bytes));
    }

    /// How long the client's own rate limiter held a request back.
    pub fn observe_rate_limiter(&self, duration: Duration) {
        self.child(&self.0.rate_limiter, &self.0.families.reference.rate_limiter)
            .observe(duration.as_secs_f64());
    }

    /// Counts one attempt by its status code; `None` when there was no response.
    pub fn count_request(&self, code: Option<u16>) {
        let Inner { families, verb, host, .. } = &*self.0;
        self.0.requests.inc(code, |code| families.reference.requests.with_label_values(&[code, verb, host]));
    }

    /// Counts one attempt that was not the first, by its status code; `None` when there was no response.
    pub fn count_retry(&self, code: Option<u16>) {
        let Inner { families, verb, host, .. } = &*self.0;
        self.0.retries.inc(code, |code| families.reference.retries.with_label_values(&[code, verb, host]));
    }

    /// Counts one attempt that was not the first by the reason for it. Native names only, else it does nothing.
    pub fn count_retry_reason(&self, reason: RetryReason) {
        self.with_native(|handles, families| {
            let slot = reason as usize;
            let resolve =
                || families.retries.with_label_values(&[RetryReason::ALL[slot].1, self.0.verb, &self.0.host]);
            handles.retries[slot].get_or_init(resolve).inc();
        });
    }

    /// Counts a request in flight until the guard is dropped. Native names only, else it does nothing.
    pub fn in_flight(&self) -> GaugeGuard {
        GaugeGuard::new(self.0.native.as_ref().map(|native| &native.in_flight))
    }

    /// Time of an attempt from sending it until the response's head was there. Native names only, else it does nothing.
    pub fn observe_first_byte(&self, duration: Duration) {
        self.with_native(|handles, families| {
            self.child(&handles.first_byte, &families.first_byte).observe(duration.as_secs_f64());
        });
    }

    /// Time from the response's head to the end of its body. Native names only, else it does nothing.
    pub fn observe_body(&self, duration: Duration) {
        self.with_native(|handles, families| {
            self.child(&handles.body, &families.body).observe(duration.as_secs_f64());
        });
    }

    /// Time spent decoding a response's body. Native names only, else it does nothing.
    pub fn observe_decode(&self, duration: Duration) {
        self.with_native(|handles, families| {
            self.child(&handles.decode, &families.decode).observe(duration.as_secs_f64());
        });
    }

    /// Bytes of a response's body as they came over the wire. Native names only, else it does nothing.
    pub fn add_wire_bytes(&self, bytes: u64) {
        self.with_native(|handles, _| handles.wire_bytes.inc_by(bytes));
    }

    /// Bytes of a response's body after decompression. Native names only, else it does nothing.
    pub fn add_decoded_bytes(&self, bytes: u64) {
        self.with_native(|handles, _| handles.decoded_bytes.inc_by(bytes));
    }

    /// The child of a family with the labels verb and host.
    fn child<'a>(&self, cell: &'a OnceLock<Histogram>, family: &HistogramVec) -> &'a Histogram {
        cell.get_or_init(|| family.with_label_values(&[self.0.verb, &self.0.host]))
    }

    fn with_native(&self, observe: impl FnOnce(&Native, &crate::families::Native)) {
        if let (Some(handles), Some(families)) = (&self.0.native, &self.0.families.native) {
            observe(handles, families);
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes above 2^53 bytes do not come, and would be off by little"
)]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_stand_at_their_own_place() {
        for (slot, (reason, _)) in RetryReason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, slot);
        }
    }
}
