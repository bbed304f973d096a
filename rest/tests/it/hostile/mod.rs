//! Servers that answer with anything but sense: an error or a documented success within bounds, and no panic.
//!
//! The work is done in a process of its own, so that its memory and its panics can be counted, and the embedded servers are
//! in yet another one.

mod answers;
mod embedded;

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kubewire_config::Credentials;
use kubewire_rest::transport::HttpClient;
use kubewire_rest::{
    Config, DecodeOptions, Error, GroupVersion, List, NoWarnings, Object, Request, RestClient,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use answers::{Answer, Then};

/// Set in the processes that do the work, to what they do.
const CHILD: &str = "KUBEWIRE_TEST_HOSTILE";
const ASK: &str = "ask";
const SERVE: &str = "serve";
const MIB: usize = 1024 * 1024;
/// The largest body and object that the clients take.
const LIMIT: usize = MIB / 2;
/// What each request may take that is to fail.
const DEADLINE: Duration = Duration::from_millis(1500);
/// What each may take that is to succeed, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// So long after its deadline a request hangs.
const HANG: Duration = Duration::from_secs(10);
const RETRIES: u32 = 1;
/// Requests at a time.
const TURNS: u32 = 96;
/// The turns that a request takes whose answer has no end or is huge: one runs at a time, so that its memory is seen.
const HEAVY: u32 = TURNS;
/// What such a request may take.
const HEAVY_DEADLINE: Duration = Duration::from_millis(400);
const TOKEN: &str = "a-token-for-one-host-only";

/// The ends of a request, each by the letter that the tables name it with.
const ENDS: [char; 5] = ['o', 'r', 's', 'l', 'i'];

#[test]
fn no_answer_hurts() {
    match std::env::var(CHILD).as_deref() {
        Ok(SERVE) => return runtime().block_on(embedded::serve()),
        Ok(_) => return run(),
        Err(_) => {}
    }
    let child = again(ASK).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success() && out.contains("1 passed"), "{out}\n{err}");
    assert!(!err.contains(TOKEN), "a secret was said: {err}");
    eprint!("{err}");
}

/// This test in another process.
fn again(what: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "hostile::no_answer_hurts", "--nocapture"]).env(CHILD, what);
    command
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn run() {
    static PANICS: AtomicU32 = AtomicU32::new(0);
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        report(panic);
    }));
    let servers = embedded::Servers::start();
    let (complaints, asked, held) = runtime().block_on(async {
        let asking = Arc::new(Semaphore::new(TURNS as usize));
        let before = peak_memory();
        let (mut complaints, mut asked, mut held) = (BTreeSet::new(), 0, Vec::new());
        // First those that have no end or are huge, while the process is small.
        for (heavy, embedded) in [(true, false), (true, true), (false, false), (false, true)] {
            let mut all = JoinSet::new();
            if embedded {
                servers.spawn(&mut all, &asking, heavy);
            } else {
                answers::spawn(&mut all, &asking, heavy);
            }
            while let Some(done) = all.join_next().await {
                asked += 1;
                match done {
                    Ok(None) => {}
                    Ok(Some(complaint)) => drop(complaints.insert(complaint)),
                    Err(panic) => drop(complaints.insert(format!("a panic: {panic}"))),
                }
            }
            if heavy {
                held.extend(before.zip(peak_memory()).map(|(before, after)| after - before));
            }
        }
        (complaints, asked, held)
    });
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    eprintln!("{asked} requests to hostile servers; with the endless ones {held:?} bytes were held");
    assert_eq!(PANICS.load(Ordering::Relaxed), 0, "panics");
    assert!(complaints.is_empty(), "{} complaints", complaints.len());
    // Those ran one at a time.
    assert!(held.iter().all(|held| *held < 64 * MIB), "{held:?} bytes");
}

/// The most memory that the process has had so far, in bytes; `None` where the system does not say.
fn peak_memory() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<usize>().ok()? * 1024)
}

/// A client with narrow limits and a connection of its own.
fn client(config: &Config) -> RestClient {
    let http = HttpClient::builder(config).shared(false).max_idle(0).build().unwrap();
    RestClient::builder(config)
        .group_version(GroupVersion::new("", "v1"))
        .http_service(Arc::new(http))
        .warning_handler(Arc::new(NoWarnings))
        .max_body_bytes(LIMIT)
        .max_retries(RETRIES)
        .build()
        .unwrap()
}

/// Sends the request and reads its answer, all of it, in one of the five ways.
async fn end(request: Request, how: char, deadline: Duration) -> Result<(), Error> {
    let request = request
        .deadline(Instant::now() + deadline)
        .decode_options(DecodeOptions::default().max_object_bytes(LIMIT));
    match how {
        'o' => request.send().await.into_object::<Object>().map(drop),
        'r' => request.send_raw().await.map(drop),
        's' => {
            let mut stream = request.stream().await?;
            while let Some(chunk) = stream.chunk().await {
                chunk?;
            }
            Ok(())
        }
        'l' => request.list::<Object>().await.map(|list: List<Object>| drop(list)),
        'i' => {
            let mut items = request.items::<Object>().await?;
            while let Some(item) = items.next().await {
                item?;
            }
            items.metadata().map(drop)
        }
        _ => panic!("{how}"),
    }
}

/// Asks once. A complaint is what was not as it should be.
async fn ask(
    request: Request,
    how: char,
    [heavy, succeeds]: [bool; 2],
    label: &str,
    wanted: [&str; 3],
) -> Option<String> {
    let deadline = match (succeeds, heavy) {
        (true, _) => PATIENCE,
        (false, true) => HEAVY_DEADLINE,
        (false, false) => DEADLINE,
    };
    let result = match tokio::time::timeout(deadline + HANG, end(request, how, deadline)).await {
        Ok(result) => result,
        Err(_) => return Some(format!("{label}: hangs")),
    };
    match result {
        Ok(()) if succeeds => None,
        Ok(()) => Some(format!("{label}: no error")),
        Err(error) => {
            let text = error.to_string();
            let silent = wanted.iter().find(|part| !text.contains(**part));
            match silent {
                _ if succeeds => Some(format!("{label}: {text}")),
                _ if text.contains(TOKEN) || format!("{error:?}").contains(TOKEN) => {
                    Some(format!("{label}: says the token"))
                }
                _ if text.len() > 8192 => Some(format!("{label}: an error of {} bytes", text.len())),
                Some(part) => Some(format!("{label}: no word of {part}: {text}")),
                None => None,
            }
        }
    }
}

/// A server that gives one answer to whoever asks, and counts who does. It sees to its connections for as long as it
/// is there.
struct Server {
    address: String,
    requests: Arc<AtomicU32>,
    /// Dropped, it ends them all.
    _tasks: JoinSet<()>,
}

impl Server {
    async fn start(answer: &Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(AtomicU32::new(0));
        let (counter, answer) = (Arc::clone(&requests), answer.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, counter) = (answer.clone(), Arc::clone(&counter));
                connections.spawn(async move {
                    // The client may hang up at any time.
                    let _ = serve(stream, &answer, &counter).await;
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, requests, _tasks: tasks }
    }
}

async fn serve(mut stream: TcpStream, answer: &Answer, requests: &AtomicU32) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    requests.fetch_add(1, Ordering::Relaxed);
    stream.write_all(&answer.bytes).await?;
    match &answer.then {
        Then::Close => stream.shutdown().await,
        // Until the client goes.
        Then::Stall => stream.read(&mut [0; 16]).await.map(drop),
        Then::Again(bytes) => loop {
            stream.write_all(bytes).await?;
        },
    }
}

/// The configuration for a server at `address`, with a secret.
fn config(address: &str) -> Config {
    Config {
        credentials: Credentials::bearer(TOKEN),
        // So many requests are to be sent at once.
        qps: Some(-1.0),
        ..Config::new(format!("http://{address}"))
    }
}
