use std::collections::HashSet;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use super::Warning;

/// What becomes of the warnings that answers carry. It is called once for each, as soon as an answer's head is there,
/// and should not block.
///
/// Most handlers act only on those [for people](Warning::is_for_people).
pub trait WarningHandler: Send + Sync + 'static {
    /// Takes one warning.
    fn handle(&self, warning: &Warning);
}

/// Logs warnings with `tracing`, at level WARN: the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogWarnings;

impl WarningHandler for LogWarnings {
    fn handle(&self, warning: &Warning) {
        if warning.is_for_people() {
            tracing::warn!(agent = warning.agent, "the API server warns: {}", warning.text);
        }
    }
}

/// Drops all warnings.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWarnings;

impl WarningHandler for NoWarnings {
    fn handle(&self, _: &Warning) {}
}

/// Writes warnings for a person, one a line, and counts them.
///
/// ```
/// use kubewire_rest::{Warning, WarningHandler, WarningWriter};
///
/// let handler = WarningWriter::new(std::io::stderr()).deduplicate();
/// let warning = Warning { code: 299, agent: "-".into(), text: "v1beta1 is deprecated".into() };
/// handler.handle(&warning);
/// handler.handle(&warning);
/// assert_eq!(handler.count(), 1);
/// ```
pub struct WarningWriter {
    colour: bool,
    deduplicate: bool,
    state: Mutex<State>,
}

struct State {
    out: Box<dyn Write + Send>,
    count: u64,
    seen: HashSet<String>,
}

/// So many different texts are remembered, so that a server which never repeats itself can't fill the memory.
const MAX_SEEN: usize = 10_000;

impl WarningWriter {
    /// Writes to `out`.
    pub fn new(out: impl Write + Send + 'static) -> Self {
        let state = State { out: Box::new(out), count: 0, seen: HashSet::new() };
        Self { colour: false, deduplicate: false, state: Mutex::new(state) }
    }

    /// Writes the word "Warning" in yellow, for terminals; off by default.
    #[must_use]
    pub fn colour(mut self, colour: bool) -> Self {
        self.colour = colour;
        self
    }

    /// Writes each text once only, however often it comes. By default it is written each time.
    #[must_use]
    pub fn deduplicate(mut self) -> Self {
        self.deduplicate = true;
        self
    }

    /// How many warnings were written.
    pub fn count(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).count
    }
}

impl WarningHandler for WarningWriter {
    fn handle(&self, warning: &Warning) {
        if !warning.is_for_people() {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.deduplicate {
            if state.seen.contains(&warning.text) {
                return;
            }
            if state.seen.len() < MAX_SEEN {
                state.seen.insert(warning.text.clone());
            }
        }
        state.count += 1;
        let (on, off) = if self.colour { ("\u{1b}[33;1m", "\u{1b}[0m") } else { ("", "") };
        // There is nobody to tell that the warning could not be shown.
        let _ = writeln!(state.out, "{on}Warning:{off} {}", warning.text);
    }
}

impl std::fmt::Debug for WarningWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WarningWriter")
            .field("colour", &self.colour)
            .field("deduplicate", &self.deduplicate)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::{Warning, WarningHandler as _, WarningWriter};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn warning(code: u16, text: &str) -> Warning {
        Warning { code, agent: "-".to_owned(), text: text.to_owned() }
    }

    // BH-A7
    #[test]
    fn writes_counts_colours_and_deduplicates() {
        let out = Shared::default();
        let text = |out: &Shared| String::from_utf8(std::mem::take(&mut *out.0.lock().unwrap())).unwrap();

        let plain = WarningWriter::new(out.clone());
        for (code, line) in [(299, "a"), (299, "a"), (199, "b"), (299, "")] {
            plain.handle(&warning(code, line));
        }
        assert_eq!((text(&out).as_str(), plain.count()), ("Warning: a\nWarning: a\n", 2));

        let fancy = WarningWriter::new(out.clone()).colour(true).deduplicate();
        for line in ["a", "b", "a"] {
            fancy.handle(&warning(299, line));
        }
        let expected = "\u{1b}[33;1mWarning:\u{1b}[0m a\n\u{1b}[33;1mWarning:\u{1b}[0m b\n";
        assert_eq!((text(&out).as_str(), fancy.count()), (expected, 2));
    }
}
