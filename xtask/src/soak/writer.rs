//! A task that writes, and keeps account of what the server acknowledged.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kubewire_rest::{Object, RestClient};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{NAMESPACE, Shared, count};
use crate::step::Error;

const OBJECTS: usize = 20;
const PAUSE: Duration = Duration::from_millis(40);
const TIMEOUT: Duration = Duration::from_secs(10);

/// What is known of an object.
struct Known {
    /// The number that the last acknowledged write, or the last read, put there.
    number: u64,
    version: String,
    /// Numbers that later writes may have put there.
    maybe: Vec<u64>,
    deletion_asked: bool,
}

pub(super) struct Writer {
    client: RestClient,
    shared: Arc<Shared>,
    prefix: String,
    number: u64,
    known: BTreeMap<String, Known>,
    /// Objects whose creation may still come through, and those that may still go.
    unsure: Vec<String>,
    deleted: Vec<String>,
}

impl Writer {
    pub(super) fn new(n: usize, client: RestClient, shared: Arc<Shared>) -> Self {
        let (known, unsure, deleted) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { client, shared, prefix: format!("writer-{n}"), number: 0, known, unsure, deleted }
    }

    pub(super) async fn run(mut self) -> Self {
        while !self.shared.stopped() {
            self.number += 1;
            let oldest = self.known.keys().next().cloned();
            match oldest {
                Some(name) if self.known.len() >= OBJECTS && self.number.is_multiple_of(5) => {
                    self.delete(&name).await;
                }
                _ if self.known.len() < OBJECTS => self.create().await,
                _ => {
                    let at = self.number as usize * 7 % self.known.len();
                    if let Some(name) = self.known.keys().nth(at).cloned() {
                        self.update(&name).await;
                    }
                }
            }
            sleep(PAUSE).await;
        }
        // Whatever is open is settled: writes of unknown outcome carry the version that they change.
        for name in self.known.keys().cloned().collect::<Vec<_>>() {
            self.settle(&name).await;
        }
        self
    }

    fn body(&self, name: &str, version: &str) -> Value {
        let metadata = json!({"name": name, "resourceVersion": version});
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"n": self.number.to_string()}})
    }

    async fn create(&mut self) {
        let name = format!("{}-{:08}", self.prefix, self.number);
        let request = self.client.post().namespace(NAMESPACE).resource("configmaps");
        let request = request.body(&self.body(&name, "")).timeout(TIMEOUT);
        match request.send().await.into_object::<Object>() {
            Ok(object) => {
                count(&self.shared.acknowledged);
                let (number, version) = (self.number, object.metadata.resource_version);
                self.known.insert(name, Known { number, version, maybe: Vec::new(), deletion_asked: false });
            }
            Err(_) => {
                count(&self.shared.unknown);
                self.unsure.push(name);
            }
        }
    }

    async fn update(&mut self, name: &str) {
        let Some(known) = self.known.get(name) else { return };
        let body = self.body(name, &known.version);
        let request = self.client.put().namespace(NAMESPACE).resource("configmaps").name(name);
        let answer = request.body(&body).timeout(TIMEOUT).send().await.into_object::<Object>();
        let number = self.number;
        let Some(known) = self.known.get_mut(name) else { return };
        match answer {
            Ok(object) => {
                count(&self.shared.acknowledged);
                known.number = number;
                known.version = object.metadata.resource_version;
                known.maybe.clear();
            }
            Err(_) => {
                count(&self.shared.unknown);
                known.maybe.push(number);
                self.settle(name).await;
            }
        }
    }

    async fn delete(&mut self, name: &str) {
        if let Some(known) = self.known.get_mut(name) {
            known.deletion_asked = true;
        }
        let request = self.client.delete().namespace(NAMESPACE).resource("configmaps").name(name);
        match request.timeout(TIMEOUT).send().await.raw() {
            Ok(_) => {
                count(&self.shared.acknowledged);
                self.known.remove(name);
                self.deleted.push(name.to_owned());
            }
            Err(_) => {
                count(&self.shared.unknown);
                self.settle(name).await;
            }
        }
    }

    /// Reads an object until the server answers, and takes over what it says.
    async fn settle(&mut self, name: &str) {
        let patience = Instant::now() + Duration::from_secs(120);
        while Instant::now() < patience {
            let request = self.client.get().namespace(NAMESPACE).resource("configmaps").name(name);
            match request.timeout(TIMEOUT).send().await.into_object::<Object>() {
                Ok(object) => {
                    let number = number(&object);
                    if let Some(known) = self.known.get_mut(name)
                        && (number == known.number || known.maybe.contains(&number))
                    {
                        known.version = object.metadata.resource_version;
                    }
                    return;
                }
                Err(error) if error.is_not_found() => {
                    if self.known.get(name).is_some_and(|known| known.deletion_asked) {
                        self.known.remove(name);
                        self.deleted.push(name.to_owned());
                    }
                    return;
                }
                Err(_) => sleep(Duration::from_millis(500)).await,
            }
        }
    }

    /// Whether the last list holds what was acknowledged, and nothing else.
    pub(super) fn check(&self, last: &BTreeMap<String, Object>) -> Result<(), Error> {
        for (name, known) in &self.known {
            match last.get(name) {
                Some(object) => {
                    let found = number(object);
                    if found != known.number && !known.maybe.contains(&found) {
                        let (wanted, maybe) = (known.number, &known.maybe);
                        return Err(format!(
                            "{name} is at {found}; acknowledged was {wanted}, open {maybe:?}"
                        ));
                    }
                }
                None if known.deletion_asked => {}
                None => return Err(format!("{name} was acknowledged and is lost")),
            }
        }
        if let Some(name) = self.deleted.iter().find(|name| last.contains_key(*name)) {
            return Err(format!("{name} was deleted and is there"));
        }
        let own = last.keys().filter(|name| name.starts_with(&format!("{}-", self.prefix)));
        let mut strange = own.filter(|name| !self.known.contains_key(*name) && !self.unsure.contains(*name));
        strange.next().map_or(Ok(()), |name| Err(format!("nobody created {name}")))
    }
}

fn number(object: &Object) -> u64 {
    let data = object.fields.get("data");
    data.and_then(|data| data["n"].as_str()).and_then(|text| text.parse().ok()).unwrap_or(0)
}
