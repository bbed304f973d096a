//! Finding a cluster as kubectl would, and doing without one.

use std::path::PathBuf;

use kubewire_config::{Config, ConfigError, LoadingRules, Overrides};
use kubewire_rest::fake::ApiServer;

/// The flags that choose a cluster and a namespace, as kubectl has them.
#[derive(clap::Args, Debug, Default)]
pub struct ClusterArgs {
    /// The kubeconfig file to use, instead of those in KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context to use, instead of its current one
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// The namespace, instead of the context's
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,
}

/// A cluster to talk to. Where it is the embedded one, it lives as long as this value.
#[derive(Debug)]
pub struct Cluster {
    /// How to reach it.
    pub config: Config,
    /// The embedded API server, where there was no cluster.
    pub embedded: Option<ApiServer>,
}

/// The cluster that the flags, KUBECONFIG, ~/.kube/config or the pod that this runs in name. Where nothing names one, the
/// embedded API server with a few pods, and one line on stderr says so.
///
/// # Errors
/// A cluster that was named and can't be used: only having none is no error.
pub async fn connect(args: &ClusterArgs) -> Result<Cluster, Box<dyn std::error::Error>> {
    let mut rules = LoadingRules::from_env();
    rules.explicit_path.clone_from(&args.kubeconfig);
    let mut overrides = Overrides { current_context: args.context.clone(), ..Overrides::default() };
    overrides.context.namespace.clone_from(&args.namespace);

    match Config::infer_with(&rules, &overrides) {
        Ok(config) => Ok(Cluster { config, embedded: None }),
        Err(error) if is_none(&error, args) => {
            eprintln!("No cluster is configured: using the embedded API server with a few made-up pods.");
            let server = ApiServer::builder().pods(8).start().await?;
            let mut config = server.config();
            if let Some(namespace) = &args.namespace {
                config.namespace.clone_from(namespace);
            }
            Ok(Cluster { config, embedded: Some(server) })
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the error says that nothing names a cluster, as opposed to a cluster that can't be had.
fn is_none(error: &ConfigError, args: &ClusterArgs) -> bool {
    error.is_empty_config() && args.kubeconfig.is_none() && args.context.is_none()
}
