//! The programs in use, so that clients that are configured alike share one and its credential.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::{Plugin, Spec};

// A process has few of them, so that looking through all is quick.
static PLUGINS: Mutex<Vec<Weak<Plugin>>> = Mutex::new(Vec::new());

/// The plugin of `spec`: a new one, unless a client that lives has it already.
pub(super) fn plugin(spec: Spec) -> Arc<Plugin> {
    let mut plugins = PLUGINS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut found = None;
    plugins.retain(|plugin| match plugin.upgrade() {
        Some(plugin) => {
            if plugin.spec == spec {
                found = Some(plugin);
            }
            true
        }
        None => false,
    });
    found.unwrap_or_else(|| {
        let plugin = Arc::new(Plugin::new(spec));
        plugins.push(Arc::downgrade(&plugin));
        plugin
    })
}
