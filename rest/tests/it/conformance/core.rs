//! What takes the core API.

use kubewire_rest::{GroupVersion, List, Object, PatchType, Status};
use serde_json::{Value, json};

use super::Context;

pub async fn config_maps(context: &Context) {
    let name = &context.unique;
    let mut map = Object::new("v1", "ConfigMap", name);
    map.fields.insert("data".to_owned(), json!({"a": "1"}));
    let maps = || context.core.post().namespace("default").resource("configmaps");
    let created: Object = maps().body(&map).send().await.into_object().unwrap();
    assert_eq!(created.pointer("/data/a"), Some(&json!("1")));
    let named =
        |request: kubewire_rest::Request| request.namespace("default").resource("configmaps").name(name);
    let merged: Object = named(context.core.patch(PatchType::Merge))
        .body(&json!({"data": {"b": "2"}}))
        .send()
        .await
        .into_object()
        .unwrap();
    assert_eq!(merged.fields["data"], json!({"a": "1", "b": "2"}));
    let status: Status = named(context.core.delete()).send().await.into_object().unwrap();
    assert_eq!(status.status, Status::SUCCESS);
    assert!(named(context.core.get()).send().await.error().unwrap().is_not_found());
}

pub async fn apply_makes_no_bad_names(context: &Context) {
    let name = "UPPER_case";
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    let apply = context.core.apply("tests").namespace("default").resource("configmaps").name(name);
    let error = apply.body(&map).send().await.check().unwrap_err();
    assert!(error.is_invalid(), "{error}");
    assert_eq!(error.status().unwrap().causes()[0].field, "metadata.name");
}

pub async fn strategic_merge(context: &Context) {
    let name = &context.unique;
    let apps = context.core.for_group_version(GroupVersion::new("apps", "v1"));
    let container = |name: &str, image: &str| json!({"name": name, "image": image});
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [container("a", "a:1"), container("b", "b:1")]},
        }},
    });
    let deployments = |request: kubewire_rest::Request| request.namespace("default").resource("Deployments");
    deployments(apps.post()).body(&deployment).send().await.check().unwrap();
    let patch = json!({"spec": {"template": {"spec": {"containers": [container("b", "b:2")]}}}});
    let patched: Object = deployments(apps.patch(PatchType::StrategicMerge))
        .name(name)
        .body(&patch)
        .send()
        .await
        .into_object()
        .unwrap();
    let containers = patched.pointer("/spec/template/spec/containers").and_then(Value::as_array).unwrap();
    let mut images: Vec<&str> = containers.iter().map(|one| one["image"].as_str().unwrap()).collect();
    images.sort_unstable();
    assert_eq!(images, ["a:1", "b:2"], "lists merge by their keys");

    let scale = json!({"spec": {"replicas": 3}});
    let scaled: Object = deployments(apps.patch(PatchType::Merge))
        .name(name)
        .subresource("scale")
        .body(&scale)
        .send()
        .await
        .into_object()
        .unwrap();
    assert_eq!((scaled.types.kind.as_str(), scaled.pointer("/spec/replicas")), ("Scale", Some(&json!(3))));
    deployments(apps.delete()).name(name).send().await.check().unwrap();
}

pub async fn eviction(context: &Context) {
    let name = &context.unique;
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [{"name": "c", "image": "c"}], "terminationGracePeriodSeconds": 0},
    });
    let pods = |request: kubewire_rest::Request| request.namespace("default").resource("pods");
    pods(context.core.post()).body(&pod).send().await.check().unwrap();
    let eviction = json!({
        "apiVersion": "policy/v1beta1", "kind": "Eviction", "metadata": {"name": name, "namespace": "default"},
    });
    let evict = || pods(context.core.post()).name(name).subresource("eviction").body(&eviction);
    let result = evict().send().await;
    assert!(result.was_created(), "{result:?}");
    assert_eq!(result.into_object::<Status>().unwrap().status, Status::SUCCESS);
    let error = evict().send().await.check().unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

pub async fn token_request(context: &Context) {
    let name = &context.unique;
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
    let accounts = || context.core.post().namespace("default").resource("serviceaccounts");
    accounts().body(&account).send().await.check().unwrap();
    let wanted = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600},
    });
    let given: Object =
        accounts().name(name).subresource("token").body(&wanted).send().await.into_object().unwrap();
    assert!(given.pointer("/status/token").and_then(Value::as_str).is_some_and(|token| !token.is_empty()));
    assert!(given.pointer("/status/expirationTimestamp").is_some());
}

pub async fn self_subject_reviews(context: &Context) {
    let group = context.core.for_group_version(GroupVersion::new("authorization.k8s.io", "v1"));
    let wanted = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "default"}},
    });
    let result = group.post().resource("selfsubjectaccessreviews").body(&wanted).send().await;
    assert!(result.was_created(), "{result:?}");
    let review: Object = result.into_object().unwrap();
    assert_eq!(review.pointer("/status/allowed"), Some(&json!(true)));
    let wanted = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": "default"},
    });
    let review: Object =
        group.post().resource("selfsubjectrulesreviews").body(&wanted).send().await.into_object().unwrap();
    assert!(
        review
            .pointer("/status/resourceRules")
            .and_then(Value::as_array)
            .is_some_and(|rules| !rules.is_empty())
    );
}

pub async fn raw_paths(context: &Context) {
    let version: Value = context.raw.get().abs_path("/version").send().await.into_object().unwrap();
    assert!(version["gitVersion"].as_str().unwrap().starts_with('v'), "{version}");
    assert_eq!(context.raw.get().abs_path("/healthz").send_raw().await.unwrap(), "ok");
    let result = context.raw.get().abs_path("/healthz").send().await;
    assert!(result.content_type().starts_with("text/plain"));
    let error = result.into_object::<Value>().unwrap_err();
    assert!(error.to_string().contains("no decoder"), "{error}");
    // Old servers call this JSON plain text.
    let api = context.raw.get().abs_path("/openapi/v2").send_raw().await.unwrap();
    let api: Value = serde_json::from_slice(&api).unwrap();
    assert_eq!(api["swagger"], json!("2.0"));
    let uri = "/api/v1/namespaces/default/configmaps?limit=1&fieldSelector=metadata.name%3Dnone";
    let list: List<Object> =
        context.raw.get().param("gone", "1").request_uri(uri).send().await.into_object().unwrap();
    assert!(list.items.is_empty());
}

pub async fn metrics_path(context: &Context) {
    let metrics = context.raw.get().abs_path("/metrics").send_raw().await.unwrap();
    assert!(String::from_utf8_lossy(&metrics).contains("# HELP "));
}

pub async fn missing_resource(context: &Context) {
    let result = context.core.get().namespace("default").resource("nosuchthings").send().await;
    let error = result.error().unwrap();
    assert!(error.is_not_found(), "{error}");
    let error = context.core.post().resource("nodes").name("n").send().await.check().unwrap_err();
    assert!(error.is_method_not_supported(), "{error}");
}

pub async fn all_namespaces(context: &Context) {
    let name = &context.unique;
    let space = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    context.core.post().resource("namespaces").body(&space).send().await.check().unwrap();
    for namespace in ["default", name] {
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"test": name}},
        });
        let post = context.core.post().namespace(namespace).resource("configmaps").body(&map);
        post.send().await.check().unwrap();
    }
    let selector = format!("test={name}");
    let list: List<Object> = context
        .core
        .get()
        .namespace_if(true, "")
        .resource("configmaps")
        .param("labelSelector", selector)
        .send()
        .await
        .into_object()
        .unwrap();
    let mut found: Vec<&str> = list.items.iter().map(|map| map.metadata.namespace.as_str()).collect();
    found.sort_unstable();
    let mut wanted = ["default", name.as_str()];
    wanted.sort_unstable();
    assert_eq!(found, wanted);
}
