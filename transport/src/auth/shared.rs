//! Credentials in use, so that clients that are configured alike share one.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::Error;

/// All of one kind. A process has few of them, so that looking through all is quick.
pub(super) struct Shared<T>(Mutex<Vec<Weak<T>>>);

impl<T> Shared<T> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// The one that is the `same`: a new one, unless a client that lives has it already.
    pub(super) fn get(
        &self,
        same: impl Fn(&T) -> bool,
        make: impl FnOnce() -> Result<T, Error>,
    ) -> Result<Arc<T>, Error> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = None;
        all.retain(|one| match one.upgrade() {
            Some(one) => {
                if same(&one) {
                    found = Some(one);
                }
                true
            }
            None => false,
        });
        if let Some(found) = found {
            return Ok(found);
        }
        let made = Arc::new(make()?);
        all.push(Arc::downgrade(&made));
        Ok(made)
    }
}
