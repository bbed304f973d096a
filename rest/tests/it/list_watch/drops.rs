//! A relay that drops connections at random, between a server and a list that is kept up to date.
//!
//! What the protocol implies: after an `InitDone` at version V come exactly the changes after V, in their order, until the
//! stream ends or begins anew with an `Init`; between `Init` and `InitDone` comes what there was at V, each object once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use kubewire_rest::fake::{ApiServer, Service};
use kubewire_rest::http::{Request, Response};
use kubewire_rest::transport::{Body, BoxFuture, Error, ErrorKind, HttpService};
use kubewire_rest::{Change, Config, GroupVersion, ListWatch, Object, RestClient, Unlimited};
use serde_json::json;

const OBJECTS: u64 = 12;

/// Passes requests on to a server, and breaks what comes back.
#[derive(Debug)]
struct Relay {
    server: Service,
    random: Mutex<fastrand::Rng>,
    drops: AtomicUsize,
    /// Whether it has stopped to break things.
    is_calm: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
enum End {
    /// The server ends it, as it seems.
    Clean,
    Broken(ErrorKind),
    /// Nothing comes any more.
    Stall,
}

impl Relay {
    /// How the next exchange ends, and after how many bytes.
    fn lot(&self) -> Option<(usize, End)> {
        if self.is_calm.load(Ordering::Relaxed) {
            return None;
        }
        let mut random = self.random.lock().unwrap();
        self.drops.fetch_add(1, Ordering::Relaxed);
        let end = match random.u8(0..10) {
            0..3 => End::Clean,
            3..6 => End::Broken(ErrorKind::ConnectionReset),
            6..8 => End::Broken(ErrorKind::UnexpectedEof),
            8 => End::Broken(ErrorKind::ConnectionLost),
            _ => End::Stall,
        };
        // A few dozen events, or hardly anything.
        let bytes = if random.u8(0..5) == 0 { random.usize(0..100) } else { random.usize(0..10_000) };
        Some((bytes, end))
    }
}

impl HttpService for Relay {
    fn execute(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, Error>> {
        Box::pin(async move {
            let lot = self.lot();
            if let Some((..50, End::Broken(_))) = lot {
                return Err(Error::new(ErrorKind::ConnectionRefused, "dropped"));
            }
            let response = self.server.execute(request).await?;
            let Some((bytes, end)) = lot else { return Ok(response) };
            Ok(response.map(|body| Body::wrap(StreamBody::new(cut(body, bytes, end)))))
        })
    }
}

/// The first `left` bytes of a body, then its end.
fn cut(
    body: Body,
    left: usize,
    end: End,
) -> impl Stream<Item = Result<Frame<Bytes>, Error>> + Send + 'static {
    let chunks = body.into_data_stream();
    futures_util::stream::unfold((chunks, left, false), move |(mut chunks, left, is_over)| async move {
        if is_over {
            return None;
        }
        if left == 0 {
            return match end {
                End::Clean => None,
                End::Broken(kind) => Some((Err(Error::new(kind, "dropped")), (chunks, 0, true))),
                End::Stall => std::future::pending().await,
            };
        }
        let chunk = match chunks.next().await? {
            Ok(chunk) => chunk.slice(..chunk.len().min(left)),
            Err(error) => return Some((Err(error), (chunks, 0, true))),
        };
        let left = left - chunk.len();
        Some((Ok(Frame::data(chunk)), (chunks, left, false)))
    })
}

/// What became of an object: its new version, or `None` once it is gone.
type Entry = (String, Option<String>);

/// Every change that was made, by its version.
#[derive(Debug, Default)]
struct Log(Mutex<BTreeMap<u64, Entry>>);

impl Log {
    /// What there was at a version.
    fn state(&self, at: u64) -> BTreeMap<String, String> {
        let mut state = BTreeMap::new();
        for (_, (name, version)) in self.0.lock().unwrap().range(..=at) {
            match version {
                Some(version) => drop(state.insert(name.clone(), version.clone())),
                None => drop(state.remove(name)),
            }
        }
        state
    }

    /// The first change after a version.
    fn after(&self, version: u64) -> Option<(u64, Entry)> {
        let log = self.0.lock().unwrap();
        log.range(version + 1..).next().map(|(version, entry)| (*version, entry.clone()))
    }
}

/// Creates, changes and deletes objects, one by one, as long as it is asked to; the first are made before anyone
/// looks.
async fn make_changes(
    server: &ApiServer,
    log: &Log,
    mut random: fastrand::Rng,
    go_on: impl Fn(usize) -> bool,
) {
    let objects = server.objects();
    for number in (0..).take_while(|number| go_on(*number)) {
        let name = format!("map-{}", random.u64(0..OBJECTS));
        let is_there = objects.get("v1", "ConfigMap", "default", &name).is_some();
        let version = if is_there && random.u8(0..4) == 0 {
            objects.remove("v1", "ConfigMap", "default", &name);
            None
        } else {
            let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"n": number.to_string()},
                "metadata": {"name": name, "namespace": "default"}});
            let stored = objects.put(map).unwrap();
            Some(stored["metadata"]["resourceVersion"].as_str().unwrap().to_owned())
        };
        log.0.lock().unwrap().insert(objects.version(), (name, version));
        if number % 500 == 499 {
            // A watch that is down just now can't go on.
            objects.compact();
        }
        if number >= 500 {
            tokio::time::sleep(Duration::from_millis(random.u64(0..400))).await;
        }
    }
}

/// Reads until the last change, and checks all that comes. Gives the number of `Init`s.
async fn check(mut changes: ListWatch<Object>, log: &Log, made: impl Fn() -> bool) -> usize {
    let mut fresh: Option<BTreeMap<String, String>> = None;
    let mut at = 0;
    let mut begun = 0;
    loop {
        let is_last = made() && fresh.is_none() && at > 0 && log.after(at).is_none();
        if is_last {
            return begun;
        }
        let next = tokio::time::timeout(Duration::from_secs(3600), changes.next()).await;
        match next.expect("nothing came for an hour").expect("it ended") {
            // What was cut, as it looks from here; the server itself refuses nothing.
            Err(error) => assert!(error.status().is_none(), "{error}"),
            Ok(Change::Init) => {
                fresh = Some(BTreeMap::new());
                begun += 1;
            }
            Ok(Change::InitDone) => {
                at = changes.resource_version().parse().unwrap();
                assert_eq!(fresh.take().unwrap(), log.state(at), "what there was at {at}");
            }
            Ok(Change::Applied(map)) => {
                let (name, version) = (map.metadata.name, map.metadata.resource_version);
                if let Some(fresh) = &mut fresh {
                    assert!(fresh.insert(name.clone(), version).is_none(), "{name} came twice");
                } else {
                    let (now, entry) = log.after(at).expect("nothing was changed");
                    assert_eq!((name, Some(version)), entry, "after {at}");
                    at = now;
                }
            }
            Ok(Change::Deleted(map)) => {
                assert!(fresh.is_none());
                let (now, entry) = log.after(at).expect("nothing was changed");
                assert_eq!((map.metadata.name, None), entry, "after {at}");
                at = now;
            }
        }
    }
}

/// Makes at least so many changes while at least so many connections are dropped.
async fn nothing_is_lost(changes: usize, least: usize, limit: Option<&str>) {
    let seed =
        std::env::var("KUBEWIRE_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    eprintln!("KUBEWIRE_SEED={seed}");
    fastrand::seed(seed);
    let server = ApiServer::builder().start().await.unwrap();
    let relay = Arc::new(Relay {
        server: server.service(),
        random: Mutex::new(fastrand::Rng::new()),
        drops: AtomicUsize::new(0),
        is_calm: AtomicBool::new(false),
    });
    let service: Arc<dyn HttpService> = Arc::<Relay>::clone(&relay);
    let client = RestClient::builder(&Config::new("http://relay"))
        .group_version(GroupVersion::V1)
        .http_service(service)
        .rate_limiter(Arc::new(Unlimited))
        .build()
        .unwrap();
    let mut request = client.get().namespace("default").resource("configmaps").max_retries(1);
    if let Some(limit) = limit {
        request = request.param("limit", limit);
    }
    let list_watch = request.idle_timeout(Duration::from_secs(3)).list_watch();
    let log = Log::default();
    let all_made = AtomicBool::new(false);
    let making = async {
        let drops = || relay.drops.load(Ordering::Relaxed);
        make_changes(&server, &log, fastrand::Rng::new(), |made| made < changes || drops() < least).await;
        relay.is_calm.store(true, Ordering::Relaxed);
        all_made.store(true, Ordering::Relaxed);
        // The one with which the reader may stop.
        let last = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "last", "namespace": "default"}});
        let version =
            server.objects().put(last).unwrap()["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
        log.0.lock().unwrap().insert(server.objects().version(), ("last".to_owned(), Some(version)));
    };
    let ((), begun) = tokio::join!(making, check(list_watch, &log, || all_made.load(Ordering::Relaxed)));
    let (made, drops) = (log.0.lock().unwrap().len(), relay.drops.load(Ordering::Relaxed));
    eprintln!("{made} changes, {drops} connections dropped, {begun} times Init");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_or_repeated_when_connections_drop() {
    nothing_is_lost(10_000, 500, None).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_or_repeated_when_connections_drop_and_lists_have_pages() {
    nothing_is_lost(2_000, 100, Some("5")).await;
}
