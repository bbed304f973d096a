use std::fmt;
use std::sync::Arc;

use crate::families::Families;

/// How the transport cache answered a request for a transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheResult {
    /// An equal one was there.
    Hit,
    /// There was none: one was made and kept.
    Miss,
    /// There was one, but its last user had just gone: one was made and kept.
    MissGc,
    /// One was made, and cannot be shared.
    Uncacheable,
}

/// What a look at a CA file found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaReload {
    /// Another content, now in use.
    Updated,
    /// The content in use.
    Unchanged,
    /// The file could not be read.
    ReadError,
    /// An empty file.
    Empty,
    /// No certificate could be parsed.
    ParseError,
}

/// What became of an attempt to remove a transport from the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheGc {
    /// It was removed.
    Deleted,
    /// It had been replaced meanwhile: nothing was removed.
    Skipped,
}

const CACHE_RESULTS: [&str; 4] = ["hit", "miss", "miss-gc", "uncacheable"];
const CA_RELOADS: [[&str; 2]; 5] = [
    ["success", "updated"],
    ["success", "unchanged"],
    ["failure", "read_error"],
    ["failure", "empty"],
    ["failure", "ca_parse_error"],
];
const CACHE_GCS: [&str; 2] = ["deleted", "skipped"];

/// What is observed of the transports that clients share: none of it is on the hot path. Cheap to clone.
#[derive(Clone)]
pub struct TransportMetrics(Arc<Families>);

impl fmt::Debug for TransportMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportMetrics").finish_non_exhaustive()
    }
}

impl TransportMetrics {
    /// Makes all series at once, at zero, so that the first failure shows as an increase.
    pub(crate) fn new(families: Arc<Families>) -> Self {
        for result in CACHE_RESULTS {
            families.reference.create_calls.with_label_values(&[result]);
        }
        for labels in CA_RELOADS {
            families.reference.ca_reloads.with_label_values(&labels);
        }
        for result in CACHE_GCS {
            families.reference.cache_gc.with_label_values(&[result]);
        }
        Self(families)
    }

    /// The number of transports in the cache.
    pub fn set_cache_entries(&self, entries: usize) {
        self.0.reference.cache_entries.set(i64::try_from(entries).unwrap_or(i64::MAX));
    }

    /// Counts a request for a transport.
    pub fn count_create_call(&self, result: CacheResult) {
        self.0.reference.create_calls.with_label_values(&[CACHE_RESULTS[result as usize]]).inc();
    }

    /// Counts a look at a CA file.
    pub fn count_ca_reload(&self, reload: CaReload) {
        self.0.reference.ca_reloads.with_label_values(&CA_RELOADS[reload as usize]).inc();
    }

    /// Counts a watcher of client certificate files that ended because nobody used its transport any more.
    pub fn count_cert_rotation_gc(&self) {
        self.0.reference.cert_rotation_gc.inc();
    }

    /// Counts an attempt to remove a transport from the cache because nobody used it any more.
    pub fn count_cache_gc(&self, result: CacheGc) {
        self.0.reference.cache_gc.with_label_values(&[CACHE_GCS[result as usize]]).inc();
    }
}
