//! Which resources there are: the built-in ones, those a test registers, those that CustomResourceDefinitions
//! bring.

use std::sync::Arc;

use serde_json::Value;

/// A resource that the server serves.
///
/// ```
/// use kubewire_rest::fake::Resource;
///
/// let widgets = Resource::namespaced("example.com", "v1", "widgets", "Widget").subresource("status");
/// assert_eq!(widgets.plural(), "widgets");
/// ```
#[derive(Clone, Debug)]
pub struct Resource {
    pub(super) group: String,
    /// Preferred first.
    pub(super) versions: Vec<String>,
    pub(super) plural: String,
    pub(super) singular: String,
    pub(super) kind: String,
    pub(super) namespaced: bool,
    pub(super) short_names: Vec<String>,
    pub(super) categories: Vec<String>,
    pub(super) subresources: Vec<String>,
    /// metadata.generation counts changes of the specification.
    pub(super) generation: bool,
    /// An update of what is not there creates it.
    pub(super) create_on_update: bool,
    /// Only create is served, and nothing is kept.
    pub(super) virtual_only: bool,
    /// From a CustomResourceDefinition or a registration: no defaults, no conversion, items carry their kind.
    pub(super) custom: bool,
    /// What a definition says about columns of tables.
    pub(super) columns: Vec<Value>,
    /// What a definition says about the fields, by version.
    pub(super) schemas: Vec<(String, Value)>,
    /// Versions that are deprecated, with what users are told.
    pub(super) deprecated: Vec<(String, String)>,
    /// Where the scale subresource of a definition finds its values.
    pub(super) scale: Option<Value>,
}

impl Resource {
    /// A resource whose objects live in namespaces. `group` is empty for the core group.
    pub fn namespaced(
        group: impl Into<String>,
        version: impl Into<String>,
        plural: impl Into<String>,
        kind: impl Into<String>,
    ) -> Self {
        let kind = kind.into();
        Self {
            group: group.into(),
            versions: vec![version.into()],
            plural: plural.into(),
            singular: kind.to_lowercase(),
            kind,
            namespaced: true,
            short_names: Vec::new(),
            categories: Vec::new(),
            subresources: Vec::new(),
            generation: true,
            create_on_update: false,
            virtual_only: false,
            custom: true,
            columns: Vec::new(),
            schemas: Vec::new(),
            deprecated: Vec::new(),
            scale: None,
        }
    }

    /// A resource whose objects live in no namespace.
    pub fn cluster(
        group: impl Into<String>,
        version: impl Into<String>,
        plural: impl Into<String>,
        kind: impl Into<String>,
    ) -> Self {
        Self { namespaced: false, ..Self::namespaced(group, version, plural, kind) }
    }

    /// Serves a further version, with the same fields.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.versions.push(version.into());
        self
    }

    /// Serves a subresource: `status` or `scale` (which then reads and writes `spec.replicas`).
    #[must_use]
    pub fn subresource(mut self, name: impl Into<String>) -> Self {
        self.subresources.push(name.into());
        self
    }

    /// Adds a short name, as kubectl takes it.
    #[must_use]
    pub fn short_name(mut self, name: impl Into<String>) -> Self {
        self.short_names.push(name.into());
        self
    }

    /// The name in URLs.
    pub fn plural(&self) -> &str {
        &self.plural
    }

    /// The kind of its objects.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    pub(super) fn group_version(&self, version: &str) -> String {
        if self.group.is_empty() { version.to_owned() } else { format!("{}/{version}", self.group) }
    }

    /// `pods`, `deployments.apps`: the name that messages use.
    pub(super) fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.group, self.plural)
    }

    /// The schema of a custom resource at a version.
    pub(super) fn schema(&self, version: &str) -> Option<&Value> {
        self.schemas.iter().find(|(name, _)| name == version).map(|(_, schema)| schema)
    }

    pub(super) fn has(&self, subresource: &str) -> bool {
        self.subresources.iter().any(|s| s == subresource)
    }

    pub(super) fn verbs(&self) -> &'static [&'static str] {
        match (self.virtual_only, &*self.plural) {
            (true, _) => &["create"],
            (_, "componentstatuses") if self.group.is_empty() => &["get", "list"],
            (_, "namespaces" | "services") if self.group.is_empty() => {
                &["create", "delete", "get", "list", "patch", "update", "watch"]
            }
            _ => &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        }
    }

    /// The resource that a CustomResourceDefinition describes; `None` where it lacks what it needs.
    pub(super) fn from_definition(definition: &Value) -> Option<Self> {
        let spec = definition.get("spec")?;
        let names = spec.get("names")?;
        let text = |v: &Value, k: &str| v.get(k).and_then(Value::as_str).map(str::to_owned);
        let strings = |k: &str| -> Vec<String> {
            let list = names.get(k).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let mut versions: Vec<&Value> = spec
            .get("versions")?
            .as_array()?
            .iter()
            .filter(|v| v.get("served").and_then(Value::as_bool) == Some(true))
            .collect();
        versions.sort_by_key(|v| v.get("storage").and_then(Value::as_bool) != Some(true));
        let first = versions.first()?;
        let kind = text(names, "kind")?;
        let plural = text(names, "plural")?;
        let mut resource = Self::namespaced(text(spec, "group")?, "", plural, kind);
        resource.namespaced = text(spec, "scope").as_deref() != Some("Cluster");
        resource.singular = text(names, "singular").unwrap_or(resource.singular);
        resource.versions = versions.iter().filter_map(|v| text(v, "name")).collect();
        resource.short_names = strings("shortNames");
        resource.categories = strings("categories");
        if let Some(subresources) = first.get("subresources").and_then(Value::as_object) {
            resource.subresources = subresources.keys().cloned().collect();
            resource.scale = subresources.get("scale").cloned();
        }
        resource.columns =
            first.get("additionalPrinterColumns").and_then(Value::as_array).cloned().unwrap_or_default();
        resource.schemas = versions
            .iter()
            .filter_map(|v| Some((text(v, "name")?, v.pointer("/schema/openAPIV3Schema")?.clone())))
            .collect();
        let group_version = |v: &str| resource.group_version(v);
        resource.deprecated = versions
            .iter()
            .filter(|v| v["deprecated"] == true)
            .filter_map(|v| {
                let name = text(v, "name")?;
                let default = format!("{} {} is deprecated", group_version(&name), resource.kind);
                Some((name, text(v, "deprecationWarning").unwrap_or(default)))
            })
            .collect();
        Some(resource)
    }
}

/// All resources, in the order in which discovery lists them.
#[derive(Debug)]
pub(super) struct Registry {
    resources: Vec<Arc<Resource>>,
}

impl Registry {
    pub(super) fn builtin() -> Self {
        let resources = include_str!("kinds.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(parse_line)
            .map(Arc::new)
            .collect();
        Self { resources }
    }

    /// Adds a resource, in the place of one with the same group and name.
    pub(super) fn register(&mut self, resource: Resource) {
        self.unregister(&resource.group, &resource.plural);
        self.resources.push(Arc::new(resource));
    }

    pub(super) fn unregister(&mut self, group: &str, plural: &str) {
        self.resources.retain(|r| r.group != group || r.plural != plural);
    }

    pub(super) fn all(&self) -> &[Arc<Resource>] {
        &self.resources
    }

    pub(super) fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Resource>> {
        self.resources
            .iter()
            .find(|r| r.group == group && r.plural == plural && r.versions.iter().any(|v| v == version))
    }

    pub(super) fn by_kind(&self, api_version: &str, kind: &str) -> Option<&Arc<Resource>> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.resources
            .iter()
            .find(|r| r.group == group && r.kind == kind && r.versions.iter().any(|v| v == version))
    }

    pub(super) fn has_version(&self, group: &str, version: &str) -> bool {
        self.resources.iter().any(|r| r.group == group && r.versions.iter().any(|v| v == version))
    }
}

fn parse_line(line: &str) -> Option<Resource> {
    let mut fields = line.split('|');
    let mut next = || fields.next();
    let list = |text: &str| text.split(',').filter(|s| !s.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let group = next()?;
    let versions = list(next()?);
    let (plural, kind, scope, flags) = (next()?, next()?, next()?, next()?);
    let mut resource = Resource::namespaced(if group == "-" { "" } else { group }, "", plural, kind);
    resource.versions = versions;
    resource.namespaced = scope == "N";
    resource.generation = flags.contains('g');
    resource.create_on_update = flags.contains('u');
    resource.virtual_only = flags.contains('c');
    resource.custom = false;
    resource.short_names = list(next()?);
    resource.categories = list(next()?);
    resource.subresources = list(next()?);
    Some(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_resource() {
        let registry = Registry::builtin();
        let lines = include_str!("kinds.txt").lines().filter(|l| !l.starts_with('#')).count();
        assert_eq!(registry.all().len(), lines);
        let pods = registry.find("", "v1", "pods").unwrap();
        assert_eq!((&*pods.kind, &*pods.singular, pods.namespaced), ("Pod", "pod", true));
        assert!(registry.by_kind("apps/v1", "Deployment").unwrap().has("scale"));
        assert!(registry.find("autoscaling", "v1", "horizontalpodautoscalers").is_some());
    }
}
