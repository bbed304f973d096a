//! What went wrong beneath, told by the types of the errors in the chain.

use std::error::Error as StdError;
use std::io;

use crate::dns::LookupError;
use crate::{BoxError, Error, ErrorKind};

/// What the chain of an engine's error says.
#[derive(Debug, Default)]
struct Findings {
    connect: bool,
    dns: bool,
    tls: bool,
    /// The peer ended the handshake because of our certificate, or because there was none.
    certificate_refused: bool,
    timeout: bool,
    canceled: bool,
    ping_timeout: bool,
    incomplete: bool,
    malformed: bool,
    io: Option<io::ErrorKind>,
    stream: Option<Stream>,
    ours: Option<(ErrorKind, bool)>,
}

#[derive(Clone, Copy, Debug)]
enum Stream {
    GoAway { remote: bool },
    Refused,
    Reset,
    Protocol,
}

/// The error that `source` is to callers.
pub(crate) fn classify(source: BoxError) -> Error {
    let mut findings = Findings::default();
    findings.walk(source.as_ref());
    let (kind, not_processed) = findings.verdict();
    let error = Error::new(kind, source);
    if not_processed { error.not_processed() } else { error }
}

/// The error that `source` is, which befell a connection in the making: no request was sent.
pub(crate) fn classify_connect(source: impl Into<BoxError>) -> Error {
    let source = source.into();
    let mut findings = Findings { connect: true, ..Findings::default() };
    findings.walk(source.as_ref());
    Error::new(findings.verdict().0, source).not_processed()
}

impl Findings {
    fn walk(&mut self, error: &(dyn StdError + 'static)) {
        self.look_at(error);
        if let Some(io) = error.downcast_ref::<io::Error>() {
            self.io = Some(io.kind());
            // An io::Error's source is the source of what it wraps: the wrapped error itself is in get_ref.
            if let Some(inner) = io.get_ref() {
                self.walk(inner);
                return;
            }
        }
        if let Some(io) = error.downcast_ref::<h2::Error>().and_then(h2::Error::get_io) {
            self.io = Some(io.kind());
            if let Some(inner) = io.get_ref() {
                self.walk(inner);
            }
        }
        if let Some(source) = error.source() {
            self.walk(source);
        }
    }

    fn look_at(&mut self, error: &(dyn StdError + 'static)) {
        if let Some(error) = error.downcast_ref::<Error>() {
            self.ours.get_or_insert((error.kind(), error.is_not_processed()));
        } else if let Some(error) = error.downcast_ref::<reqwest::Error>() {
            self.connect |= error.is_connect();
            self.timeout |= error.is_timeout();
        } else if let Some(error) = error.downcast_ref::<hyper::Error>() {
            self.canceled |= error.is_canceled();
            self.ping_timeout |= error.is_timeout();
            self.incomplete |= error.is_incomplete_message();
            self.malformed |= error.is_parse();
        } else if error.is::<LookupError>() {
            self.dns = true;
        } else if let Some(error) = error.downcast_ref::<h2::Error>() {
            self.stream = stream(error).or(self.stream);
        } else if let Some(error) = error.downcast_ref::<rustls::Error>() {
            self.tls = true;
            self.certificate_refused |= refuses_certificate(error);
        }
    }

    /// The kind, and whether the server has certainly not processed the request.
    fn verdict(&self) -> (ErrorKind, bool) {
        if let Some(ours) = self.ours {
            return ours;
        }
        if self.connect {
            let kind = match self.io {
                _ if self.dns => ErrorKind::Dns,
                _ if self.tls => ErrorKind::Tls,
                _ if self.timeout => ErrorKind::ConnectTimeout,
                Some(io::ErrorKind::TimedOut) => ErrorKind::ConnectTimeout,
                Some(io::ErrorKind::ConnectionRefused) => ErrorKind::ConnectionRefused,
                _ => ErrorKind::Connect,
            };
            return (kind, true);
        }
        if self.tls {
            // In TLS 1.3 this may come after the request was written, but before any of it is looked at.
            return (ErrorKind::Tls, self.certificate_refused);
        }
        if self.ping_timeout {
            return (ErrorKind::ConnectionLost, false);
        }
        if let Some(stream) = self.stream {
            return match stream {
                // Streams up to the last one that the server names live on; only later ones end with it.
                Stream::GoAway { remote } => (ErrorKind::GoAway, remote),
                Stream::Refused => (ErrorKind::StreamRefused, true),
                Stream::Reset => (ErrorKind::StreamReset, false),
                Stream::Protocol => (ErrorKind::Protocol, false),
            };
        }
        if self.canceled {
            return (ErrorKind::ConnectionLost, true);
        }
        let kind = match self.io {
            Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => ErrorKind::ConnectionReset,
            Some(io::ErrorKind::ConnectionAborted | io::ErrorKind::NotConnected) => ErrorKind::ConnectionLost,
            Some(io::ErrorKind::UnexpectedEof) => ErrorKind::UnexpectedEof,
            Some(io::ErrorKind::TimedOut) => ErrorKind::ConnectionLost,
            _ if self.incomplete => ErrorKind::UnexpectedEof,
            _ if self.malformed => ErrorKind::Protocol,
            _ if self.timeout => ErrorKind::Timeout,
            _ => ErrorKind::Other,
        };
        (kind, false)
    }
}

fn refuses_certificate(error: &rustls::Error) -> bool {
    use rustls::AlertDescription as Alert;
    let rustls::Error::AlertReceived(alert) = error else { return false };
    matches!(
        alert,
        Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::AccessDenied
    )
}

fn stream(error: &h2::Error) -> Option<Stream> {
    if error.is_go_away() {
        return Some(if error.is_remote() {
            Stream::GoAway { remote: true }
        } else {
            // Our own side gave up on a peer that broke the protocol.
            Stream::Protocol
        });
    }
    match error.reason()? {
        h2::Reason::REFUSED_STREAM if error.is_remote() => Some(Stream::Refused),
        _ if error.is_remote() => Some(Stream::Reset),
        _ => Some(Stream::Protocol),
    }
}
