//! Observing through resolved handles against looking the labels up each time, as a bare `prometheus` user does.
//!
//! `cargo bench -p kubewire-metrics`. What to compare: `handle` against `with_label_values` of the same module, also
//! with two threads at once. Allocations are shown where there are any.

#![allow(clippy::expect_used)]

use std::hint::black_box;
use std::time::Duration;

use divan::{AllocProfiler, Bencher};
use kubewire_metrics::ClientMetrics;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts};

const HOST: &str = "10.0.0.1:6443";
const BUCKETS: [f64; 12] = [0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0];

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Runs `observe` once before measuring: the first observation makes the series.
fn bench(bencher: Bencher<'_, '_>, observe: impl Fn() + Sync) {
    observe();
    bencher.bench(observe);
}

/// A latency histogram by verb and host.
#[divan::bench_group(threads = [1, 2], sample_size = 2000, sample_count = 200)]
mod histogram {
    use super::{
        BUCKETS, Bencher, ClientMetrics, Duration, HOST, HistogramOpts, HistogramVec, bench, black_box,
    };

    #[divan::bench]
    fn handle(bencher: Bencher<'_, '_>) {
        let metrics = ClientMetrics::new().request("GET", HOST);
        bench(bencher, || metrics.observe_duration(black_box(Duration::from_millis(12))));
    }

    #[divan::bench]
    fn with_label_values(bencher: Bencher<'_, '_>) {
        let opts = HistogramOpts::new("duration_seconds", "help").buckets(BUCKETS.to_vec());
        let family = HistogramVec::new(opts, &["verb", "host"]).expect("well-formed");
        bench(bencher, || {
            family
                .with_label_values(&[black_box("GET"), black_box(HOST)])
                .observe(black_box(Duration::from_millis(12)).as_secs_f64());
        });
    }
}

/// A counter by status code, method and host.
#[divan::bench_group(threads = [1, 2], sample_size = 2000, sample_count = 200)]
mod counter {
    use super::{Bencher, ClientMetrics, HOST, IntCounterVec, Opts, bench, black_box};

    #[divan::bench]
    fn handle(bencher: Bencher<'_, '_>) {
        let metrics = ClientMetrics::new().request("GET", HOST);
        bench(bencher, || metrics.count_request(black_box(Some(200))));
    }

    #[divan::bench]
    fn with_label_values(bencher: Bencher<'_, '_>) {
        let family = IntCounterVec::new(Opts::new("requests_total", "help"), &["code", "method", "host"])
            .expect("well-formed");
        bencher
            .bench(|| family.with_label_values(&[black_box("200"), black_box("GET"), black_box(HOST)]).inc());
    }
}

/// All that one successful GET observes, from the host's handles on.
#[divan::bench_group(threads = [1, 2], sample_size = 2000, sample_count = 200)]
mod request {
    use super::{
        BUCKETS, Bencher, ClientMetrics, Duration, HOST, HistogramOpts, HistogramVec, IntCounterVec, Opts,
        bench, black_box,
    };

    #[divan::bench]
    fn handle(bencher: Bencher<'_, '_>) {
        let host = ClientMetrics::new().host(HOST);
        bench(bencher, || {
            let get = host.requests(black_box("GET"));
            get.observe_rate_limiter(black_box(Duration::from_micros(1)));
            get.observe_request_size(black_box(0));
            get.count_request(black_box(Some(200)));
            get.observe_response_size(black_box(10_000));
            get.observe_duration(black_box(Duration::from_millis(12)));
        });
    }

    /// With the `kubewire_client_*` metrics on, all that they observe of the same GET on top.
    #[divan::bench]
    fn handle_native_alone(bencher: Bencher<'_, '_>) {
        let metrics = ClientMetrics::builder().native_names(true).build().expect("well-formed");
        let host = metrics.host(HOST);
        bench(bencher, || {
            let get = host.requests(black_box("GET"));
            let _in_flight = get.in_flight();
            drop(host.limiter_queue());
            host.count_connection_reused();
            get.observe_first_byte(black_box(Duration::from_millis(11)));
            get.add_wire_bytes(black_box(2_000));
            get.add_decoded_bytes(black_box(10_000));
            get.observe_body(black_box(Duration::from_millis(1)));
            get.observe_decode(black_box(Duration::from_micros(50)));
        });
    }

    #[divan::bench]
    fn with_label_values(bencher: Bencher<'_, '_>) {
        let family = |name| {
            let opts = HistogramOpts::new(name, "help").buckets(BUCKETS.to_vec());
            HistogramVec::new(opts, &["verb", "host"]).expect("well-formed")
        };
        let (limiter, request, response, duration) =
            (family("limiter"), family("request"), family("response"), family("duration"));
        let requests = IntCounterVec::new(Opts::new("requests_total", "help"), &["code", "method", "host"])
            .expect("well-formed");
        bench(bencher, || {
            let labels = [black_box("GET"), black_box(HOST)];
            limiter.with_label_values(&labels).observe(black_box(1e-6));
            request.with_label_values(&labels).observe(black_box(0.0));
            requests.with_label_values(&[black_box("200"), labels[0], labels[1]]).inc();
            response.with_label_values(&labels).observe(black_box(10_000.0));
            duration.with_label_values(&labels).observe(black_box(0.012));
        });
    }
}
