use std::fmt;

/// Any error, boxed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong between here and the server. Its text holds no secret.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    not_processed: bool,
    context: Option<String>,
    source: Option<BoxError>,
}

/// What kind of failure it was, told by the types of the errors beneath, never by their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration can't be used: nothing was tried.
    Config,
    /// A credential could not be had: a token file, a credential program, a provider.
    Credential,
    /// The host's name was not found.
    Dns,
    /// Nobody listens at the host's port.
    ConnectionRefused,
    /// The connection could not be made for another reason, a proxy's refusal among them.
    Connect,
    /// The TLS handshake failed: a certificate was not accepted, by us or by the server.
    Tls,
    /// No connection within the time for it.
    ConnectTimeout,
    /// The client's own time for a whole request ran out.
    Timeout,
    /// The peer reset the connection, or it broke while writing.
    ConnectionReset,
    /// The connection ended before the answer did.
    UnexpectedEof,
    /// The server said that it goes away (HTTP/2 GOAWAY).
    GoAway,
    /// The server refused the stream without looking at it (HTTP/2 REFUSED_STREAM).
    StreamRefused,
    /// The server reset the stream for another reason (HTTP/2 RST_STREAM).
    StreamReset,
    /// The connection was found dead: pings went unanswered, or it was closed under the request.
    ConnectionLost,
    /// The body of a request could not be read from its source.
    Body,
    /// The answer broke a rule of HTTP or of its content coding, or a limit on its size.
    Protocol,
    /// Anything else.
    Other,
}

impl Error {
    /// An error of `kind` caused by `source`, of a request that may have been processed. For an
    /// [`HttpService`](crate::HttpService) of your own.
    pub fn new(kind: ErrorKind, source: impl Into<BoxError>) -> Self {
        Self { kind, not_processed: false, context: None, source: Some(source.into()) }
    }

    /// A configuration that can't be used, and why.
    pub(crate) fn config(text: impl Into<String>) -> Self {
        let context = Some(text.into());
        Self { kind: ErrorKind::Config, not_processed: true, context, source: None }
    }

    /// Names the cause.
    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Says what was being done, in words that go before the cause.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// Marks the request as certainly not processed by the server.
    #[must_use]
    pub fn not_processed(mut self) -> Self {
        self.not_processed = true;
        self
    }

    /// The kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether it is certain that the server has not processed the request: no byte of it left, or the protocol
    /// says so. Only then may a request that changes something be sent again.
    pub fn is_not_processed(&self) -> bool {
        self.not_processed
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(context) = &self.context {
            return f.write_str(context);
        }
        f.write_str(match self.kind {
            ErrorKind::Config => "the configuration can't be used",
            ErrorKind::Credential => "no credential could be had",
            ErrorKind::Dns => "the host's name was not found",
            ErrorKind::ConnectionRefused => "connection refused",
            ErrorKind::Connect => "the connection could not be made",
            ErrorKind::Tls => "the TLS handshake failed",
            ErrorKind::ConnectTimeout => "no connection in time",
            ErrorKind::Timeout => "the request took too long",
            ErrorKind::ConnectionReset => "the connection was reset",
            ErrorKind::UnexpectedEof => "the connection ended before the answer did",
            ErrorKind::GoAway => "the server is going away (GOAWAY)",
            ErrorKind::StreamRefused => "the server refused the stream",
            ErrorKind::StreamReset => "the server reset the stream",
            ErrorKind::ConnectionLost => "the connection was lost",
            ErrorKind::Body => "the request's body could not be read",
            ErrorKind::Protocol => "the answer breaks the protocol",
            ErrorKind::Other => "the request failed",
        })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
