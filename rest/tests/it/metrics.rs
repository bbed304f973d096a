//! Known traffic on the embedded API server, and exactly the counts and sums that it must make.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use kubewire_flowcontrol::Wait;
use kubewire_rest::fake::{ApiServer, Fault};
use kubewire_rest::{
    ClientMetrics, Config, GroupVersion, List, ListOptions, Object, RateLimiter, RestClient,
    RestClientBuilder,
};
use tokio::time::{Instant, timeout};

/// Holds the first requests back, each for as long as `HELD`, and no other.
struct HoldsBack(AtomicUsize);

const HELD: Duration = Duration::from_millis(600);

impl fmt::Debug for HoldsBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HoldsBack")
    }
}

impl RateLimiter for HoldsBack {
    fn try_accept(&self) -> bool {
        true
    }

    fn wait(&self, _deadline: Option<Instant>) -> Wait<'_> {
        let held =
            self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        Wait::pending(async move {
            if held {
                tokio::time::sleep(HELD).await;
            }
            Ok(())
        })
    }

    fn qps(&self) -> f64 {
        f64::INFINITY
    }
}

/// All series of the counters and gauges, and of the histograms' counts and sums, that are not zero.
fn samples(metrics: &ClientMetrics) -> BTreeMap<String, f64> {
    let text = metrics.gather_text();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.contains("_bucket{"));
    let samples = lines.map(|line| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        (series.to_owned(), value.parse::<f64>().unwrap())
    });
    samples.filter(|(_, value)| *value != 0.0).collect()
}

/// The samples of the families whose names begin so.
fn of<'a>(samples: &'a BTreeMap<String, f64>, family: &str) -> Vec<(&'a str, f64)> {
    let names = samples.iter().filter(|(series, _)| series.starts_with(family));
    names.map(|(series, value)| (series.as_str(), *value)).collect()
}

/// How many observations of a histogram of the host's GETs are at most `le`.
fn at_most(metrics: &ClientMetrics, family: &str, host: &str, le: &str) -> f64 {
    let text = metrics.gather_text();
    let series = format!("{family}_bucket{{host=\"{host}\",verb=\"GET\",le=\"{le}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&series)).unwrap().parse().unwrap()
}

fn builder<'a>(config: &'a Config, metrics: &Arc<ClientMetrics>) -> RestClientBuilder<'a> {
    RestClient::builder(config).group_version(GroupVersion::V1).metrics(Arc::clone(metrics))
}

fn host_of(url: &str) -> &str {
    url.split_once("://").unwrap().1
}

// BH-M2
#[tokio::test]
async fn bh_m2_a_redirect_counts_for_the_host_of_the_base_url() {
    let home = ApiServer::start().await.unwrap();
    let away = ApiServer::builder().pods(3).start().await.unwrap();
    let redirect = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {}/api/v1/pods\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        away.url()
    );
    home.faults().once(Fault::Garbage(redirect.into()));
    let metrics = Arc::new(ClientMetrics::builder().native_names(true).build().unwrap());
    let config = Config::new(home.url());
    let client = builder(&config, &metrics).build().unwrap();
    let pods: List<Object> = client.get().resource("pods").list().await.unwrap();
    assert_eq!(pods.items.len(), 3);

    let found = samples(&metrics);
    let url = home.url();
    let requests =
        format!(r#"rest_client_requests_total{{code="200",host="{}",method="GET"}}"#, host_of(&url));
    assert_eq!(of(&found, "rest_client_requests_total"), [(requests.as_str(), 1.0)]);
    let url = away.url();
    let away = found.keys().filter(|series| series.contains(host_of(&url)));
    let families: Vec<_> = away.map(|series| series.split('{').next().unwrap()).collect();
    // Connections and their bytes are where they are.
    assert_eq!(
        families,
        [
            "kubewire_client_connections_opened_total",
            "kubewire_client_response_decoded_bytes_total",
            "kubewire_client_response_wire_bytes_total"
        ]
    );
}

// BH-M1, BH-M2
#[tokio::test]
async fn bh_m1_known_traffic_makes_exactly_these_counts_and_sums() {
    let server = ApiServer::builder().pods(20).start().await.unwrap();
    let url = server.url();
    let host = host_of(&url);
    let metrics = Arc::new(ClientMetrics::builder().native_names(true).build().unwrap());
    // Compression would make the size of what is received a matter of the other end.
    let config = Config { disable_compression: true, ..Config::new(&url) };
    let limiter = Arc::new(HoldsBack(AtomicUsize::new(5)));
    let client = builder(&config, &metrics).rate_limiter(limiter).build().unwrap();

    // Five GETs are throttled, at the same time so that it takes but once as long.
    let list = || {
        client.get().resource("pods").versioned_params(&ListOptions { limit: Some(3), ..Default::default() })
    };
    let mut received = 0;
    for result in join_all((0..5).map(|_| list().send())).await {
        received += result.raw().unwrap().len();
    }
    // Three are sent again ...
    for code in [429, 503, 503] {
        server.faults().once(Fault::retry_after(code, 0));
        received += list().send_raw().await.unwrap().len();
    }
    // ... and four go well: twelve GETs in all.
    for _ in 0..4 {
        received += list().send().await.raw().unwrap().len();
    }
    // A POST of a thousand bytes.
    let object = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":""}}"#;
    let filler = "x".repeat(1000 - object.len());
    let object = object.replace(r#""k":"""#, &format!(r#""k":"{filler}""#));
    assert_eq!(object.len(), 1000);
    let posted = client
        .post()
        .namespace("default")
        .resource("configmaps")
        .header("content-type", "application/json")
        .body_bytes(object)
        .send()
        .await;
    assert!(posted.was_created(), "{posted:?}");
    let answered = posted.body().len();
    posted.into_object::<Object>().unwrap();

    let found = samples(&metrics);
    let get = |family: &str| format!(r#"{family}{{host="{host}",verb="GET"}}"#);
    let post = |family: &str| format!(r#"{family}{{host="{host}",verb="POST"}}"#);
    let requests = |code: &str, method: &str| {
        format!(r#"rest_client_requests_total{{code="{code}",host="{host}",method="{method}"}}"#)
    };
    assert_eq!(
        of(&found, "rest_client_requests_total"),
        [
            (requests("200", "GET").as_str(), 12.0),
            (requests("201", "POST").as_str(), 1.0),
            (requests("429", "GET").as_str(), 1.0),
            (requests("503", "GET").as_str(), 2.0),
        ]
    );
    let retried = format!(r#"rest_client_request_retries_total{{code="200",host="{host}",verb="GET"}}"#);
    assert_eq!(of(&found, "rest_client_request_retries_total"), [(retried.as_str(), 3.0)]);
    let reason = format!(r#"kubewire_client_retries_total{{host="{host}",reason="retry_after",verb="GET"}}"#);
    assert_eq!(of(&found, "kubewire_client_retries_total"), [(reason.as_str(), 3.0)]);
    assert!(of(&found, "kubewire_client_requests_in_flight").is_empty(), "all have ended: {found:#?}");
    assert!(of(&found, "kubewire_client_limiter_queue_length").is_empty(), "none waits: {found:#?}");
    for (series, expected) in [
        // Every attempt was answered.
        (get("kubewire_client_time_to_first_byte_seconds_count"), 15.0),
        (post("kubewire_client_time_to_first_byte_seconds_count"), 1.0),
        (post("kubewire_client_decode_duration_seconds_count"), 1.0),
        (post("kubewire_client_response_decoded_bytes_total"), answered as f64),
        (get("rest_client_request_duration_seconds_count"), 12.0),
        (post("rest_client_request_duration_seconds_count"), 1.0),
        // Every attempt takes a token, and sends a body: none is 0 bytes.
        (get("rest_client_rate_limiter_duration_seconds_count"), 15.0),
        (post("rest_client_rate_limiter_duration_seconds_count"), 1.0),
        (get("rest_client_request_size_bytes_count"), 15.0),
        (post("rest_client_request_size_bytes_count"), 1.0),
        (post("rest_client_request_size_bytes_sum"), 1000.0),
        // What is received counts once a request.
        (get("rest_client_response_size_bytes_count"), 12.0),
        (get("rest_client_response_size_bytes_sum"), received as f64),
        (post("rest_client_response_size_bytes_count"), 1.0),
        (post("rest_client_response_size_bytes_sum"), answered as f64),
    ] {
        assert_eq!(found.get(&series), Some(&expected), "{series}\n{found:#?}");
    }
    assert!(!found.contains_key(&get("rest_client_request_size_bytes_sum")), "zero bytes are sent");

    // The five that were throttled: their waits are in both histograms.
    assert_eq!(at_most(&metrics, "rest_client_rate_limiter_duration_seconds", host, "0.5"), 10.0);
    assert!(at_most(&metrics, "rest_client_request_duration_seconds", host, "0.5") <= 7.0);
    let waited = found[&get("rest_client_rate_limiter_duration_seconds_sum")];
    assert!((3.0..6.0).contains(&waited), "5 times 0.6 s: {waited}");
}

// BH-M1
#[tokio::test]
async fn bh_m1_requests_without_an_answer() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let metrics = Arc::new(ClientMetrics::new());
    let config = Config::new(format!("http://{closed}"));
    let client = builder(&config, &metrics).build().unwrap();
    for _ in 0..2 {
        client.get().resource("pods").send().await.check().unwrap_err();
    }
    // Not sent at all: it has a duration, and nothing else.
    client.delete().name("a/b").send().await.check().unwrap_err();

    let found = samples(&metrics);
    let series = |family: &str, verb: &str| format!(r#"{family}{{host="{closed}",verb="{verb}"}}"#);
    let failed = format!(r#"rest_client_requests_total{{code="<error>",host="{closed}",method="GET"}}"#);
    assert_eq!(of(&found, "rest_client_requests_total"), [(failed.as_str(), 2.0)]);
    assert_eq!(found[&series("rest_client_request_duration_seconds_count", "GET")], 2.0);
    assert_eq!(found[&series("rest_client_request_duration_seconds_count", "DELETE")], 1.0);
    assert_eq!(found[&series("rest_client_request_size_bytes_count", "GET")], 2.0);
    assert!(of(&found, "rest_client_response_size_bytes").is_empty(), "{found:#?}");
    assert!(of(&found, "rest_client_request_retries_total").is_empty(), "{found:#?}");
}

/// Asks until the metrics show `value` of `series`, or more.
async fn reaches(metrics: &ClientMetrics, series: &str, value: f64, client: &RestClient) {
    let seen = async {
        while samples(metrics).get(series).is_none_or(|found| *found < value) {
            client.get().resource("pods").send().await.check().unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), seen)
        .await
        .unwrap_or_else(|_| panic!("{series}: {:#?}", samples(metrics)));
}

// BH-M1, BH-T8, BH-T10
#[cfg(unix)]
#[tokio::test]
async fn bh_m1_an_exec_plugin_and_a_ca_file() {
    use kubewire_config::{Credentials, ExecConfig, InteractiveMode, Pem};
    use kubewire_rest::transport::HttpClient;

    let server = ApiServer::builder().tls(true).token("from-the-plugin").start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, server.ca_pem().unwrap()).unwrap();
    let credential = r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"from-the-plugin"}}"#;
    let mut config = server.config();
    config.tls.ca = Some(Pem::File(ca.clone()));
    config.credentials = Credentials::Exec(Box::new(ExecConfig {
        command: "echo".into(),
        args: vec![credential.to_owned().into()],
        api_version: "client.authentication.k8s.io/v1".to_owned(),
        interactive_mode: InteractiveMode::Never,
        ..ExecConfig::default()
    }));

    let metrics = Arc::new(ClientMetrics::new());
    let http = HttpClient::builder(&config)
        .metrics(Arc::clone(&metrics))
        .certificate_file_period(Duration::from_millis(100))
        .build()
        .unwrap();
    let client = builder(&config, &metrics)
        .http_service(Arc::new(http))
        .rate_limiter(Arc::new(kubewire_rest::Unlimited))
        .build()
        .unwrap();
    client.get().resource("pods").send().await.check().unwrap();

    // One run for all requests.
    let runs = r#"rest_client_exec_plugin_call_total{call_status="no_error",code="0"}"#;
    let allowed = r#"rest_client_exec_plugin_policy_call_total{status="allowed"}"#;
    let updated = r#"rest_client_transport_ca_reload_total{reason="updated",result="success"}"#;
    let unchanged = r#"rest_client_transport_ca_reload_total{reason="unchanged",result="success"}"#;
    let made = r#"rest_client_transport_create_calls_total{result="miss"}"#;
    reaches(&metrics, unchanged, 1.0, &client).await;
    std::fs::write(&ca, format!("{}\nand a remark\n", server.ca_pem().unwrap())).unwrap();
    reaches(&metrics, updated, 1.0, &client).await;
    std::fs::write(&ca, "").unwrap();
    reaches(
        &metrics,
        r#"rest_client_transport_ca_reload_total{reason="empty",result="failure"}"#,
        1.0,
        &client,
    )
    .await;

    let found = samples(&metrics);
    assert_eq!(of(&found, "rest_client_exec_plugin_call_total"), [(runs, 1.0)]);
    assert_eq!(of(&found, "rest_client_exec_plugin_policy_call_total"), [(allowed, 1.0)]);
    assert_eq!(found[updated], 1.0);
    assert_eq!(of(&found, "rest_client_transport_create_calls_total"), [(made, 1.0)]);
    assert_eq!(found["rest_client_transport_cache_entries"], 1.0);
    assert_eq!(found["rest_client_exec_plugin_ttl_seconds"], f64::INFINITY, "a token is no certificate");
    // How many they were depends on when the CA was read; all went well.
    let url = server.url();
    let host = host_of(&url);
    let code = format!(r#"rest_client_requests_total{{code="200",host="{host}",method="GET"}}"#);
    let all = format!(r#"rest_client_request_duration_seconds_count{{host="{host}",verb="GET"}}"#);
    assert_eq!(of(&found, "rest_client_requests_total"), [(code.as_str(), found[&all])]);
}
