//! One collector for the whole set: it is registered whole or not at all.

use std::cell::RefCell;

use prometheus::Registry;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;

use crate::ClientMetrics;

#[derive(Clone, Debug)]
pub(crate) struct SetCollector(pub(crate) ClientMetrics);

impl SetCollector {
    /// One of the names, to tell the set by.
    pub(crate) fn a_name(&self) -> String {
        self.desc().first().map(|desc| desc.fq_name.clone()).unwrap_or_default()
    }
}

impl Collector for SetCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.0.families().collectors().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        SOUGHT.with_borrow_mut(|sought| {
            if sought.as_ref().is_some_and(|sought| sought.0 == self.0) {
                *sought = None;
            }
        });
        self.0.refresh();
        self.0.families().collectors().flat_map(Collector::collect).collect()
    }
}

thread_local! {
    /// The set that [`already_shows`] looks for on this thread.
    static SOUGHT: RefCell<Option<SetCollector>> = const { RefCell::new(None) };
}

/// Whether `registry`, which refused `collector` as known, knows this very set, not one of the same names. A registry
/// does not tell what is in it, but it asks every collector in it when it gathers.
pub(crate) fn already_shows(registry: &Registry, collector: &SetCollector) -> bool {
    SOUGHT.set(Some(collector.clone()));
    registry.gather();
    SOUGHT.take().is_none()
}
