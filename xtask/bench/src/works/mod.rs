//! What is measured.

mod calls;
mod list;
mod local;
mod peers;
mod store;
mod watch;

use std::future::Future;
use std::pin::Pin;

use kubewire_config::{Config, LoadingRules, Overrides};

use crate::args::WorkArgs;
use crate::measure::{Meter, Sample};
use crate::{Failure, cores};

pub(crate) const KUBEWIRE: &str = "kubewire";
pub(crate) const KUBE: &str = "kube";

/// Works that are measured in turns, and counted in the same unit.
pub(crate) struct Group {
    pub(crate) unit: &'static str,
    /// What is compared with comes before what it is compared to.
    pub(crate) works: Vec<Work>,
}

/// Something that somebody does, measured in a process of its own.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) who: &'static str,
    /// The name and the doer of the work that this is compared with.
    pub(crate) against: Option<(&'static str, &'static str)>,
    /// Whether its process may use all cores.
    pub(crate) spreads: bool,
    run: Run,
}

type Run = fn(Bench) -> Pin<Box<dyn Future<Output = Result<Sample, Failure>>>>;

impl Work {
    fn new(who: &'static str, name: &'static str, run: Run) -> Self {
        Self { name, who, against: None, spreads: false, run }
    }

    fn kubewire(name: &'static str, run: Run) -> Self {
        Self::new(KUBEWIRE, name, run)
    }

    fn kube(name: &'static str, run: Run) -> Self {
        Self::new(KUBE, name, run)
    }

    fn against(self, who: &'static str, name: &'static str) -> Self {
        Self { against: Some((name, who)), ..self }
    }

    fn spread(self) -> Self {
        Self { spreads: true, ..self }
    }
}

/// Everything, the most important first.
pub(crate) fn all() -> Vec<Group> {
    [list::groups(), store::groups(), watch::groups(), calls::groups(), local::groups()]
        .into_iter()
        .flatten()
        .collect()
}

/// What a work has to work with.
struct Bench {
    /// The server's kubeconfig.
    kubeconfig: std::path::PathBuf,
    config: Config,
    /// As many as the server's list has, and events its watch.
    pods: u64,
    meter: Meter,
}

impl Bench {
    /// An error unless a list or a watch gave everything.
    fn all(&self, came: usize) -> Result<u64, Failure> {
        let came = came as u64;
        if came == self.pods { Ok(came) } else { Err(format!("{came} of {} came", self.pods).into()) }
    }
}

/// Does one work, and prints its sample.
pub(crate) fn run(args: &WorkArgs, allocations: fn() -> Option<u64>) -> Result<(), Failure> {
    let works = all().into_iter().flat_map(|group| group.works);
    let work = works
        .into_iter()
        .find(|work| work.name == args.name && work.who == args.who)
        .ok_or_else(|| format!("there is no work {:?} of {}", args.name, args.who))?;
    if let Some(core) = args.core {
        cores::pin(core)?;
    }
    let config = LoadingRules::explicit(&args.kubeconfig).load()?.resolve(&Overrides::default())?;
    let bench =
        Bench { kubeconfig: args.kubeconfig.clone(), config, pods: args.pods, meter: Meter { allocations } };
    let runtime = match work.spreads {
        true => tokio::runtime::Builder::new_multi_thread().enable_all().build()?,
        false => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
    };
    let sample = runtime.block_on((work.run)(bench))?;
    println!("{}", serde_json::to_string(&sample)?);
    Ok(())
}
