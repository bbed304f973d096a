//! What the server did, beside what the client was told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use kubewire_rest::fake::{Objects, Operation, Review};
use serde_json::Value;

use crate::task::{Object, Task};

/// How often each write was carried out. Every create and change bears its own mark in an annotation; a deletion is
/// known by its object's name.
#[derive(Default)]
pub(crate) struct Ledger {
    done: Mutex<HashMap<String, u32>>,
}

impl Ledger {
    /// Counts the writes as they are carried out.
    pub(crate) fn hook(
        self: &Arc<Self>,
    ) -> impl Fn(&mut Review<'_>) -> Result<(), String> + Send + Sync + 'static {
        let ledger = Arc::clone(self);
        move |review| {
            if review.resource() == "configmaps" {
                let mark = match review.operation {
                    Operation::Delete => {
                        deletion(review.namespace(), review.object["metadata"]["name"].as_str().unwrap())
                    }
                    _ => mark(review.object).to_owned(),
                };
                *ledger.done.lock().unwrap().entry(mark).or_default() += 1;
            }
            Ok(())
        }
    }

    /// Checks one task's account against the store:
    ///
    /// - no write was carried out twice, and each that was acknowledged was carried out;
    /// - each object is as the last acknowledged write left it, or as a later one that may have come through;
    /// - what was acknowledged to be deleted is gone, and nothing is there that nobody created.
    pub(crate) fn settle(&self, task: &Task, objects: &Objects) {
        let done = self.done.lock().unwrap();
        let times = |mark: &str| done.get(mark).copied().unwrap_or(0);
        for mark in &task.asked {
            assert!(times(mark) <= 1, "{mark} was carried out {} times", times(mark));
        }
        for mark in &task.acknowledged {
            assert_eq!(times(mark), 1, "{mark} was acknowledged");
        }
        let stored = objects.list("v1", "ConfigMap", Some(&task.namespace));
        let mut left: HashMap<&str, &Value> =
            stored.iter().map(|object| (object["metadata"]["name"].as_str().unwrap(), object)).collect();
        for Object { name, state, maybe, deletion_asked } in &task.objects {
            let Some(object) = left.remove(&**name) else {
                assert!(*deletion_asked && times(&deletion(&task.namespace, name)) == 1, "{name} was lost");
                continue;
            };
            let now = mark(object);
            assert!(now == state || maybe.iter().any(|m| m == now), "{name} is at {now}, not at {state}");
            assert_eq!(times(&deletion(&task.namespace, name)), 0, "{name} was deleted and is there");
        }
        for name in &task.deleted {
            assert!(!left.contains_key(&**name), "{name} is there again");
        }
        for (name, object) in left {
            // Created without the client's knowing.
            let made = mark(object);
            assert!(task.unsure.iter().any(|m| m == made), "nobody created {name}, made by {made}");
        }
    }
}

pub(crate) fn deletion(namespace: &str, name: &str) -> String {
    format!("deletion of {namespace}/{name}")
}

fn mark(object: &Value) -> &str {
    object["metadata"]["annotations"]["mark"].as_str().unwrap_or_default()
}
