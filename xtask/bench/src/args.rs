use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

/// Measures kubewire beside its peers: each work in processes of its own, in turns, against one server that replays
/// answers.
#[derive(clap::Parser)]
#[command(bin_name = "cargo xtask bench", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
    /// How many pods there are to be listed and watched; with several numbers, everything is measured for each
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "2000")]
    pub(crate) pods: Vec<NonZeroU64>,
    /// Serve the pods of the cluster that this kubeconfig names, over and over where they are too few
    #[arg(long, value_name = "KUBECONFIG")]
    pub(crate) record: Option<PathBuf>,
    /// Measure only the works whose name contains WORD, and what they are compared with
    #[arg(long, value_name = "WORD")]
    pub(crate) only: Option<String>,
    /// How often each work is measured
    #[arg(long, value_name = "N", default_value = "5")]
    pub(crate) rounds: NonZeroU32,
    /// Print one JSON object a line
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) json: bool,
    /// Print a table of Markdown
    #[arg(long)]
    pub(crate) markdown: bool,
    /// Draw the ratios here
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

/// What the program's own children do.
#[derive(clap::Subcommand)]
pub(crate) enum Role {
    /// Replay answers until standard input ends.
    #[command(hide = true)]
    Serve(ServeArgs),
    /// Do one work for about a second, and print what it took.
    #[command(hide = true)]
    Work(WorkArgs),
}

#[derive(clap::Args)]
pub(crate) struct ServeArgs {
    /// Where the kubeconfig for the server goes, and its certificate.
    #[arg(long)]
    pub(crate) folder: PathBuf,
    #[arg(long)]
    pub(crate) pods: u64,
    #[arg(long)]
    pub(crate) record: Option<PathBuf>,
    /// The core to run on.
    #[arg(long)]
    pub(crate) core: Option<usize>,
}

#[derive(clap::Args)]
pub(crate) struct WorkArgs {
    pub(crate) name: String,
    #[arg(long)]
    pub(crate) who: String,
    #[arg(long)]
    pub(crate) kubeconfig: PathBuf,
    #[arg(long)]
    pub(crate) pods: u64,
    /// The core to run on.
    #[arg(long)]
    pub(crate) core: Option<usize>,
}
