//! Counters by status code: resolved once per code, then an array access.

use std::sync::OnceLock;

use prometheus::IntCounter;

use crate::bounded::OVERFLOW;

/// What `code` says when there was no response.
const NO_RESPONSE: &str = "<error>";

/// The registered status codes. Each has its own label value.
const KNOWN: [&str; 63] = [
    "100", "101", "102", "103", "104", "200", "201", "202", "203", "204", "205", "206", "207", "208", "226",
    "300", "301", "302", "303", "304", "305", "306", "307", "308", "400", "401", "402", "403", "404", "405",
    "406", "407", "408", "409", "410", "411", "412", "413", "414", "415", "416", "417", "418", "421", "422",
    "423", "424", "425", "426", "428", "429", "431", "451", "500", "501", "502", "503", "504", "505", "506",
    "507", "508", "511",
];

/// Where the codes of a class go that are not in [`KNOWN`]: a server must not be able to make a new time series with
/// each answer. The names still match patterns such as `5..`.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

const CLASS_SLOTS: usize = KNOWN.len();
const OTHER_SLOT: usize = CLASS_SLOTS + CLASSES.len();
const ERROR_SLOT: usize = OTHER_SLOT + 1;
const SLOTS: usize = ERROR_SLOT + 1;

/// The slot of each code from 100 to 599.
const SLOT_OF: [u8; 500] = slots();

#[expect(clippy::cast_possible_truncation, reason = "SLOTS is below 256")]
const fn slots() -> [u8; 500] {
    let mut slots = [0; 500];
    let mut offset = 0;
    while offset < slots.len() {
        slots[offset] = (CLASS_SLOTS + offset / 100) as u8;
        offset += 1;
    }
    let mut slot = 0;
    while slot < KNOWN.len() {
        let digits = KNOWN[slot].as_bytes();
        let code = (digits[0] - b'0') as usize * 100
            + (digits[1] - b'0') as usize * 10
            + (digits[2] - b'0') as usize;
        slots[code - 100] = slot as u8;
        slot += 1;
    }
    slots
}

fn slot_of(code: Option<u16>) -> usize {
    let Some(code) = code else { return ERROR_SLOT };
    let offset = usize::from(code).wrapping_sub(100);
    SLOT_OF.get(offset).map_or(OTHER_SLOT, |slot| usize::from(*slot))
}

fn label(slot: usize) -> &'static str {
    match slot {
        ERROR_SLOT => NO_RESPONSE,
        OTHER_SLOT => OVERFLOW,
        slot if slot >= CLASS_SLOTS => CLASSES[slot - CLASS_SLOTS],
        slot => KNOWN[slot],
    }
}

/// One counter for each status code, made when the code first comes.
pub(crate) struct CodeCounters([OnceLock<IntCounter>; SLOTS]);

impl CodeCounters {
    pub(crate) const fn new() -> Self {
        Self([const { OnceLock::new() }; SLOTS])
    }

    /// Counts one; `make` resolves the counter for the value of the label `code` that it is given.
    pub(crate) fn inc(&self, code: Option<u16>, make: impl FnOnce(&str) -> IntCounter) {
        let slot = slot_of(code);
        self.0[slot].get_or_init(|| make(label(slot))).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_label_that_the_docs_promise() {
        let shown = |code| label(slot_of(code));
        assert_eq!(shown(None), "<error>");
        for code in 0..=999_u16 {
            let text = code.to_string();
            let expected = if KNOWN.contains(&text.as_str()) {
                text
            } else if (100..600).contains(&code) {
                format!("{}xx", code / 100)
            } else {
                "<other>".to_owned()
            };
            assert_eq!(shown(Some(code)), expected, "{code}");
        }
        assert_eq!(shown(Some(u16::MAX)), "<other>");
    }

    #[test]
    fn known_codes_are_sorted_and_unique() {
        assert!(KNOWN.is_sorted_by(|a, b| a < b));
    }
}
