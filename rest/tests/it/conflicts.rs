use std::time::Duration;

use kubewire_rest::transport::ErrorKind;
use kubewire_rest::{Error, retry_on_conflict};
use tokio::time::Instant;

use crate::service::{Script, Step, answer, fail, ok};

fn refusal(reason: &str) -> Step {
    let status = format!(r#"{{"kind":"Status","status":"Failure","reason":"{reason}","code":409}}"#);
    Step::Answer(answer(409, status))
}

#[tokio::test(start_paused = true)]
async fn conflicts_are_tried_again_and_nothing_else() {
    type Is = fn(&Error) -> bool;
    let conflicts = |count| (0..count).map(|_| refusal("Conflict"));
    let cases: Vec<(&str, Vec<Step>, usize, Option<Is>)> = vec![
        ("no conflict", vec![ok()], 1, None),
        ("one", conflicts(1).chain([ok()]).collect(), 2, None),
        ("four", conflicts(4).chain([ok()]).collect(), 5, None),
        ("five", conflicts(5).chain([ok()]).collect(), 5, Some(Error::is_conflict)),
        ("it exists", vec![refusal("AlreadyExists"), ok()], 1, Some(Error::is_already_exists)),
        (
            "another error after a conflict",
            conflicts(1).chain([Step::Answer(answer(404, "{}"))]).collect(),
            2,
            Some(Error::is_not_found),
        ),
        ("no answer", vec![fail(ErrorKind::Tls), ok()], 1, Some(|error| error.transport().is_some())),
    ];
    for (label, steps, tries, is) in cases {
        let script = Script::new(steps);
        let client = script.client();
        let start = Instant::now();
        let result =
            retry_on_conflict(async || client.put().resource("pods").name("a").send().await.check()).await;
        assert_eq!(script.attempts(), tries, "{label}");
        match is {
            None => result.unwrap(),
            Some(is) => {
                let error = result.unwrap_err();
                assert!(is(&error), "{label}: {error}");
            }
        }
        let pauses = u32::try_from(tries - 1).unwrap();
        let waited = start.elapsed();
        let (least, most) = (Duration::from_millis(10) * pauses, Duration::from_millis(15) * pauses);
        assert!(least <= waited && waited <= most, "{label}: {waited:?}");
    }
}
