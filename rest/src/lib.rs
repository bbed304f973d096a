//! A Kubernetes REST client: requests, retries, lists, watches and structured errors.
//!
//! ```no_run
//! use kubewire_rest::{Config, GroupVersion, List, ListOptions, Object, RestClient};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::new("http://127.0.0.1:8001"); // or Config::infer()?, as kubectl would find it
//! let client = RestClient::for_config(&config, GroupVersion::new("", "v1"))?;
//! let pods: List<Object> = client
//!     .get()
//!     .namespace("kube-system")
//!     .resource("pods")
//!     .versioned_params(&ListOptions { limit: Some(500), ..Default::default() })
//!     .send()
//!     .await
//!     .into_object()?;
//! for pod in &pods {
//!     println!("{}", pod.metadata.name);
//! }
//! # Ok(())
//! # }
//! ```

mod answer;
#[cfg(feature = "cbor")]
pub mod cbor;
mod client;
mod conflict;
pub mod discovery;
mod encoded;
mod error;
mod execute;
#[cfg(feature = "fake")]
pub mod fake;
mod json;
mod list;
mod list_watch;
mod meta;
mod observe;
mod options;
mod projected;
#[cfg(feature = "protobuf")]
mod protobuf;
mod request;
mod scan;
mod store;
mod trace;
mod warning;
mod watch;

pub use answer::{ByteStream, Lines, MediaType, Result};
pub use client::{Propagate, RestClient, RestClientBuilder};
pub use conflict::retry_on_conflict;
pub use encoded::{Encoded, EncodedError, merge_patch};
pub use error::{ApiError, ClientError, DecodeError, DecodeFault, Error, RequestError, Stage, Target};
pub use execute::{Attempt, BackoffManager, Decision, End, HostBackoff, Outcome, RetryPolicy, StandardRetry};
pub use list::{Decode, DecodeOptions, ItemError, Items, ListDecoder, Pages, decode_object};
pub use list_watch::{Change, ListWatch};
pub use meta::{
    CauseType, GroupVersion, GroupVersionError, List, ListMeta, ManagedFieldsEntry, Object, ObjectMeta,
    OwnerReference, PartialObjectMetadata, PartialObjectMetadataList, Status, StatusCause, StatusDetails,
    StatusReason, Table, TableColumn, TableRow, TableRowCondition, TypeMeta,
};
pub use options::{
    CreateOptions, DeleteOptions, FieldValidation, GetOptions, ListOptions, PatchOptions, PatchType,
    PodLogOptions, Preconditions, PropagationPolicy, ResourceVersionMatch, UpdateOptions, VersionedParams,
};
pub use projected::{Project, Projected};
#[cfg(feature = "protobuf")]
pub use protobuf::{Protobuf, ProtobufError, ProtobufErrorKind};
pub use request::Request;
pub use scan::{FieldPath, FieldPathError, ScanError, ScanErrorKind};
pub use store::{
    ByName, ByUid, LabelSelector, LabelSelectorError, Store, StoreChange, StoreKey, Subscription,
};
pub use warning::{LogWarnings, NoWarnings, Warning, WarningError, WarningHandler, WarningWriter};
pub use watch::{Bookmark, RetryWatch, WatchEvent, WatchStream};

// What the signatures above name.
pub use bytes::Bytes;
pub use http;
pub use jiff::Timestamp;
pub use kubewire_config as config;
pub use kubewire_config::Config;
pub use kubewire_flowcontrol as flowcontrol;
pub use kubewire_flowcontrol::{RateLimiter, TokenBucket, Unlimited, Wait, WaitError};
#[cfg(feature = "metrics")]
pub use kubewire_metrics as metrics;
#[cfg(feature = "metrics")]
pub use kubewire_metrics::ClientMetrics;
pub use kubewire_transport as transport;
pub use kubewire_transport::HttpService;
#[cfg(feature = "protobuf")]
pub use prost;
pub use serde_json;
pub use serde_yaml;
pub use tokio::time::Instant;
pub use url::Url;

#[doc = include_str!("../docs/porting.md")]
pub mod porting {}

#[doc = include_str!("../docs/lists_and_watches.md")]
pub mod lists_and_watches {}
