//! What any server of custom resources does.

use kubewire_rest::{
    CauseType, DeleteOptions, GroupVersion, List, ListOptions, Object, PartialObjectMetadata,
    PartialObjectMetadataList, PatchType, Preconditions, PropagationPolicy, Status, StatusReason, Table,
    retry_on_conflict,
};
use serde_json::{Value, json};

use super::{API_VERSION, Context, GROUP};

pub async fn create_and_get(context: &Context) {
    let name = &context.unique;
    let created = context.create(name, json!({"colour": "red", "size": 3})).await;
    assert!(!created.metadata.uid.is_empty() && !created.metadata.resource_version.is_empty());
    assert!(created.metadata.creation_timestamp.is_some());

    let result = context.get(name).send().await;
    assert_eq!(result.status_code().unwrap(), 200);
    assert!(!result.was_created() && result.content_type().starts_with("application/"));
    let got: Object = result.into_object().unwrap();
    assert_eq!((got.types.api_version.as_str(), got.types.kind.as_str()), (API_VERSION, "Widget"));
    assert_eq!(got, created);
    assert_eq!(got.pointer("/spec/size"), Some(&json!(3)));

    let bytes = context.get(name).accept("application/json").send_raw().await.unwrap();
    assert_eq!(serde_json::from_slice::<Object>(&bytes).unwrap(), got);
    let yaml: Object = context.get(name).accept("application/yaml").send().await.into_object().unwrap();
    assert_eq!(yaml, got);
}

pub async fn selectors_and_chunks(context: &Context) {
    for index in 0..7 {
        context.create(&format!("{}-{index}", context.unique), json!({"size": index})).await;
    }
    let mut options = ListOptions {
        label_selector: Some(format!("test={},!other", context.unique)),
        limit: Some(3),
        ..ListOptions::default()
    };
    let mut sizes = Vec::new();
    let mut pages = 0;
    loop {
        let page: List<Object> = context
            .widgets
            .get()
            .namespace("default")
            .resource("widgets")
            .versioned_params(&options)
            .send()
            .await
            .into_object()
            .unwrap();
        pages += 1;
        assert!(!page.metadata.resource_version.is_empty());
        sizes.extend(
            page.items.iter().map(|item| item.pointer("/spec/size").and_then(Value::as_i64).unwrap()),
        );
        if page.metadata.continue_token.is_empty() {
            break;
        }
        options.continue_token = Some(page.metadata.continue_token);
    }
    assert_eq!((pages, sizes), (3, (0..7).collect()));

    let one: List<Object> = context
        .list()
        .param("fieldSelector", format!("metadata.name={}-4", context.unique))
        .send()
        .await
        .into_object()
        .unwrap();
    assert_eq!(one.items.len(), 1);
    assert_eq!(one.items[0].metadata.name, format!("{}-4", context.unique));
}

pub async fn update_conflict(context: &Context) {
    let name = &context.unique;
    let first = context.create(name, json!({"size": 1})).await;
    let mut changed = first.clone();
    changed.fields["spec"]["size"] = json!(2);
    let updated: Object = context.put(name).body(&changed).send().await.into_object().unwrap();
    assert_ne!(updated.metadata.resource_version, first.metadata.resource_version);
    assert_eq!(updated.metadata.generation, Some(2));

    let error = context.put(name).body(&changed).send().await.check().unwrap_err();
    assert!(error.is_conflict() && !error.is_already_exists(), "{error}");
    assert_eq!((error.code(), error.reason()), (Some(409), Some(&StatusReason::CONFLICT)));
    let details = error.status().unwrap().details.as_ref().unwrap();
    assert_eq!(
        (details.name.as_str(), details.kind.as_str(), details.group.as_str()),
        (name.as_str(), "widgets", GROUP)
    );
}

pub async fn json_patch(context: &Context) {
    let name = &context.unique;
    context.create(name, json!({"size": 1})).await;
    let patch = json!([
        {"op": "test", "path": "/spec/size", "value": 1},
        {"op": "replace", "path": "/spec/size", "value": 5},
        {"op": "add", "path": "/spec/colour", "value": "blue"},
    ]);
    let patched: Object =
        context.patch(PatchType::Json, name).body(&patch).send().await.into_object().unwrap();
    assert_eq!(patched.fields["spec"], json!({"size": 5, "colour": "blue"}));
    let error = context.patch(PatchType::Json, name).body(&patch).send().await.check().unwrap_err();
    assert!(error.is_invalid(), "the test no longer holds: {error}");
}

pub async fn merge_patch(context: &Context) {
    let name = &context.unique;
    context.create(name, json!({"size": 1, "colour": "red"})).await;
    let patch = json!({"spec": {"colour": null, "size": 9}});
    let patched: Object =
        context.patch(PatchType::Merge, name).body(&patch).send().await.into_object().unwrap();
    assert_eq!(patched.fields["spec"], json!({"size": 9}));
}

pub async fn strategic_merge_is_refused(context: &Context) {
    let name = &context.unique;
    context.create(name, json!({"size": 1})).await;
    let error = context
        .patch(PatchType::StrategicMerge, name)
        .body(&json!({"spec": {}}))
        .send()
        .await
        .check()
        .unwrap_err();
    assert!(error.is_unsupported_media_type(), "{error}");
}

pub async fn apply_conflict_and_force(context: &Context) {
    let name = &context.unique;
    let apply = |manager: &str, spec: Value| {
        let widget =
            json!({"apiVersion": API_VERSION, "kind": "Widget", "metadata": {"name": name}, "spec": spec});
        context.widgets.apply(manager).namespace("default").resource("widgets").name(name).body(&widget)
    };
    let result = apply("first", json!({"size": 1, "colour": "red"})).send().await;
    assert!(result.was_created(), "{result:?}");
    let applied: Object = result.into_object().unwrap();
    assert_eq!(applied.metadata.managed_fields[0].manager, "first");
    assert_eq!(applied.metadata.managed_fields[0].operation, "Apply");

    let error = apply("second", json!({"size": 2})).send().await.check().unwrap_err();
    assert!(error.is_conflict(), "{error}");
    assert!(error.has_status_cause(&CauseType::FIELD_MANAGER_CONFLICT));
    assert!(error.to_string().contains("force(true)"), "{error}");
    assert_eq!(error.status().unwrap().causes()[0].field, ".spec.size");

    let forced: Object = apply("second", json!({"size": 2})).force(true).send().await.into_object().unwrap();
    assert_eq!(forced.fields["spec"], json!({"size": 2, "colour": "red"}));
    // What the first no longer names, and nobody else owns, goes.
    let left: Object = apply("first", json!({})).send().await.into_object().unwrap();
    assert_eq!(left.fields["spec"], json!({"size": 2}));
}

pub async fn status_and_scale(context: &Context) {
    let name = &context.unique;
    let mut widget = context.create(name, json!({"replicas": 2})).await;
    widget.fields.insert("status".to_owned(), json!({"phase": "Ready", "replicas": 2}));
    widget.fields["spec"]["replicas"] = json!(99);
    let updated: Object =
        context.put(name).subresource("status").body(&widget).send().await.into_object().unwrap();
    assert_eq!(updated.pointer("/status/phase"), Some(&json!("Ready")));
    assert_eq!(updated.pointer("/spec/replicas"), Some(&json!(2)), "status does not change the spec");

    let mut scale: Object = context.get(name).subresource("scale").send().await.into_object().unwrap();
    assert_eq!((scale.types.api_version.as_str(), scale.types.kind.as_str()), ("autoscaling/v1", "Scale"));
    assert_eq!(scale.pointer("/status/replicas"), Some(&json!(2)));
    scale.fields["spec"]["replicas"] = json!(5);
    let scaled: Object =
        context.put(name).subresource("scale").body(&scale).send().await.into_object().unwrap();
    assert_eq!(scaled.pointer("/spec/replicas"), Some(&json!(5)));
    let widget: Object = context.get(name).send().await.into_object().unwrap();
    assert_eq!(widget.pointer("/spec/replicas"), Some(&json!(5)));
}

pub async fn delete_preconditions(context: &Context) {
    let name = &context.unique;
    let widget = context.create(name, json!({})).await;
    let with = |uid: &str, resource_version: Option<String>| DeleteOptions {
        preconditions: Some(Preconditions { uid: Some(uid.to_owned()), resource_version }),
        ..DeleteOptions::default()
    };
    for options in
        [with("0e6b7f1a-0000-0000-0000-000000000000", None), with(&widget.metadata.uid, Some("1".to_owned()))]
    {
        let error = context.delete(name).body(&options).send().await.check().unwrap_err();
        assert!(error.is_conflict(), "{error}");
    }
    let good = with(&widget.metadata.uid, Some(widget.metadata.resource_version));
    context.delete(name).body(&good).send().await.check().unwrap();
    assert!(context.get(name).send().await.error().unwrap().is_not_found());
}

pub async fn delete_propagation(context: &Context) {
    let name = &context.unique;
    context.create(name, json!({})).await;
    // Foreground deletion waits for a controller; the finalizer shows that the server understood.
    let options =
        DeleteOptions { propagation_policy: Some(PropagationPolicy::Foreground), ..DeleteOptions::default() };
    context.delete(name).body(&options).send().await.check().unwrap();
    let going: Object = context.get(name).send().await.into_object().unwrap();
    assert!(going.metadata.deletion_timestamp.is_some());
    assert_eq!(going.metadata.finalizers, ["foregroundDeletion"]);
    let patch = json!({"metadata": {"finalizers": null}});
    context.patch(PatchType::Merge, name).body(&patch).send().await.check().unwrap();
    assert!(context.get(name).send().await.error().unwrap().is_not_found());

    context.create(name, json!({})).await;
    let status = context
        .delete(name)
        .propagation_policy(PropagationPolicy::Background)
        .send()
        .await
        .into_object::<Status>()
        .unwrap();
    assert_eq!(status.status, Status::SUCCESS);
    assert!(context.get(name).send().await.error().unwrap().is_not_found());
}

pub async fn delete_collection(context: &Context) {
    for index in 0..3 {
        context.create(&format!("{}-{index}", context.unique), json!({"size": index})).await;
    }
    let delete = |options: ListOptions| {
        context.widgets.delete().namespace("default").resource("widgets").versioned_params(&options)
    };
    let dry = ListOptions { label_selector: Some(format!("test={}", context.unique)), ..Default::default() };
    delete(dry.clone()).dry_run().send().await.check().unwrap();
    let count = |list: List<Object>| list.items.len();
    assert_eq!(count(context.list().send().await.into_object().unwrap()), 3);
    delete(dry).send().await.check().unwrap();
    assert_eq!(count(context.list().send().await.into_object().unwrap()), 0);
}

pub async fn dry_run(context: &Context) {
    let name = &context.unique;
    let widget = context.widget(name, json!({"size": 1}));
    let post = || context.widgets.post().namespace("default").resource("widgets").body(&widget);
    let created: Object = post().dry_run().send().await.into_object().unwrap();
    assert!(!created.metadata.uid.is_empty());
    assert!(context.get(name).send().await.error().unwrap().is_not_found());
    post().send().await.check().unwrap();
    let options = DeleteOptions { dry_run: true, ..DeleteOptions::default() };
    context.delete(name).body(&options).send().await.check().unwrap();
    context.get(name).send().await.check().unwrap();
}

pub async fn deprecated_version_warns(context: &Context) {
    let old = context.widgets.for_group_version(GroupVersion::new(GROUP, "v1alpha1"));
    let result = old.get().namespace("default").resource("widgets").send().await;
    assert!(result.error().is_none(), "{result:?}");
    let warning = &result.warnings()[0];
    assert_eq!((warning.code, warning.text.as_str()), (299, "widgets v1alpha1 are old hat"));
    assert!(context.list().send().await.warnings().is_empty());
}

pub async fn not_found(context: &Context) {
    let error = context.get(&context.unique).send().await.into_object::<Object>().unwrap_err();
    assert!(error.is_not_found() && !error.is_gone());
    let status = error.status().unwrap();
    assert!(status.is_failure() && status.message.contains(&context.unique), "{status:?}");
    let details = status.details.as_ref().unwrap();
    assert_eq!((details.group.as_str(), details.kind.as_str()), (GROUP, "widgets"));
    let text = error.to_string();
    assert!(text.starts_with(&format!("GET /apis/{API_VERSION}/namespaces/default/widgets/")), "{text}");
}

pub async fn already_exists(context: &Context) {
    let widget = context.create(&context.unique, json!({})).await;
    let mut again = widget;
    again.metadata.resource_version.clear();
    again.metadata.uid.clear();
    let error = context
        .widgets
        .post()
        .namespace("default")
        .resource("widgets")
        .body(&again)
        .send()
        .await
        .check()
        .unwrap_err();
    assert!(error.is_already_exists() && !error.is_conflict(), "{error}");
    assert_eq!(error.code(), Some(409));
}

pub async fn invalid(context: &Context) {
    let widget = context.widget(&context.unique, json!({"size": -1, "colour": "mauve"}));
    let post = context.widgets.post().namespace("default").resource("widgets").body(&widget);
    let error = post.send().await.check().unwrap_err();
    assert!(error.is_invalid(), "{error}");
    assert_eq!(error.code(), Some(422));
    let mut fields: Vec<&str> =
        error.status().unwrap().causes().iter().map(|cause| cause.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["spec.colour", "spec.size"]);
    assert!(error.status().unwrap().causes().iter().all(|cause| cause.cause_type.is_well_known()));

    let malformed = context.widgets.post().namespace("default").resource("widgets").body_bytes("{\"a\":");
    let error = malformed.header("Content-Type", "application/json").send().await.check().unwrap_err();
    assert!(error.is_bad_request(), "{error}");
}

pub async fn too_large(context: &Context) {
    // Servers take 3 MiB.
    let widget = context.widget(&context.unique, json!({"note": "n".repeat(3 << 20)}));
    let post = context.widgets.post().namespace("default").resource("widgets").body(&widget);
    let error = post.send().await.check().unwrap_err();
    assert!(error.is_request_entity_too_large(), "{error}");
    assert_eq!((error.code(), error.reason()), (Some(413), Some(&StatusReason::REQUEST_ENTITY_TOO_LARGE)));
    assert!(error.status().unwrap().message.contains("limit is 3145728"), "{error}");
}

pub async fn two_writers(context: &Context) {
    let name = &context.unique;
    context.create(name, json!({"size": 0})).await;
    // Each loses at most as often as the other writes, which is less often than is tried.
    let write = async || {
        for _ in 0..3 {
            retry_on_conflict(async || {
                let mut widget: Object = context.get(name).send().await.into_object()?;
                let size = widget.pointer("/spec/size").and_then(Value::as_i64).unwrap();
                widget.fields["spec"]["size"] = json!(size + 1);
                context.put(name).body(&widget).send().await.check()
            })
            .await
            .unwrap();
        }
    };
    tokio::join!(write(), write());
    let widget: Object = context.get(name).send().await.into_object().unwrap();
    assert_eq!(widget.pointer("/spec/size"), Some(&json!(6)));
}

pub async fn bad_continue_token(context: &Context) {
    context.create(&context.unique, json!({})).await;
    let error = context.list().param("continue", "nonsense").send().await.check().unwrap_err();
    assert!(error.is_bad_request() && !error.is_resource_expired(), "{error}");
    assert!(!error.is_unexpected_server_response(), "the API's own account: {error:?}");
}

pub async fn table(context: &Context) {
    let name = &context.unique;
    context.create(name, json!({"colour": "green"})).await;
    let table: Table = context.get(name).as_table().send().await.into_object().unwrap();
    let columns: Vec<&str> = table.column_definitions.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["Name", "Colour"]);
    assert_eq!(table.rows.len(), 1);
    assert_eq!(table.rows[0].cells, [json!(name), json!("green")]);
    let table: Table = context.list().as_table().send().await.into_object().unwrap();
    assert_eq!(table.rows.len(), 1);
    assert_eq!(table.rows[0].object.as_ref().unwrap()["metadata"]["name"], json!(name));
    // The same answer is no list of widgets.
    let error = context.list().as_table().send().await.into_object::<List<Object>>().unwrap_err();
    assert!(error.is_unexpected_object() && error.to_string().contains("Table"), "{error}");
}

pub async fn partial_metadata(context: &Context) {
    let name = &context.unique;
    context.create(name, json!({"colour": "green"})).await;
    let one: PartialObjectMetadata = context.get(name).as_metadata().send().await.into_object().unwrap();
    assert_eq!((one.types.kind.as_str(), &one.metadata.name), ("PartialObjectMetadata", name));
    let all: PartialObjectMetadataList =
        context.list().as_metadata_list().send().await.into_object().unwrap();
    assert_eq!(all.items.len(), 1);
    assert_eq!(all.items[0].metadata, one.metadata);
    // Without asking, a widget comes, which is no metadata.
    let error = context.get(name).send().await.into_object::<PartialObjectMetadata>().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("Widget") && text.contains("PartialObjectMetadata"), "{text}");
}

pub async fn streams(context: &Context) {
    let name = &context.unique;
    context.create(name, json!({"note": "n".repeat(50_000)})).await;
    let mut stream = context.get(name).accept("application/json").stream().await.unwrap();
    assert_eq!(stream.status_code(), 200);
    let mut whole = Vec::new();
    while let Some(chunk) = stream.chunk().await {
        whole.extend_from_slice(&chunk.unwrap());
    }
    let widget: Object = serde_json::from_slice(&whole).unwrap();
    assert_eq!(&widget.metadata.name, name);
    let error = context.get("no-such-widget").stream().await.map(drop).unwrap_err();
    assert!(error.is_not_found() && error.status().unwrap().message.contains("no-such-widget"), "{error}");
}
