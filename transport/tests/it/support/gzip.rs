//! Compressed answers.

use bytes::Bytes;
use futures_util::Stream;
use http::Response;
use tokio::io::AsyncWriteExt as _;

use super::chunks;
use super::server::Reply;

/// The parts in gzip, so that each can be decoded as soon as it is there, and gzip's end.
pub async fn zipped(parts: &[&str]) -> Vec<Bytes> {
    use async_compression::tokio::write::GzipEncoder;
    let mut encoder = GzipEncoder::new(Vec::new());
    let (mut zipped, mut start) = (Vec::new(), 0);
    for part in parts {
        encoder.write_all(part.as_bytes()).await.unwrap();
        encoder.flush().await.unwrap();
        zipped.push(Bytes::copy_from_slice(&encoder.get_ref()[start..]));
        start = encoder.get_ref().len();
    }
    encoder.shutdown().await.unwrap();
    zipped.push(Bytes::copy_from_slice(&encoder.get_ref()[start..]));
    zipped
}

/// An answer that says it is in gzip.
pub fn gzip<S>(body: S) -> Response<Reply>
where
    S: Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static,
{
    let mut response = chunks(body);
    response.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    response
}
