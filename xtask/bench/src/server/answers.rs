//! The answers, made before anybody asks.

use std::borrow::Cow;
use std::convert::Infallible;
use std::ops::Range;
use std::pin::Pin;
use std::sync::OnceLock;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use k8s_pb::apimachinery::pkg::apis::meta::v1::WatchEvent;
use k8s_pb::apimachinery::pkg::runtime::{RawExtension, TypeMeta, Unknown};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::cbor;
use super::record::{MAGIC, Recorded};

/// A list's bytes go out in pieces of this size.
const PIECE: usize = 64 * 1024;

/// A body that doesn't tell its length, as an API server's of more than a few KB doesn't.
pub(super) type Body = StreamBody<Chunks>;
type Chunks = Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>;

/// The form of an answer.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Json,
    Protobuf,
    Cbor,
}

impl Form {
    /// What a request's Accept header asks for first.
    pub(super) fn wanted(headers: &HeaderMap) -> Self {
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match accept.split([',', ';']).next() {
            Some("application/vnd.kubernetes.protobuf") => Self::Protobuf,
            Some("application/cbor" | "application/cbor-seq") => Self::Cbor,
            _ => Self::Json,
        }
    }

    fn content_type(self, is_watch: bool) -> HeaderValue {
        HeaderValue::from_static(match (self, is_watch) {
            (Self::Json, _) => "application/json",
            (Self::Protobuf, false) => "application/vnd.kubernetes.protobuf",
            (Self::Protobuf, true) => "application/vnd.kubernetes.protobuf;stream=watch",
            (Self::Cbor, false) => "application/cbor",
            (Self::Cbor, true) => "application/cbor-seq",
        })
    }
}

/// The answers about so many pods.
pub(super) struct Answers {
    recorded: Vec<Recorded>,
    count: usize,
    lists: [OnceLock<Bytes>; 3],
    /// Events that say what there is, one after the other, and where each ends.
    initial: OnceLock<(Bytes, Vec<usize>)>,
    objects: [OnceLock<Vec<Bytes>>; 3],
    events: [OnceLock<Vec<Bytes>>; 3],
}

impl Answers {
    /// The recorded pods, over and over until there are so many.
    pub(super) fn new(recorded: Vec<Recorded>, count: u64) -> Self {
        Self {
            recorded,
            count: count as usize,
            lists: Default::default(),
            initial: OnceLock::new(),
            objects: Default::default(),
            events: Default::default(),
        }
    }

    /// All pods.
    pub(super) fn list(&self, form: Form) -> Response<Body> {
        let list = self.lists[form as usize].get_or_init(|| self.make_list(form)).clone();
        respond(form.content_type(false), pieces(list))
    }

    /// A page of them in JSON, made when it is asked for.
    pub(super) fn page(&self, start: usize, limit: usize) -> Response<Body> {
        let end = (start + limit).min(self.count);
        let rest = match self.count - end {
            0 => String::new(),
            left => format!(r#","continue":"{end}","remainingItemCount":{left}"#),
        };
        respond(Form::Json.content_type(false), pieces(self.json_list(start.min(end)..end, &rest).into()))
    }

    /// All pods as events, and then the bookmark that says so; the watch stays open.
    pub(super) fn watch_list(&self) -> Response<Body> {
        let (events, ends) = self.initial.get_or_init(|| self.make_initial());
        let (events, ends) = (events.clone(), ends.clone());
        let mut start = 0;
        let events = ends.into_iter().map(move |end| events.slice(std::mem::replace(&mut start, end)..end));
        let frames = stream::iter(events.map(|event| Ok(Frame::data(event)))).chain(stream::pending());
        answer(Form::Json.content_type(true), Box::pin(frames))
    }

    fn make_initial(&self) -> (Bytes, Vec<usize>) {
        let (mut out, mut ends) = (Vec::new(), Vec::new());
        for pod in self.pods(0..self.count, |pod| &pod.json) {
            out.extend(br#"{"type":"ADDED","object":"#);
            out.extend(typed_json(&pod));
            out.extend(b"}\n");
            ends.push(out.len());
        }
        let bookmark = br#"{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"4711","creationTimestamp":null,"annotations":{"k8s.io/initial-events-end":"true"}}}}"#;
        out.extend(bookmark);
        out.push(b'\n');
        ends.push(out.len());
        (out.into(), ends)
    }

    /// Some of the pods, each of a name of its own.
    fn pods(
        &self,
        range: Range<usize>,
        form: impl Fn(&Recorded) -> &Bytes,
    ) -> impl Iterator<Item = Cow<'_, [u8]>> {
        let all = self.recorded.len();
        range.map(move |n| {
            let pod = &self.recorded[n % all];
            pod.turn(form(pod), n / all)
        })
    }

    fn json_list(&self, range: Range<usize>, metadata: &str) -> Vec<u8> {
        let mut out = br#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"4711""#.to_vec();
        out.extend(metadata.as_bytes());
        out.extend(br#"},"items":["#);
        for (n, pod) in self.pods(range, |pod| &pod.json).enumerate() {
            if n > 0 {
                out.push(b',');
            }
            out.extend(&*pod);
        }
        out.extend(b"]}\n");
        out
    }

    /// As many events as there are pods; then the watch ends.
    pub(super) fn watch(&self, form: Form) -> Response<Body> {
        let events = self.events[form as usize].get_or_init(|| self.each(|pod| event(pod, form)));
        let all: Vec<Bytes> = events.iter().cycle().take(self.count).cloned().collect();
        respond(form.content_type(true), all.into_iter())
    }

    /// The pod whose number ends the name.
    pub(super) fn object(&self, name: &str, form: Form) -> Response<Body> {
        let objects = self.objects[form as usize].get_or_init(|| self.each(|pod| object(pod, form)));
        let number: usize = name.rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or_default();
        respond(form.content_type(false), std::iter::once(objects[number % objects.len()].clone()))
    }

    /// What was sent, as created.
    pub(super) async fn created(request: Request<Incoming>) -> Result<Response<Body>, hyper::Error> {
        let content_type = request.headers().get(CONTENT_TYPE).cloned();
        let body = request.into_body().collect().await?.to_bytes();
        let json = || Form::Json.content_type(false);
        let mut response = respond(content_type.unwrap_or_else(json), std::iter::once(body));
        *response.status_mut() = StatusCode::CREATED;
        Ok(response)
    }

    fn each(&self, write: impl Fn(&Recorded) -> Vec<u8>) -> Vec<Bytes> {
        self.recorded.iter().map(|pod| Bytes::from(write(pod))).collect()
    }

    fn make_list(&self, form: Form) -> Bytes {
        match form {
            Form::Json => self.json_list(0..self.count, "").into(),
            Form::Protobuf => {
                // The list's metadata, with the resource version in it, and then each pod as field 2.
                let mut raw = b"\x0a\x06\x12\x044711".to_vec();
                for pod in self.pods(0..self.count, |pod| &pod.protobuf) {
                    encode_key(2, WireType::LengthDelimited, &mut raw);
                    encode_varint(pod.len() as u64, &mut raw);
                    raw.extend(&*pod);
                }
                enveloped("PodList", raw).into()
            }
            Form::Cbor => {
                let mut out = cbor::MAGIC.to_vec();
                cbor::head(&mut out, 5, 4);
                for (key, value) in [("kind", "PodList"), ("apiVersion", "v1")] {
                    cbor::text(&mut out, key);
                    cbor::text(&mut out, value);
                }
                cbor::text(&mut out, "metadata");
                cbor::head(&mut out, 5, 1);
                cbor::text(&mut out, "resourceVersion");
                cbor::text(&mut out, "4711");
                cbor::text(&mut out, "items");
                cbor::head(&mut out, 4, self.count as u64);
                self.pods(0..self.count, |pod| &pod.cbor).for_each(|pod| out.extend(&*pod));
                out.into()
            }
        }
    }
}

fn pieces(bytes: Bytes) -> impl Iterator<Item = Bytes> + Send + 'static {
    (0..bytes.len().div_ceil(PIECE)).map(move |n| bytes.slice(n * PIECE..bytes.len().min((n + 1) * PIECE)))
}

fn respond(
    content_type: HeaderValue,
    pieces: impl Iterator<Item = Bytes> + Send + 'static,
) -> Response<Body> {
    answer(content_type, Box::pin(stream::iter(pieces.map(|piece| Ok(Frame::data(piece))))))
}

fn answer(content_type: HeaderValue, chunks: Chunks) -> Response<Body> {
    let mut response = Response::new(StreamBody::new(chunks));
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// A path that nothing was recorded for.
pub(super) fn unknown() -> Response<Body> {
    let mut response = respond(HeaderValue::from_static("text/plain"), std::iter::empty());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// A pod by itself.
fn object(pod: &Recorded, form: Form) -> Vec<u8> {
    match form {
        Form::Json => {
            let mut out = typed_json(&pod.json);
            out.push(b'\n');
            out
        }
        Form::Protobuf => enveloped("Pod", pod.protobuf.to_vec()),
        Form::Cbor => [cbor::MAGIC, &pod.typed_cbor].concat(),
    }
}

/// An event of a watch.
fn event(pod: &Recorded, form: Form) -> Vec<u8> {
    match form {
        Form::Json => {
            [br#"{"type":"MODIFIED","object":"#.as_slice(), &typed_json(&pod.json), b"}\n"].concat()
        }
        Form::Protobuf => {
            let raw = Some(enveloped("Pod", pod.protobuf.to_vec()));
            let event =
                WatchEvent { r#type: Some("MODIFIED".to_owned()), object: Some(RawExtension { raw }) };
            let mut out = (event.encoded_len() as u32).to_be_bytes().to_vec();
            out.extend(event.encode_to_vec());
            out
        }
        Form::Cbor => {
            let mut out = Vec::new();
            cbor::head(&mut out, 5, 2);
            cbor::text(&mut out, "type");
            cbor::text(&mut out, "MODIFIED");
            cbor::text(&mut out, "object");
            out.extend(&pod.typed_cbor);
            out
        }
    }
}

/// A pod of a list has no kind of its own; a pod by itself does.
fn typed_json(pod: &[u8]) -> Vec<u8> {
    let rest = pod.strip_prefix(b"{").unwrap_or_default();
    [br#"{"kind":"Pod","apiVersion":"v1","#.as_slice(), rest].concat()
}

fn enveloped(kind: &str, raw: Vec<u8>) -> Vec<u8> {
    let type_meta = TypeMeta { api_version: Some("v1".to_owned()), kind: Some(kind.to_owned()) };
    let unknown = Unknown {
        type_meta: Some(type_meta),
        raw: Some(raw),
        content_encoding: Some(String::new()),
        content_type: Some(String::new()),
    };
    [MAGIC, &unknown.encode_to_vec()].concat()
}
