//! Paths: joined and cleaned as URL paths are, and percent-encoded.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What may stand in a path as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

/// Appends `text`, percent-encoded where a path needs it. Slashes stay.
pub(crate) fn push_encoded(out: &mut String, text: &str) {
    out.extend(utf8_percent_encode(text, PATH));
}

/// Appends a percent-encoded segment or several below the path in `out`.
pub(crate) fn push_segment(out: &mut String, segment: &str) {
    if segment.is_empty() {
        return;
    }
    if !out.ends_with('/') {
        out.push('/');
    }
    push_encoded(out, segment);
}

/// Cleans an absolute path: no empty, `.` or `..` segment, and no slash at the end unless it is the root.
pub(crate) fn clean(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    let mut out = String::with_capacity(path.len() + 1);
    for segment in &kept {
        out.push('/');
        out.push_str(segment);
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

/// Joins a percent-encoded base path with plain text below it, cleaned.
pub(crate) fn join(base: &str, below: &str) -> String {
    let mut joined = String::with_capacity(base.len() + below.len() + 2);
    joined.push('/');
    joined.push_str(base);
    joined.push('/');
    push_encoded(&mut joined, below);
    clean(&joined)
}

/// Why `text` can't be one segment of a path.
pub(crate) fn segment_fault(text: &str) -> Option<&'static str> {
    match text {
        "." | ".." => Some("it may not be \".\" or \"..\""),
        _ if text.contains('/') => Some("it may not hold \"/\""),
        _ if text.contains('%') => Some("it may not hold \"%\""),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{clean, join, push_segment};

    #[test]
    fn cleans_as_paths_are_cleaned() {
        for (path, cleaned) in [
            ("/", "/"),
            ("", "/"),
            ("/a//b/", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/../../a", "/a"),
            ("/a/..", "/"),
        ] {
            assert_eq!(clean(path), cleaned, "{path}");
        }
        assert_eq!(join("/p1/", "/api/v1"), "/p1/api/v1");
        assert_eq!(join("/", "a b"), "/a%20b");
        assert_eq!(join("/p1", "../x"), "/x");
    }

    #[test]
    fn encodes_what_a_path_may_not_hold() {
        let mut out = "/a".to_owned();
        push_segment(&mut out, "");
        push_segment(&mut out, "b?c#d e!ü:@=");
        assert_eq!(out, "/a/b%3Fc%23d%20e%21%C3%BC:@=");
    }
}
