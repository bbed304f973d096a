//! Bodies that break off, stall, trickle, or never end.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream, StreamExt as _};
use http_body_util::BodyExt as _;
use kubewire_transport::{Body, BoxError, Error, ErrorKind};

type Chunk = Result<Bytes, BoxError>;

/// The data of a body, chunk by chunk.
fn chunks(body: Body) -> impl Stream<Item = Chunk> + Send {
    stream::unfold(Some(body), |body| async move {
        let mut body = body?;
        loop {
            match body.frame().await? {
                Ok(frame) => match frame.into_data() {
                    Ok(data) => return Some((Ok(data), Some(body))),
                    Err(_) => continue,
                },
                Err(error) => return Some((Err(error.into()), None)),
            }
        }
    })
}

/// The first `after` bytes of a body.
fn beginning(body: Body, after: usize) -> impl Stream<Item = Chunk> + Send {
    chunks(body).scan(after, |left, chunk| {
        let cut = match chunk {
            _ if *left == 0 => None,
            Ok(data) => {
                let data = data.slice(..data.len().min(*left));
                *left -= data.len();
                Some(Ok(data))
            }
            error => Some(error),
        };
        std::future::ready(cut)
    })
}

/// Breaks off after so many bytes.
pub(super) fn cut(body: Body, after: usize) -> Body {
    let broken = Error::new(ErrorKind::Body, "a fault that the test asked for");
    Body::stream(beginning(body, after).chain(stream::iter([Err(broken.into())])))
}

/// Says nothing more after so many bytes.
pub(super) fn stall(body: Body, after: usize) -> Body {
    Body::stream(beginning(body, after).chain(stream::pending()))
}

/// Comes in pieces, with pauses.
pub(super) fn trickle(body: Body, bytes: usize, every: Duration) -> Body {
    let bytes = bytes.max(1);
    let pieces = chunks(body).flat_map(move |chunk| match chunk {
        Ok(data) => {
            let count = data.len().div_ceil(bytes);
            let piece = move |n: usize| Ok(data.slice(n * bytes..data.len().min((n + 1) * bytes)));
            stream::iter((0..count).map(piece)).left_stream()
        }
        error => stream::iter([error]).right_stream(),
    });
    Body::stream(pieces.then(move |piece| async move {
        tokio::time::sleep(every).await;
        piece
    }))
}

const HEAD: &str = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":["#;
const PIECE: usize = 64 * 1024;

fn filler() -> Bytes {
    Bytes::from(vec![b'a'; PIECE])
}

/// A list whose only item holds a string of so many bytes.
pub(super) fn huge(size: usize) -> Body {
    let head = format!("{HEAD}{{\"metadata\":{{\"name\":\"");
    let filler = filler();
    let pieces = size.div_ceil(PIECE);
    let middle = (0..pieces).map(move |n| filler.slice(..PIECE.min(size - n * PIECE)));
    let all = std::iter::once(Bytes::from(head)).chain(middle).chain([Bytes::from_static(b"\"}}]}")]);
    Body::stream(stream::iter(all.map(Ok::<_, BoxError>)))
}

/// A list without end.
pub(super) fn endless_list() -> Body {
    let mut items = BytesMut::new();
    while items.len() < PIECE {
        items.extend_from_slice(br#"{"metadata":{"name":"again","namespace":"default"}},"#);
    }
    let items = items.freeze();
    let all = std::iter::once(Bytes::from_static(HEAD.as_bytes())).chain(std::iter::repeat(items));
    Body::stream(stream::iter(all.map(Ok::<_, BoxError>)))
}

/// An event whose line never ends.
pub(super) fn endless_line() -> Body {
    let head = Bytes::from_static(br#"{"type":"ADDED","object":{"metadata":{"name":""#);
    let all = std::iter::once(head).chain(std::iter::repeat(filler()));
    Body::stream(stream::iter(all.map(Ok::<_, BoxError>)))
}

/// gzip that unpacks to so many spaces: one literal, then the longest match again and again, 13 bits for 258 bytes.
pub(super) fn gzip_bomb(unpacked: u64) -> Bytes {
    let mut bits = Bits::default();
    // The header: deflate, no flags, no time, unknown system.
    bits.bytes.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    // The last block, with fixed codes.
    bits.put(1, 1);
    bits.put(1, 2);
    bits.code(0x30 + u32::from(b' '), 8);
    for _ in 0..unpacked.saturating_sub(1) / 258 {
        // Length 258 is symbol 285, distance 1 is symbol 0.
        bits.code(0xC0 + (285 - 280), 8);
        bits.code(0, 5);
    }
    bits.code(0, 7);
    bits.finish();
    // The checksum is wrong: whoever gets that far has unpacked it all.
    bits.bytes.extend_from_slice(&[0; 8]);
    bits.bytes.into()
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    current: u32,
    used: u32,
}

impl Bits {
    /// Least significant bit first.
    fn put(&mut self, value: u32, count: u32) {
        for bit in 0..count {
            self.current |= (value >> bit & 1) << self.used;
            self.used += 1;
            if self.used == 8 {
                self.finish();
            }
        }
    }

    /// Huffman codes go in most significant bit first.
    fn code(&mut self, code: u32, count: u32) {
        for bit in (0..count).rev() {
            self.put(code >> bit & 1, 1);
        }
    }

    fn finish(&mut self) {
        if self.used > 0 {
            self.bytes.push(self.current as u8);
            (self.current, self.used) = (0, 0);
        }
    }
}
