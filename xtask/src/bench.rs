//! `cargo xtask bench`: builds the benchmark, peers and all, and runs it.

use std::ffi::OsString;
use std::process::Command;

use crate::step::{Error, cargo};

const BUILD: [&str; 4] = ["--release", "--quiet", "--package", "kubewire-bench"];

#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// What the benchmark is told: --help lists it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    eprintln!("Building the benchmark and its peers: some minutes, the first time.");
    // All of its programs; the one that is run next starts the others.
    step(cargo(&["build"]).args(BUILD).arg("--bins"))?;
    let mut run = cargo(&["run"]);
    step(run.args(BUILD).args(["--bin", "kubewire-bench", "--"]).args(&args.rest))
}

/// Nothing but the command's own output: it is for other programs too.
fn step(command: &mut Command) -> Result<(), Error> {
    let status = command.status().map_err(|error| format!("{command:?} can't be run: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed ({status})")) }
}
