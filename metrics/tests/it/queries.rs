//! The dashboard's queries.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Where dashboard and rules are, from the folder of any package.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../metrics/dashboards")
}

/// The queries of all panels, with what Grafana fills in.
pub(crate) fn queries() -> Vec<String> {
    let text = std::fs::read_to_string(folder().join("grafana.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    targets
        .map(|target| target["expr"].as_str().unwrap().to_owned())
        .map(|query| query.replace("$job", ".*").replace("$host", ".*").replace("$__rate_interval", "1m"))
        .collect()
}
