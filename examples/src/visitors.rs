//! Something to watch: on the embedded server nothing happens by itself.

use std::time::Duration;

use kubewire_rest::fake::Objects;
use serde_json::json;

/// Makes pods come, run and go, one after the other, until it is dropped.
pub async fn come_and_go(objects: Objects, namespace: String) {
    let pause = || tokio::time::sleep(Duration::from_millis(300));
    for number in 1_u64.. {
        let name = format!("visitor-{number}");
        for phase in ["Pending", "Running"] {
            pause().await;
            let pod = json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"containers": [{"name": "main", "image": "example.com/visitor"}]},
                "status": {"phase": phase},
            });
            if let Err(error) = objects.put(pod) {
                eprintln!("{name} can't be made: {error}");
                return;
            }
        }
        pause().await;
        objects.remove("v1", "Pod", &namespace, &name);
    }
}
