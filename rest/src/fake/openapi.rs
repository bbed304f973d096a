//! openapi, v3 by group and version and v2 in one piece: what kubectl needs to explain, validate and merge.

use std::collections::BTreeSet;

use http::Response;
use kubewire_transport::Body;
use serde_json::{Map, Value, json};

use super::kinds::{Registry, Resource};
use super::schema::{self, Count, Field, Kind, json_fields};
use super::status::{ApiError, json_response};

/// Answers an openapi path, or says that it is none.
pub(super) fn answer(
    registry: &Registry,
    path: &str,
    accept: &str,
) -> Option<Result<Response<Body>, ApiError>> {
    let rest = path.strip_prefix("/openapi/")?;
    // The forms in protobuf are not served.
    let json = accept.is_empty()
        || accept.contains("json") && !accept.contains("+protobuf")
        || accept.contains("*/*");
    let found = match rest.trim_end_matches('/') {
        _ if !json => return Some(Err(ApiError::not_acceptable())),
        "v2" => v2(registry),
        "v3" => index(registry),
        _ => {
            let mut parts = rest.strip_prefix("v3/")?.split('/');
            let (group, version) = match (parts.next()?, parts.next()?, parts.next()) {
                ("api", version, None) => ("", version),
                ("apis", group, Some(version)) => (group, version),
                _ => return None,
            };
            if !registry.has_version(group, version) {
                return None;
            }
            v3(registry, group, version)
        }
    };
    Some(Ok(json_response(200, &found)))
}

fn prefix(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

fn index(registry: &Registry) -> Value {
    let mut paths = Map::new();
    for resource in registry.all() {
        for version in &resource.versions {
            let path = prefix(&resource.group, version);
            let url = format!("/openapi/v3/{path}?hash={:X}", registry.all().len());
            paths.insert(path, json!({"serverRelativeURL": url}));
        }
    }
    json!({"paths": paths})
}

fn served<'a>(
    registry: &'a Registry,
    group: &'a str,
    version: &'a str,
) -> impl Iterator<Item = &'a Resource> {
    let mine = move |r: &&Resource| r.group == group && r.versions.iter().any(|v| v == version);
    registry.all().iter().map(|r| &**r).filter(mine)
}

fn v3(registry: &Registry, group: &str, version: &str) -> Value {
    let mut writer = Writer::new("#/components/schemas/");
    let mut paths = Map::new();
    for resource in served(registry, group, version) {
        add_paths(&mut paths, resource, version, &mut writer);
    }
    json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "unversioned"}, "paths": paths,
        "components": {"schemas": writer.finish()}})
}

fn v2(registry: &Registry) -> Value {
    let mut writer = Writer::new("#/definitions/");
    let mut paths = Map::new();
    for resource in registry.all() {
        for version in &resource.versions {
            add_paths(&mut paths, resource, version, &mut writer);
        }
    }
    json!({"swagger": "2.0", "info": {"title": "Kubernetes", "version": "unversioned"}, "paths": paths,
        "definitions": writer.finish()})
}

/// The collection's and the object's path of a resource, with the operations that clients look for.
fn add_paths(paths: &mut Map<String, Value>, resource: &Resource, version: &str, writer: &mut Writer) {
    writer.add_resource(resource, version);
    let gvk = json!({"group": resource.group, "version": version, "kind": resource.kind});
    let base = format!(
        "/{}/{}{}",
        prefix(&resource.group, version),
        if resource.namespaced { "namespaces/{namespace}/" } else { "" },
        resource.plural
    );
    let parameter =
        |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string"}, "type": "string"});
    let operation = |action: &str, parameters: &[&str]| {
        let parameters: Vec<Value> = parameters.iter().map(|p| parameter(p)).collect();
        json!({"x-kubernetes-action": action, "x-kubernetes-group-version-kind": gvk, "parameters": parameters,
            "responses": {"200": {"description": "OK"}}})
    };
    let write: &[&str] = &["dryRun", "fieldManager", "fieldValidation"];
    if resource.virtual_only {
        paths.insert(base, json!({"post": operation("post", write)}));
        return;
    }
    paths.insert(
        base.clone(),
        json!({"get": operation("list", &["labelSelector", "fieldSelector", "limit", "continue"]), "post": operation("post", write)}),
    );
    paths.insert(
        format!("{base}/{{name}}"),
        json!({
            "get": operation("get", &[]), "put": operation("put", write), "delete": operation("delete", &["dryRun"]),
            "patch": operation("patch", &["dryRun", "fieldManager", "fieldValidation", "force"]),
        }),
    );
}

/// Collects the schemas that are referred to.
struct Writer {
    /// What stands before a name in a reference.
    refs: &'static str,
    schemas: Map<String, Value>,
    wanted: BTreeSet<&'static str>,
    scalars: BTreeSet<&'static str>,
}

impl Writer {
    fn new(refs: &'static str) -> Self {
        Self { refs, schemas: Map::new(), wanted: BTreeSet::new(), scalars: BTreeSet::new() }
    }

    fn add_resource(&mut self, resource: &Resource, version: &str) {
        let gvk = json!([{"group": resource.group, "version": version, "kind": resource.kind}]);
        let (name, mut schema) = match schema::root(resource, version) {
            Some(root) => (public_name(root), self.describe(root)),
            None => {
                let own = resource.schemas.iter().find(|(v, _)| v == version).map(|(_, s)| s.clone());
                let mut schema = own.unwrap_or_else(|| json!({"type": "object"}));
                schema["properties"]["metadata"] = self.reference("meta.v1.ObjectMeta");
                let group: Vec<&str> = resource.group.rsplit('.').collect();
                (format!("{}.{version}.{}", group.join("."), resource.kind), schema)
            }
        };
        for field in ["apiVersion", "kind"] {
            schema["properties"][field] = json!({"type": "string"});
        }
        schema["x-kubernetes-group-version-kind"] = gvk;
        self.schemas.insert(name, schema);
    }

    fn finish(mut self) -> Map<String, Value> {
        while let Some(name) = self.wanted.pop_first() {
            let key = public_name(name);
            if !self.schemas.contains_key(&key) {
                let described = self.describe(name);
                self.schemas.insert(key, described);
            }
        }
        for name in self.scalars {
            let schema = match name {
                INT_OR_STRING => json!({"type": "string", "format": "int-or-string"}),
                TIME | MICRO_TIME => json!({"type": "string", "format": "date-time"}),
                _ => json!({"type": "string"}),
            };
            self.schemas.insert(name.to_owned(), schema);
        }
        self.schemas
    }

    fn describe(&mut self, name: &'static str) -> Value {
        let fields = json_fields(name);
        let mut properties = Map::new();
        for field in &fields {
            properties.insert(field.name.to_owned(), self.property(field));
        }
        let mut schema = json!({"type": "object", "properties": properties});
        let required: Vec<&str> = fields.iter().filter(|f| f.required).map(|f| f.name).collect();
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }

    fn property(&mut self, field: &'static Field) -> Value {
        let one = self.single(field.kind);
        match field.count {
            Count::One => one,
            Count::Map => json!({"type": "object", "additionalProperties": one}),
            Count::List => {
                let mut list = json!({"type": "array", "items": one});
                match field.keys.as_deref() {
                    None => list["x-kubernetes-list-type"] = "atomic".into(),
                    Some([]) => {
                        list["x-kubernetes-list-type"] = "set".into();
                        list["x-kubernetes-patch-strategy"] = "merge".into();
                    }
                    Some(keys) => {
                        list["x-kubernetes-list-type"] = "map".into();
                        list["x-kubernetes-list-map-keys"] = json!(keys);
                        list["x-kubernetes-patch-strategy"] = "merge".into();
                        list["x-kubernetes-patch-merge-key"] = keys[0].into();
                    }
                }
                list
            }
        }
    }

    fn single(&mut self, kind: Kind) -> Value {
        match kind {
            Kind::String => json!({"type": "string"}),
            Kind::Int32 => json!({"type": "integer", "format": "int32"}),
            Kind::Int64 => json!({"type": "integer", "format": "int64"}),
            Kind::Bool => json!({"type": "boolean"}),
            Kind::Double => json!({"type": "number", "format": "double"}),
            Kind::Bytes => json!({"type": "string", "format": "byte"}),
            Kind::Json => json!({"type": "object"}),
            Kind::Quantity => self.scalar(QUANTITY),
            Kind::IntOrString => self.scalar(INT_OR_STRING),
            Kind::Time => self.scalar(TIME),
            Kind::MicroTime => self.scalar(MICRO_TIME),
            Kind::Type(name) => self.reference(name),
        }
    }

    fn scalar(&mut self, name: &'static str) -> Value {
        self.scalars.insert(name);
        json!({"$ref": format!("{}{name}", self.refs)})
    }

    fn reference(&mut self, name: &'static str) -> Value {
        self.wanted.insert(name);
        json!({"$ref": format!("{}{}", self.refs, public_name(name))})
    }
}

const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
const TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Time";
const MICRO_TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";

/// `core.v1.Pod` under the name that Kubernetes publishes.
fn public_name(name: &str) -> String {
    let group = name.split('.').next().unwrap_or_default();
    match group {
        "meta" => format!("io.k8s.apimachinery.pkg.apis.{name}"),
        "apiextensions" => format!("io.k8s.apiextensions-apiserver.pkg.apis.{name}"),
        "apiregistration" => format!("io.k8s.kube-aggregator.pkg.apis.{name}"),
        _ => format!("io.k8s.api.{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        fn refs(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(map) => {
                    if let Some(Value::String(to)) = map.get("$ref") {
                        found.push(to.clone());
                    }
                    map.values().for_each(|v| refs(v, found));
                }
                Value::Array(list) => list.iter().for_each(|v| refs(v, found)),
                _ => {}
            }
        }
        let mut registry = Registry::builtin();
        registry.register(Resource::namespaced("example.com", "v1", "widgets", "Widget"));
        for document in [v2(&registry), v3(&registry, "apps", "v1"), v3(&registry, "example.com", "v1")] {
            let mut found = Vec::new();
            refs(&document, &mut found);
            assert!(!found.is_empty());
            for to in found {
                let (place, name) = to.trim_start_matches("#/").rsplit_once('/').unwrap();
                let place = document.pointer(&format!("/{place}")).unwrap();
                assert!(place.get(name).is_some(), "{to}");
            }
        }
        assert!(v2(&registry)["definitions"].get("com.example.v1.Widget").is_some());
    }
}
