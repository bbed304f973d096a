use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::bounded::OVERFLOW;
use crate::families::Families;

/// How a run of an exec plugin ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecOutcome {
    /// It gave a credential.
    Success,
    /// It ran and ended with an exit code other than 0; -1 where a signal ended it.
    Failed {
        /// The exit code.
        code: i32,
    },
    /// There is no such program.
    NotFound,
    /// It could not be started, or what it printed could not be used.
    ClientError,
}

/// What is observed of exec plugins. None of it is on the hot path. Cheap to clone.
#[derive(Clone)]
pub struct ExecPluginMetrics {
    families: Arc<Families>,
    expiries: Arc<Expiries>,
}

impl fmt::Debug for ExecPluginMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecPluginMetrics").finish_non_exhaustive()
    }
}

impl ExecPluginMetrics {
    /// Makes the policy's series at once, at zero, so that the first denial shows as an increase.
    pub(crate) fn new(families: Arc<Families>) -> Self {
        for status in ["allowed", "denied"] {
            families.reference.exec_policy.with_label_values(&[status]);
        }
        Self { families, expiries: Arc::default() }
    }

    /// Counts a run of a plugin.
    pub fn count_call(&self, outcome: ExecOutcome) {
        let (code, status) = match outcome {
            ExecOutcome::Success => (0, "no_error"),
            ExecOutcome::Failed { code } => (code, "plugin_execution_error"),
            ExecOutcome::NotFound => (1, "plugin_not_found_error"),
            ExecOutcome::ClientError => (1, "client_internal_error"),
        };
        let calls = &self.families.reference.exec_calls;
        // Exit codes are 0 to 255 nearly everywhere; the others must not make a series each.
        if (-1..=255).contains(&code) {
            calls.with_label_values(&[code.to_string().as_str(), status]).inc();
        } else {
            calls.with_label_values(&[OVERFLOW, status]).inc();
        }
    }

    /// Counts a plugin that the plugin policy let run.
    pub fn count_policy_allowed(&self) {
        self.families.reference.exec_policy.with_label_values(&["allowed"]).inc();
    }

    /// Counts a plugin that the plugin policy did not let run.
    pub fn count_policy_denied(&self) {
        self.families.reference.exec_policy.with_label_values(&["denied"]).inc();
    }

    /// The age of a client certificate when another replaced it: the time since its `notBefore`.
    pub fn observe_rotation_age(&self, age: Duration) {
        self.families.reference.exec_rotation_age.observe(age.as_secs_f64());
    }

    /// A place for the expiry of one plugin's client certificate. The first of all expiries is what
    /// `rest_client_exec_plugin_ttl_seconds` counts down to.
    pub fn certificate_expiry(&self) -> CertificateExpiry {
        let id = self.expiries.next_id.fetch_add(1, Ordering::Relaxed);
        CertificateExpiry { id, expiries: Arc::clone(&self.expiries) }
    }

    /// Computes the gauge that runs with the clock.
    pub(crate) fn refresh(&self, now: SystemTime) {
        self.families.reference.exec_ttl.set(self.expiries.ttl(now));
    }
}

/// The expiry of one plugin's client certificate; none until it is set, and forgotten on drop.
#[derive(Debug)]
pub struct CertificateExpiry {
    id: u64,
    expiries: Arc<Expiries>,
}

impl CertificateExpiry {
    /// The `notAfter` of the certificate in use; `None` when there is no certificate.
    pub fn set(&self, not_after: Option<SystemTime>) {
        self.expiries.set(self.id, not_after);
    }
}

impl Drop for CertificateExpiry {
    fn drop(&mut self) {
        self.expiries.set(self.id, None);
    }
}

#[derive(Debug, Default)]
struct Expiries {
    next_id: AtomicU64,
    by_id: Mutex<HashMap<u64, SystemTime>>,
}

impl Expiries {
    fn set(&self, id: u64, expiry: Option<SystemTime>) {
        let mut by_id = self.by_id.lock().unwrap_or_else(PoisonError::into_inner);
        match expiry {
            Some(expiry) => by_id.insert(id, expiry),
            None => by_id.remove(&id),
        };
    }

    /// Seconds from `now` to the first expiry, negative after it; infinite when there is none.
    fn ttl(&self, now: SystemTime) -> f64 {
        let by_id = self.by_id.lock().unwrap_or_else(PoisonError::into_inner);
        by_id.values().min().map_or(f64::INFINITY, |first| {
            first
                .duration_since(now)
                .map_or_else(|past| -past.duration().as_secs_f64(), |left| left.as_secs_f64())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_expiry_counts_and_goes_with_its_plugin() {
        let expiries = Arc::new(Expiries::default());
        let place = |id| CertificateExpiry { id, expiries: Arc::clone(&expiries) };
        let now = SystemTime::now();
        assert_eq!(expiries.ttl(now), f64::INFINITY);

        let (first, second) = (place(1), place(2));
        first.set(Some(now + Duration::from_secs(60)));
        second.set(Some(now + Duration::from_secs(600)));
        assert_eq!(expiries.ttl(now), 60.0);
        assert_eq!(expiries.ttl(now + Duration::from_secs(90)), -30.0, "negative once it is over");

        first.set(None);
        assert_eq!(expiries.ttl(now), 600.0);
        drop(second);
        assert_eq!(expiries.ttl(now), f64::INFINITY);
    }
}
