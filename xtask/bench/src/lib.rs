//! kubewire and its peers, measured side by side in one run: `cargo xtask bench`. BENCHMARKING.md says how.
#![allow(clippy::print_stdout, reason = "a command-line tool")]

mod args;
mod cores;
mod measure;
mod report;
mod run;
mod server;
mod works;

use std::process::ExitCode;

use clap::Parser as _;

/// What goes wrong ends the program, with a line for a person.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The program. `allocations` tells how many there were so far, where they are counted.
pub fn main(allocations: fn() -> Option<u64>) -> ExitCode {
    let args = args::Args::parse();
    let result = match &args.role {
        None => run::run(&args),
        Some(args::Role::Serve(args)) => server::run(args),
        Some(args::Role::Work(args)) => works::run(args, allocations),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kubewire-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
