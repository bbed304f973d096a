//! Lists of pods decoded as each kind of type, against serde_json doing the like with the same bytes.
//!
//! `cargo bench -p kubewire-rest --bench scan`. What to compare: `checked` against `serde_json_ignored`, `encoded`
//! against `serde_json_raw`, `projected` and `narrow` against `serde_json_narrow`, `object_cut` against
//! `serde_json_object`. An item is a pod of some 10 KB, a third of it managedFields; the lists come in pieces of 16 KiB,
//! as TLS gives them.

#![allow(clippy::expect_used)]

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use kubewire_rest::{
    Bytes, Decode, DecodeOptions, Encoded, FieldPath, ListDecoder, Object, Project, Projected,
};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

const PODS: u64 = 100;
const PIECE: usize = 16 * 1024;

fn main() {
    divan::main();
}

/// Decodes a list in pieces, each item dropped before the next.
fn decode<T: Decode>(bencher: Bencher<'_, '_>, options: &DecodeOptions) {
    let list = Bytes::from(kubewire_sample::pod_list(PODS));
    bencher.counter(ItemsCount::new(PODS)).bench(|| {
        let mut decoder = ListDecoder::<T>::new(options);
        let mut list = black_box(&list).clone();
        let mut count = 0;
        loop {
            let piece = list.split_to(list.len().min(PIECE));
            if piece.is_empty() {
                decoder.finish();
            }
            let is_last = piece.is_empty();
            decoder.push(piece);
            while let Some(item) = decoder.next_item() {
                black_box(item.expect("a pod"));
                count += 1;
            }
            if is_last {
                break;
            }
        }
        assert_eq!(count, PODS);
    });
}

/// Reads each pod from a text of its own: serde_json is spared finding them.
fn each<T>(bencher: Bencher<'_, '_>, read: impl Fn(&str) -> T + Sync) {
    let pods: Vec<String> = (0..PODS).map(|n| kubewire_sample::pod(n).to_string()).collect();
    bencher.counter(ItemsCount::new(PODS)).bench(|| {
        for pod in black_box(&pods) {
            black_box(read(pod));
        }
    });
}

fn parse<T: DeserializeOwned>(bencher: Bencher<'_, '_>) {
    each(bencher, |pod| serde_json::from_str::<T>(pod).expect("a pod"));
}

fn managed_fields_cut() -> DecodeOptions {
    DecodeOptions::default().skip_fields([FieldPath::managed_fields()]).expect("a field")
}

/// Reads nothing: the scanner checks everything and keeps nothing.
#[derive(Deserialize)]
struct Nothing {}

impl Project for Nothing {
    const PATHS: &'static [&'static str] = &[];
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read by serde alone")]
struct Narrow {
    metadata: Name,
    spec: Spec,
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read by serde alone")]
struct Name {
    name: String,
    namespace: String,
    resource_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read by serde alone")]
struct Spec {
    node_name: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read by serde alone")]
struct Status {
    phase: String,
}

impl Project for Narrow {
    const PATHS: &'static [&'static str] =
        &["metadata.name", "metadata.namespace", "metadata.resourceVersion", "spec.nodeName", "status.phase"];
}

#[divan::bench]
fn checked(bencher: Bencher<'_, '_>) {
    decode::<Projected<Nothing>>(bencher, &DecodeOptions::default());
}

#[divan::bench]
fn serde_json_ignored(bencher: Bencher<'_, '_>) {
    parse::<IgnoredAny>(bencher);
}

#[divan::bench]
fn encoded(bencher: Bencher<'_, '_>) {
    decode::<Encoded<Object>>(bencher, &DecodeOptions::default());
}

#[divan::bench]
fn encoded_whole(bencher: Bencher<'_, '_>) {
    decode::<Encoded<Object>>(bencher, &DecodeOptions::default().keep_managed_fields());
}

/// What serde_json's `RawValue` comes to: the text skipped over, then copied.
#[divan::bench]
fn serde_json_raw(bencher: Bencher<'_, '_>) {
    each(bencher, |pod| {
        serde_json::from_str::<IgnoredAny>(pod).expect("a pod");
        Arc::<str>::from(pod)
    });
}

#[divan::bench]
fn projected(bencher: Bencher<'_, '_>) {
    decode::<Projected<Narrow>>(bencher, &DecodeOptions::default());
}

#[divan::bench]
fn narrow(bencher: Bencher<'_, '_>) {
    decode::<Narrow>(bencher, &DecodeOptions::default());
}

#[divan::bench]
fn narrow_cut(bencher: Bencher<'_, '_>) {
    decode::<Narrow>(bencher, &managed_fields_cut());
}

#[divan::bench]
fn serde_json_narrow(bencher: Bencher<'_, '_>) {
    parse::<Narrow>(bencher);
}

#[divan::bench]
fn object(bencher: Bencher<'_, '_>) {
    decode::<Object>(bencher, &DecodeOptions::default());
}

#[divan::bench]
fn object_cut(bencher: Bencher<'_, '_>) {
    decode::<Object>(bencher, &managed_fields_cut());
}

#[divan::bench]
fn serde_json_object(bencher: Bencher<'_, '_>) {
    parse::<Object>(bencher);
}

#[divan::bench]
fn value_cut(bencher: Bencher<'_, '_>) {
    decode::<Value>(bencher, &managed_fields_cut());
}

#[divan::bench]
fn serde_json_value(bencher: Bencher<'_, '_>) {
    parse::<Value>(bencher);
}
