//! The OpenMetrics text format, made from Prometheus' own: they differ in the names of counters' families, in escaping
//! help texts, in how infinity and timestamps are written, and in the last line.
//!
//! Bucket bounds stay as they are in Prometheus' format (`le="1"`, not `le="1.0"`): a series must not change its labels
//! with the format that a scraper happens to ask for.

use prometheus::TextEncoder;
use prometheus::proto::{MetricFamily, MetricType};

const TOTAL: &str = "_total";

pub(super) fn encode(families: &[MetricFamily]) -> Result<String, prometheus::Error> {
    let encoder = TextEncoder::new();
    let (mut out, mut text) = (String::new(), String::new());
    for family in families {
        text.clear();
        encoder.encode_utf8(std::slice::from_ref(family), &mut text)?;

        let name = family.name();
        let (base, kind) = match family.get_field_type() {
            MetricType::COUNTER => (name.strip_suffix(TOTAL).unwrap_or(name), "counter"),
            MetricType::GAUGE => (name, "gauge"),
            MetricType::HISTOGRAM => (name, "histogram"),
            MetricType::SUMMARY => (name, "summary"),
            MetricType::UNTYPED => (name, "unknown"),
        };
        if !family.help().is_empty() {
            let help = family.help().replace('\\', r"\\").replace('\n', r"\n").replace('"', r#"\""#);
            push(&mut out, &["# HELP ", base, " ", &help, "\n"]);
        }
        push(&mut out, &["# TYPE ", base, " ", kind, "\n"]);
        // A counter's samples end in `_total`, whatever its family is called in Prometheus' format.
        let suffix = if kind == "counter" && base.len() == name.len() { TOTAL } else { "" };
        for sample in text.lines().filter(|line| !line.starts_with('#')) {
            // The name, with what a histogram adds to it, ends where the labels or the value begin.
            let name_end = sample.find(['{', ' ']).unwrap_or(sample.len());
            // The value comes after the labels, whose values may hold anything but a bare quote or line break.
            let value_start = sample.rfind('}').map_or(name_end, |brace| brace + 1);
            let (name, labels) = (&sample[..name_end], &sample[name_end..value_start]);
            push(&mut out, &[name, suffix, labels]);
            push_value(&mut out, &sample[value_start..]);
        }
    }
    out.push_str("# EOF\n");
    Ok(out)
}

/// The value, and the timestamp if there is one: milliseconds become seconds.
fn push_value(out: &mut String, text: &str) {
    let mut words = text.split_ascii_whitespace();
    let value = match words.next() {
        Some("inf") => "+Inf",
        Some("-inf") => "-Inf",
        value => value.unwrap_or("NaN"),
    };
    push(out, &[" ", value]);
    if let Some(milliseconds) = words.next().and_then(|text| text.parse::<i64>().ok()) {
        let sign = if milliseconds < 0 { "-" } else { "" };
        let milliseconds = milliseconds.unsigned_abs();
        push(out, &[" ", sign, &format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)]);
    }
    out.push('\n');
}

fn push(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use prometheus::{Gauge, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry};

    use super::*;

    #[test]
    fn families_as_the_standard_writes_them() {
        let registry = Registry::new();
        let counters = IntCounterVec::new(Opts::new("a_total", "say \"a\"\nor \\"), &["l"]).unwrap();
        counters.with_label_values(&["x} 1 \"{\n"]).inc();
        let plain = IntCounter::new("b", "plain").unwrap();
        let gauge = Gauge::new("c", "infinite").unwrap();
        gauge.set(f64::INFINITY);
        let histograms =
            HistogramVec::new(HistogramOpts::new("d", "times").buckets(vec![0.5, 1.0]), &["l"]).unwrap();
        histograms.with_label_values(&["y"]).observe(0.75);
        registry.register(Box::new(counters)).unwrap();
        registry.register(Box::new(plain)).unwrap();
        registry.register(Box::new(gauge)).unwrap();
        registry.register(Box::new(histograms)).unwrap();

        let expected = r##"# HELP a say \"a\"\nor \\
# TYPE a counter
a_total{l="x} 1 \"{\n"} 1
# HELP b plain
# TYPE b counter
b_total 0
# HELP c infinite
# TYPE c gauge
c +Inf
# HELP d times
# TYPE d histogram
d_bucket{l="y",le="0.5"} 0
d_bucket{l="y",le="1"} 1
d_bucket{l="y",le="+Inf"} 1
d_sum{l="y"} 0.75
d_count{l="y"} 1
# EOF
"##;
        assert_eq!(encode(&registry.gather()).unwrap(), expected);
    }

    #[test]
    fn values_and_timestamps() {
        for (text, expected) in [
            (" 1.5", " 1.5\n"),
            (" -inf", " -Inf\n"),
            (" NaN", " NaN\n"),
            (" 1 1700000000123", " 1 1700000000.123\n"),
            (" 1 -5", " 1 -0.005\n"),
        ] {
            let mut out = String::new();
            push_value(&mut out, text);
            assert_eq!(out, expected);
        }
    }
}
