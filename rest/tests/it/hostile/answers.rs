//! Answers of HTTP/1.1, written by hand.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{ENDS, HEAVY, RETRIES, Server, ask, client, config};

/// What a server writes.
#[derive(Clone)]
pub(super) struct Answer {
    name: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) then: Then,
    /// The ends that succeed all the same.
    succeed: &'static str,
    /// Requests that one attempt makes at most.
    hops: u32,
}

/// What follows.
#[derive(Clone)]
pub(super) enum Then {
    Close,
    Stall,
    /// The same bytes, again and again.
    Again(Vec<u8>),
}

fn raw(name: &'static str, succeed: &'static str, bytes: impl AsRef<[u8]>) -> Answer {
    Answer { name, bytes: bytes.as_ref().to_vec(), then: Then::Close, succeed, hops: 1 }
}

/// A whole answer of JSON with these lines of the head besides.
fn answer(
    name: &'static str,
    succeed: &'static str,
    code: &str,
    lines: &str,
    body: impl AsRef<[u8]>,
) -> Answer {
    let body = body.as_ref();
    let kind =
        if lines.to_lowercase().contains("content-type") { "" } else { "content-type: application/json\r\n" };
    let head = format!("HTTP/1.1 {code}\r\ncontent-length: {}\r\n{kind}{lines}\r\n", body.len());
    raw(name, succeed, [head.as_bytes(), body].concat())
}

fn ok(name: &'static str, succeed: &'static str, body: impl AsRef<[u8]>) -> Answer {
    answer(name, succeed, "200 OK", "", body)
}

impl Answer {
    fn stalls(mut self) -> Self {
        self.then = Then::Stall;
        self
    }

    fn again(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.then = Then::Again(bytes.as_ref().to_vec());
        self
    }

    fn hops(mut self, hops: u32) -> Self {
        self.hops = hops;
        self
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const LIST: &str = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}"#;

fn no_http() -> Vec<Answer> {
    let filler = "a".repeat(64 * 1024);
    vec![
        raw("nothing", "", ""),
        raw("silence", "", "").stalls(),
        raw("garbage", "", "\x01\x02\x03 nonsense \r\n\r\n"),
        raw("nuls", "", [0; 4096]),
        raw("nuls for ever", "", "").again([0; 4096]),
        raw("line ends for ever", "", "").again("\r\n\r\n\r\n\r\n"),
        raw("text for ever", "", "").again(&filler),
        raw("HTTP/0.9", "", LIST),
        raw("HTTP/3.0", "", format!("HTTP/3.0 200 OK\r\ncontent-length: {}\r\n\r\n{LIST}", LIST.len())),
        raw("HTTP/2 unasked", "", "HTTP/2 200 OK\r\n\r\n{}"),
        raw("HTTP/2 frames", "", [0, 0, 0, 4, 0, 0, 0, 0, 0].repeat(50)),
        raw("a TLS alert", "", [21, 3, 3, 0, 2, 2, 40]),
        raw("a request", "", "GET / HTTP/1.1\r\nhost: you\r\n\r\n"),
        raw("ssh", "", "SSH-2.0-OpenSSH_9.9\r\n"),
        raw("no code", "", "HTTP/1.1 \r\n\r\n"),
        raw("a code of one digit", "", "HTTP/1.1 2 OK\r\n\r\n{}"),
        raw("a code of five digits", "", "HTTP/1.1 20000 OK\r\n\r\n{}"),
        raw("a negative code", "", "HTTP/1.1 -20 OK\r\n\r\n{}"),
        raw("code 0", "", "HTTP/1.1 000 No\r\n\r\n{}"),
        raw("code 999", "", "HTTP/1.1 999 No\r\ncontent-length: 2\r\n\r\n{}"),
        raw("a head cut in its first line", "", "HTTP/1.1 20"),
        raw("a head cut in a name", "", format!("{OK}conte")),
        raw("a head cut before its end", "", format!("{OK}content-length: 2\r\n")),
        raw("a head that stalls", "", OK).stalls(),
        raw("a reason for ever", "", "HTTP/1.1 200 ").again(&filler),
        raw("a header for ever", "", format!("{OK}x-a: ")).again(&filler),
        raw("headers for ever", "", OK).again("x-a: b\r\n"),
        raw("a header's name for ever", "", OK).again(&filler),
    ]
}

fn heads() -> Vec<Answer> {
    vec![
        raw("no colon", "", format!("{OK}nonsense\r\n\r\n{LIST}")),
        raw("a space in a name", "", format!("{OK}x y: z\r\n\r\n{LIST}")),
        raw("a NUL in a value", "", format!("{OK}x: a\0b\r\n\r\n{LIST}")),
        raw("a bare return in a value", "", format!("{OK}x: a\rset-cookie: b\r\n\r\n{LIST}")),
        raw("a folded line", "", format!("{OK}x: a\r\n b\r\n\r\n{LIST}")),
        answer("a thousand headers", "", "200 OK", &"x-a: b\r\n".repeat(1000), LIST),
        raw("two lengths", "", format!("{OK}content-length: 2\r\ncontent-length: 82\r\n\r\n{LIST}")),
        raw("a negative length", "", format!("{OK}content-length: -1\r\n\r\n{LIST}")),
        raw("a length with a sign", "", format!("{OK}content-length: +82\r\n\r\n{LIST}")),
        raw("a length that is none", "", format!("{OK}content-length: many\r\n\r\n{LIST}")),
        raw("a length beyond u64", "", format!("{OK}content-length: 99999999999999999999\r\n\r\n{LIST}")),
        raw("a length of exabytes", "", format!("{OK}content-length: 9223372036854775807\r\n\r\n{LIST}")),
        raw("a body cut short", "", format!("{OK}content-length: 100\r\n\r\n{LIST}")),
        raw("a body that stalls", "", format!("{OK}content-length: 100\r\n\r\n{LIST}")).stalls(),
        raw("a body cut by its length", "rs", format!("{OK}content-length: 40\r\n\r\n{LIST}")),
        answer("no content type", "orsli", "200 OK", "content-type:\r\n", LIST),
        answer("a content type of rubbish", "s", "200 OK", "content-type: ;;;\r\n", LIST),
        answer("a content type of bytes", "orsli", "200 OK", "content-type: \u{ff}\u{fe}\r\n", LIST),
        answer("html", "rs", "200 OK", "content-type: text/html\r\n", "<html>"),
        answer("a login page", "", "403 Forbidden", "content-type: text/html\r\n", "<html>".repeat(9000)),
        answer("an unknown encoding", "rs", "200 OK", "content-encoding: zip\r\n", "PK"),
        answer("101 unasked", "r", "101 Switching Protocols", "upgrade: x\r\nconnection: upgrade\r\n", "xx"),
        raw("100 for ever", "", "").again("HTTP/1.1 100 Continue\r\n\r\n"),
        raw("103 for ever", "", "").again("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"),
        raw("204 with a body", "rs", format!("HTTP/1.1 204 No Content\r\n\r\n{LIST}")),
        raw("304 unasked", "", "HTTP/1.1 304 Not Modified\r\n\r\n"),
        answer("to itself for ever", "", "302 Found", "location: ?again\r\n", "").hops(11),
        answer("to nowhere", "", "302 Found", "location: \r\n", "").hops(11),
        answer("to a file", "", "302 Found", "location: file:///etc/passwd\r\n", ""),
        answer("to a dead port", "", "307 Temporary Redirect", "location: http://127.0.0.1:1/\r\n", ""),
        answer("to no address", "", "301 Moved", "location: http://[::bad/\r\n", ""),
        answer("to someone", "", "302 Found", "location: http://u:p@127.0.0.1:1/\r\n", ""),
        answer("a redirect to bytes", "", "302 Found", "location: \u{1F600}\r\n", ""),
    ]
}

fn bodies() -> Vec<Answer> {
    let chunked = format!("{OK}transfer-encoding: chunked\r\n\r\n");
    let deep = format!("{{\"items\":{}", "[".repeat(100_000));
    let deep_object = r#"{"a":"#.repeat(100_000);
    let bad = |body: &str| format!("{chunked}{body}");
    vec![
        raw("a chunk's size that is none", "", bad("zz\r\n{}\r\n0\r\n\r\n")),
        raw("a negative chunk", "", bad("-2\r\n{}\r\n0\r\n\r\n")),
        raw("a chunk beyond u64", "", bad("fffffffffffffffff\r\n{}\r\n0\r\n\r\n")),
        raw("a chunk of exabytes", "", bad("7fffffffffffffff\r\n{}\r\n")),
        raw("a chunk longer than its size", "", bad("1\r\n{}\r\n0\r\n\r\n")),
        raw("a chunk cut short", "", bad("ff\r\n{\"items\":[]}")),
        raw("no last chunk", "", bad(&format!("{:x}\r\n{LIST}\r\n", LIST.len()))),
        raw("a chunk that stalls", "", bad("ff\r\n{")).stalls(),
        raw("an extension for ever", "", bad("2;")).again("a".repeat(65536)),
        raw("trailers for ever", "", bad(&format!("{:x}\r\n{LIST}\r\n0\r\n", LIST.len()))).again("x: y\r\n"),
        raw("spaces for ever", "", format!("{OK}\r\n")).again(" ".repeat(65536)),
        raw("items for ever", "", format!("{OK}\r\n{{\"items\":[{{}}"))
            .again(format!(r#",{{"metadata":{{"name":"{}"}}}}"#, "a".repeat(250)).repeat(200)),
        raw("a string for ever", "", format!("{OK}\r\n{{\"items\":[{{\"a\":\"")).again("a".repeat(65536)),
        raw("a number for ever", "", format!("{OK}\r\n{{\"items\":[{{\"a\":1")).again("1".repeat(65536)),
        raw("depth for ever", "", format!("{OK}\r\n")).again("[".repeat(65536)),
        raw("a key for ever", "", format!("{OK}\r\n{{\"")).again("a".repeat(65536)),
        raw("an error for ever", "", "HTTP/1.1 500 No\r\n\r\n").again("a".repeat(65536)),
        ok("an empty body", "rs", ""),
        ok("spaces", "rs", "  \n "),
        ok("null", "rs", "null"),
        ok("a number", "rs", "1e999999"),
        ok("an array", "rs", "[]"),
        ok("NULs", "rs", [0; 100]),
        ok("bytes that are no UTF-8", "rs", b"{\"items\":[{\"metadata\":{\"name\":\"\xff\xfe\"}}]}"),
        ok(
            "half of a pair",
            "rs",
            r#"{"metadata":{"name":"\ud800"},"items":[{"metadata":{"name":"\ud800"}}]}"#,
        ),
        ok("a byte order mark", "rs", format!("\u{feff}{LIST}")),
        ok("deep arrays", "rs", &deep),
        ok("deep objects", "rs", &deep_object),
        ok("two documents", "rs", format!("{LIST}{LIST}")),
        ok("a list cut short", "rs", &LIST[..LIST.len() - 2]),
        ok("items that are no array", "ors", r#"{"kind":"PodList","items":{}}"#),
        ok("items of numbers", "ors", r#"{"kind":"PodList","items":[1,2]}"#),
        ok("metadata that is none", "rs", r#"{"kind":"PodList","metadata":7,"items":[]}"#),
        answer("gzip that is none", "", "200 OK", "content-encoding: gzip\r\n", LIST),
        answer("gzip of nothing", "", "200 OK", "content-encoding: gzip\r\n", "\x1f"),
        ok(
            "a failure as a success",
            "rs",
            r#"{"kind":"Status","apiVersion":"v1","status":"Failure","code":"x"}"#,
        ),
    ]
}

fn errors() -> Vec<Answer> {
    let status = |name, code, lines: &str, body: &str| answer(name, "", code, lines, body);
    let typed =
        r#"{"kind":"Status","apiVersion":"v1","status":7,"message":[],"reason":{},"details":"x","code":"y"}"#;
    let huge = format!(
        r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","message":"{}","code":-1}}"#,
        "a".repeat(1000)
    );
    let causes = format!(
        r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","details":{{"causes":[{}{{}}]}},"code":422}}"#,
        "{},".repeat(10_000)
    );
    let busy = "429 Too Many Requests";
    vec![
        status("a Status of wrong types", "404 Not Found", "", typed),
        status("a Status with a negative code", "400 Bad", "", &huge),
        status("a Status with many causes", "422 No", "", &causes),
        status(
            "a Status that says success",
            "500 No",
            "",
            r#"{"kind":"Status","apiVersion":"v1","status":"Success"}"#,
        ),
        status("a Status cut short", "409 Conflict", "", r#"{"kind":"Status","apiVersion":"v1","sta"#),
        status("a deep Status", "500 No", "", &"[".repeat(100_000)),
        status("a negative Retry-After", busy, "retry-after: -5\r\n", "{}"),
        status("a Retry-After of years", busy, "retry-after: 4294967296\r\n", "{}"),
        status("the longest Retry-After", "503 No", "retry-after: 18446744073709551615\r\n", "{}"),
        status("a Retry-After beyond u64", "503 No", "retry-after: 99999999999999999999\r\n", "{}"),
        status(
            "a Retry-After of year 9999",
            "503 No",
            "retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n",
            "{}",
        ),
        status("a Retry-After of rubbish", busy, "retry-after: \x7f;NaN\r\n", "{}"),
        status("come back at once, always", busy, "retry-after: 0\r\n", "{}"),
        status("a warning of rubbish", "400 Bad", "warning: 299 \"\"\"\\\r\nwarning: ,,,\r\n", "{}"),
    ]
}

fn all_answers() -> Vec<Answer> {
    [no_http(), heads(), bodies(), errors()].concat()
}

#[test]
fn there_are_enough() {
    let names: std::collections::BTreeSet<_> = all_answers().iter().map(|answer| answer.name).collect();
    assert_eq!(names.len(), all_answers().len(), "each has its own name");
    assert!(names.len() >= 60, "{}", names.len());
}

pub(super) fn spawn(all: &mut JoinSet<Option<String>>, asking: &Arc<Semaphore>, heavy: bool) {
    for answer in all_answers() {
        if matches!(answer.then, Then::Again(_)) != heavy {
            continue;
        }
        let answer = Arc::new(answer);
        for how in ENDS {
            let (answer, asking) = (Arc::clone(&answer), Arc::clone(asking));
            all.spawn(async move {
                let _turns = asking.acquire_many(if heavy { HEAVY } else { 1 }).await.unwrap();
                let label = format!("{} {how}", answer.name);
                let server = Server::start(&answer).await;
                let request = client(&config(&server.address)).get().resource("pods");
                let wanted = ["GET", "/api/v1/pods", &server.address];
                let complaint =
                    ask(request, how, [heavy, answer.succeed.contains(how)], &label, wanted).await;
                let asked = server.requests.load(Ordering::Relaxed);
                let most = (RETRIES + 1) * answer.hops;
                complaint.or_else(|| (asked > most).then(|| format!("{label}: asked {asked} times")))
            });
        }
    }
}
