//! Runs everything: the server, and the works in turns.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Args;
use crate::measure::Sample;
use crate::report::{self, Row};
use crate::works::{self, Group, Work};
use crate::{Failure, cores};

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let groups = selected(args.only.as_deref());
    let works: usize = groups.iter().map(|group| group.works.len()).sum();
    if works == 0 {
        let names = works::all().into_iter().flat_map(|group| group.works).map(|work| work.name);
        let names: Vec<&str> = names.collect();
        return Err(format!("no work has that in its name; there are: {}", names.join("; ")).into());
    }
    let rounds = args.rounds.get() as usize;
    let bar = ProgressBar::new((args.pods.len() * works * (rounds + 1)) as u64)
        .with_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}, {eta} left")?);
    let mut rows = Vec::new();
    for pods in &args.pods {
        bar.set_message("the server's answers");
        let client = Client { server: Server::start(args, pods.get())?, pods: pods.get(), bar: &bar };
        for group in &groups {
            rows.extend(client.measure(group, rounds)?);
        }
    }
    bar.finish_and_clear();
    if args.json {
        report::json(&rows)?;
    } else {
        println!("{}\n", report::about(args));
        report::table(&rows, args.markdown);
    }
    match &args.svg {
        Some(path) => report::plot(&rows, path),
        None => Ok(()),
    }
}

/// The groups, with only those works whose name holds the word, and what they are compared with.
fn selected(word: Option<&str>) -> Vec<Group> {
    let mut groups = works::all();
    let Some(word) = word else { return groups };
    for group in &mut groups {
        let named = |work: &Work| work.name.contains(word);
        let peers: Vec<_> =
            group.works.iter().filter(|work| named(work)).filter_map(|work| work.against).collect();
        group.works.retain(|work| named(work) || peers.contains(&(work.name, work.who)));
    }
    groups.retain(|group| !group.works.is_empty());
    groups
}

/// Starts the processes that do the works.
struct Client<'a> {
    server: Server,
    pods: u64,
    bar: &'a ProgressBar,
}

impl Client<'_> {
    /// Measures the works of a group in turns, and then once more where allocations are counted.
    fn measure(&self, group: &Group, rounds: usize) -> Result<Vec<Row>, Failure> {
        let program = std::env::current_exe()?;
        let counting = program.with_file_name("kubewire-bench-counting");
        let mut samples = vec![Vec::with_capacity(rounds); group.works.len()];
        for _ in 0..rounds {
            for (work, samples) in group.works.iter().zip(&mut samples) {
                samples.push(self.sample(&program, work)?);
            }
        }
        let counted: Vec<Sample> =
            group.works.iter().map(|work| self.sample(&counting, work)).collect::<Result<_, _>>()?;
        Ok(report::rows(group, self.pods, &samples, &counted))
    }

    fn sample(&self, program: &Path, work: &Work) -> Result<Sample, Failure> {
        self.bar.set_message(format!("{}: {}", work.who, work.name));
        let mut command = Command::new(program);
        command.args(["work", work.name, "--who", work.who, "--pods", &self.pods.to_string()]);
        command.arg("--kubeconfig").arg(self.server.kubeconfig());
        if let (Some((_, core)), false) = (cores::for_two(), work.spreads) {
            command.args(["--core", &core.to_string()]);
        }
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("{} can't be run: {error}", program.display()))?;
        if !output.status.success() {
            return Err(format!("{}: {} failed ({})", work.who, work.name, output.status).into());
        }
        self.bar.inc(1);
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// The server's process. It ends when this is dropped, or this process ends.
struct Server {
    process: Child,
    folder: tempfile::TempDir,
}

impl Server {
    fn start(args: &Args, pods: u64) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--pods", &pods.to_string()]).arg("--folder").arg(folder.path());
        if let Some(kubeconfig) = &args.record {
            command.arg("--record").arg(kubeconfig);
        }
        if let Some((core, _)) = cores::for_two() {
            command.args(["--core", &core.to_string()]);
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = process.stdout.take();
        let server = Self { process, folder };
        let mut line = String::new();
        if let Some(stdout) = stdout {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        match line.trim() {
            "ready" => Ok(server),
            _ => Err("the server did not start: it said why above".into()),
        }
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It ends by itself now; there is nobody left to tell if it doesn't.
        let _ = self.process.wait();
    }
}
