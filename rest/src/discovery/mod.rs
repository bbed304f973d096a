//! What a server serves: its version, groups, resources, and how kinds map to resources.
//!
//! ```no_run
//! use kubewire_rest::{Config, RestClient};
//! use kubewire_rest::discovery::{Discovery, RestMapper};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = RestClient::builder(&Config::infer()?).unversioned().build()?;
//! let discovery = Discovery::new(&client);
//! println!("{}", discovery.server_version().await?.git_version);
//!
//! let mapper = RestMapper::new(discovery);
//! let deployments = mapper.for_kind("apps", "Deployment").await?;
//! let list = client
//!     .for_group_version(deployments.group_version())
//!     .get()
//!     .namespace_if(deployments.namespaced, "default")
//!     .resource(&deployments.name)
//!     .send()
//!     .await;
//! # Ok(())
//! # }
//! ```

mod aggregated;
mod cache;
mod fetch;
mod mapper;
mod types;
mod unaggregated;

pub use cache::CachedDiscovery;
pub use fetch::Discovery;
pub use mapper::{MapperError, RestMapper};
pub use types::{
    ApiGroup, ApiResource, ApiResources, ApiSubresource, ApiVersion, DiscoveryError, ServerVersion,
};
