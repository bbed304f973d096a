//! What is counted of credential programs; nothing without the feature `metrics`.

use std::time::SystemTime;

use super::error::ExecError;
use crate::auth::AuthOptions;
use crate::auth::validity::Validity;

#[cfg(feature = "metrics")]
mod counted {
    use std::sync::{Arc, Mutex, PoisonError};

    use kubewire_metrics::{CertificateExpiry, ExecOutcome, ExecPluginMetrics};

    use super::*;

    #[derive(Clone)]
    pub(in crate::auth::exec) struct Observe(Option<Arc<Handles>>);

    struct Handles {
        metrics: ExecPluginMetrics,
        expiry: CertificateExpiry,
        /// What `expiry` is set to.
        shown: Mutex<Option<SystemTime>>,
    }

    impl Observe {
        pub(in crate::auth::exec) fn new(options: &AuthOptions) -> Self {
            Self(options.metrics.clone().map(|metrics| {
                let expiry = metrics.certificate_expiry();
                Arc::new(Handles { metrics, expiry, shown: Mutex::new(None) })
            }))
        }

        /// Whether the policy let a program run.
        pub(in crate::auth::exec) fn policy(&self, allowed: bool) {
            match &self.0 {
                Some(handles) if allowed => handles.metrics.count_policy_allowed(),
                Some(handles) => handles.metrics.count_policy_denied(),
                None => {}
            }
        }

        /// How a run ended.
        pub(in crate::auth::exec) fn call(&self, error: Option<&ExecError>) {
            let Some(handles) = &self.0 else { return };
            handles.metrics.count_call(match error {
                None => ExecOutcome::Success,
                Some(ExecError::Failed { code, .. }) => ExecOutcome::Failed { code: code.unwrap_or(-1) },
                Some(ExecError::NotFound { .. } | ExecError::Start { .. }) => ExecOutcome::NotFound,
                Some(_) => ExecOutcome::ClientError,
            });
        }

        /// A certificate was replaced.
        pub(in crate::auth::exec) fn rotated(&self, previous: Option<&Validity>, now: SystemTime) {
            if let (Some(handles), Some(previous)) = (&self.0, previous) {
                let age = now.duration_since(previous.not_before).unwrap_or_default();
                handles.metrics.observe_rotation_age(age);
            }
        }

        /// The certificate in force.
        pub(in crate::auth::exec) fn expiry(&self, validity: Option<&Validity>) {
            let Some(handles) = &self.0 else { return };
            let not_after = validity.map(|validity| validity.not_after);
            let mut shown = handles.shown.lock().unwrap_or_else(PoisonError::into_inner);
            if *shown != not_after {
                *shown = not_after;
                handles.expiry.set(not_after);
            }
        }
    }
}

#[cfg(not(feature = "metrics"))]
mod uncounted {
    use super::*;

    #[derive(Clone)]
    pub(in crate::auth::exec) struct Observe;

    #[expect(clippy::unused_self, reason = "as with the feature")]
    impl Observe {
        pub(in crate::auth::exec) fn new(_: &AuthOptions) -> Self {
            Self
        }

        pub(in crate::auth::exec) fn policy(&self, _: bool) {}

        pub(in crate::auth::exec) fn call(&self, _: Option<&ExecError>) {}

        pub(in crate::auth::exec) fn rotated(&self, _: Option<&Validity>, _: SystemTime) {}

        pub(in crate::auth::exec) fn expiry(&self, _: Option<&Validity>) {}
    }
}

#[cfg(feature = "metrics")]
pub(super) use counted::Observe;
#[cfg(not(feature = "metrics"))]
pub(super) use uncounted::Observe;
