//! What was measured: as a table, as JSON and as a plot.

mod plot;
mod table;

use serde::Serialize;

pub(crate) use self::plot::plot;
pub(crate) use self::table::table;
use crate::Failure;
use crate::args::Args;
use crate::measure::Sample;
use crate::works::Group;

/// What came of a work: medians over the rounds.
#[derive(Serialize)]
pub(crate) struct Row {
    work: &'static str,
    who: &'static str,
    unit: &'static str,
    pods: u64,
    per_s: f64,
    /// Half of the distance from the slowest round to the fastest, as a part of the median.
    spread: f64,
    cpu_us: f64,
    peak_mib: Option<f64>,
    allocations: Option<f64>,
    /// What it is compared with: another row's `who` and `work`.
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<[&'static str; 2]>,
    /// How many times as much a second as what it is compared with, the median of the rounds' own ratios.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    /// How many times its CPU time.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_ratio: Option<f64>,
    /// How many times its peak memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_ratio: Option<f64>,
}

impl Row {
    /// Its work, and with how many pods if that is asked for.
    fn title(&self, with_pods: bool) -> String {
        if with_pods { format!("{}, {} pods", self.work, self.pods) } else { self.work.to_owned() }
    }
}

/// Whether there are rows of several numbers of pods.
fn several(rows: &[Row]) -> bool {
    rows.iter().any(|row| row.pods != rows[0].pods)
}

impl Sample {
    fn per_s(&self) -> f64 {
        self.units as f64 / self.wall
    }

    fn cpu_us(&self) -> f64 {
        self.cpu * 1e6 / self.units as f64
    }
}

/// Makes rows of a group's samples: for each work those of the rounds, and the one whose allocations were counted.
pub(crate) fn rows(group: &Group, pods: u64, samples: &[Vec<Sample>], counted: &[Sample]) -> Vec<Row> {
    let rows = group.works.iter().zip(samples).zip(counted).map(|((work, own), counted)| {
        let peer = work.against.and_then(|peer| {
            let at = group.works.iter().position(|work| (work.name, work.who) == peer)?;
            Some(&samples[at])
        });
        let ratio = |of: fn(&Sample) -> Option<f64>| {
            let ratios = own.iter().zip(peer?).map(|(own, peer)| Some(of(own)? / of(peer)?));
            // Some works need no memory at all.
            median(ratios.collect::<Option<_>>()?).filter(|ratio| ratio.is_finite())
        };
        let all = |of: fn(&Sample) -> f64| own.iter().map(of).collect::<Vec<f64>>();
        let speeds = all(Sample::per_s);
        let per_s = median(speeds.clone()).unwrap_or(f64::NAN);
        let (low, high) =
            speeds.iter().fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
        Row {
            work: work.name,
            who: work.who,
            unit: group.unit,
            pods,
            per_s,
            spread: (high - low) / 2.0 / per_s,
            cpu_us: median(all(Sample::cpu_us)).unwrap_or(f64::NAN),
            peak_mib: own.iter().map(|sample| sample.peak_mib).collect::<Option<_>>().and_then(median),
            allocations: counted.allocations.map(|count| count as f64 / counted.units as f64),
            against: work.against.map(|(name, who)| [who, name]),
            ratio: ratio(|sample| Some(sample.per_s())),
            cpu_ratio: ratio(|sample| Some(sample.cpu_us())),
            peak_ratio: ratio(|sample| sample.peak_mib),
        }
    });
    rows.collect()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some((lower + upper) / 2.0)
}

/// One object a line.
pub(crate) fn json(rows: &[Row]) -> Result<(), Failure> {
    for row in rows {
        println!("{}", serde_json::to_string(row)?);
    }
    Ok(())
}

/// What is compared, and on what.
pub(crate) fn about(args: &Args) -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let pods = if args.record.is_some() { "recorded pods" } else { "made-up pods" };
    format!(
        "kubewire {} beside kube {}, governor {}; {pods}, {} rounds, {cores} cores of {model}",
        env!("CARGO_PKG_VERSION"),
        locked("kube"),
        locked("governor"),
        args.rounds
    )
}

/// The version of a dependency.
fn locked(name: &str) -> &'static str {
    let lock = include_str!("../../../../Cargo.lock");
    let package = lock.split("[[package]]").find_map(|package| {
        package.trim_start().strip_prefix("name = \"")?.strip_prefix(name)?.strip_prefix("\"\nversion = \"")
    });
    package.and_then(|rest| rest.split('"').next()).unwrap_or("of an unknown version")
}
