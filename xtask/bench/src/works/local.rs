//! Works without a server.

use std::fmt::Write as _;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use governor::{Quota, RateLimiter as Governor};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kubewire_config::{LoadingRules, Overrides};
use kubewire_flowcontrol::{FastClock, RateLimiter, TokenBucket};

use super::{Bench, Group, KUBE, Work};
use crate::Failure;
use crate::measure::Sample;

const GOVERNOR: &str = "governor";
/// Tries between two looks at the clock.
const TRIES: u64 = 1_000_000;
const CONFIG: &str = "kubeconfig of 1 MB loaded";

pub(super) fn groups() -> Vec<Group> {
    let config = vec![
        Work::kube(CONFIG, |bench| Box::pin(kube_config(bench))),
        Work::kubewire(CONFIG, |bench| Box::pin(config(bench))).against(KUBE, CONFIG),
    ];
    vec![
        limiter::<1, true>("limiter, accepted"),
        limiter::<1, false>("limiter, refused"),
        limiter::<2, true>("limiter, accepted, 2 threads"),
        limiter::<2, false>("limiter, refused, 2 threads"),
        Group { unit: "loads", works: config },
    ]
}

/// So many threads that take from one limiter, which always has a token or never.
fn limiter<const THREADS: usize, const ACCEPTS: bool>(name: &'static str) -> Group {
    const fn limit(accepts: bool) -> Limit {
        if accepts { FULL } else { EMPTY }
    }
    let works = vec![
        Work::new(GOVERNOR, name, |bench| Box::pin(governor(bench, THREADS, limit(ACCEPTS)))),
        Work::kubewire(name, |bench| Box::pin(bucket(bench, THREADS, limit(ACCEPTS))))
            .against(GOVERNOR, name),
    ];
    let spread = |work: Work| if THREADS > 1 { work.spread() } else { work };
    Group { unit: "tries", works: works.into_iter().map(spread).collect() }
}

/// A limiter's settings: the time from one token to the next, and how many it holds.
type Limit = (Duration, NonZeroU32);
/// There is always a token.
const FULL: Limit = (Duration::from_micros(1), NonZeroU32::MAX);
/// There is never one, after the first.
const EMPTY: Limit = (Duration::from_secs(1000), NonZeroU32::MIN);

async fn bucket(bench: Bench, threads: usize, (period, burst): Limit) -> Result<Sample, Failure> {
    let bucket = TokenBucket::with_clock(1.0 / period.as_secs_f64(), burst.get(), FastClock::new())?;
    tries(bench, threads, || _ = black_box(bucket.try_accept())).await
}

async fn governor(bench: Bench, threads: usize, (period, burst): Limit) -> Result<Sample, Failure> {
    let quota = Quota::with_period(period).ok_or("governor has no such quota")?.allow_burst(burst);
    let governor = Governor::direct(quota);
    tries(bench, threads, || drop(black_box(governor.check()))).await
}

async fn tries(bench: Bench, threads: usize, one: impl Fn() + Sync) -> Result<Sample, Failure> {
    let barrier = Barrier::new(threads);
    let many = || {
        barrier.wait();
        (0..TRIES).for_each(|_| one());
    };
    let turn = async || -> Result<u64, Failure> {
        thread::scope(|scope| {
            (1..threads).for_each(|_| drop(scope.spawn(many)));
            many();
        });
        Ok(TRIES * threads as u64)
    };
    bench.meter.measure(turn).await
}

/// A file is read and one of its contexts resolved.
async fn config(bench: Bench) -> Result<Sample, Failure> {
    let file = kubeconfig()?;
    let rules = LoadingRules::explicit(file.path());
    let load = async || -> Result<u64, Failure> {
        black_box(rules.load()?.resolve(&Overrides::default())?);
        Ok(1)
    };
    bench.meter.measure(load).await
}

async fn kube_config(bench: Bench) -> Result<Sample, Failure> {
    let file = kubeconfig()?;
    let load = async || -> Result<u64, Failure> {
        let kubeconfig = Kubeconfig::read_from(file.path())?;
        let options = KubeConfigOptions::default();
        black_box(kube::Config::from_custom_kubeconfig(kubeconfig, &options).await?);
        Ok(1)
    };
    bench.meter.measure(load).await
}

/// A file with 2,000 contexts, a cluster and a user for each.
fn kubeconfig() -> Result<tempfile::NamedTempFile, Failure> {
    const COUNT: u32 = 2000;
    // Base64 of what looks like a certificate from afar: nobody parses it before a client is made.
    let ca = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t".repeat(3);
    let token = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEyMyJ9.eyJzdWIiOiJ1In0".repeat(3);
    let (mut clusters, mut contexts, mut users) = (String::new(), String::new(), String::new());
    for n in 0..COUNT {
        let (high, low) = (n / 250, n % 250);
        writeln!(
            clusters,
            "- cluster:\n    certificate-authority-data: {ca}\n    server: https://10.0.{high}.{low}:6443\n  name: cluster-{n}"
        )?;
        writeln!(
            contexts,
            "- context:\n    cluster: cluster-{n}\n    namespace: ns-{n}\n    user: user-{n}\n  name: context-{n}"
        )?;
        writeln!(users, "- name: user-{n}\n  user:\n    token: {token}")?;
    }
    let current = COUNT / 2;
    let text = format!(
        "apiVersion: v1\nkind: Config\npreferences: {{}}\ncurrent-context: context-{current}\nclusters:\n{clusters}contexts:\n{contexts}users:\n{users}"
    );
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), text)?;
    Ok(file)
}
