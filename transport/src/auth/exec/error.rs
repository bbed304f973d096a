use std::io;
use std::path::PathBuf;

/// Why a credential program gave no credential. Arguments, environment and output are never in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExecError {
    #[error("the plugin policy does not allow the credential program {}", .0.display())]
    Denied(PathBuf),
    #[error("the credential program {} needs the terminal: {reason}", command.display())]
    Interactive { command: PathBuf, reason: String },
    #[error("the credential program {} is not on PATH{help}", command.display())]
    NotFound { command: PathBuf, help: String },
    #[error("the credential program {} can't be run", command.display())]
    Start { command: PathBuf, source: io::Error },
    #[error("what the credential program {} prints can't be read", command.display())]
    Read { command: PathBuf, source: io::Error },
    #[error("the credential program {} printed more than {limit} bytes, which is no credential", command.display())]
    TooLong { command: PathBuf, limit: usize },
    #[error("the credential program {} ended with {}: it says why on stderr", command.display(), ended(*code))]
    Failed {
        command: PathBuf,
        /// `None` when a signal ended it.
        code: Option<i32>,
    },
    #[error("what the credential program {} printed is no credential", command.display())]
    Output { command: PathBuf, source: OutputError },
}

fn ended(code: Option<i32>) -> String {
    code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"))
}

/// What is wrong with a credential program's output.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutputError {
    // The parser's own text may quote what it met.
    #[error("it is no JSON of an ExecCredential (line {line}, column {column})")]
    Json { line: usize, column: usize },
    #[error("its kind is {0:?}, not ExecCredential")]
    Kind(String),
    #[error("its apiVersion is {found:?}, but {expected} is configured")]
    ApiVersion { expected: &'static str, found: String },
    #[error("it has no status")]
    NoStatus,
    #[error("its status holds neither a token nor a client certificate with its key")]
    Nothing,
    #[error("its status holds a client certificate without the key (clientKeyData)")]
    NoKey,
    #[error("its status holds a client key without the certificate (clientCertificateData)")]
    NoCertificate,
    #[error("its client certificate and key can't be used")]
    Pair(#[source] crate::Error),
    #[error("its token holds characters that can't stand in a header")]
    Token,
    #[error("its expirationTimestamp is no RFC 3339 time")]
    Expiration,
}
