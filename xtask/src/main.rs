//! The project's own tasks: `cargo xtask help` lists them.
#![allow(clippy::print_stdout, reason = "a command-line tool")]

mod apiserver;
mod bench;
mod ci;
mod soak;
mod step;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own tasks.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", version)]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that must hold before a change lands: formatting, lints, tests, docs, each crate alone, the examples.
    ///
    /// With KUBEBUILDER_ASSETS set, the suite runs against a real API server too.
    Ci(ci::Args),
    /// Run the embedded API server until Ctrl-C, and print its URL once it is ready.
    Apiserver(apiserver::Args),
    /// Load a real API server that crashes again and again, and show that nothing is lost.
    ///
    /// KUBEBUILDER_ASSETS names the folder of kube-apiserver and etcd.
    Soak(soak::Args),
    /// Measure kubewire beside its peers. Takes some minutes to build the first time, and some to run.
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let result = match Args::parse().task {
        Task::Ci(args) => ci::run(&args),
        Task::Soak(args) => soak::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Apiserver(args) => apiserver::run(&args).map_err(|e| e.to_string()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
