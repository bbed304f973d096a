//! What requests can be asked for beyond their path: options become query parameters.

mod read;
mod write;

pub use read::{GetOptions, ListOptions, PodLogOptions, ResourceVersionMatch};
pub use write::{
    CreateOptions, DeleteOptions, FieldValidation, PatchOptions, PatchType, Preconditions, PropagationPolicy,
    UpdateOptions,
};

/// Options that become query parameters, by [`Request::versioned_params`](crate::Request::versioned_params).
///
/// Fields that are not set are left out; one that was set is sent even when it is zero or empty.
///
/// ```
/// use kubewire_rest::VersionedParams;
///
/// /// The options of a resource of one's own.
/// struct ScanOptions {
///     depth: Option<u32>,
/// }
///
/// impl VersionedParams for ScanOptions {
///     fn each(&self, add: &mut dyn FnMut(&str, &str)) {
///         if let Some(depth) = self.depth {
///             add("depth", &depth.to_string());
///         }
///     }
/// }
/// ```
pub trait VersionedParams {
    /// Calls `add` with the name and value of each parameter.
    fn each(&self, add: &mut dyn FnMut(&str, &str));
}

type Add<'a> = &'a mut dyn FnMut(&str, &str);

fn text(add: Add<'_>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        add(name, value);
    }
}

fn number<N: Into<i64> + Copy>(add: Add<'_>, name: &str, value: Option<N>) {
    if let Some(value) = value {
        add(name, &value.into().to_string());
    }
}

fn boolean(add: Add<'_>, name: &str, value: Option<bool>) {
    if let Some(value) = value {
        add(name, if value { "true" } else { "false" });
    }
}

fn dry_run(add: Add<'_>, wanted: bool) {
    if wanted {
        add("dryRun", "All");
    }
}
