//! Options as query parameters.

use kubewire_rest::{
    CreateOptions, DeleteOptions, FieldValidation, GetOptions, ListOptions, PatchOptions, PodLogOptions,
    PropagationPolicy, ResourceVersionMatch, UpdateOptions,
};
use serde_json::json;

use crate::building::{client, location};

// BH-R5
#[test]
fn options() {
    let text = |text: &str| Some(text.to_owned());
    let request = || client("h", "").get().abs_path("/");
    let all = ListOptions {
        label_selector: text("a=b,c"),
        field_selector: text("metadata.name=x"),
        limit: Some(0),
        continue_token: text("tok="),
        resource_version: text("0"),
        resource_version_match: Some(ResourceVersionMatch::NotOlderThan),
        timeout_seconds: Some(30),
        watch: Some(true),
        allow_watch_bookmarks: Some(false),
        send_initial_events: Some(true),
    };
    let log = PodLogOptions {
        container: text("c"),
        follow: Some(true),
        previous: Some(false),
        since_seconds: Some(5),
        since_time: Some("2026-11-24T20:00:00Z".parse().unwrap()),
        timestamps: Some(true),
        tail_lines: Some(0),
        limit_bytes: Some(1024),
        insecure_skip_tls_verify_backend: Some(true),
        stream: text("Stdout"),
    };
    let create = CreateOptions {
        dry_run: true,
        field_manager: text("m"),
        field_validation: Some(FieldValidation::Warn),
    };
    let update = UpdateOptions { dry_run: false, field_manager: text(""), field_validation: None };
    let patch = PatchOptions { force: Some(false), field_manager: text("m"), ..PatchOptions::default() };
    let delete = DeleteOptions {
        grace_period_seconds: Some(0),
        propagation_policy: Some(PropagationPolicy::Foreground),
        dry_run: true,
        ..DeleteOptions::default()
    };
    let exact =
        ListOptions { resource_version_match: Some(ResourceVersionMatch::Exact), ..ListOptions::default() };
    for (request, expected) in [
        (request().versioned_params(&ListOptions::default()), "/"),
        (
            request().versioned_params(&all),
            "/?allowWatchBookmarks=false&continue=tok%3D&fieldSelector=metadata.name%3Dx&labelSelector=a%3Db%2Cc&limit=0&\
             resourceVersion=0&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeoutSeconds=30&watch=true",
        ),
        (request().versioned_params(&exact), "/?resourceVersionMatch=Exact"),
        (request().versioned_params(&GetOptions { resource_version: text("5") }), "/?resourceVersion=5"),
        (request().versioned_params(&GetOptions::default()), "/"),
        (
            request().versioned_params(&log),
            "/?container=c&follow=true&insecureSkipTLSVerifyBackend=true&limitBytes=1024&previous=false&sinceSeconds=5&\
             sinceTime=2026-11-24T20%3A00%3A00Z&stream=Stdout&tailLines=0&timestamps=true",
        ),
        (request().versioned_params(&create), "/?dryRun=All&fieldManager=m&fieldValidation=Warn"),
        (request().versioned_params(&update), "/?fieldManager="),
        (request().versioned_params(&patch), "/?fieldManager=m&force=false"),
        (
            request().versioned_params(&delete),
            "/?dryRun=All&gracePeriodSeconds=0&propagationPolicy=Foreground",
        ),
    ] {
        assert_eq!(location(&request), expected);
    }
    let body = serde_json::to_value(&delete).unwrap();
    assert_eq!(body, json!({"gracePeriodSeconds": 0, "propagationPolicy": "Foreground", "dryRun": ["All"]}));
    assert_eq!(serde_json::to_value(DeleteOptions::default()).unwrap(), json!({}));
}
