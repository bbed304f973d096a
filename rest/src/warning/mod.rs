//! Warnings that the API sends along with its answers.

mod encoded_word;
mod handler;
mod parse;

pub use handler::{LogWarnings, NoWarnings, WarningHandler, WarningWriter};
pub use parse::{Warning, WarningError};

use http::HeaderMap;
use http::header::WARNING;

/// The warnings in an answer's headers. What can't be read is skipped, and told in the debug log.
pub(crate) fn warnings_of(headers: &HeaderMap) -> Vec<Warning> {
    let mut found = Vec::new();
    for value in headers.get_all(WARNING) {
        if let Err(error) = Warning::parse_header(value.as_bytes(), &mut found) {
            tracing::debug!(%error, "a warning of the server can't be read");
        }
    }
    found
}
