//! A store kept up to date by a server: the embedded one, and a real one where there is one.

use std::time::Duration;

use kubewire_rest::{Config, GroupVersion, Object, Request, RestClient, Store, StoreChange};
use serde_json::json;
use tokio::time::timeout;

use crate::conformance::server;
use crate::service::Script;

const BOUND: Duration = Duration::from_secs(30);

fn maps(client: &RestClient) -> Request {
    client.get().namespace("stored").resource("configmaps")
}

fn map(name: &str, colour: &str) -> serde_json::Value {
    json!({"metadata": {"name": name, "labels": {"colour": colour}}, "data": {"colour": colour}})
}

async fn keeps_up(config: &Config) {
    let client = RestClient::for_config(config, GroupVersion::V1).unwrap();
    let namespace = json!({"metadata": {"name": "stored"}});
    client.post().resource("namespaces").body(&namespace).send().await.raw().unwrap();
    for n in 0..3 {
        let body = map(&format!("there-{n}"), "blue");
        client.post().namespace("stored").resource("configmaps").body(&body).send().await.raw().unwrap();
    }

    let store = Store::<Object>::new();
    let feed = tokio::spawn({
        let (store, changes) = (store.clone(), maps(&client).list_watch());
        async move { store.feed(changes, |error| panic!("{error}")).await }
    });
    assert!(timeout(BOUND, store.synced()).await.unwrap());
    assert_eq!(store.select(&"colour=blue".parse().unwrap()).len(), 3);
    assert!(!store.resource_version().is_empty());

    let mut changes = store.subscribe();
    let request = |request: Request| request.namespace("stored").resource("configmaps");
    request(client.post()).body(&map("new", "red")).send().await.raw().unwrap();
    request(client.put()).name("new").body(&map("new", "green")).send().await.raw().unwrap();
    request(client.delete()).name("there-0").send().await.raw().unwrap();
    let mut next = async || timeout(BOUND, changes.next()).await.unwrap().unwrap();
    assert!(matches!(next().await, StoreChange::Added(object) if object.name() == "new"));
    let StoreChange::Updated { before, now } = next().await else { panic!("no update") };
    let colour = |object: &kubewire_rest::Encoded<Object>| object.label("colour").unwrap().into_owned();
    assert_eq!((colour(&before), colour(&now)), ("red".to_owned(), "green".to_owned()));
    assert!(matches!(next().await, StoreChange::Removed(object) if object.name() == "there-0"));
    let now = store.get("stored", "new").unwrap();
    assert_eq!(now.str_at("data.colour").unwrap().as_deref(), Some("green"));
    assert!(store.get("stored", "there-0").is_none());

    // What happens while nobody feeds it, the next list-watch brings.
    feed.abort();
    assert!(feed.await.unwrap_err().is_cancelled());
    request(client.delete()).name("there-1").send().await.raw().unwrap();
    let again = store.clone();
    let other = maps(&client).list_watch();
    let feeding = tokio::spawn(async move { again.feed(other, |error| panic!("{error}")).await });
    assert!(matches!(next().await, StoreChange::Removed(object) if object.name() == "there-1"));
    assert!(store.get("stored", "there-1").is_none() && store.get("stored", "there-2").is_some());
    feeding.abort();
}

#[cfg(feature = "fake")]
#[tokio::test]
async fn on_the_embedded_server() {
    keeps_up(&server::fake().await.config()).await;
}

#[tokio::test]
async fn on_a_real_server() {
    let Some(config) = server::core() else { return };
    keeps_up(&config).await;
}

#[tokio::test]
async fn a_list_watch_that_can_not_begin_ends_the_wait() {
    let client = Script::new([]).client();
    let store = Store::<Object>::new();
    let mut errors = Vec::new();
    let wrong = client.get().resource("a/b").list_watch();
    let (synced, ()) =
        tokio::join!(store.synced(), store.feed(wrong, |error| errors.push(error.to_string())));
    assert!(!synced);
    assert!(errors.len() == 1 && errors[0].contains("a/b"), "{errors:?}");
}
