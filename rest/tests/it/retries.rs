use std::time::Duration;

use kubewire_rest::Object;
use tokio::time::Instant;

use crate::service::{Script, come_back, ok};

fn nine_refusals(then: usize) -> Script {
    Script::new((1..=then).map(|second| come_back(429, &second.to_string())).chain([ok()]))
}

// BH-X3
#[tokio::test(start_paused = true)]
async fn nine_refusals_then_success_for_each_end() {
    let waited = Duration::from_secs((1..=9).sum());
    for end in ["send", "send_raw", "stream", "watch"] {
        let script = nine_refusals(9);
        let start = Instant::now();
        let request = script.client().post().resource("pods").body(&serde_json::json!({"a": 1}));
        match end {
            "send" => drop(request.send().await.into_object::<Object>().unwrap()),
            "send_raw" => assert_eq!(request.send_raw().await.unwrap(), "{}"),
            "watch" => drop(request.watch::<Object>().await.unwrap()),
            _ => assert_eq!(request.stream().await.unwrap().chunk().await.unwrap().unwrap(), "{}"),
        }
        assert_eq!((script.attempts(), start.elapsed()), (10, waited), "{end}");
        assert_eq!(script.gaps(), (1..=9).collect::<Vec<_>>(), "{end}");
        assert!(script.sent().iter().all(|sent| sent.body == br#"{"a":1}"#), "{end}");
    }
}

// BH-X3
#[tokio::test(start_paused = true)]
async fn eleven_refusals_give_the_429() {
    for end in ["send", "send_raw", "stream", "watch"] {
        let script = nine_refusals(11);
        let request = script.client().get().resource("pods");
        let error = match end {
            "send" => request.send().await.check().unwrap_err(),
            "send_raw" => request.send_raw().await.unwrap_err(),
            "watch" => request.watch::<Object>().await.map(drop).unwrap_err(),
            _ => request.stream().await.map(drop).unwrap_err(),
        };
        assert_eq!(script.attempts(), 11, "{end}");
        assert!(error.is_too_many_requests(), "{end}: {error}");
        assert_eq!(error.code(), Some(429));
        assert!(error.to_string().contains("11 attempts"), "{error}");
    }
}
