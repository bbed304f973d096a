//! One of the many: it creates, reads, changes and deletes objects of its own, and keeps account of what it was told.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use kubewire_rest::fake::ApiServer;
use kubewire_rest::{Error, ListOptions, Object as Dynamic, PatchType, RestClient};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::ledger::deletion;

/// How the requests of a round ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    ends: BTreeMap<&'static str, u64>,
    /// Everything that happened, in its order.
    course: u64,
}

impl Trace {
    fn note(&mut self, end: &'static str, at: Duration) {
        *self.ends.entry(end).or_default() += 1;
        for byte in end.bytes().chain(at.as_millis().to_le_bytes()) {
            self.course = (self.course ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (end, count) in &other.ends {
            *self.ends.entry(end).or_default() += count;
        }
        self.course = self.course.wrapping_add(other.course);
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ends: Vec<String> = self.ends.iter().map(|(end, count)| format!("{count} {end}")).collect();
        f.write_str(&ends.join(", "))
    }
}

/// An object that the task knows to be there, unless its deletion was asked for.
pub(crate) struct Object {
    pub(crate) name: String,
    /// The mark of the last write that was acknowledged or seen.
    pub(crate) state: String,
    /// Those of later writes of which nobody knows.
    pub(crate) maybe: Vec<String>,
    pub(crate) deletion_asked: bool,
}

pub(crate) struct Task {
    client: RestClient,
    bound: Duration,
    random: fastrand::Rng,
    trace: Trace,
    started: Instant,
    prefix: String,
    writes: usize,
    pub(crate) namespace: String,
    pub(crate) objects: Vec<Object>,
    pub(crate) asked: Vec<String>,
    pub(crate) acknowledged: Vec<String>,
    /// Creations of which nobody knows.
    pub(crate) unsure: Vec<String>,
    pub(crate) deleted: Vec<String>,
}

/// Each task has one of its own.
pub(crate) fn namespaces(server: &ApiServer) {
    for n in 0..crate::TASKS {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": format!("task-{n}")}});
        server.objects().put(namespace).unwrap();
    }
}

enum End<T> {
    Ok(T),
    Failed(Error),
    Cancelled,
}

impl Task {
    pub(crate) fn new(n: usize, seed: u64, client: RestClient, bound: Duration) -> Self {
        Self {
            client,
            bound,
            random: fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003) + n as u64),
            trace: Trace::default(),
            started: Instant::now(),
            prefix: format!("task-{n}"),
            writes: 0,
            namespace: format!("task-{n}"),
            objects: Vec::new(),
            asked: Vec::new(),
            acknowledged: Vec::new(),
            unsure: Vec::new(),
            deleted: Vec::new(),
        }
    }

    pub(crate) async fn run(mut self, requests: usize) -> (Self, Trace) {
        for _ in 0..requests {
            let some = !self.objects.is_empty();
            match self.random.u32(0..100) {
                0..20 if self.objects.len() < 12 => self.create().await,
                0..35 if some => self.get().await,
                35..45 => self.list().await,
                45..60 if some => self.update().await,
                60..85 if some => self.patch().await,
                85..100 if some => self.delete().await,
                _ => self.list().await,
            }
        }
        let trace = std::mem::take(&mut self.trace);
        (self, trace)
    }

    /// Waits for a request within its bound; a few are given up midway.
    async fn finish<T>(&mut self, request: impl Future<Output = Result<T, Error>>) -> End<T> {
        let patience = match self.random.u32(0..50) {
            0 => self.bound.mul_f64(self.random.f64() / 10.0),
            _ => self.bound + Duration::from_secs(1),
        };
        let end = match tokio::time::timeout(patience, request).await {
            Ok(Ok(value)) => End::Ok(value),
            Ok(Err(error)) => End::Failed(error),
            Err(_) => {
                assert!(patience < self.bound, "a request outlasted its deadline");
                End::Cancelled
            }
        };
        let name = match &end {
            End::Ok(_) => "succeeded",
            End::Failed(error) if error.is_client_timeout() => "timed out",
            End::Failed(error) if error.is_conflict() => "conflicted",
            End::Failed(_) => "failed",
            End::Cancelled => "given up",
        };
        self.trace.note(name, self.started.elapsed());
        end
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.bound
    }

    fn mark(&mut self) -> String {
        self.writes += 1;
        let mark = format!("{}/{}", self.prefix, self.writes);
        self.asked.push(mark.clone());
        mark
    }

    fn pick(&mut self) -> usize {
        self.random.usize(0..self.objects.len())
    }

    async fn create(&mut self) {
        let mark = self.mark();
        // The prefix is each object's own: the server's few random letters may come again.
        let metadata = if self.random.bool() {
            json!({"generateName": format!("made-{}-", self.writes), "annotations": {"mark": mark}})
        } else {
            json!({"name": format!("named-{}", self.writes), "annotations": {"mark": mark}})
        };
        let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}});
        let request = self.client.post().namespace(&self.namespace).resource("configmaps");
        let request = request.body(&body).deadline(self.deadline());
        let answer = async move { request.send().await.into_object::<Dynamic>() };
        match self.finish(answer).await {
            End::Ok(object) => {
                self.acknowledged.push(mark.clone());
                let name = object.metadata.name;
                self.objects.push(Object { name, state: mark, maybe: Vec::new(), deletion_asked: false });
            }
            End::Failed(error) if error.is_already_exists() => panic!("a create was sent twice: {error}"),
            _ => self.unsure.push(mark),
        }
    }

    /// Takes an object for what a read saw.
    fn seen(&mut self, at: usize, object: &Dynamic) {
        let known = &mut self.objects[at];
        let mark = object.metadata.annotations.get("mark").cloned().unwrap_or_default();
        assert!(
            known.state == mark || known.maybe.contains(&mark),
            "{}/{} is at {mark}, not at {} or {:?}",
            self.namespace,
            known.name,
            known.state,
            known.maybe
        );
        known.state = mark;
        known.maybe.clear();
    }

    async fn get(&mut self) {
        let at = self.pick();
        let request = self.client.get().namespace(&self.namespace).resource("configmaps");
        let request = request.name(&self.objects[at].name).deadline(self.deadline());
        let answer = async move { request.send().await.into_object::<Dynamic>() };
        match self.finish(answer).await {
            End::Ok(object) => self.seen(at, &object),
            End::Failed(error) if error.is_not_found() => self.gone(at),
            _ => {}
        }
    }

    /// The server says that an object is not there.
    fn gone(&mut self, at: usize) {
        let object = self.objects.swap_remove(at);
        assert!(object.deletion_asked, "{} is not found", object.name);
        self.deleted.push(object.name);
    }

    async fn list(&mut self) {
        let options = ListOptions { limit: Some(5), ..ListOptions::default() };
        let request = self.client.get().namespace(&self.namespace).resource("configmaps");
        let request = request.versioned_params(&options).deadline(self.deadline());
        if let End::Ok(list) = self.finish(Box::pin(request.all::<Dynamic>())).await {
            for at in (0..self.objects.len()).rev() {
                match list.items.iter().find(|item| item.metadata.name == self.objects[at].name) {
                    Some(item) => self.seen(at, item),
                    None => self.gone(at),
                }
            }
        }
    }

    async fn update(&mut self) {
        let (at, mark) = (self.pick(), self.mark());
        let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": mark},
            "metadata": {"name": self.objects[at].name, "annotations": {"mark": mark}}});
        let request = self.client.put().namespace(&self.namespace).resource("configmaps");
        let request = request.name(&self.objects[at].name).body(&body).deadline(self.deadline());
        let answer = async move { request.send().await.into_object::<Dynamic>() };
        let end = self.finish(answer).await;
        self.wrote(at, mark, end);
    }

    async fn patch(&mut self) {
        let (at, mark) = (self.pick(), self.mark());
        let name = self.objects[at].name.clone();
        // An apply would create an object again that may have been deleted.
        let kinds = if self.objects[at].deletion_asked { 3 } else { 4 };
        let (patch, body): (_, Value) = match self.random.u32(0..kinds) {
            0 => {
                (PatchType::Merge, json!({"metadata": {"annotations": {"mark": mark}}, "data": {"a": null}}))
            }
            1 => (
                PatchType::StrategicMerge,
                json!({"metadata": {"annotations": {"mark": mark}}, "data": {"b": "c"}}),
            ),
            2 => (
                PatchType::Json,
                json!([{"op": "replace", "path": "/metadata/annotations/mark", "value": mark}]),
            ),
            _ => (
                PatchType::Apply,
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "annotations": {"mark": mark}}}),
            ),
        };
        let request = self.client.patch(patch).namespace(&self.namespace).resource("configmaps").name(name);
        let request = match patch {
            PatchType::Apply => request.field_manager("chaos").force(true),
            _ => request,
        };
        let request = request.body(&body).deadline(self.deadline());
        let answer = async move { request.send().await.into_object::<Dynamic>() };
        let end = self.finish(answer).await;
        self.wrote(at, mark, end);
    }

    fn wrote(&mut self, at: usize, mark: String, end: End<Dynamic>) {
        match end {
            End::Ok(object) => {
                self.acknowledged.push(mark.clone());
                self.objects[at].maybe.push(mark);
                self.seen(at, &object);
            }
            End::Failed(error) if error.is_not_found() => self.gone(at),
            _ => self.objects[at].maybe.push(mark),
        }
    }

    async fn delete(&mut self) {
        let at = self.pick();
        let object = &mut self.objects[at];
        let again = std::mem::replace(&mut object.deletion_asked, true);
        let mark = deletion(&self.namespace, &object.name);
        let request = self.client.delete().namespace(&self.namespace).resource("configmaps");
        let request = request.name(&object.name).deadline(self.deadline());
        let answer = async move { request.send().await.raw().map(drop) };
        let end = self.finish(answer).await;
        if !again {
            self.asked.push(mark.clone());
        }
        match end {
            End::Ok(()) => {
                self.acknowledged.push(mark);
                self.gone(at);
            }
            // Only an earlier try can have deleted it.
            End::Failed(error) if error.is_not_found() => {
                assert!(again, "a deletion was sent twice: {error}");
                self.gone(at);
            }
            _ => {}
        }
    }
}
