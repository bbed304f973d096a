//! Who asks, and what they may do.

use http::header;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::kinds::Resource;
use super::request::{Call, Route};
use super::status::ApiError;
use super::store::Store;

/// A user as the server knows one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) groups: Vec<String>,
}

impl User {
    pub(super) fn admin(name: &str) -> Self {
        Self::new(name, &["system:masters"])
    }

    pub(super) fn new(name: &str, groups: &[&str]) -> Self {
        let mut groups: Vec<String> = groups.iter().map(|g| (*g).to_owned()).collect();
        groups.push("system:authenticated".to_owned());
        Self { name: name.to_owned(), uid: String::new(), groups }
    }

    pub(super) fn anonymous() -> Self {
        Self {
            name: "system:anonymous".to_owned(),
            uid: String::new(),
            groups: vec!["system:unauthenticated".to_owned()],
        }
    }

    pub(super) fn is_master(&self) -> bool {
        self.groups.iter().any(|g| g == "system:masters")
    }
}

/// The tokens that the server knows.
#[derive(Default)]
pub(super) struct Tokens {
    /// No token is asked for: everybody may do everything.
    open: bool,
    known: Vec<(String, User, Option<Timestamp>)>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("open", &self.open).field("known", &self.known.len()).finish()
    }
}

impl Tokens {
    pub(super) fn new(users: Vec<(String, User)>) -> Self {
        let open = users.is_empty();
        Self { open, known: users.into_iter().map(|(token, user)| (token, user, None)).collect() }
    }

    pub(super) fn add(&mut self, token: String, user: User, until: Option<Timestamp>) {
        self.known.push((token, user, until));
    }

    pub(super) fn remove(&mut self, token: &str) {
        self.known.retain(|(t, ..)| t != token);
    }

    pub(super) fn user_of(&self, token: &str, now: Timestamp) -> Option<User> {
        let (_, user, _) =
            self.known.iter().find(|(t, _, until)| t == token && until.is_none_or(|until| now < until))?;
        Some(user.clone())
    }

    /// The user who speaks, or `None` for a token that nobody has.
    pub(super) fn authenticate(&self, headers: &http::HeaderMap, now: Timestamp) -> Option<User> {
        if self.open && !headers.contains_key(header::AUTHORIZATION) {
            return Some(User::admin("admin"));
        }
        let Some(authorization) = headers.get(header::AUTHORIZATION) else { return Some(User::anonymous()) };
        let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Some(User::anonymous());
        }
        let user = self.user_of(token.trim(), now);
        if self.open { user.or_else(|| Some(User::admin("admin"))) } else { user }
    }
}

/// What somebody wants to do.
#[derive(Debug)]
pub(super) struct Access<'a> {
    pub(super) verb: &'a str,
    pub(super) group: &'a str,
    /// With its subresource: `pods/log`.
    pub(super) resource: String,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

impl<'a> Access<'a> {
    pub(super) fn of(verb: &'a str, route: &'a Route) -> Self {
        let resource = match &route.subresource {
            Some(sub) => format!("{}/{sub}", route.resource.plural),
            None => route.resource.plural.clone(),
        };
        // A namespace is looked at from within itself.
        let own = route.resource.group.is_empty() && route.resource.plural == "namespaces";
        let namespace = if own { route.name() } else { route.namespace() };
        Self { verb, group: &route.resource.group, resource, namespace, name: route.name() }
    }
}

/// Asks the RBAC objects in the store.
pub(super) fn allowed(store: &Store, user: &User, access: &Access<'_>) -> bool {
    // Everybody may ask about themselves.
    let own = access.verb == "create"
        && matches!(
            (access.group, &*access.resource),
            ("authorization.k8s.io", "selfsubjectaccessreviews" | "selfsubjectrulesreviews")
                | ("authentication.k8s.io", "selfsubjectreviews")
        );
    user.is_master()
        || (own && user.groups.iter().any(|g| g == "system:authenticated"))
        || rules(store, user, access.namespace).iter().any(|rule| rule_allows(rule, access))
}

/// Asks the RBAC objects about a path that is no resource.
pub(super) fn path_allowed(store: &Store, user: &User, verb: &str, path: &str) -> bool {
    if user.is_master() || matches!(path, "/version" | "/version/" | "/healthz" | "/livez" | "/readyz") {
        return true;
    }
    let discovery = path == "/api" || path == "/apis" || is_discovery(path);
    if discovery && user.groups.iter().any(|g| g == "system:authenticated") {
        return true;
    }
    rules(store, user, "").iter().any(|rule| {
        has(&rule["verbs"], verb)
            && strings(&rule["nonResourceURLs"]).any(|u| {
                u == "*" || u == path || u.strip_suffix('*').is_some_and(|prefix| path.starts_with(prefix))
            })
    })
}

fn is_discovery(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/apis/") || path.starts_with("/openapi/")
}

/// All rules that hold for a user in a namespace (cluster-wide ones among them).
pub(super) fn rules(store: &Store, user: &User, namespace: &str) -> Vec<Value> {
    const RBAC: &str = "rbac.authorization.k8s.io";
    let listed = |plural: &str, ns: Option<&str>| {
        store.list(&format!("{RBAC}/{plural}"), ns, None).map(|(_, o)| o).unwrap_or_default()
    };
    let mut bindings: Vec<(Value, String)> = listed("clusterrolebindings", None)
        .iter()
        .filter(|b| is_subject(&b.value, user))
        .map(|b| (b.value["roleRef"].clone(), String::new()))
        .collect();
    if !namespace.is_empty() {
        bindings.extend(
            listed("rolebindings", Some(namespace))
                .iter()
                .filter(|b| is_subject(&b.value, user))
                .map(|b| (b.value["roleRef"].clone(), namespace.to_owned())),
        );
    }
    let mut rules = Vec::new();
    for (role, namespace) in bindings {
        let name = role["name"].as_str().unwrap_or_default().to_owned();
        let (plural, ns) =
            if role["kind"] == "Role" { ("roles", namespace) } else { ("clusterroles", String::new()) };
        if let Some(role) = store.get(&format!("{RBAC}/{plural}"), &(ns, name)) {
            rules.extend(role.value["rules"].as_array().cloned().unwrap_or_default());
        }
    }
    rules
}

fn is_subject(binding: &Value, user: &User) -> bool {
    let subjects = binding["subjects"].as_array().map(Vec::as_slice).unwrap_or_default();
    subjects.iter().any(|s| {
        let name = s["name"].as_str().unwrap_or_default();
        match s["kind"].as_str() {
            Some("User") => name == user.name,
            Some("Group") => user.groups.iter().any(|g| g == name),
            Some("ServiceAccount") => {
                user.name
                    == format!("system:serviceaccount:{}:{name}", s["namespace"].as_str().unwrap_or_default())
            }
            _ => false,
        }
    })
}

fn rule_allows(rule: &Value, access: &Access<'_>) -> bool {
    let sub = access.resource.split_once('/').map(|(_, s)| format!("*/{s}"));
    let names: Vec<&str> = strings(&rule["resourceNames"]).collect();
    has(&rule["verbs"], access.verb)
        && has(&rule["apiGroups"], access.group)
        && (has(&rule["resources"], &access.resource) || sub.is_some_and(|s| has(&rule["resources"], &s)))
        && (names.is_empty() || names.contains(&access.name))
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().map(Vec::as_slice).unwrap_or_default().iter().filter_map(Value::as_str)
}

fn has(list: &Value, wanted: &str) -> bool {
    strings(list).any(|s| s == "*" || s == wanted)
}

/// The 403 that the real server gives.
pub(super) fn forbidden(user: &User, access: &Access<'_>, resource: &Resource) -> ApiError {
    let place = if access.namespace.is_empty() || !resource.namespaced {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace \"{}\"", access.namespace)
    };
    let why = format!(
        "User \"{}\" cannot {} resource \"{}\" in API group \"{}\" {place}",
        user.name, access.verb, access.resource, access.group
    );
    ApiError::forbidden(resource, access.name, &why)
}

/// Whom the call acts as, when it asks to and may.
pub(super) fn impersonated(store: &Store, call: &Call) -> Result<Option<User>, ApiError> {
    let header = |name: &str| call.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let name = header("impersonate-user");
    let groups: Vec<&str> =
        call.headers.get_all("impersonate-group").iter().filter_map(|v| v.to_str().ok()).collect();
    if name.is_empty() {
        if !groups.is_empty() || !header("impersonate-uid").is_empty() {
            return Err(ApiError::internal("requested groups or uid without impersonating a user"));
        }
        return Ok(None);
    }
    let check = |resource: &str, name: &str| {
        let access =
            Access { verb: "impersonate", group: "", resource: resource.to_owned(), namespace: "", name };
        if allowed(store, &call.user, &access) {
            return Ok(());
        }
        let resource = Resource::cluster("", "v1", resource, "");
        Err(forbidden(&call.user, &access, &resource))
    };
    check("users", name)?;
    for group in &groups {
        check("groups", group)?;
    }
    let mut user = User::new(name, &groups);
    user.uid = header("impersonate-uid").to_owned();
    Ok(Some(user))
}

/// How reviews show a user.
pub(super) fn describe(user: &User) -> Value {
    let mut info = json!({"username": user.name, "groups": user.groups});
    if !user.uid.is_empty() {
        info["uid"] = user.uid.clone().into();
    }
    info
}
