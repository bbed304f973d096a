//! A service that plays back a script, and what it was sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::BodyExt as _;
use kubewire_rest::http;
use kubewire_rest::transport::{Body, BoxError, BoxFuture, Error, ErrorKind, HttpService, RequestKind};
use kubewire_rest::{Bytes, Config, GroupVersion, RestClient, RestClientBuilder};
use tokio::time::Instant;

/// One step of the script.
#[derive(Debug)]
pub enum Step {
    Answer(Response<Body>),
    Fail(Error),
    /// Never answers.
    Hang,
    /// Answers after a while.
    Slow(Duration, Response<Body>),
}

/// What the service was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub at: Instant,
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub kind: RequestKind,
}

impl Sent {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Plays back a script; its last step again and again.
#[derive(Clone, Debug, Default)]
pub struct Script {
    steps: Arc<Mutex<VecDeque<Step>>>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Script {
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: Arc::new(Mutex::new(steps.into_iter().collect())), sent: Arc::default() }
    }

    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    pub fn attempts(&self) -> usize {
        self.sent.lock().unwrap().len()
    }

    /// The times between attempts, in seconds.
    pub fn gaps(&self) -> Vec<u64> {
        self.sent().windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs()).collect()
    }

    pub fn builder<'a>(&self, config: &'a Config) -> RestClientBuilder<'a> {
        RestClient::builder(config)
            .group_version(GroupVersion::V1)
            .http_service(Arc::new(self.clone()))
            .rate_limiter(Arc::new(kubewire_rest::Unlimited))
    }

    /// A client without a rate limiter.
    pub fn client(&self) -> RestClient {
        self.builder(&Config::new("http://server:8080")).build().unwrap()
    }
}

impl HttpService for Script {
    fn execute(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, Error>> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let kind = parts.extensions.get().copied().unwrap_or_default();
            let body = body.collect().await?.to_bytes().to_vec();
            let (at, method, uri, headers) = (Instant::now(), parts.method, parts.uri, parts.headers);
            self.sent.lock().unwrap().push(Sent { at, method, uri, headers, body, kind });
            let step = self.steps.lock().unwrap().pop_front();
            match step.unwrap_or_else(|| Step::Answer(answer(200, "{}"))) {
                Step::Answer(response) => Ok(response),
                Step::Fail(error) => Err(error),
                Step::Hang => std::future::pending().await,
                Step::Slow(delay, response) => {
                    tokio::time::sleep(delay).await;
                    Ok(response)
                }
            }
        })
    }
}

/// A JSON answer.
pub fn answer(code: u16, body: impl Into<String>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = code.try_into().unwrap();
    response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    response
}

/// A JSON answer that begins so, and neither goes on nor ends.
pub fn stays_open(text: &str) -> Step {
    let chunk = Ok::<_, BoxError>(Bytes::copy_from_slice(text.as_bytes()));
    let body = Body::stream(futures_util::stream::iter([chunk]).chain(futures_util::stream::pending()));
    let mut response = answer(200, "");
    *response.body_mut() = body;
    Step::Answer(response)
}

/// With a header more.
pub fn with(mut response: Response<Body>, name: &'static str, value: &str) -> Response<Body> {
    response.headers_mut().append(name, value.parse().unwrap());
    response
}

/// An answer that asks to come back.
pub fn come_back(code: u16, seconds: &str) -> Step {
    Step::Answer(with(
        answer(code, r#"{"kind":"Status","status":"Failure","reason":"TooManyRequests","code":429}"#),
        "retry-after",
        seconds,
    ))
}

pub fn ok() -> Step {
    Step::Answer(answer(200, "{}"))
}

pub fn fail(kind: ErrorKind) -> Step {
    Step::Fail(Error::new(kind, "scripted"))
}
