//! What programs see in their traces and logs: the span of a request, its retries, long waits; and no secret. A binary of
//! its own, in which every test listens before it does anything: tracing remembers of a place whether somebody listened
//! when it was first passed, and a thread without a listener that passes it just then can leave it deaf.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

#[path = "../it/service.rs"]
#[allow(dead_code, reason = "another binary uses the rest")]
mod service;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use kubewire_rest::transport::ErrorKind;
use kubewire_rest::{Object, TokenBucket};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::service::{Script, Step, answer, come_back, fail, ok, with};

/// Names and values.
#[derive(Clone, Debug, Default)]
struct Fields(HashMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

#[derive(Clone, Debug)]
struct Span {
    name: &'static str,
    id: Id,
    fields: Fields,
}

#[derive(Clone, Debug)]
struct Told {
    level: Level,
    fields: Fields,
    /// The name of the span that it stands in.
    span: Option<&'static str>,
}

/// Keeps what kubewire tells on this thread, at every level.
#[derive(Clone, Debug, Default)]
struct Kept {
    spans: Arc<Mutex<Vec<Span>>>,
    events: Arc<Mutex<Vec<Told>>>,
}

impl Kept {
    /// Listens until the guard is dropped. Other tests on other threads hear nothing of it.
    fn listen() -> (Self, DefaultGuard) {
        let kept = Self::default();
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(kept.clone()));
        (kept, guard)
    }

    /// The fields of each request's span.
    fn requests(&self) -> Vec<HashMap<&'static str, String>> {
        let spans = self.spans.lock().unwrap();
        spans
            .iter()
            .filter(|span| span.name == "kubernetes_request")
            .map(|span| span.fields.0.clone())
            .collect()
    }

    /// The events with this message: their levels and the values of one field.
    fn events(&self, message: &str, field: &str) -> Vec<(Level, String)> {
        let events = self.events.lock().unwrap();
        let wanted = events.iter().filter(|told| told.fields.0["message"] == message);
        wanted.map(|told| (told.level, told.fields.0.get(field).cloned().unwrap_or_default())).collect()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Kept {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        if attributes.metadata().target().starts_with("kubewire") {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            let name = attributes.metadata().name();
            self.spans.lock().unwrap().push(Span { name, id: id.clone(), fields });
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut spans = self.spans.lock().unwrap();
        // An id is used again once its span is closed: the latest is meant.
        if let Some(span) = spans.iter_mut().rfind(|span| span.id == *id) {
            values.record(&mut span.fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target().starts_with("kubewire") {
            let mut fields = Fields::default();
            event.record(&mut fields);
            let span = context.event_span(event).map(|span| span.name());
            self.events.lock().unwrap().push(Told { level: *event.metadata().level(), fields, span });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_span_holds_verb_template_host_attempts_and_code() {
    let cases: Vec<(&str, Vec<Step>, &str, Option<&str>)> = vec![
        ("send", vec![ok()], "1", Some("200")),
        ("send", vec![come_back(503, "1"), come_back(429, "1"), ok()], "3", Some("200")),
        ("send", vec![Step::Answer(answer(404, "{}"))], "1", Some("404")),
        ("send", vec![fail(ErrorKind::Tls)], "1", None),
        ("send_raw", vec![come_back(503, "1"), ok()], "2", Some("200")),
        ("stream", vec![come_back(503, "1"), ok()], "2", Some("200")),
        ("list", vec![come_back(503, "1"), Step::Answer(answer(500, "{}"))], "2", Some("500")),
        ("items", vec![Step::Answer(answer(403, "{}"))], "1", Some("403")),
        ("watch", vec![come_back(503, "1"), ok()], "2", Some("200")),
    ];
    for (how, steps, attempts, code) in cases {
        let (kept, _guard) = Kept::listen();
        let request = Script::new(steps).client().get().namespace("ns-secret").resource("pods");
        let request = request.name("name-secret").param("token", "query-secret");
        match how {
            "send" => drop(request.send().await),
            "send_raw" => drop(request.send_raw().await),
            "stream" => drop(request.stream().await),
            "list" => drop(request.list::<Object>().await),
            "items" => drop(request.items::<Object>().await),
            _ => drop(request.watch::<Object>().await),
        }
        let spans = kept.requests();
        assert_eq!(spans.len(), 1, "{how}: {spans:?}");
        let field = |name: &str| spans[0].get(name).map(String::as_str);
        assert_eq!(field("http.request.method"), Some("GET"), "{how}");
        let template = "/api/v1/namespaces/{namespace}/pods/{name}";
        assert_eq!(field("url.template"), Some(template), "{how}");
        assert_eq!(field("server.address"), Some("server:8080"), "{how}");
        assert_eq!((field("attempts"), field("http.response.status_code")), (Some(attempts), code), "{how}");
    }
}

#[tokio::test(start_paused = true)]
async fn retries_say_why() {
    let flow = Step::Answer(with(
        with(answer(429, "{}"), "retry-after", "2"),
        "x-kubernetes-pf-flowschema-uid",
        "11111111-2222-3333-4444-555555555555",
    ));
    let script = Script::new([flow, fail(ErrorKind::ConnectionReset), come_back(503, "0"), ok()]);
    let (kept, _guard) = Kept::listen();
    script.client().get().resource("pods").send().await.check().unwrap();
    let reasons = kept.events("the request is to be sent again", "reason");
    assert_eq!(reasons.len(), 3);
    for ((level, reason), words) in reasons.iter().zip([
        ["retry 1 after 2s", "429", "FlowSchema UID \"11111111-2222-3333-4444-555555555555\""],
        ["retry 2 after 1s", "the connection was reset", ""],
        ["retry 3 after 0ns", "503", ""],
    ]) {
        assert_eq!(*level, Level::DEBUG);
        assert!(words.iter().all(|word| reason.contains(word)), "{reason}");
    }
    assert!(!reasons[2].1.contains("FlowSchema"), "an answer's UID is not the next one's: {}", reasons[2].1);
    // Pauses say so too, and all of it stands in the request's span.
    let pauses = kept.events("pausing before the next attempt", "delay");
    assert_eq!(pauses.iter().map(|(_, delay)| delay.as_str()).collect::<Vec<_>>(), ["2s", "1s"]);
    let events = kept.events.lock().unwrap();
    assert!(events.iter().all(|told| told.span == Some("kubernetes_request")), "{events:?}");
}

// BH-X7
#[tokio::test(start_paused = true)]
async fn long_throttling_is_told_by_its_length_and_not_too_often() {
    let script = Script::default();
    let client = script.client();
    let (kept, _guard) = Kept::listen();
    let throttled = async |millis: u64| {
        let bucket = TokenBucket::new(1000.0 / f64::from(u32::try_from(millis).unwrap()), 1).unwrap();
        let limiter: Arc<dyn kubewire_rest::RateLimiter> = Arc::new(bucket);
        assert!(limiter.try_accept());
        let before = kept.events("a request was held back", "reason").len();
        client.get().resource("pods").throttle(limiter).send().await.check().unwrap();
        kept.events("a request was held back", "reason").split_off(before)
    };
    for (millis, level) in [
        (40, None),
        (60, Some(Level::DEBUG)),
        (990, Some(Level::DEBUG)),
        (1500, Some(Level::INFO)),
        // Once in ten seconds at info, and at debug meanwhile.
        (1500, Some(Level::DEBUG)),
        (6000, Some(Level::DEBUG)),
        (3000, Some(Level::INFO)),
        (60, Some(Level::DEBUG)),
    ] {
        let told = throttled(millis).await;
        assert_eq!(told.first().map(|(level, _)| *level), level, "{millis} ms: {told:?}");
        if let Some((_, reason)) = told.first() {
            assert!(reason.contains("client-side throttling"), "{reason}");
        }
        assert!(told.len() <= 1, "{told:?}");
    }
    let requests = kept.events("a request was held back", "request");
    assert!(requests.iter().all(|(_, request)| request == "GET /api/v1/pods"), "{requests:?}");
}

// BH-X7
#[tokio::test(start_paused = true)]
async fn throttling_before_a_retry_tells_the_retrys_reason() {
    let refused = with(answer(429, "{}"), "retry-after", "0");
    let refused = with(refused, "x-kubernetes-pf-flowschema-uid", "some-uid");
    let script = Script::new([Step::Answer(refused), ok()]);
    let (kept, _guard) = Kept::listen();
    let limiter = Arc::new(TokenBucket::new(0.5, 1).unwrap());
    script.client().get().throttle(limiter).send().await.check().unwrap();
    let told = kept.events("a request was held back", "reason");
    assert_eq!(told.len(), 1, "{told:?}");
    let (level, reason) = &told[0];
    assert_eq!(*level, Level::INFO);
    assert!(reason.contains("429") && reason.contains("FlowSchema UID \"some-uid\""), "{reason}");
}

/// Asserts that nothing that was told holds the word, by which the tests mark every secret.
fn no_secret(kept: &Kept) {
    let spans = kept.spans.lock().unwrap();
    let events = kept.events.lock().unwrap();
    assert!(!spans.is_empty() && !events.is_empty());
    let all = format!("{spans:?} {events:?}");
    assert!(!all.contains("secret"), "{all}");
}

// BH-A9
#[tokio::test(start_paused = true)]
async fn neither_bodies_nor_headers_nor_queries_are_told() {
    let body = r#"{"kind":"Status","status":"Failure","message":"body-secret","code":503}"#;
    let refused = || with(with(answer(503, body), "retry-after", "1"), "set-cookie", "cookie-secret");
    let good = r#"{"kind":"Secret","data":{"a":"body-secret"}}"#;
    for how in ["send", "send_raw", "stream", "watch"] {
        for last in [answer(200, good), refused(), answer(200, "body-secret")] {
            let script = Script::new([
                Step::Answer(refused()),
                fail(ErrorKind::ConnectionReset),
                Step::Answer(refused()),
                Step::Answer(last),
            ]);
            let (kept, _guard) = Kept::listen();
            let request = script.client().get().namespace("ns-secret").resource("secrets");
            let request = request.name("name-secret").param("token", "query-secret").max_retries(3);
            let request = request.header("authorization", "Bearer header-secret");
            let request = request.body(&json!({"password": "body-secret"}));
            match how {
                "send" => drop(request.send().await.into_object::<Object>()),
                "send_raw" => drop(request.send_raw().await),
                "stream" => drop(request.stream().await),
                _ => drop(request.watch::<Object>().await),
            }
            // The resource's own name is no secret.
            for span in &mut *kept.spans.lock().unwrap() {
                let template = span.fields.0.remove("url.template").unwrap();
                assert_eq!(template, "/api/v1/namespaces/{namespace}/secrets/{name}");
            }
            no_secret(&kept);
        }
    }
}

#[cfg(feature = "fake")]
#[tokio::test]
async fn credentials_are_not_told_by_the_transport_either() {
    let (kept, _guard) = Kept::listen();
    let server = kubewire_rest::fake::ApiServer::builder().token("token-secret").start().await.unwrap();
    let config = server.config().without_rate_limit();
    let client = kubewire_rest::RestClient::for_config(&config, kubewire_rest::GroupVersion::V1).unwrap();
    client.get().resource("nodes").send().await.check().unwrap();
    server.revoke_token("token-secret");
    let error = client.get().resource("nodes").send().await.check().unwrap_err();
    assert!(error.is_unauthorized(), "{error}");
    let told =
        format!("{:?} {:?} {error} {error:?}", kept.spans.lock().unwrap(), kept.events.lock().unwrap());
    assert!(told.contains("kubernetes_request") && !told.contains("secret"), "{told}");
}
