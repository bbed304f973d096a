//! What requests cost in memory. It is a binary of its own with one test, so that no other test allocates meanwhile.
#![allow(clippy::unwrap_used)]

use std::alloc::System;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use kubewire_rest::http::{self, Response};
use kubewire_rest::transport::{Body, BoxFuture, Error, HttpService};
use kubewire_rest::{Bytes, Config, GroupVersion, ListOptions, Object, Request, RestClient, Unlimited};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Answers each request with the same object, at the cost of one box.
#[derive(Debug)]
struct Answers;

impl HttpService for Answers {
    fn execute(&self, request: http::Request<Body>) -> BoxFuture<'_, Result<Response<Body>, Error>> {
        black_box(request);
        Box::pin(std::future::ready(Ok(Response::new(Bytes::from_static(b"{}").into()))))
    }
}

fn client() -> RestClient {
    let config = Config::new("https://10.0.0.1:6443");
    let builder = RestClient::builder(&config).group_version(GroupVersion::V1);
    builder.http_service(Arc::new(Answers)).rate_limiter(Arc::new(Unlimited)).build().unwrap()
}

/// How often `work` allocates. It is done once before, so that what is made only once is there; and then several times,
/// of which the least counts: the thread of the test's harness allocates as well, whenever it gets its turn.
fn allocations<T>(mut work: impl FnMut() -> T) -> usize {
    drop(work());
    let mut once = || {
        let region = Region::new(ALLOCATOR);
        let done = work();
        let stats = region.change();
        drop(done);
        stats.allocations + stats.reallocations
    };
    (0..20).map(|_| once()).min().unwrap()
}

#[test]
fn requests_cost_little() {
    let client = client();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let get = || client.get().namespace("kube-system").resource("configmaps").name("kube-root-ca.crt");
    let options = ListOptions { limit: Some(500), label_selector: Some("a=b".into()), ..Default::default() };
    let body = json!({"kind": "ConfigMap"});
    let put = || client.put().namespace("default").resource("configmaps").name("a").body(&body);
    let send = |request: Request| runtime.block_on(request.send());
    for (what, found, most) in [
        ("a clone of the client", allocations(|| client.clone()), 0),
        ("a client for another group", allocations(|| client.for_group_version(GroupVersion::V1)), 6),
        ("a request", allocations(get), 1),
        ("a request with a parameter", allocations(|| get().param("pretty", "true")), 2),
        ("send()", allocations(|| send(get())), 8),
        ("send() and into_object()", allocations(|| send(get()).into_object::<Object>()), 9),
        ("send() with a body", allocations(|| send(put())), 12),
        ("send() with a timeout", allocations(|| send(get().timeout(Duration::from_secs(1)))), 10),
        ("send_raw()", allocations(|| runtime.block_on(get().send_raw())), 8),
        ("stream()", allocations(|| runtime.block_on(get().stream())), 11),
        ("a list", allocations(|| runtime.block_on(get().versioned_params(&options).list::<Object>())), 28),
        ("a watch", allocations(|| runtime.block_on(get().watch::<Object>())), 26),
    ] {
        assert!(found <= most, "{what}: {found} allocations, but {most} at the most");
    }
    for (what, found, most) in [
        ("a request", size_of::<Request>(), 640),
        ("a result", size_of::<kubewire_rest::Result>(), 448),
        ("an error", size_of::<kubewire_rest::Error>(), 64),
        ("send()", size_of_val(&get().send()), 2816),
        ("send_raw()", size_of_val(&get().send_raw()), 2816),
        ("stream()", size_of_val(&get().stream()), 2816),
        ("list()", size_of_val(&get().list::<Object>()), 5120),
        ("items()", size_of_val(&get().items::<Object>()), 3072),
        ("all()", size_of_val(&get().all::<Object>()), 9216),
        ("watch()", size_of_val(&get().watch::<Object>()), 4608),
    ] {
        assert!(found <= most, "{what}: {found} bytes, but {most} at the most");
    }
}
