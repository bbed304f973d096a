//! Reading Prometheus' text format.

use std::collections::BTreeMap;

/// The value of the sample `series`, written as in the text format.
pub(crate) fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

/// All series and their values, comments left out.
pub(crate) fn all(text: &str) -> BTreeMap<&str, f64> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series, value.parse().unwrap())
        })
        .collect()
}

/// The series that are not zero, but for the ones that run with the clock.
pub(crate) fn non_zero(text: &str) -> Vec<String> {
    let clock = |series: &str| series.starts_with("rest_client_exec_plugin_ttl_seconds");
    let all = all(text).into_iter();
    all.filter(|(series, value)| *value != 0.0 && !clock(series))
        .map(|(series, value)| format!("{series} {value}"))
        .collect()
}
