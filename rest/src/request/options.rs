//! Parameters and headers that are asked for often, by one method each.

use http::HeaderValue;
use http::header::ACCEPT;

use super::Request;
use crate::{FieldValidation, PropagationPolicy};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const PARTIAL: &str = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json";
const PARTIAL_LIST: &str =
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";

impl Request {
    /// The media types that the answer may have, most wanted first, in place of the client's.
    pub fn accept(self, media_types: &str) -> Self {
        self.header(ACCEPT, media_types)
    }

    /// Asks for a [`Table`](crate::Table): the columns and rows that kubectl shows.
    pub fn as_table(self) -> Self {
        self.header(ACCEPT, HeaderValue::from_static(TABLE))
    }

    /// Asks for the object cut down to its metadata: a [`PartialObjectMetadata`](crate::PartialObjectMetadata).
    pub fn as_metadata(self) -> Self {
        self.header(ACCEPT, HeaderValue::from_static(PARTIAL))
    }

    /// Asks for a list of objects cut down to their metadata: a
    /// [`PartialObjectMetadataList`](crate::PartialObjectMetadataList).
    pub fn as_metadata_list(self) -> Self {
        self.header(ACCEPT, HeaderValue::from_static(PARTIAL_LIST))
    }

    /// Only objects whose labels match, as in `app=web,tier in (front, back)`, in place of a selector that was set
    /// before. An empty one is all objects. What is wrong with a selector the server says.
    ///
    /// ```no_run
    /// # async fn run(client: kubewire_rest::RestClient) -> Result<(), kubewire_rest::Error> {
    /// use kubewire_rest::{List, Object};
    ///
    /// let pods = client.get().namespace("shop").resource("pods");
    /// let running: List<Object> = pods.label_selector("app=web").field_selector("status.phase=Running").list().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn label_selector(self, selector: &str) -> Self {
        self.selector("labelSelector", selector)
    }

    /// Only objects whose fields match, as in `status.phase!=Running`, in place of a selector that was set before. An
    /// empty one is all objects. The server has a few fields of each kind to select by, and refuses others.
    pub fn field_selector(self, selector: &str) -> Self {
        self.selector("fieldSelector", selector)
    }

    fn selector(self, name: &str, selector: &str) -> Self {
        self.set(|this| {
            this.set_param(name, Some(selector).filter(|selector| !selector.is_empty()));
            Ok(())
        })
    }

    /// Lets the server check the request and answer as usual, but store nothing.
    pub fn dry_run(self) -> Self {
        self.param("dryRun", "All")
    }

    /// The name under which the request's fields are managed.
    pub fn field_manager(self, manager: &str) -> Self {
        self.param("fieldManager", manager)
    }

    /// Whether a server-side apply takes fields over that other managers own; otherwise, and by default, it is a
    /// conflict.
    pub fn force(self, force: bool) -> Self {
        self.param("force", if force { "true" } else { "false" })
    }

    /// What becomes of fields that the server does not know.
    pub fn field_validation(self, validation: FieldValidation) -> Self {
        self.param("fieldValidation", validation.as_str())
    }

    /// What becomes of the objects that a deleted one owns.
    pub fn propagation_policy(self, policy: PropagationPolicy) -> Self {
        self.param("propagationPolicy", policy.as_str())
    }
}
