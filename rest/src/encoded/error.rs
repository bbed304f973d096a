use crate::FieldPathError;

/// What an [`Encoded`](crate::Encoded) object doesn't give.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodedError {
    /// The object, or the part of it at a path, is not of the type asked for.
    #[error("{object}: {}not of the type asked for: {source}", at(path))]
    Type {
        /// Namespace and name.
        object: String,
        /// The path; empty for the whole object.
        path: String,
        /// What serde_json says.
        source: serde_json::Error,
    },
    /// The object, or the part of it at a path of field numbers, is no message of the type asked for.
    #[cfg(feature = "protobuf")]
    #[error("{object}: {}not of the type asked for: {source}", at_numbers(path))]
    Message {
        /// Namespace and name.
        object: String,
        /// The field numbers; none for the whole object.
        path: Vec<u32>,
        /// What prost says.
        source: prost::DecodeError,
    },
    /// A path can't be read.
    #[error(transparent)]
    Path(#[from] FieldPathError),
}

fn at(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("`{path}` is ") }
}

#[cfg(feature = "protobuf")]
fn at_numbers(path: &[u32]) -> String {
    if path.is_empty() { String::new() } else { format!("field {path:?} is ") }
}
