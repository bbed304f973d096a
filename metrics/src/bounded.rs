//! Label values come from outside (hosts, resources): this keeps their number bounded.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Stands for every label value beyond the bound.
pub(crate) const OVERFLOW: &str = "<other>";

/// How many more distinct values may come; can be shared by several tables.
#[derive(Clone)]
pub(crate) struct Budget(Arc<AtomicUsize>);

impl Budget {
    pub(crate) fn new(max: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(max)))
    }

    fn take(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

/// What is kept for each value of a label. Values beyond the budget share one entry, [`OVERFLOW`].
pub(crate) struct Bounded<T> {
    budget: Budget,
    entries: Mutex<HashMap<Box<str>, T>>,
}

impl<T: Clone> Bounded<T> {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { budget, entries: Mutex::default() }
    }

    /// The entry of `value`, made by `make` from the label value to show.
    pub(crate) fn get(&self, value: &str, make: impl FnOnce(&str) -> T) -> T {
        // No code panics while it holds the lock, and an entry is whole or absent.
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get(value) {
            return entry.clone();
        }
        let shown = if value == OVERFLOW || self.budget.take() { value } else { OVERFLOW };
        entries.entry(shown.into()).or_insert_with_key(|shown| make(shown)).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_the_budget_share_one_entry() {
        let table = Bounded::new(Budget::new(2));
        let get = |value| table.get(value, str::to_owned);
        assert_eq!(get("a"), "a");
        assert_eq!(get("b"), "b");
        assert_eq!(get("c"), OVERFLOW);
        assert_eq!(get("d"), OVERFLOW);
        assert_eq!(get("a"), "a", "known values stay");
        assert_eq!(table.entries.lock().unwrap_or_else(PoisonError::into_inner).len(), 3);
    }

    #[test]
    fn tables_can_share_a_budget() {
        let budget = Budget::new(1);
        let (first, second) = (Bounded::new(budget.clone()), Bounded::new(budget));
        assert_eq!(first.get("a", str::to_owned), "a");
        assert_eq!(second.get("b", str::to_owned), OVERFLOW);
    }
}
