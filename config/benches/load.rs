//! What it costs to load a large kubeconfig and to resolve one context of it, against what the YAML library takes
//! merely to parse it into a value. Both run in turns in one process, so that a busy machine slows both.
//!
//! Run it with `cargo bench -p kubewire-config`.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use kubewire_config::{LoadingRules, Overrides};

/// A file of about 1 MB: 2,000 contexts, with a cluster and a user each.
fn kubeconfig() -> String {
    let mut text = String::from("apiVersion: v1\nkind: Config\npreferences: {}\ncurrent-context: ctx-1000\n");
    let ca = "TFMwdExTMUNSVWRKVGlCRFJWSlVTVVpKUTBGVVJTMHRMUzB0Q2s1".repeat(2);
    let token = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEyMyJ9.eyJzdWIiOiJ1In0";
    text.push_str("clusters:\n");
    for n in 0..2000 {
        let _ = write!(
            text,
            "- cluster:\n    certificate-authority-data: {ca}\n    server: https://10.0.{}.{}:6443\n  name: cluster-{n}\n",
            n / 250,
            n % 250
        );
    }
    text.push_str("contexts:\n");
    for n in 0..2000 {
        let _ = write!(
            text,
            "- context:\n    cluster: cluster-{n}\n    namespace: ns-{n}\n    user: user-{n}\n  name: ctx-{n}\n"
        );
    }
    text.push_str("users:\n");
    for n in 0..2000 {
        let _ = write!(text, "- name: user-{n}\n  user:\n    token: {token}{token}{token}\n");
    }
    text
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn main() {
    let text = kubeconfig();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, &text).unwrap();
    let rules = LoadingRules::explicit(&path);

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        theirs.push(time(|| drop(black_box(serde_yaml::from_str::<serde_yaml::Value>(&text).unwrap()))));
        ours.push(time(|| {
            let config = rules.load().unwrap().resolve(&Overrides::default()).unwrap();
            assert_eq!(config.namespace, "ns-1000");
            drop(black_box(config));
        }));
    }
    ours.sort();
    theirs.sort();
    let show = |what: &str, times: &[Duration]| {
        println!("{what}: least {:.2?}, median {:.2?}", times[0], times[times.len() / 2]);
    };
    println!("{} bytes, 2,000 contexts", text.len());
    show("load and resolve one", &ours);
    show("serde_yaml::from_str::<Value>", &theirs);
    let ratio = |at: usize| ours[at].as_secs_f64() / theirs[at].as_secs_f64();
    println!("ratio: least {:.2}, median {:.2}", ratio(0), ratio(ours.len() / 2));
}
