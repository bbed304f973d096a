//! Narrow types that are fed only what they read.

use std::ops::{Deref, DerefMut};

use serde::de::DeserializeOwned;

use crate::list::sealed::{FromItem, FromJson, Parts, Text};
use crate::scan::{FieldPath, Plan};
use crate::{DecodeOptions, FieldPathError};

/// A narrow type that names the paths it reads, so that [`Projected`] can spare it everything else.
pub trait Project: DeserializeOwned + Send + 'static {
    /// The fields that are read, as [`FieldPath`]s: `metadata.name`, `status.containerStatuses[].ready`. A path to
    /// an object or array keeps all of it.
    ///
    /// A field that the type reads and that is missing here is missing in the input. Paths that can't be read don't
    /// compile.
    const PATHS: &'static [&'static str];
}

/// A `T` that is read from its own paths alone: the scanner copies those into a small document, and serde never sees
/// the rest. It takes half the time that the narrow type takes without, or that serde_json would take for a text of its
/// own, whose place in the list it doesn't have to find.
///
/// ```
/// use kubewire_rest::{DecodeOptions, Project, Projected, decode_object};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Phase {
///     metadata: Name,
///     status: Status,
/// }
/// #[derive(Deserialize)]
/// struct Name {
///     name: String,
/// }
/// #[derive(Deserialize)]
/// struct Status {
///     phase: String,
/// }
///
/// impl Project for Phase {
///     const PATHS: &'static [&'static str] = &["metadata.name", "status.phase"];
/// }
///
/// let json = br#"{"metadata":{"name":"web-0","uid":"u"},"spec":{},"status":{"phase":"Running","podIP":"10.0.0.1"}}"#;
/// let pod: Projected<Phase> = decode_object(json, &DecodeOptions::default())?;
/// assert_eq!((pod.metadata.name.as_str(), pod.status.phase.as_str()), ("web-0", "Running"));
/// # Ok::<(), kubewire_rest::ItemError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Projected<T>(pub T);

impl<T> Projected<T> {
    /// The value itself.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Projected<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Projected<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Checks paths when the type is compiled.
struct Checked<T>(std::marker::PhantomData<T>);

impl<T: Project> Checked<T> {
    const PATHS: &'static [&'static str] = {
        let mut i = 0;
        while i < T::PATHS.len() {
            assert!(is_path(T::PATHS[i].as_bytes()), "Project::PATHS holds a path that can't be read");
            i += 1;
        }
        T::PATHS
    };
}

impl<T: Project> FromJson for Projected<T> {}

impl<T: Project> FromItem for Projected<T> {
    const IS_LIGHT: bool = true;

    fn plan(_: &DecodeOptions) -> Parts {
        let paths: Result<Vec<FieldPath>, FieldPathError> =
            Checked::<T>::PATHS.iter().map(|path| path.parse()).collect();
        // Only escapes that are none can fail here; without a plan everything is fed, which gives the same.
        Parts(paths.map_or_else(|_| Plan::everything(), |paths| Plan::only(&paths)))
    }

    fn from_item(text: Text<'_>) -> Result<Self, serde_json::Error> {
        text.read().map(Self)
    }
}

/// The grammar of [`FieldPath`], but for what stands inside of quotes.
const fn is_path(path: &[u8]) -> bool {
    let mut at = 0;
    while at < path.len() {
        if path[at] == b'[' {
            at += 1;
            if at < path.len() && path[at] == b'"' {
                at += 1;
                while at < path.len() && path[at] != b'"' {
                    at += if path[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            } else {
                while at < path.len() && path[at].is_ascii_digit() {
                    at += 1;
                }
            }
            if at >= path.len() || path[at] != b']' {
                return false;
            }
            at += 1;
        } else {
            if (path[at] == b'.') == (at == 0) {
                return false;
            }
            if at > 0 {
                at += 1;
            }
            let start = at;
            while at < path.len() && !matches!(path[at], b'.' | b'[' | b']' | b'"') {
                at += 1;
            }
            if at == start {
                return false;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[test]
    fn the_check_while_compiling_agrees_with_the_parser() {
        for path in [
            "",
            "a",
            "a.b",
            "a[]",
            "[].a",
            r#"a["b.c"].d"#,
            r#"["a\"b"]"#,
            "a[0][1].b",
            ".a",
            "a.",
            "a..b",
            "a]",
            "a[",
            "a[x]",
            r#"a["b"#,
            r#"a["b""#,
            "a[]b",
            "a\"",
            "[",
            "]",
            "a.[0]",
            r#"["a"]["b"]"#,
            "größe",
        ] {
            assert_eq!(is_path(path.as_bytes()), path.parse::<FieldPath>().is_ok(), "{path}");
        }
    }

    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Narrow {
        metadata: Name,
        #[serde(default)]
        spec: Option<serde_json::Value>,
        status: Status,
    }

    #[derive(Deserialize, Debug, PartialEq)]
    struct Name {
        name: String,
    }

    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        phase: String,
        container_statuses: Vec<Ready>,
    }

    #[derive(Deserialize, Debug, PartialEq)]
    struct Ready {
        ready: bool,
    }

    impl Project for Narrow {
        const PATHS: &'static [&'static str] =
            &["metadata.name", "status.phase", "status.containerStatuses[].ready"];
    }

    #[test]
    fn pods_projected_equal_pods_narrowed_by_serde() {
        for n in 0..20 {
            let text = kubewire_sample::pod(n).to_string();
            let projected: Projected<Narrow> =
                crate::decode_object(text.as_bytes(), &DecodeOptions::default()).unwrap();
            let narrow: Narrow = serde_json::from_str(&text).unwrap();
            assert_eq!(projected.metadata, narrow.metadata);
            assert_eq!(projected.status, narrow.status);
            // What no path names never reaches the type.
            assert_eq!(projected.spec, None);
        }
    }
}
