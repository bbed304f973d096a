//! The scanner against serde_json.

mod corpus;
mod document;
mod groups;
mod hostile;
mod lists;
pub(crate) mod model;

use fearless_simd::Level;

use super::find::find;
use super::plan::frame_slot;
use super::*;

/// An item as the tests keep it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) text: String,
    pub(super) marks: Vec<Option<String>>,
    pub(super) index: usize,
    pub(super) offset: u64,
}

/// What a scan gave: the items up to the end or the error, and the list's metadata.
#[derive(Debug, PartialEq)]
pub(super) struct Scan {
    pub(super) items: Vec<Found>,
    pub(super) metadata: Option<String>,
    pub(super) error: Option<ScanError>,
}

/// Scans `bytes` in pieces that end at `cuts` (in any order, beyond the end too).
pub(crate) fn scan(shape: Shape, plan: &Plan, limits: Limits, bytes: &[u8], cuts: &[usize]) -> Scan {
    scan_with(Scanner::new(shape, plan.clone(), limits), bytes, cuts)
}

/// The same with the instructions that every processor has.
pub(super) fn scan_plainly(shape: Shape, plan: &Plan, bytes: &[u8], cuts: &[usize]) -> Scan {
    let mut scanner = Scanner::new(shape, plan.clone(), Limits::default());
    scanner.level = Level::baseline();
    scan_with(scanner, bytes, cuts)
}

fn scan_with(mut scanner: Scanner, bytes: &[u8], cuts: &[usize]) -> Scan {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.push(bytes.len());
    cuts.sort_unstable();
    let mut items = Vec::new();
    let mut error = None;
    let mut start = 0;
    for end in cuts {
        while start < end && error.is_none() {
            match scanner.feed(&bytes[start..end]) {
                Ok(taken) => start += taken,
                Err(e) => error = Some(e),
            }
            drain(&mut scanner, &mut items);
        }
    }
    if error.is_none() {
        error = scanner.finish().err();
        drain(&mut scanner, &mut items);
    }
    Scan { items, metadata: scanner.list_metadata().map(str::to_owned), error }
}

fn drain(scanner: &mut Scanner, items: &mut Vec<Found>) {
    while let Some(item) = scanner.next_item() {
        let marks = item
            .marks
            .iter()
            .map(|mark| mark.map(|span| item.text[span.start as usize..span.end as usize].trim().to_owned()))
            .collect();
        items.push(Found { text: item.text.to_owned(), marks, index: item.index, offset: item.offset });
    }
}

/// A whole document in one piece: its text after the plan.
pub(crate) fn document(plan: &Plan, bytes: &[u8], cuts: &[usize]) -> Result<String, ScanError> {
    let scan = scan(Shape::Document, plan, Limits::default(), bytes, cuts);
    match scan.error {
        Some(error) => Err(error),
        None => Ok(scan.items.into_iter().next().unwrap().text),
    }
}

pub(crate) fn cutting(paths: &[&str]) -> Plan {
    let mut plan = Plan::everything();
    for path in paths {
        let path: FieldPath = path.parse().unwrap();
        path.check_cut().unwrap();
        plan.cut(&path);
    }
    plan
}

pub(crate) fn keeping(paths: &[&str]) -> Plan {
    let paths: Vec<FieldPath> = paths.iter().map(|path| path.parse().unwrap()).collect();
    Plan::only(&paths)
}
