//! Many objects, read in every way while others come, change and go.
//!
//! `KUBEWIRE_OBJECTS` says how many (1000 unless set); a tenth as many come and go.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use kubewire_rest::transport::HttpService;
use kubewire_rest::{
    Change, Config, DeleteOptions, GroupVersion, List, Object, PatchType, Request, RestClient,
    RestClientBuilder, WatchEvent,
};
use serde_json::{Value, json};

use super::recorder::{Answer, Recorder};

const AT_ONCE: usize = 32;

type Build = for<'a> fn(RestClientBuilder<'a>) -> RestClientBuilder<'a>;

pub struct Many {
    config: Config,
    group_version: GroupVersion,
    /// What a client is told beside the group and version.
    build: Build,
    client: RestClient,
    resource: &'static str,
    /// One of the objects, but for its name and labels.
    template: Value,
    unique: String,
    pub count: usize,
}

impl Many {
    fn of(
        config: &Config,
        group_version: GroupVersion,
        resource: &'static str,
        template: Value,
        build: Build,
    ) -> Self {
        let config = Config { qps: Some(-1.0), ..config.clone() };
        let client = build(RestClient::builder(&config).group_version(group_version.clone()));
        Self {
            client: client.build().unwrap(),
            config,
            group_version,
            build,
            resource,
            template,
            unique: format!("many-{}-{}", std::process::id(), fastrand::u32(..)),
            count: std::env::var("KUBEWIRE_OBJECTS").map_or(1000, |count| count.parse().unwrap()),
        }
    }

    /// Another client, whose requests are recorded.
    fn recorded(&self) -> (RestClient, Arc<Recorder>) {
        let recorder = Recorder::new(&self.config);
        let service: Arc<dyn HttpService> = Arc::<Recorder>::clone(&recorder);
        let client = RestClient::builder(&self.config).group_version(self.group_version.clone());
        ((self.build)(client).http_service(service).build().unwrap(), recorder)
    }

    pub fn pods(config: &Config, spec: &Value) -> Self {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "spec": spec});
        Self::of(config, GroupVersion::V1, "pods", pod, |client| client)
    }

    async fn widgets(config: &Config, build: Build) -> Self {
        let group_version = crate::conformance::install_widgets(config).await;
        let widget =
            json!({"apiVersion": group_version.to_string(), "kind": "Widget", "spec": {"colour": "red"}});
        Self::of(config, group_version, "widgets", widget, build)
    }

    pub fn all(&self) -> Request {
        self.all_by(&self.client)
    }

    fn all_by(&self, client: &RestClient) -> Request {
        let objects = client.get().namespace("default").resource(self.resource);
        objects.param("labelSelector", format!("test={}", self.unique))
    }

    fn one(&self, request: Request, name: &str) -> Request {
        request.namespace("default").resource(self.resource).name(name)
    }

    async fn create(&self, name: String) {
        let mut object = self.template.clone();
        object["metadata"] = json!({"name": name, "labels": {"test": self.unique}});
        let request = self.client.post().namespace("default").resource(self.resource).body(&object);
        request.send().await.check().unwrap();
    }

    async fn visit(&self, number: usize) {
        let name = format!("{}-visitor-{number}", self.unique);
        self.create(name.clone()).await;
        let patch = json!({"metadata": {"annotations": {"seen": "yes"}}});
        self.one(self.client.patch(PatchType::Merge), &name).body(&patch).send().await.check().unwrap();
        self.delete(&name).await;
    }

    async fn delete(&self, name: &str) {
        let now = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
        self.one(self.client.delete(), name).body(&now).send().await.check().unwrap();
    }

    pub async fn create_all(&self) {
        let names = (0..self.count).map(|number| self.create(format!("{}-{number}", self.unique)));
        futures_util::stream::iter(names).for_each_concurrent(AT_ONCE, |creating| creating).await;
    }

    /// A server that is busy may need more time for all of them than it takes for one request.
    pub async fn delete_all(&self) {
        let mut failed = None;
        for _ in 0..10 {
            let now = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
            let objects = self.client.delete().namespace("default").resource(self.resource).body(&now);
            match objects.param("labelSelector", format!("test={}", self.unique)).send().await.check() {
                Ok(_) => return,
                Err(error) => failed = Some(error),
            }
        }
        panic!("{failed:?}");
    }

    /// Each object that stays is there once, each visitor at most once, and none is newer than the list's version.
    fn check(&self, how: &str, objects: &[Object], version: &str) {
        let names: HashSet<&str> = objects.iter().map(|object| object.metadata.name.as_str()).collect();
        assert_eq!(names.len(), objects.len(), "{how}: one comes twice");
        let visitors = names.iter().filter(|name| name.contains("-visitor-")).count();
        assert_eq!(names.len() - visitors, self.count, "{how}");
        let version: u64 = version.parse().unwrap();
        for object in objects {
            let own: u64 = object.metadata.resource_version.parse().unwrap();
            assert!(own <= version, "{how}: {} is of {own}, the list of {version}", object.metadata.name);
        }
    }

    async fn read_in_every_way(&self) {
        let list: List<Object> = self.all().list().await.unwrap();
        self.check("list", &list.items, &list.metadata.resource_version);

        let mut items = self.all().items::<Object>().await.unwrap();
        let mut objects = Vec::new();
        while let Some(item) = items.next().await {
            objects.push(item.unwrap());
        }
        self.check("items", &objects, &items.metadata().unwrap().resource_version);

        // All pages are of the first one's version, whatever happens between them.
        let mut pages = self.all().param("limit", "100").pages::<Object>();
        let (mut objects, mut version) = (Vec::new(), None);
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            objects.extend(page.items);
            version.get_or_insert(page.metadata.resource_version);
        }
        self.check("pages", &objects, &version.unwrap());

        let list: List<Object> = self.all().param("limit", "100").all().await.unwrap();
        self.check("all", &list.items, &list.metadata.resource_version);
    }

    /// What there is comes once, and every state of an object at most once, in order; of a visitor that comes later all
    /// states come. Gives what was asked for, and how it was answered.
    async fn keep_up_to_date(&self, limit: Option<&str>) -> Vec<Answer> {
        let (client, recorder) = self.recorded();
        let mut request = self.all_by(&client);
        if let Some(limit) = limit {
            request = request.param("limit", limit);
        }
        let mut changes = request.skip_fields(["metadata.managedFields"]).list_watch::<Object>();
        // The version of each, and how many of its states have come since all began.
        let mut known: HashMap<String, (u64, Option<usize>)> = HashMap::new();
        let mut is_done = false;
        let (mut begun, mut gone, mut at_first) = (0, 0, 0);
        // The visitor that comes last tells when to stop.
        let last = format!("{}-visitor-last", self.unique);
        let mut last_came = false;
        while !(is_done && last_came) {
            let next = tokio::time::timeout(Duration::from_secs(60), changes.next()).await;
            match next.expect("nothing came for a minute").unwrap().unwrap() {
                Change::Init => {
                    is_done = false;
                    known.clear();
                    begun += 1;
                }
                Change::InitDone => {
                    is_done = true;
                    at_first = known.keys().filter(|name| !name.contains("-visitor-")).count();
                }
                Change::Applied(object) if object.metadata.name == last => last_came = true,
                Change::Applied(object) => {
                    let version = object.metadata.resource_version.parse().unwrap();
                    let (before, states) =
                        known.get(&object.metadata.name).copied().unwrap_or((0, is_done.then_some(0)));
                    assert!(version > before, "{} comes again", object.metadata.name);
                    known.insert(object.metadata.name, (version, states.map(|states| states + 1)));
                }
                Change::Deleted(object) => {
                    let (_, states) = known.remove(&object.metadata.name).expect("it was never there");
                    // Made and changed; some servers also say that it is about to go.
                    assert!(
                        states.is_none_or(|states| (2..=3).contains(&states)),
                        "{}: {states:?} states",
                        object.metadata.name
                    );
                    gone += 1;
                }
            }
        }
        assert_eq!(known.len(), self.count);
        eprintln!("{} {}, {gone} visitors came and went", known.len(), self.resource);
        let answers = recorder.answers();
        // A watch begins with the newest; a list may be as old as the server's memory, and the watch brings the rest.
        let is_newest = !answers.iter().any(|answer| answer.asked == "pages");
        assert!(at_first == self.count || at_first < self.count && !is_newest, "{at_first}: {answers:?}");
        // A server that is too busy ends watches that wait for it, and then all begins anew.
        assert!((1..=3).contains(&begun), "{begun}: {answers:?}");
        answers
    }

    /// What there is comes as `first` says, each step with its code. Gives all that was answered.
    async fn each_comes_once(&self, first: &str) -> Vec<Answer> {
        let start = Instant::now();
        self.create_all().await;
        eprintln!("made in {:?}", start.elapsed());
        let visits = async {
            let visits = (0..self.count / 10).map(|number| self.visit(number));
            futures_util::stream::iter(visits).for_each_concurrent(4, |visit| visit).await;
            self.create(format!("{}-visitor-last", self.unique)).await;
        };
        let ((), (), mut answers, paged) = tokio::join!(
            visits,
            self.read_in_every_way(),
            self.keep_up_to_date(None),
            self.keep_up_to_date(Some("100"))
        );
        eprintln!("read in {:?}", start.elapsed());
        self.delete_all().await;
        eprintln!("gone in {:?}", start.elapsed());
        let (came, paged_came) = (steps(&answers), steps(&paged));
        assert!(came.starts_with(first), "{answers:?}");
        assert!(
            ["pages 200, watch 200", "pages 200, next 200, watch 200"]
                .iter()
                .any(|steps| paged_came.starts_with(steps)),
            "{paged:?}"
        );
        answers.extend(paged);
        answers
    }
}

/// The spec of a small pod.
fn small() -> Value {
    json!({"containers": [{"name": "main", "image": "example.com/none"}], "automountServiceAccountToken": false})
}

/// What was asked for, with the codes of the answers; one after another of the same kind count as one.
fn steps(answers: &[Answer]) -> String {
    let mut steps: Vec<String> =
        answers.iter().map(|answer| format!("{} {}", answer.asked, answer.code)).collect();
    steps.dedup();
    steps.join(", ")
}

#[cfg(feature = "fake")]
#[tokio::test]
async fn each_comes_once_on_the_embedded_server() {
    let server = kubewire_rest::fake::ApiServer::start().await.unwrap();
    Box::pin(Many::pods(&server.config(), &small()).each_comes_once("all 200")).await;
}

/// A server of before watches that begin with what there is: the refused one costs a request, and a list follows.
#[tokio::test(flavor = "multi_thread")]
async fn each_comes_once_on_the_real_server() {
    let Some(server) = kubewire_envtest::server() else { return };
    let config = Config::from_kubeconfig(server.kubeconfig()).unwrap();
    Box::pin(Many::pods(&config, &small()).each_comes_once("all 422, pages 200, watch 200")).await;
}

/// The real server of custom resources.
fn custom() -> Option<Config> {
    let server = kubewire_envtest::server()?;
    Some(Config::from_kubeconfig(server.crd_kubeconfig()?).unwrap())
}

// BH-W4
#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_custom_resources_sends_them_as_a_watch() {
    let Some(config) = custom() else { return };
    let many = Many::widgets(&config, |client| client).await;
    many.create_all().await;
    let initial = [
        ("sendInitialEvents", "true"),
        ("resourceVersionMatch", "NotOlderThan"),
        ("allowWatchBookmarks", "true"),
    ];
    let request = initial.into_iter().fold(many.all(), |request, (name, value)| request.param(name, value));
    let mut watch = request.watch::<Object>().await.unwrap();
    let mut names = HashSet::new();
    let start = Instant::now();
    loop {
        let next = tokio::time::timeout(Duration::from_secs(60), watch.next()).await;
        match next.expect("nothing came for a minute").unwrap() {
            WatchEvent::Added(widget) => assert!(names.insert(widget.metadata.name)),
            WatchEvent::Bookmark(bookmark) if bookmark.is_initial_events_end => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(names.len(), many.count);
    eprintln!("{} custom resources in {:?}", names.len(), start.elapsed());
    drop(watch);
    many.delete_all().await;
}

// BH-W4
#[tokio::test(flavor = "multi_thread")]
async fn each_custom_resource_comes_once() {
    let Some(config) = custom() else { return };
    let many = Many::widgets(&config, |client| client).await;
    let answers = Box::pin(many.each_comes_once("all 200")).await;
    assert!(answers.iter().all(|answer| answer.content_type == "application/json"), "{answers:?}");
}

#[cfg(feature = "cbor")]
fn in_cbor(client: RestClientBuilder<'_>) -> RestClientBuilder<'_> {
    client.prefer_cbor()
}

// BH-W4, BH-X9
#[cfg(feature = "cbor")]
#[tokio::test(flavor = "multi_thread")]
async fn each_custom_resource_comes_once_in_cbor() {
    let Some(config) = custom() else { return };
    let many = Many::widgets(&config, in_cbor).await;
    for answer in Box::pin(many.each_comes_once("all 200")).await {
        let is_list = matches!(&*answer.asked, "pages" | "next");
        let expected = if is_list { "application/cbor" } else { "application/cbor-seq" };
        assert_eq!(answer.content_type, expected, "{answer:?}");
    }
}
