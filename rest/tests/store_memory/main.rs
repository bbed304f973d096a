//! A store holds little more than its objects, and gives back what goes. A binary of its own with one test, so that nothing
//! else allocates meanwhile.
#![allow(clippy::unwrap_used)]

use std::alloc::System;

use kubewire_rest::{Change, Encoded, Object, Store};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const OBJECTS: usize = 2_000;
/// A change each second.
const DAY: usize = 24 * 60 * 60;
/// What the thread of the test's own harness may hold meanwhile.
const SLACK: usize = 8 << 10;

fn live_bytes() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn object(random: &mut fastrand::Rng, n: usize, version: usize) -> Encoded<Object> {
    let filler = "x".repeat(random.usize(100..1_500));
    let managed = r#"[{"manager":"kubelet","fieldsV1":{"f:status":{}}}]"#;
    let json = format!(
        r#"{{"kind":"Pod","metadata":{{"name":"pod-{n}","namespace":"ns-{}","resourceVersion":"{version}","managedFields":{managed}}},"status":{{"message":"{filler}"}}}}"#,
        n % 20
    );
    Encoded::from_json(json.as_bytes()).unwrap()
}

#[test]
fn memory_follows_the_objects() {
    let mut random = fastrand::Rng::with_seed(1);
    drop(object(&mut random, 0, 0));
    let before = live_bytes();
    let store = Store::<Object>::new();
    let check = |when: &str| {
        let (held, told) = (live_bytes() - before, store.memory());
        assert!(told <= held && held <= told * 3 / 2 + SLACK, "{when}: {held} bytes are held, {told} told");
    };
    store.apply(Change::Init);
    for n in 0..OBJECTS {
        store.apply(Change::Applied(object(&mut random, n, n)));
    }
    store.apply(Change::InitDone);
    check("filled");

    // Pods come, change and go; every six hours the watch loses its place, and all there is is read anew.
    for second in 0..DAY {
        let n = random.usize(0..OBJECTS);
        let object = object(&mut random, n, OBJECTS + second);
        store.apply(if random.u8(0..10) == 0 { Change::Deleted(object) } else { Change::Applied(object) });
        if second % (DAY / 4) == DAY / 8 {
            let all = store.snapshot();
            store.apply(Change::Init);
            for object in all.into_iter().filter(|_| random.u8(0..20) > 0) {
                store.apply(Change::Applied(object));
            }
            store.apply(Change::InitDone);
            check("read anew");
        }
    }
    check("after a day");

    let mut all = store.snapshot();
    random.shuffle(&mut all);
    all.truncate(all.len() * 99 / 100);
    for object in all {
        store.apply(Change::Deleted(object));
    }
    assert!(store.len() <= OBJECTS / 100);
    check("one in a hundred is left");
    drop(store);
    assert!(live_bytes() <= before + SLACK, "{before} bytes were held before, {} after", live_bytes());
}
