use std::collections::BTreeMap;

use super::*;
use crate::Object;

fn object(namespace: &str, name: &str, version: u32) -> Encoded<Object> {
    let json = format!(
        r#"{{"metadata":{{"namespace":"{namespace}","name":"{name}","uid":"{namespace}/{name}","resourceVersion":"{version}","labels":{{"app":"{name}"}}}}}}"#
    );
    Encoded::from_json(json.as_bytes()).unwrap()
}

fn fill<K: StoreKey>(store: &Store<Object, K>, objects: &[(&str, &str, u32)]) {
    store.apply(Change::Init);
    for (namespace, name, version) in objects {
        store.apply(Change::Applied(object(namespace, name, *version)));
    }
    store.apply(Change::InitDone);
}

fn names(objects: &[Encoded<Object>]) -> Vec<String> {
    objects.iter().map(|o| format!("{}/{}", o.namespace().unwrap_or_default(), o.name())).collect()
}

#[test]
fn objects_are_found_and_in_order() {
    let store = Store::<Object>::new();
    fill(&store, &[("b", "x", 1), ("a", "z", 2), ("a", "y", 3), ("", "node", 4)]);
    assert_eq!(names(&store.snapshot()), ["/node", "a/y", "a/z", "b/x"]);
    assert_eq!(names(&store.in_namespace("a")), ["a/y", "a/z"]);
    assert_eq!(names(&store.in_namespace("c")), [""; 0]);
    assert_eq!(store.get("a", "z").unwrap().resource_version(), Some("2"));
    assert_eq!(store.get("", "node").unwrap().name(), "node");
    assert!(store.get("a", "x").is_none());
    assert_eq!(names(&store.select(&"app in (x, z)".parse().unwrap())), ["a/z", "b/x"]);
    assert_eq!((store.len(), store.revision(), store.is_synced()), (4, 4, true));

    let by_uid = Store::<Object, ByUid>::by_uid();
    fill(&by_uid, &[("a", "z", 2)]);
    assert_eq!(by_uid.get("a/z").unwrap().name(), "z");
    assert!(by_uid.get("z").is_none());
}

#[tokio::test]
async fn a_new_reading_removes_what_does_not_come_again_and_tells_only_what_changed() {
    let store = Store::<Object>::new();
    fill(&store, &[("a", "stays", 1), ("a", "changes", 2), ("a", "goes", 3)]);
    let mut changes = store.subscribe();
    store.apply(Change::Init);
    store.apply(Change::Applied(object("a", "stays", 1)));
    store.apply(Change::Applied(object("a", "changes", 9)));
    // Until its end, nothing is taken away.
    assert_eq!(store.len(), 3);
    store.apply(Change::InitDone);
    assert_eq!(names(&store.snapshot()), ["a/changes", "a/stays"]);
    let (before, now) = (object("a", "changes", 2), object("a", "changes", 9));
    assert_eq!(changes.next().await, Some(StoreChange::Updated { before, now }));
    assert_eq!(changes.next().await, Some(StoreChange::Removed(object("a", "goes", 3))));
    store.apply(Change::Deleted(object("a", "stays", 10)));
    assert_eq!(changes.next().await, Some(StoreChange::Removed(object("a", "stays", 10))));
    store.apply(Change::Deleted(object("a", "unknown", 11)));
    drop(store);
    assert_eq!(changes.next().await, None);
}

#[tokio::test]
async fn a_slow_subscriber_is_told_what_it_missed() {
    let store = Store::<Object>::new();
    let mut changes = store.subscribe();
    for version in 0..WAITING as u32 + 10 {
        store.apply(Change::Applied(object("a", "x", version)));
    }
    assert_eq!(changes.next().await, Some(StoreChange::Missed(10)));
    assert!(
        matches!(changes.next().await, Some(StoreChange::Updated { now, .. }) if now.resource_version() == Some("10"))
    );
}

#[tokio::test]
async fn synced_waits_for_the_first_reading() {
    let store = Store::<Object>::new();
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.synced().await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished() && !store.is_synced());
    fill(&store, &[]);
    assert!(waiting.await.unwrap());
}

// The store against a map, over any changes.
#[test]
fn it_holds_what_the_changes_say() {
    let mut random = fastrand::Rng::with_seed(3);
    let store = Store::<Object>::new();
    let mut model = BTreeMap::new();
    for round in 0..50 {
        store.apply(Change::Init);
        let mut fresh = BTreeMap::new();
        for _ in 0..random.usize(0..60) {
            let (name, version) = (random.u8(0..40).to_string(), random.u32(..));
            store.apply(Change::Applied(object("n", &name, version)));
            fresh.insert(name, version);
        }
        store.apply(Change::InitDone);
        model = fresh;
        for _ in 0..random.usize(0..200) {
            let (name, version) = (random.u8(0..40).to_string(), random.u32(..));
            if random.bool() {
                store.apply(Change::Applied(object("n", &name, version)));
                model.insert(name, version);
            } else {
                store.apply(Change::Deleted(object("n", &name, version)));
                model.remove(&name);
            }
        }
        let mut held = BTreeMap::new();
        let mut bytes = 0;
        store.for_each(|object| {
            held.insert(object.name().to_owned(), object.resource_version().unwrap().parse().unwrap());
            bytes += object.size() + size_of::<Entry<Object, ByName>>();
        });
        assert_eq!(held, model, "round {round}");
        assert_eq!(store.memory(), bytes);
    }
    assert!(!model.is_empty());
}
