//! Help for a person who lacks the program, not repeated for ever.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const TIMES: u32 = 10;
const WINDOW: Duration = Duration::from_secs(60 * 60);

const HELP: &str = "\n\nThe user entry of the kubeconfig names a credential program that is not installed here.\n\
    How such programs work: \
    https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins";

/// Gives its text at most 10 times an hour.
#[derive(Default)]
pub(super) struct Hint {
    /// When the running hour began, and how often the text was given in it.
    window: Mutex<Option<(Instant, u32)>>,
}

impl Hint {
    /// The help and, below it, the `hint` of the kubeconfig; empty when that was said often enough.
    pub(super) fn text(&self, hint: Option<String>) -> String {
        if !self.admit() {
            return String::new();
        }
        match hint.filter(|hint| !hint.is_empty()) {
            Some(hint) => format!("{HELP}\n\n{hint}"),
            None => HELP.to_owned(),
        }
    }

    fn admit(&self) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, count) =
            window.filter(|(began, _)| began.elapsed() < WINDOW).unwrap_or_else(|| (Instant::now(), 0));
        *window = Some((began, count.saturating_add(1)));
        count < TIMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // BH-T11
    #[tokio::test(start_paused = true)]
    async fn the_hint_is_given_ten_times_an_hour() {
        let hint = Hint::default();
        for _ in 0..10 {
            assert!(hint.text(Some("brew install it".to_owned())).ends_with("\n\nbrew install it"));
        }
        assert_eq!(hint.text(Some("brew install it".to_owned())), "");
        tokio::time::advance(WINDOW - Duration::from_secs(1)).await;
        assert_eq!(hint.text(None), "");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(hint.text(None), HELP);
    }
}
