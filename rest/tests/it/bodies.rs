//! Headers and bodies of requests.

use kubewire_rest::{Config, PatchType, Request, RestClient};
use serde_json::json;

use crate::service::Script;

type AnyBuild = Box<dyn Fn(RestClient) -> Request>;

// BH-R2, BH-R6, BH-R7, BH-R10
#[tokio::test]
async fn headers_and_bodies() {
    const JSON: &str = "application/json";
    let object = || json!({"a": 1});
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "from a file").unwrap();
    let chunks = || futures_util::stream::iter([Ok::<_, std::io::Error>("one ".into()), Ok("two".into())]);
    let cases: Vec<(AnyBuild, &str, &str, &str)> = vec![
        // What is sent, its content type, the accept header.
        (Box::new(|c| c.get()), "", "", "application/json, */*"),
        (Box::new(|c| c.get().accept("text/plain")), "", "", "text/plain"),
        (Box::new(|c| c.get().header("Accept", "a/b").header("accept", "c/d")), "", "", "c/d"),
        (Box::new(|c| c.get().header_values("accept", ["a/b", "c/d"])), "", "", "a/b|c/d"),
        (Box::new(|c| c.get().header_values::<_, &str>("accept", [])), "", "", ""),
        (Box::new(|c| c.get().header_values::<_, &str>("accept", []).accept("a/b")), "", "", "a/b"),
        (
            Box::new(|c| c.get().as_table()),
            "",
            "",
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
        ),
        (Box::new(move |c| c.post().body(&object())), r#"{"a":1}"#, JSON, "application/json, */*"),
        (Box::new(|c| c.post().body("text")), "\"text\"", JSON, "application/json, */*"),
        (Box::new(|c| c.post().body(&None::<u8>)), "", "", "application/json, */*"),
        (Box::new(|c| c.post().body(&1).body(&())), "", JSON, "application/json, */*"),
        (Box::new(|c| c.post().body_bytes("text")), "text", "", "application/json, */*"),
        (Box::new(|c| c.post().body_bytes(vec![1, 2])), "\u{1}\u{2}", "", "application/json, */*"),
        (Box::new(move |c| c.post().body_file(file.path())), "from a file", "", "application/json, */*"),
        (Box::new(move |c| c.post().body_stream(chunks())), "one two", "", "application/json, */*"),
        (
            Box::new(move |c| c.post().header("content-type", "a/b").body(&1)),
            "1",
            JSON,
            "application/json, */*",
        ),
        (
            Box::new(move |c| c.post().body(&1).header("content-type", "a/b")),
            "1",
            "a/b",
            "application/json, */*",
        ),
        (
            Box::new(|c| c.patch(PatchType::Json).body(&[1])),
            "[1]",
            "application/json-patch+json",
            "application/json, */*",
        ),
        (
            Box::new(|c| c.patch(PatchType::Merge).body(&1)),
            "1",
            "application/merge-patch+json",
            "application/json, */*",
        ),
        (
            Box::new(|c| c.patch(PatchType::StrategicMerge).body_bytes("{}")),
            "{}",
            "application/strategic-merge-patch+json",
            "application/json, */*",
        ),
        (
            Box::new(|c| c.apply("m").body_bytes("a: b")),
            "a: b",
            "application/apply-patch+yaml",
            "application/json, */*",
        ),
        (
            Box::new(|c| c.patch(PatchType::ApplyCbor).body_bytes("x")),
            "x",
            "application/apply-patch+cbor",
            "application/json, */*",
        ),
        (
            Box::new(|c| c.patch(PatchType::Merge).header("content-type", "a/b")),
            "",
            "a/b",
            "application/json, */*",
        ),
    ];
    for (index, (build, body, content_type, accept)) in cases.iter().enumerate() {
        let script = Script::default();
        build(script.client()).send().await.check().unwrap();
        let sent = &script.sent()[0];
        let accepts: Vec<&str> =
            sent.headers.get_all("accept").iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(std::str::from_utf8(&sent.body).unwrap(), *body, "case {index}");
        assert_eq!(sent.header("content-type"), *content_type, "case {index}");
        assert_eq!(accepts.join("|"), *accept, "case {index}");
    }
    // A client that is set to YAML.
    let script = Script::default();
    let config = Config { content_type: Some("application/yaml".to_owned()), ..Config::new("h") };
    script.builder(&config).build().unwrap().post().body(&json!({"a": 1})).send().await.check().unwrap();
    let sent = &script.sent()[0];
    assert_eq!((sent.body.as_slice(), sent.header("content-type")), (&b"a: 1\n"[..], "application/yaml"));
    assert_eq!(sent.header("accept"), "application/yaml, */*");
}
