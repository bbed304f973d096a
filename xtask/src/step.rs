//! Running commands, one step after the other, and saying how long each took.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// Why a task ended: one line for a person.
pub(crate) type Error = String;

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.clone(), PathBuf::from)
}

/// `cargo`, the one that runs us, in the workspace's folder.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(args);
    command
}

/// Runs `command`, its output passed through, and fails unless it succeeds.
pub(crate) fn run(title: &str, command: &mut Command) -> Result<(), Error> {
    timed(title, || {
        let status =
            command.status().map_err(|error| format!("{title}: {command:?} can't be run: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("{title}: {command:?} failed ({status})")) }
    })
}

/// Runs `command` and gives its standard output, which is printed too.
pub(crate) fn output(title: &str, command: &mut Command) -> Result<String, Error> {
    timed(title, || {
        let output =
            command.output().map_err(|error| format!("{title}: {command:?} can't be run: {error}"))?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        print!("{stdout}");
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        if output.status.success() {
            Ok(stdout)
        } else {
            Err(format!("{title}: {command:?} failed ({})", output.status))
        }
    })
}

fn timed<T>(title: &str, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    println!("\n=== {title}");
    // The line must stand before what the command writes by itself; a closed stdout is nothing to die of.
    let _ = std::io::stdout().flush();
    let start = Instant::now();
    let result = work();
    println!("=== {title}: {} in {:.0?}", if result.is_ok() { "passed" } else { "FAILED" }, start.elapsed());
    result
}
