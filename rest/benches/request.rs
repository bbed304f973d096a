//! What a request costs before and after the network: building its URL, reading warnings.
//!
//! `cargo bench -p kubewire-rest --bench request`. What to compare: `url` against `url_parse`, which merely parses the
//! finished text; `warning` against `warning_split`, which merely finds its parts.

#![allow(clippy::expect_used)]

use divan::{AllocProfiler, Bencher, black_box};
use kubewire_rest::{Config, GroupVersion, RestClient, Warning};

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
