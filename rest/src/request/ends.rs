//! The ends of a request: what is done with it once it is put together.

use std::time::Duration;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{StatusCode, Uri};
use tracing::Instrument as _;

use super::Request;
use crate::answer::{Answered, ByteStream};
use crate::error::Place;
use crate::execute::{End, Exchange, Limits, Machine, breaks_watch};
use crate::observe::{ListObserver, VerbObserver, WatchObserver};
use crate::trace::request_span;
use crate::{Decode, Error, RequestError, Status};

/// So long after its end a watch from which nothing comes is dead.
const OVERDUE: Duration = Duration::from_secs(30);

impl Request {
    /// Sends the request and reads the whole answer. What went wrong is in the [`Result`](crate::Result) too: a request that was
    /// put together wrongly, no answer, an answer that breaks off or is too large, and any code but 200 to 206.
    ///
    /// Cancellation: dropping the future ends everything at once, the wait or the attempt.
    pub async fn send(self) -> crate::Result {
        let span = request_span(&self);
        let _duration = self.observer().duration();
        let exchange = self.exchange(End::Send);
        async {
            match answered(exchange).await {
                Ok(answered) => crate::Result::of_answer(answered),
                Err(error) => crate::Result::of_error(error),
            }
        }
        .instrument(span)
        .await
    }

    /// Sends the request and gives the answer's body as it came. For an error code the error is made of the code alone;
    /// the body is in [`ApiError::body`](crate::ApiError::body).
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// Cancellation: as for [`send`](Self::send).
    pub async fn send_raw(self) -> Result<Bytes, Error> {
        let span = request_span(&self);
        let _duration = self.observer().duration();
        let exchange = self.exchange(End::Raw);
        async { answered(exchange).await?.into_raw() }.instrument(span).await
    }

    /// Sends the request and gives the answer's body as a stream of chunks, as they come: for logs, whose
    /// [`lines`](ByteStream::lines) it gives too, and for answers too large to be held. Any code but 200 to 299 is an
    /// error.
    ///
    /// The request's timeout does not end it; its [deadline](Self::deadline) does, and the config's timeout.
    ///
    /// # Errors
    /// As for [`send`](Self::send), as far as the answer's head tells; what goes wrong later comes with the chunks.
    ///
    /// Cancellation: dropping the future, or the stream, ends the request at once.
    pub async fn stream(self) -> Result<ByteStream, Error> {
        let span = request_span(&self);
        let exchange = self.exchange(End::Stream);
        answer_body(exchange).instrument(span).await
    }

    /// Asks for the form that `T` is read from, unless the caller asked for another.
    #[cfg_attr(
        not(feature = "protobuf"),
        expect(clippy::extra_unused_type_parameters, reason = "all types are read from JSON then")
    )]
    pub(crate) fn reading<T: Decode>(self) -> Self {
        #[cfg(feature = "protobuf")]
        if let Some(messages) = T::messages(&self.options) {
            return self.reading_protobuf(messages.err());
        }
        self
    }

    /// The request, unless it was put together wrongly.
    pub(crate) fn checked(mut self) -> Result<Self, Error> {
        match self.error.take() {
            Some(source) => Err(Error::Request { target: self.target(), source }),
            None => Ok(self),
        }
    }

    /// Sends the request as a watch. No body: its connection broke as often as it may.
    pub(crate) async fn watch_body(mut self) -> Result<Option<(ByteStream, WatchObserver)>, Error> {
        self.set_param("watch", Some("true"));
        if self.idle_timeout.is_none() {
            let seconds = self.get_param("timeoutSeconds").and_then(|seconds| seconds.parse().ok());
            let lasts = seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs);
            self.idle_timeout = lasts.and_then(|lasts| lasts.checked_add(OVERDUE));
        }
        let resource = self.resource_observer();
        let mut exchange = self.exchange(End::Watch)?;
        let response = match exchange.head().await {
            Ok(response) => response,
            Err(Error::Transport { source, .. }) if breaks_watch(source.kind()) => {
                tracing::debug!(error = %source, "the watch could not be started");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if response.status() != StatusCode::OK {
            let answered = Answered::read(exchange, response).await?;
            return Err(answered.error().unwrap_or_else(|| {
                answered.api_error(Status {
                    status: Status::FAILURE.to_owned(),
                    code: answered.status.as_u16(),
                    message: format!("a watch was answered with status {}, not 200", answered.status),
                    ..Status::default()
                })
            }));
        }
        let warnings = exchange.take_warnings(response.headers());
        Ok(Some((ByteStream::new(exchange, response, warnings), resource.watch())))
    }

    pub(crate) fn observer(&self) -> VerbObserver {
        self.client.0.observer.verb(&self.method)
    }

    pub(crate) fn list_observer(&self) -> ListObserver {
        let client = &self.client.0;
        client.observer.list(&self.method, &client.group_version.group, self.location.resource())
    }

    /// Checks the request and makes it ready: nothing of it is put together again for a further attempt.
    pub(crate) fn exchange(self, end: End) -> Result<Box<Exchange>, Error> {
        let mut place = Place {
            uri: Uri::from_static("/"),
            method: self.method.clone(),
            client: self.client.clone(),
            attempts: 0,
        };
        let text = self.url_text();
        let uri = Uri::from_maybe_shared(Bytes::from(text)).map_err(|error| error.to_string());
        let fault = match uri {
            Ok(uri) => {
                place.uri = uri;
                self.error.or_else(|| {
                    // Only these two ends look at the namespace.
                    let checked = matches!(end, End::Send | End::Raw)
                        .then(|| self.location.check_namespace(&self.method));
                    checked?.err().map(Box::new)
                })
            }
            Err(why) => {
                let uri = self.location.resource().to_owned();
                Some(self.error.unwrap_or_else(|| Box::new(RequestError::Uri { uri, why })))
            }
        };
        if let Some(source) = fault {
            return Err(Error::Request { target: Box::new(place.target()), source });
        }
        let client = &self.client.0;
        let observer = client.observer.verb(&place.method);
        let accept = (!self.accept_removed && !self.headers.contains_key(ACCEPT))
            .then(|| client.content.wire().accept.clone());
        let settings = self.settings;
        let retries = if self.body.is_stream() { 0 } else { settings.max_retries };
        Ok(Box::new(Exchange {
            options: self.options,
            headers: self.headers,
            accept,
            body: self.body,
            location: self.location,
            backoff: settings.backoff.manager(),
            _in_flight: observer.in_flight(),
            observer,
            // Streams and watches are open for as long as they are read.
            silence: self.idle_timeout,
            limits: Limits::new(settings.timeout.filter(|_| end.reads_whole()), self.deadline),
            machine: Machine::new(end, retries),
            settings,
            place,
        }))
    }
}

/// Reads the whole answer.
async fn answered(exchange: Result<Box<Exchange>, Error>) -> Result<Answered, Error> {
    let mut exchange = exchange?;
    let response = exchange.head().await?;
    let observer = exchange.observer.clone();
    let answered = Answered::read(exchange, response).await?;
    if answered.is_success() || !answered.body.is_empty() {
        observer.response_size(answered.body.len());
    }
    Ok(answered)
}

/// The body of a good answer, as it comes.
pub(crate) async fn answer_body(exchange: Result<Box<Exchange>, Error>) -> Result<ByteStream, Error> {
    let mut exchange = exchange?;
    let response = exchange.head().await?;
    if !response.status().is_success() {
        return Err(Answered::read(exchange, response).await?.into_error());
    }
    let warnings = exchange.take_warnings(response.headers());
    Ok(ByteStream::new(exchange, response, warnings))
}
