//! What goes wrong, and for whom.

mod answer;
mod bodies;
mod plan;
pub(super) mod wire;

use std::time::Duration;

use bytes::Bytes;

pub(super) use answer::{in_process, on_the_wire};
pub use plan::{FaultRule, Faults};

/// One thing that goes wrong with a request.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// An answer with an error code and a fitting Status, in place of what was asked for. Nothing is done.
    Status {
        /// The code, such as 429 or 503.
        code: u16,
        /// The `Retry-After` header, in seconds.
        retry_after: Option<u32>,
    },
    /// The connection is reset before anything is done or answered.
    ResetBefore,
    /// The request is done; the connection is reset after so many bytes of the answer, its head included.
    Reset {
        /// How many bytes still get through.
        after: usize,
    },
    /// The request is done; the connection is closed in good order after so many bytes of the answer, its head
    /// included.
    Close {
        /// How many bytes still get through.
        after: usize,
    },
    /// The request is done; the answer's body breaks off after so many bytes (HTTP/2: the stream is reset).
    CutBody {
        /// How many bytes of the body still get through.
        after: usize,
    },
    /// The request is done; nothing follows after so many bytes of the answer's body, and nothing ends.
    Stall {
        /// How many bytes of the body still get through.
        after: usize,
    },
    /// The request is done; the answer's body comes in pieces with pauses between them.
    Trickle {
        /// Bytes a piece.
        bytes: usize,
        /// The pause.
        every: Duration,
    },
    /// The request is done; the answer begins so much later.
    Delay(Duration),
    /// The answer says that its body is longer (or shorter) by so many bytes than it is.
    WrongLength(i64),
    /// These bytes stand in the answer's place on the connection, which is closed after them. Nothing is done.
    Garbage(Bytes),
    /// These bytes are the body of a 200 answer in JSON. Nothing is done.
    Body(Bytes),
    /// The request is done; the answer bears another `Content-Type`.
    ContentType(String),
    /// The request is done; the answer bears a further header, even one that it has already.
    Header(String, String),
    /// The request is done; the answer bears a header of so many bytes.
    HugeHeader(usize),
    /// A list whose only item holds a string of so many bytes. Nothing is done.
    HugeBody(usize),
    /// A list without end, one item after the other. Nothing is done.
    EndlessBody,
    /// An event whose line never ends. Nothing is done.
    EndlessLine,
    /// A small gzip body that unpacks to so many bytes. Nothing is done.
    GzipBomb(u64),
    /// HTTP/2: the server goes away, and says that it has not looked at the request; it says so of all that are under
    /// way on the connection, true or not. HTTP/1.1: the connection is closed without an answer.
    GoAway,
    /// HTTP/2: the request's stream is reset with this code (7 is REFUSED_STREAM, 2 INTERNAL_ERROR), and nothing is done.
    /// HTTP/1.1: the connection is closed without an answer.
    StreamReset(u32),
}

impl Fault {
    /// An answer with this code and no `Retry-After`.
    pub fn status(code: u16) -> Self {
        Self::Status { code, retry_after: None }
    }

    /// An answer with this code that asks for patience.
    pub fn retry_after(code: u16, seconds: u32) -> Self {
        Self::Status { code, retry_after: Some(seconds) }
    }

    /// Whether the request is done in spite of it: a write is kept, though its writer may never learn of it.
    pub fn executes(&self) -> bool {
        matches!(
            self,
            Self::Reset { .. }
                | Self::Close { .. }
                | Self::CutBody { .. }
                | Self::Stall { .. }
                | Self::Trickle { .. }
                | Self::Delay(_)
                | Self::WrongLength(_)
                | Self::ContentType(_)
                | Self::Header(..)
                | Self::HugeHeader(_)
        )
    }
}

/// What goes wrong with a connection before its first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectFault {
    /// It is reset as soon as it is there.
    Reset,
    /// Nothing is ever said on it, in the TLS handshake or after.
    Silence,
    /// The TLS handshake ends in an alert. Without TLS: a reset.
    TlsAlert,
    /// The server's certificate has expired. Without TLS: nothing.
    ExpiredCertificate,
}
