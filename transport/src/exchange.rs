//! One request from its start to its answer: credentials, the right connections, redirects, and sending again what
//! certainly was not processed.

use std::time::Duration;

use http::header::{CONNECTION, HeaderMap};
use http::{Request, Response, StatusCode, Uri};
use tokio::time::{Instant, timeout_at};

use crate::answer::{self, Answer};
use crate::auth::Stamp;
use crate::bundle::Place;
use crate::client::Inner;
use crate::engine::{Engine, EngineBody};
use crate::headers::is_credential;
use crate::limits::TooSlow;
use crate::observe::HostObserver;
use crate::replay::Replay;
use crate::service::BoxFuture;
use crate::{Body, Error, ErrorKind, RequestKind, gzip, redirect};

/// How often a request that certainly was not processed is sent again.
const RESENDS: u32 = 5;

/// One request and what happened to it so far.
pub(crate) struct Exchange<'a> {
    client: &'a Inner,
    replay: Replay,
    kind: RequestKind,
    /// Whether the request has left for another host than the config's server.
    elsewhere: bool,
    asked_for_gzip: bool,
    resends: u32,
    refreshed: bool,
    redirects: usize,
}

impl<'a> Exchange<'a> {
    /// Runs the whole exchange. The request is taken apart at once, so that it is in the future but once.
    pub(crate) fn run(
        client: &'a Inner,
        request: Request<Body>,
    ) -> BoxFuture<'a, Result<Response<Body>, Error>> {
        match Self::new(client, request) {
            Ok(mut exchange) => Box::pin(async move { exchange.answer().await }),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    async fn answer(&mut self) -> Result<Response<Body>, Error> {
        // What lies beyond all time is no deadline.
        let deadline = self.client.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let (response, place) = match deadline {
            None => self.send().await?,
            Some(deadline) => timeout_at(deadline, self.send()).await.map_err(|_| answer::timed_out())??,
        };
        let version = response.version();
        let compressed = self.asked_for_gzip && gzip::is_used(&response);
        let bytes = self.host().bytes(&self.replay.parts.method, compressed);
        let response = response.map(|body| Answer::new(body, version, deadline, place, bytes.clone()));
        Ok(if compressed { gzip::decode(response, bytes) } else { response.map(Body::wrap) })
    }

    fn new(client: &'a Inner, request: Request<Body>) -> Result<Self, Error> {
        let mut replay = Replay::new(request);
        let parts = &mut replay.parts;
        parts.uri = client.endpoint.resolve(std::mem::take(&mut parts.uri))?;
        let elsewhere = !client.endpoint.is_origin_of(&parts.uri);
        let kind = kind(parts);
        client.headers.identify(&mut parts.headers);
        let gzip = client.compression && kind != RequestKind::Upgrade;
        let asked_for_gzip = gzip && gzip::ask(&parts.method, &mut parts.headers);
        if !elsewhere {
            client.headers.impersonate(&mut parts.headers);
        }
        // What is marked as sensitive is left out of all Debug output beneath.
        for (name, value) in &mut parts.headers {
            if is_credential(name) {
                value.set_sensitive(true);
            }
        }
        let (resends, refreshed, redirects) = (0, false, 0);
        Ok(Self { client, replay, kind, elsewhere, asked_for_gzip, resends, refreshed, redirects })
    }

    async fn send(&mut self) -> Result<(Response<EngineBody>, Option<Place>), Error> {
        loop {
            let started = Instant::now();
            let mut request = self.replay.request().ok_or_else(gone)?;
            let stamp = match self.elsewhere {
                true => None,
                false => Some(self.client.auth.authorize(request.headers_mut()).await?),
            };
            let (engine, place, generation) = self.engine().await?;
            match self.host().attempt(engine.send(request, &self.client.endpoint)).await {
                Ok(response) => {
                    if self.is_cured(&response, stamp).await || self.is_redirected(&response) {
                        continue;
                    }
                    return Ok((response, place));
                }
                Err(error) => {
                    if let Some(failure) = self.replay.failure() {
                        return Err(failure);
                    }
                    if !self.is_worth_resending(&error, started, generation).await {
                        return Err(self.explain(error));
                    }
                    self.resends += 1;
                    tracing::debug!(%error, resends = self.resends, "sending a request again that was not processed");
                }
            }
        }
    }

    /// What is observed of the host that the request goes to now.
    fn host(&self) -> HostObserver {
        match self.replay.parts.uri.authority() {
            Some(authority) if self.elsewhere => self.client.observer.host(authority.as_str()),
            _ => self.client.host.clone(),
        }
    }

    async fn engine(&self) -> Result<(Engine, Option<Place>, u64), Error> {
        if self.elsewhere {
            return Ok((self.client.transport.elsewhere()?, None, 0));
        }
        self.client.transport.engine(self.kind).await
    }

    /// Whether a 401 is worth another try, because another credential is there now.
    async fn is_cured(&mut self, response: &Response<EngineBody>, stamp: Option<Stamp>) -> bool {
        let Some(stamp) = stamp else { return false };
        if response.status() != StatusCode::UNAUTHORIZED || self.refreshed {
            return false;
        }
        self.refreshed = true;
        // The refresh is worth it for the requests to come, even if this one can't be sent again.
        self.client.auth.refresh(&stamp).await && self.replay.request().is_some()
    }

    fn is_redirected(&mut self, response: &Response<EngineBody>) -> bool {
        if !response.status().is_redirection() {
            return false;
        }
        let Self { client, replay, elsewhere, .. } = self;
        let from = replay.parts.uri.clone();
        // Once elsewhere, a request is nobody's any more: the way back does not give it its credentials again.
        let stays =
            |to: &Uri| !*elsewhere && client.endpoint.is_origin_of(to) && client.endpoint.is_origin_of(&from);
        let Some(to) = redirect::location(response, replay, stays) else { return false };
        if self.redirects >= redirect::LIMIT {
            return false;
        }
        let stays = stays(&to);
        redirect::follow(&mut self.replay, response.status(), to, stays);
        if self.replay.request().is_none() {
            return false;
        }
        self.redirects += 1;
        self.elsewhere |= !stays;
        true
    }

    async fn is_worth_resending(&self, error: &Error, started: Instant, generation: u64) -> bool {
        if !error.is_not_processed() || self.resends >= RESENDS || self.replay.request().is_none() {
            return false;
        }
        match error.kind() {
            ErrorKind::GoAway | ErrorKind::ConnectionLost => true,
            ErrorKind::StreamRefused => {
                tokio::time::sleep(Duration::from_millis(10 << self.resends)).await;
                true
            }
            // The files may hold what the server asks for by now.
            ErrorKind::Tls if !self.elsewhere => {
                self.client.transport.look_since(started).await != generation
            }
            _ => false,
        }
    }

    /// Adds to an error where the request was going, and what may help.
    fn explain(&self, error: Error) -> Error {
        let uri = &self.replay.parts.uri;
        let host = uri.authority().map_or("", |authority| authority.as_str());
        let text = match error.kind() {
            ErrorKind::Dns => {
                format!("the name of the server {host} was not found: check the server's address")
            }
            ErrorKind::ConnectionRefused => {
                format!("{host} refused the connection: does the server run, and is the port right?")
            }
            ErrorKind::Connect => format!("no connection to {host}"),
            ErrorKind::ConnectTimeout => match TooSlow::find(&error) {
                Some(TooSlow::Handshake(limit)) => format!(
                    "the TLS handshake on the way to {host} took longer than {} s: is the server busy, and does it speak TLS at this port?",
                    limit.as_secs_f64()
                ),
                Some(TooSlow::Dial(limit)) => format!(
                    "no connection to {host} within {} s: check the address, the network and firewalls",
                    limit.as_secs_f64()
                ),
                None => {
                    format!("no connection to {host} in time: check the address, the network and firewalls")
                }
            },
            ErrorKind::Tls if !self.elsewhere => {
                format!("TLS with {host} failed (servers are verified by {})", self.client.ca)
            }
            ErrorKind::Tls => format!("TLS with {host} failed"),
            _ => return error,
        };
        let not_processed = error.is_not_processed();
        let explained = Error::new(error.kind(), error).context(text);
        if not_processed { explained.not_processed() } else { explained }
    }
}

/// A request that is to be sent again, and whose stream was read.
fn gone() -> Error {
    Error::new(ErrorKind::Body, "the request's body was read already, and can't be sent again")
}

/// What the request says it is, else what it looks like.
fn kind(parts: &http::request::Parts) -> RequestKind {
    if let Some(kind) = parts.extensions.get::<RequestKind>() {
        return *kind;
    }
    if asks_for_upgrade(&parts.headers) {
        return RequestKind::Upgrade;
    }
    let is_long = |pair: &str| matches!(pair, "watch=true" | "watch=1" | "follow=true" | "follow=1");
    if parts.uri.query().is_some_and(|query| query.split('&').any(is_long)) {
        return RequestKind::LongLived;
    }
    RequestKind::Normal
}

fn asks_for_upgrade(headers: &HeaderMap) -> bool {
    headers.get_all(CONNECTION).iter().any(|value| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
    })
}
