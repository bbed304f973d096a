//! A token in a file that somebody else keeps fresh, such as a service account's.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use kubewire_config::Secret;
use tokio::io::AsyncReadExt as _;
use tokio::time::Instant;

use super::cell::{Cell, Content, Stamp};
use super::headers::bearer_value;
use crate::{Error, ErrorKind};

/// No token is longer: servers refuse such headers.
const MAX_BYTES: u64 = 1 << 20;

pub(super) struct TokenFile {
    path: Arc<Path>,
    period: Duration,
    cell: Arc<Cell<FileToken, TokenFileError>>,
}

/// The file's token as it was when it was read.
struct FileToken {
    header: HeaderValue,
    /// `None` for the token that stands in until the file could be read.
    read: Option<Instant>,
}

#[derive(Debug, thiserror::Error)]
enum TokenFileError {
    #[error("the token file {} can't be read", path.display())]
    Read { path: Arc<Path>, source: io::Error },
    #[error("the token file {} is empty", .0.display())]
    Empty(Arc<Path>),
    #[error("the token file {} holds more than {MAX_BYTES} bytes, which is no token", .0.display())]
    TooLong(Arc<Path>),
    #[error("the token file {} holds what can't stand in a header: more than one line, or no text", .0.display())]
    NotAToken(Arc<Path>),
}

impl TokenFile {
    /// The file's copy is read again once it is `period` old. `token` stands in until the file could be read.
    pub(super) fn new(path: PathBuf, token: Option<HeaderValue>, period: Duration) -> Self {
        let first = token.map(|header| FileToken { header, read: None });
        Self { path: path.into(), period, cell: Cell::new(first) }
    }

    /// The header to send. A read that fails keeps the last good token, and is tried again on every call.
    pub(super) async fn header(&self) -> Result<(HeaderValue, Stamp), Error> {
        let fresh = |copy: &FileToken| copy.read.is_some_and(|read| read.elapsed() < self.period);
        let (copy, stamp) = match self.cell.get(fresh, || read(Arc::clone(&self.path))).await {
            Ok(found) => found,
            Err(error) => self.cell.current().ok_or_else(|| Error::new(ErrorKind::Credential, error))?,
        };
        Ok((copy.header.clone(), stamp))
    }

    /// Reads the file now; whether it holds another token.
    pub(super) async fn refresh(&self, stamp: &Stamp) -> bool {
        self.cell.refresh(stamp, || read(Arc::clone(&self.path))).await
    }
}

impl Content for FileToken {
    fn same(&self, other: &Self) -> bool {
        self.header == other.header
    }
}

async fn read(path: Arc<Path>) -> Result<FileToken, TokenFileError> {
    let outcome = read_header(&path).await;
    if let Err(error) = &outcome {
        let cause = std::error::Error::source(error).map(tracing::field::display);
        tracing::warn!(cause, "{error}; the last good token stays, if there is one");
    }
    outcome.map(|header| FileToken { header, read: Some(Instant::now()) })
}

async fn read_header(path: &Arc<Path>) -> Result<HeaderValue, TokenFileError> {
    let failed = |source| TokenFileError::Read { path: Arc::clone(path), source };
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).await.map_err(failed)?;
    let bytes = Secret::new(bytes);
    if bytes.expose().len() as u64 > MAX_BYTES {
        return Err(TokenFileError::TooLong(Arc::clone(path)));
    }
    let token =
        std::str::from_utf8(bytes.expose()).map_err(|_| TokenFileError::NotAToken(Arc::clone(path)))?.trim();
    if token.is_empty() {
        return Err(TokenFileError::Empty(Arc::clone(path)));
    }
    bearer_value(token).ok_or_else(|| TokenFileError::NotAToken(Arc::clone(path)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const PERIOD: Duration = Duration::from_secs(50);

    fn header(token: &str) -> HeaderValue {
        bearer_value(token).unwrap()
    }

    async fn sent(file: &TokenFile) -> HeaderValue {
        file.header().await.unwrap().0
    }

    // BH-T7
    #[tokio::test(start_paused = true)]
    async fn the_copy_is_read_again_when_it_is_old() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, " one\n").unwrap();
        let file = TokenFile::new(path.clone(), None, PERIOD);
        assert_eq!(sent(&file).await, header("one"));
        fs::write(&path, "two").unwrap();
        tokio::time::advance(PERIOD - Duration::from_millis(1)).await;
        assert_eq!(sent(&file).await, header("one"));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(sent(&file).await, header("two"));
    }

    // BH-T7
    #[tokio::test(start_paused = true)]
    async fn a_bad_read_keeps_the_last_good_token_and_is_tried_again_by_every_request() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, "one").unwrap();
        let file = TokenFile::new(path.clone(), None, PERIOD);
        assert_eq!(sent(&file).await, header("one"));
        tokio::time::advance(PERIOD).await;
        let long = "x".repeat(MAX_BYTES as usize + 1);
        for bad in ["", " \n", "two\nlines", long.as_str()] {
            fs::write(&path, bad).unwrap();
            assert_eq!(sent(&file).await, header("one"));
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(sent(&file).await, header("one"));
        fs::write(&path, "two").unwrap();
        assert_eq!(sent(&file).await, header("two"));
    }

    // BH-C9
    #[tokio::test(start_paused = true)]
    async fn the_token_stands_in_until_the_file_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let file = TokenFile::new(path.clone(), Some(header("stand-in")), PERIOD);
        assert_eq!(sent(&file).await, header("stand-in"));
        fs::write(&path, "file").unwrap();
        assert_eq!(sent(&file).await, header("file"));
    }

    // BH-T12
    #[tokio::test(start_paused = true)]
    async fn a_401_reads_the_file_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, "one").unwrap();
        let file = TokenFile::new(path.clone(), None, PERIOD);
        let (_, stamp) = file.header().await.unwrap();
        assert!(!file.refresh(&stamp).await, "nothing new");
        let (_, stamp) = file.header().await.unwrap();
        fs::write(&path, "two").unwrap();
        assert!(file.refresh(&stamp).await);
        assert_eq!(sent(&file).await, header("two"));
    }

    #[tokio::test]
    async fn without_any_token_the_error_names_the_file() {
        let file = TokenFile::new(PathBuf::from("/nowhere/token"), None, PERIOD);
        let error = file.header().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credential);
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(source, "the token file /nowhere/token can't be read");
    }
}
