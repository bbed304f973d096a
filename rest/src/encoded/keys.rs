//! The places of what everyone asks an object for.

use crate::scan::{FieldPath, Item, Plan, Span};

/// Fields whose places are kept, in this order.
const FIELDS: [&str; KEYS] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "metadata.resourceVersion",
    "metadata.labels",
    "metadata.annotations",
    "metadata.ownerReferences",
    "metadata.deletionTimestamp",
    "spec",
    "status",
    "status.phase",
];
pub(super) const KEYS: usize = 11;

pub(super) const NAME: usize = 0;
pub(super) const NAMESPACE: usize = 1;
pub(super) const UID: usize = 2;
pub(crate) const RESOURCE_VERSION: usize = 3;
pub(super) const LABELS: usize = 4;
pub(super) const ANNOTATIONS: usize = 5;
pub(super) const OWNER_REFERENCES: usize = 6;
pub(super) const DELETION_TIMESTAMP: usize = 7;

/// Marks the places of all fields.
pub(super) fn mark(plan: &mut Plan) {
    for (slot, field) in FIELDS.iter().enumerate() {
        plan.mark(&FieldPath::of_keys(field.split('.')), slot);
    }
}

/// Whether only a string is kept, without its quotes; of any other field it is the JSON.
fn is_string(slot: usize) -> bool {
    matches!(slot, NAME | NAMESPACE | UID | RESOURCE_VERSION | DELETION_TIMESTAMP)
}

/// The last field on a path whose JSON is kept, and how many bytes of the path lead there.
pub(super) fn on_the_way(path: &str) -> Option<(usize, usize)> {
    let is_begun = |field: &str| {
        path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let fields = FIELDS.iter().enumerate().filter(|&(slot, field)| !is_string(slot) && is_begun(field));
    fields.map(|(slot, field)| (slot, field.len())).max_by_key(|&(_, read)| read)
}

/// The places in a text; an empty one where there is nothing. Those of strings are without their quotes, and
/// strings with escapes are written out after the text: `extra` gets them.
pub(super) fn places(item: &Item<'_>, extra: &mut String) -> [Span; KEYS] {
    let mut places = [Span::default(); KEYS];
    for (slot, place) in places.iter_mut().enumerate() {
        let Some(span) = item.marks[slot] else { continue };
        let whole = &item.text[span.start as usize..span.end as usize];
        let text = whole.trim_ascii_start();
        let start = span.start + (whole.len() - text.len()) as u32;
        let text = text.trim_ascii_end();
        let end = start + text.len() as u32;
        *place = if !is_string(slot) {
            Span { start, end }
        } else if !text.starts_with('"') {
            Span::default()
        } else if !text.contains('\\') {
            Span { start: start + 1, end: end - 1 }
        } else {
            let Ok(string) = serde_json::from_str::<String>(text) else { continue };
            let start = (item.text.len() + extra.len()) as u32;
            extra.push_str(&string);
            Span { start, end: start + string.len() as u32 }
        };
    }
    places
}
