//! The metric families: names, help texts, labels, buckets.

mod native;
mod reference;

use std::collections::HashMap;

use prometheus::core::Collector;
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
};

pub(crate) use native::Native;
pub(crate) use reference::Reference;

use crate::{Buckets, MetricsError};

/// What stands around every metric's name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Naming {
    pub(crate) prefix: String,
    pub(crate) labels: HashMap<String, String>,
}

/// The label that histograms have besides those of their family.
const BUCKET_LABEL: &str = "le";

type Made<T> = Result<T, prometheus::Error>;

impl Naming {
    fn opts(&self, name: &str, help: &str) -> Opts {
        Opts::new(name, help).namespace(self.prefix.as_str()).const_labels(self.labels.clone())
    }

    fn histogram_opts(&self, name: &str, help: &str, buckets: &[f64]) -> HistogramOpts {
        HistogramOpts::from(self.opts(name, help)).buckets(buckets.to_vec())
    }

    fn histograms(&self, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> Made<HistogramVec> {
        HistogramVec::new(self.histogram_opts(name, help, buckets), labels)
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Made<Histogram> {
        Histogram::with_opts(self.histogram_opts(name, help, buckets))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Made<IntCounterVec> {
        IntCounterVec::new(self.opts(name, help), labels)
    }

    fn counter(&self, name: &str, help: &str) -> Made<IntCounter> {
        IntCounter::with_opts(self.opts(name, help))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Made<IntGaugeVec> {
        IntGaugeVec::new(self.opts(name, help), labels)
    }

    fn gauge(&self, name: &str, help: &str) -> Made<IntGauge> {
        IntGauge::with_opts(self.opts(name, help))
    }

    fn float_gauge(&self, name: &str, help: &str) -> Made<Gauge> {
        Gauge::with_opts(self.opts(name, help))
    }
}

/// All families of one set.
pub(crate) struct Families {
    pub(crate) reference: Reference,
    pub(crate) native: Option<Native>,
}

impl Families {
    pub(crate) fn new(naming: &Naming, buckets: &Buckets, native: bool) -> Made<Self> {
        let native = if native { Some(Native::new(naming, buckets)?) } else { None };
        Ok(Self { reference: Reference::new(naming, buckets)?, native })
    }

    /// Checked here because the Prometheus library lets a constant label hide a label of the same name.
    pub(crate) fn check_labels(&self, naming: &Naming) -> Result<(), MetricsError> {
        let own = |label: &str| {
            label == BUCKET_LABEL
                || self
                    .collectors()
                    .flat_map(Collector::desc)
                    .any(|desc| desc.variable_labels.iter().any(|own| own == label))
        };
        match naming.labels.keys().find(|label| own(label)) {
            Some(label) => Err(MetricsError::Invalid {
                reason: format!("the label {label:?} is one of the metrics' own"),
            }),
            None => Ok(()),
        }
    }

    pub(crate) fn collectors(&self) -> impl Iterator<Item = &dyn Collector> {
        self.reference.collectors().into_iter().chain(self.native.iter().flat_map(Native::collectors))
    }
}
