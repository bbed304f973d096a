//! An in-memory API server that speaks real HTTP, for tests and for trying things out.
//!
//! It serves every built-in kind, those that a test registers and those that a CustomResourceDefinition brings.
//! It is a double: there are no controllers, no scheduler and no kubelet behind it.
//!
//! ```
//! use kubewire_rest::fake::ApiServer;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let server = ApiServer::builder().pods(3).start().await?;
//! assert!(server.url().starts_with("http://127.0.0.1:"));
//! assert_eq!(server.objects().list("v1", "Pod", None).len(), 3);
//! // Dropped, it stops.
//! # Ok::<(), std::io::Error>(())
//! # }).unwrap();
//! ```
//!
//! # Beside a real API server
//!
//! kubectl prints the same for nearly everything that it is given to do here and there. Known differences:
//!
//! - There is no controller, scheduler or kubelet: nothing runs, pods stay as they were written, logs and exec are
//!   refused.
//! - The API is that of Kubernetes 1.34, whatever version [`Builder::version`] tells.
//! - Fields have types but no descriptions, so that `kubectl explain` shows bare trees.
//! - A file of `kind: List` needs `--validate=false`: for those kubectl reads the schema in a form of protobuf that is not served.
//! - Of the rules for specifications only the most usual are checked, and a bad name is told alone, before the fields
//!   are looked at.
//! - Messages about selectors, patches and values that can't be read say the same in other words.
//! - A token made for a service account is no JWT.

mod admission;
mod auth;
mod builder;
mod clock;
mod defaults;
mod delete;
mod discovery;
mod faults;
mod fields;
mod kinds;
mod logs;
mod object;
mod objects;
mod openapi;
mod patch;
mod random;
mod read;
mod render;
mod request;
mod reviews;
mod schema;
mod seed;
mod selectors;
mod server;
mod state;
mod status;
mod store;
mod subresources;
mod table;
mod tls;
mod validate;
mod watch;
mod write;

pub use admission::{Operation, Review};
pub use builder::Builder;
pub use clock::Clock;
pub use faults::{ConnectFault, Fault, FaultRule, Faults};
pub use kinds::Resource;
pub use objects::Objects;
pub use server::{ApiServer, Service};
