//! What must hold before a change lands.

use std::process::Command;

use crate::step::{Error, cargo, output};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only the steps whose name contains this.
    #[arg(long)]
    only: Option<String>,
}

/// The crates that are published, each with whether it has features of its own to be tried without and with.
const CRATES: &[(&str, bool)] = &[
    ("kubewire-config", false),
    ("kubewire-flowcontrol", false),
    ("kubewire-metrics", true),
    ("kubewire-transport", true),
    ("kubewire-rest", true),
];

/// The other examples that come to an end by themselves, with what makes them do so.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("create_configmap", &[]),
    ("apply", &[]),
    ("raw_paths", &[]),
    ("discovery", &[]),
    ("rate_limiter", &[]),
    ("stream_pods", &[]),
    ("protobuf_list", &["--sizes"]),
    ("watch_pods", &["--count", "3"]),
    ("list_watch", &["--count", "3"]),
    ("pod_cache", &["--count", "3"]),
];

const DEPENDENCIES: &str = "dependencies: bans, duplicates, licences and sources";

/// What names a cluster or a real API server: taken away where a step must do without.
const CLUSTER: &[&str] = &[
    "KUBEBUILDER_ASSETS",
    "KUBEWIRE_ENVTEST",
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
];

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let mut steps: Vec<(String, Command)> = Vec::new();
    let mut step = |title: &str, command: Command| steps.push((title.to_owned(), command));

    step("formatting", cargo(&["fmt", "--all", "--check"]));
    step(
        "lints",
        cargo(&["clippy", "--all-targets", "--all-features", "--quiet", "--", "--deny", "warnings"]),
    );
    step("the README's test command, without a cluster", alone(cargo(&["test", "--quiet"])));
    let mut docs = cargo(&["doc", "--no-deps", "--all-features", "--quiet"]);
    docs.env("RUSTDOCFLAGS", "--deny warnings");
    step("docs", docs);
    for (name, has_features) in CRATES {
        step(&format!("{name} alone"), alone(cargo(&["test", "--quiet", "-p", name])));
        if *has_features {
            step(
                &format!("{name} alone, no features"),
                alone(cargo(&["test", "--quiet", "--no-default-features", "-p", name])),
            );
        }
    }
    // With KUBEBUILDER_ASSETS set this is the suite against the real API server; the test's own words on stderr say
    // what was skipped where it is not.
    for (name, has_features) in CRATES {
        if *has_features {
            step(
                &format!("{name} alone, all features, real API server where there is one"),
                cargo(&["test", "--quiet", "--all-features", "-p", name]),
            );
        }
    }
    // A build of its own: every atomic in it is loom's.
    let mut loom = cargo(&["test", "--quiet", "--release", "-p", "kubewire-flowcontrol", "--lib", "loom"]);
    loom.env("RUSTFLAGS", "--cfg loom").env("CARGO_TARGET_DIR", crate::step::root().join("target/loom"));
    step("every interleaving of the limiter's atomics", loom);
    // What the compiler makes of them when it optimises is another program, and the one that users run.
    step(
        "kubewire-rest's unit tests, optimised",
        alone(cargo(&["test", "--quiet", "--release", "--all-features", "-p", "kubewire-rest", "--lib"])),
    );
    // A million requests need an optimised build.
    let mut chaos =
        cargo(&["test", "--quiet", "--release", "--all-features", "-p", "kubewire-rest", "--test", "chaos"]);
    chaos.env("KUBEWIRE_CHAOS_SEEDS", "10").env("KUBEWIRE_CHAOS_REQUESTS", "100000");
    step("chaos: ten seeds of 100,000 requests", chaos);
    step(
        "the examples, real API server where there is one",
        cargo(&["test", "--quiet", "-p", "kubewire-examples", "-p", "kubewire-envtest"]),
    );

    let wanted = |title: &str| args.only.as_ref().is_none_or(|only| title.contains(only.as_str()));
    if wanted(DEPENDENCIES) {
        dependencies()?;
    }
    for (title, command) in &mut steps {
        if wanted(title) {
            crate::step::run(title, command)?;
        }
    }
    if wanted("main job") {
        main_job()?;
    }
    Ok(())
}

/// What `deny.toml` says of dependencies. Advisories are left out: their database is on no package registry.
fn dependencies() -> Result<(), Error> {
    if !cargo(&["deny", "--version"]).output().is_ok_and(|output| output.status.success()) {
        println!("\n=== {DEPENDENCIES}: SKIPPED, `cargo install --locked cargo-deny` makes it run");
        return Ok(());
    }
    // Its warnings are about entries of deny.toml that nothing needs any more.
    let check =
        &["deny", "check", "--deny", "warnings", "--hide-inclusion-graph", "bans", "licenses", "sources"];
    crate::step::run(DEPENDENCIES, &mut cargo(check))
}

/// The README's first command on a machine without a cluster: a table of pods from the embedded API server.
fn main_job() -> Result<(), Error> {
    let home = std::env::temp_dir().join(format!("kubewire-ci-home-{}", std::process::id()));
    std::fs::create_dir_all(&home).map_err(|error| format!("{}: {error}", home.display()))?;
    let mut command = alone(cargo(&["run", "--quiet", "--example", "list_pods"]));
    // Without a kubeconfig, but with the same toolchain.
    for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        if std::env::var_os(name).is_none()
            && let Some(old) = std::env::var_os("HOME")
        {
            command.env(name, std::path::Path::new(&old).join(folder));
        }
    }
    command.env("HOME", &home);
    let table = output("main job: list_pods on the embedded API server", &mut command);
    for (example, args) in EXAMPLES {
        let mut other = alone(cargo(&["run", "--quiet", "--example", example, "--"]));
        other.args(*args);
        other.env("HOME", &home).envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        crate::step::run(&format!("{example} on the embedded API server"), &mut other)?;
    }
    let _ = std::fs::remove_dir_all(&home);
    let table = table?;
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
    if header != ["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"] || lines.count() < 3 {
        return Err("main job: list_pods did not print a table of pods".to_owned());
    }
    Ok(())
}

fn alone(mut command: Command) -> Command {
    for name in CLUSTER {
        command.env_remove(name);
    }
    command
}
