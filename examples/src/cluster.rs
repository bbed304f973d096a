//! Finding a cluster as kubectl would, and doing without one.

use std::path::PathBuf;

use kubewire_config::{Config, ConfigError, LoadingRules, Overrides};
use kubewire_rest::fake::ApiServer;
use kubewire_rest::{GroupVersion, Request, RestClient};

use crate::visitors;

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

/// The flags that choose pods of a cluster.
#[derive(clap::Args, Debug, Default)]
pub struct PodsArgs {
    /// Where they are.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// The pods of all namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
}

/// The flags of programs that go on until they have seen enough.
#[derive(clap::Args, Debug, Default)]
pub struct WatchArgs {
    /// What they look at.
    #[command(flatten)]
    pub pods: PodsArgs,
    /// End after so many changes
    #[arg(long, value_name = "N")]
    pub count: Option<usize>,
}

/// A cluster to talk to. Where it is the embedded one, it lives as long as this value.
#[derive(Debug)]
pub struct Cluster {
    /// How to reach it.
    pub config: Config,
    /// The embedded API server, where there was no cluster.
    pub embedded: Option<ApiServer>,
}

impl Cluster {
    /// Makes pods come and go on the embedded server for as long as the program runs. On any other that is the cluster's
    /// own business.
    pub fn invite_visitors(&self) {
        if let Some(server) = &self.embedded {
            tokio::spawn(visitors::come_and_go(server.objects(), self.config.namespace.clone()));
        }
    }
}

/// Pods of a cluster, and the client that reads them.
#[derive(Debug)]
pub struct Pods {
    /// Where they are.
    pub cluster: Cluster,
    /// The client, for the API version `v1`.
    pub client: RestClient,
    all_namespaces: bool,
}

impl Pods {
    /// Connects to the cluster that the flags name, as [`connect`] does, and makes a client for it.
    ///
    /// # Errors
    /// As [`connect`]; also a configuration that no client can be made of.
    pub async fn connect(args: &PodsArgs) -> Result<Self, Box<dyn std::error::Error>> {
        let cluster = connect(&args.cluster).await?;
        let client = RestClient::for_config(&cluster.config, GroupVersion::V1)?;
        Ok(Self { cluster, client, all_namespaces: args.all_namespaces })
    }

    /// The beginning of a request for these pods. What they are wanted for comes after it.
    pub fn get(&self) -> Request {
        self.client.get().namespace_if(!self.all_namespaces, &self.cluster.config.namespace).resource("pods")
    }
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
