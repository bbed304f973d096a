//! What a request costs before and after the network: building its URL, reading warnings.
//!
//! `cargo bench -p kubewire-rest --bench request`. What to compare: `url` against `url_parse`, which merely parses the
//! finished text; `warning` against `warning_split`, which merely finds its parts; `retry`
//! against `retry_parse`, which merely looks the header up and parses its number.

#![allow(clippy::expect_used)]

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use kubewire_rest::http::header::RETRY_AFTER;
use kubewire_rest::http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use kubewire_rest::transport::{Body, BoxFuture, Error, HttpService};
use kubewire_rest::{
    Attempt, Bytes, Config, Decision, GroupVersion, RestClient, RetryPolicy, StandardRetry, Unlimited,
    Warning,
};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

const WARNING: &[u8] = br#"299 - "autoscaling/v2beta2 HorizontalPodAutoscaler is deprecated in v1.23+""#;

fn main() {
    divan::main();
}

fn client() -> RestClient {
    let config = Config::new("http://10.0.0.1:8080");
    RestClient::builder(&config).group_version(GroupVersion::V1).build().expect("well-formed")
}

/// Has too much to do, always.
#[derive(Debug)]
struct Busy;

impl HttpService for Busy {
    fn execute(&self, _: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, Error>> {
        let mut response = Response::new(Bytes::new().into());
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("7"));
        Box::pin(std::future::ready(Ok(response)))
    }
}

/// Decisions about one attempt: so many that the request which it belongs to takes no time beside them.
const DECISIONS: usize = 10_000;

#[derive(Debug, Default)]
struct Again(StandardRetry);

impl RetryPolicy for Again {
    fn decide(&self, attempt: &Attempt<'_>) -> Decision {
        for _ in 0..DECISIONS {
            assert_ne!(black_box(&self.0).decide(black_box(attempt)), Decision::Finish);
        }
        Decision::Finish
    }
}

#[divan::bench]
fn url(bencher: Bencher<'_, '_>) {
    let client = client();
    bencher.bench_local(|| {
        let request = client.get().namespace("kube-system").resource("pods").name(black_box("web-0"));
        request.param("pretty", "true").url()
    });
}

#[divan::bench]
fn url_parse(bencher: Bencher<'_, '_>) {
    let text = "http://10.0.0.1:8080/api/v1/namespaces/kube-system/pods/web-0?pretty=true";
    bencher.bench_local(|| url::Url::parse(black_box(text)));
}

#[divan::bench]
fn warning(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| {
        let mut found = Vec::with_capacity(1);
        Warning::parse_header(black_box(WARNING), &mut found).expect("well-formed");
        found
    });
}

#[divan::bench]
fn warning_split(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| {
        let text = std::str::from_utf8(black_box(WARNING)).expect("UTF-8");
        let (code, rest) = text.split_once(' ').expect("well-formed");
        let (agent, text) = rest.split_once(' ').expect("well-formed");
        (code.parse::<u16>(), agent.to_owned(), text.trim_matches('"').to_owned())
    });
}

#[divan::bench]
fn retry(bencher: Bencher<'_, '_>) {
    let config = Config::new("http://10.0.0.1:8080");
    let builder = RestClient::builder(&config).group_version(GroupVersion::V1);
    let builder = builder.http_service(Arc::new(Busy)).rate_limiter(Arc::new(Unlimited));
    let client = builder.retry_policy(Arc::new(Again::default())).build().expect("well-formed");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    bencher.counter(ItemsCount::new(DECISIONS)).bench_local(|| {
        runtime.block_on(client.get().resource("pods").send()).check().expect_err("too many requests")
    });
}

#[divan::bench]
fn retry_parse(bencher: Bencher<'_, '_>) {
    let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("7"))]);
    bencher.counter(ItemsCount::new(DECISIONS)).bench_local(|| {
        for _ in 0..DECISIONS {
            let value = black_box(&headers).get(RETRY_AFTER).expect("there is one");
            let _: u64 = black_box(value.to_str().expect("ASCII").parse().expect("a number"));
        }
    });
}
