use bytes::{Bytes, BytesMut};

/// Memory is set aside at once for what a length announces up to here; beyond it grows with what comes.
const ANNOUNCED_BYTES: usize = 64 * 1024;

/// So many bytes, which may come in pieces. One piece is not copied.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    left: usize,
    buffer: BytesMut,
}

impl Gather {
    /// Begins anew.
    pub(crate) fn start(&mut self, length: usize) {
        self.left = length;
        self.buffer.clear();
    }

    /// Takes what is missing out of `chunk` from `at` on: how many bytes that was, and all of them if they were the
    /// last.
    pub(crate) fn take(&mut self, chunk: &Bytes, at: usize) -> (usize, Option<Bytes>) {
        let taken = self.left.min(chunk.len() - at);
        let piece = at..at + taken;
        self.left -= taken;
        if self.left == 0 && self.buffer.is_empty() {
            return (taken, Some(chunk.slice(piece)));
        }
        if self.buffer.is_empty() {
            self.buffer.reserve((self.left + taken).min(ANNOUNCED_BYTES));
        }
        self.buffer.extend_from_slice(&chunk[piece]);
        (taken, (self.left == 0).then(|| self.buffer.split().freeze()))
    }

    /// Bytes of memory held.
    pub(crate) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }
}
