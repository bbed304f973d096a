//! Objects and lists in the form that the client asked for.

use bytes::{Bytes, BytesMut};
use http::{Response, header};
use jiff::Timestamp;
use kubewire_transport::Body;
use serde_json::{Value, json};

use super::request::{Call, Route};
use super::schema::{self, proto};
use super::status::{ApiError, bytes_response};
use super::store::Stored;
use super::table;

/// Kubernetes' protobuf.
pub(super) const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// The form of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) media: Media,
    pub(super) shape: Shape,
}

/// How it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Media {
    #[default]
    Json,
    Yaml,
    Protobuf,
}

/// How much of the objects is shown, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shape {
    #[default]
    Full,
    /// PartialObjectMetadata and its list.
    Metadata,
    Table(Include),
}

/// What a row of a table brings of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Include {
    Nothing,
    Metadata,
    Object,
}

impl Form {
    /// Picks the first acceptable form. Protobuf is for objects of the built-in types alone.
    pub(super) fn negotiate(call: &Call, route: &Route) -> Result<Self, ApiError> {
        let accept = call.header(header::ACCEPT);
        if accept.trim().is_empty() {
            return Ok(Self::default());
        }
        let include = match call.param("includeObject") {
            "None" => Include::Nothing,
            "Object" => Include::Object,
            _ => Include::Metadata,
        };
        accept
            .split(',')
            .find_map(|clause| {
                Self::of_clause(clause, include, schema::root(&route.resource, &route.version).is_some())
            })
            .ok_or_else(ApiError::not_acceptable)
    }

    fn of_clause(clause: &str, include: Include, built_in: bool) -> Option<Self> {
        let mut parts = clause.split(';').map(str::trim);
        let media = match parts.next()? {
            "application/json" | "*/*" | "application/*" => Media::Json,
            "application/yaml" => Media::Yaml,
            "application/vnd.kubernetes.protobuf" if built_in => Media::Protobuf,
            _ => return None,
        };
        let (mut kind, mut group, mut version) = ("", "", "");
        for (key, value) in parts.filter_map(|p| p.split_once('=')) {
            match key.trim() {
                "as" => kind = value.trim(),
                "g" => group = value.trim(),
                "v" => version = value.trim(),
                _ => {}
            }
        }
        let known = group == "meta.k8s.io" && matches!(version, "v1" | "v1beta1");
        let shape = match kind {
            "" => Shape::Full,
            "Table" if known => Shape::Table(include),
            "PartialObjectMetadata" | "PartialObjectMetadataList" if known => Shape::Metadata,
            _ => return None,
        };
        (media != Media::Protobuf || shape == Shape::Full).then_some(Self { media, shape })
    }

    fn response(self, code: u16, json: Bytes) -> Result<Response<Body>, ApiError> {
        if self.media != Media::Yaml {
            return Ok(bytes_response(code, "application/json", json));
        }
        let value: Value = serde_json::from_slice(&json).map_err(|e| ApiError::internal(e.to_string()))?;
        let text = serde_yaml::to_string(&value).map_err(|e| ApiError::internal(e.to_string()))?;
        Ok(bytes_response(code, "application/yaml", text))
    }

    /// One object as the answer.
    pub(super) fn object(
        self,
        code: u16,
        route: &Route,
        object: &Stored,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let json = match self.shape {
            Shape::Full if self.media == Media::Protobuf => {
                return protobuf(
                    code,
                    proto::encode(&route.group_version(), &route.resource.kind, &object.value),
                );
            }
            Shape::Full => full(route, object),
            Shape::Metadata => partial(object).to_string().into(),
            Shape::Table(include) => {
                let rows = vec![table::row(route, object, include, now)];
                table::table(route, &rows, &json!({"resourceVersion": object.meta("resourceVersion")}), true)
                    .to_string()
                    .into()
            }
        };
        self.response(code, json)
    }

    /// A value that is no stored object: a scale, a review.
    pub(super) fn value(self, code: u16, value: &Value) -> Result<Response<Body>, ApiError> {
        self.response(code, value.to_string().into())
    }

    /// A list as the answer; `metadata` is the list's own.
    pub(super) fn list<'a>(
        self,
        route: &Route,
        objects: impl Iterator<Item = &'a Stored>,
        metadata: &Value,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let json = match self.shape {
            Shape::Full if self.media == Media::Protobuf => {
                let items = objects.map(|o| &o.value);
                let list = proto::encode_list(&route.group_version(), &route.resource.kind, metadata, items);
                return protobuf(200, list);
            }
            Shape::Full => full_list(route, objects, metadata),
            Shape::Metadata => {
                let items: Vec<Value> = objects.map(partial).collect();
                json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": items})
                    .to_string()
                    .into()
            }
            Shape::Table(include) => {
                let rows: Vec<Value> = objects.map(|o| table::row(route, o, include, now)).collect();
                table::table(route, &rows, metadata, true).to_string().into()
            }
        };
        self.response(200, json)
    }
}

fn protobuf(code: u16, bytes: Option<Vec<u8>>) -> Result<Response<Body>, ApiError> {
    let bytes = bytes.ok_or_else(ApiError::not_acceptable)?;
    Ok(bytes_response(code, PROTOBUF, bytes))
}

/// The object with its kind and the version that the route asks for.
pub(super) fn full(route: &Route, object: &Stored) -> Bytes {
    let mut json = BytesMut::with_capacity(object.tail().len() + 64);
    json.extend_from_slice(head(route).as_bytes());
    json.extend_from_slice(object.tail());
    json.freeze()
}

fn head(route: &Route) -> String {
    format!("{{\"kind\":\"{}\",\"apiVersion\":\"{}\",", route.resource.kind, route.group_version())
}

fn full_list<'a>(route: &Route, objects: impl Iterator<Item = &'a Stored>, metadata: &Value) -> Bytes {
    // The real server leaves kind and version out of the items of its own lists, not of custom ones.
    let item = if route.resource.custom { head(route) } else { "{".to_owned() };
    let mut json = BytesMut::new();
    json.extend_from_slice(
        format!(
            "{{\"kind\":\"{}List\",\"apiVersion\":\"{}\",\"metadata\":{metadata},\"items\":[",
            route.resource.kind,
            route.group_version()
        )
        .as_bytes(),
    );
    for (at, object) in objects.enumerate() {
        if at > 0 {
            json.extend_from_slice(b",");
        }
        json.extend_from_slice(item.as_bytes());
        json.extend_from_slice(object.tail());
    }
    json.extend_from_slice(b"]}");
    json.freeze()
}

/// The object's metadata alone.
pub(super) fn partial(object: &Stored) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.value["metadata"]})
}
