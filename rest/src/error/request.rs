/// What is wrong with a request that was never sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Something that can be set once was set twice.
    #[error("the {what} is {first:?} already and can't become {second:?}")]
    AlreadySet {
        /// Which part.
        what: &'static str,
        /// What it is.
        first: String,
        /// What it was to become.
        second: String,
    },
    /// A part of the path can't be one.
    #[error("the {what} {value:?} can't stand in a path: {why}")]
    Segment {
        /// Which part.
        what: &'static str,
        /// Its value.
        value: String,
        /// Why not.
        why: &'static str,
    },
    /// A name that is empty.
    #[error("the object's name is empty: leave name() out to reach the whole collection")]
    EmptyName,
    /// A namespace that is empty, where one is needed.
    #[error("the namespace is empty: a {verb} {of} needs one")]
    EmptyNamespace {
        /// The HTTP method.
        verb: http::Method,
        /// What it is of.
        of: &'static str,
    },
    /// A version from which a watch can't go on.
    #[error(
        "a watch can't go on from the resourceVersion {0:?}: list first, and begin with the list's resourceVersion"
    )]
    ResourceVersion(String),
    /// A URI that can't be used.
    #[error("the request URI {uri:?} can't be used: {why}")]
    Uri {
        /// The URI.
        uri: String,
        /// Why not.
        why: String,
    },
    /// A header's name or value that HTTP does not allow. The value is not shown.
    #[error("the header {name:?} can't be sent: {why}")]
    Header {
        /// The name.
        name: String,
        /// Why not.
        why: String,
    },
    /// An HTTP method that is no token.
    #[error("{0:?} is no HTTP method")]
    Method(String),
    /// The body could not be encoded.
    #[error("the body can't be encoded: {0}")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no encoder for the content type.
    #[error(
        "there is no encoder for the content type {0:?}: use JSON or YAML (or CBOR, with the feature `cbor`), or give the encoded bytes to body_bytes()"
    )]
    NoEncoder(String),
    /// A path of a field to leave out that can't be read, or can't be left out.
    #[error(transparent)]
    FieldPath(crate::FieldPathError),
    /// A file that could not be read.
    #[error("the body's file {path:?} can't be read: {source}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}
