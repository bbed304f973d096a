//! Paths to fields, as people write them.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// The place of a field in an object: `metadata.managedFields`,
/// `metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]`, `spec.containers[].image`
/// (in every element) or `status.conditions[0].type` (in one).
///
/// Keys stand bare while they hold none of `.`, `[`, `]`, `"`; any other key is a JSON string in brackets.
///
/// ```
/// use kubewire_rest::FieldPath;
///
/// let path: FieldPath = r#"metadata.annotations["example.com/note"]"#.parse()?;
/// assert_eq!(path.to_string(), r#"metadata.annotations["example.com/note"]"#);
/// # Ok::<(), kubewire_rest::FieldPathError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldPath {
    segments: Vec<Segment>,
}

/// A part of a path; its key may still stand where the path is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Segment<K = Box<str>> {
    Key(K),
    /// Every element.
    Each,
    /// One element, counted from 0.
    Index(usize),
}

/// A path that can't be read, and why.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("field path `{path}`: {reason} at byte {at}")]
pub struct FieldPathError {
    path: String,
    at: usize,
    reason: &'static str,
}

impl FieldPath {
    /// Where the API server keeps who owns which field: about a third of most objects.
    pub fn managed_fields() -> Self {
        Self::of_keys(["metadata", "managedFields"])
    }

    /// `metadata.annotations[name]`.
    pub fn annotation(name: &str) -> Self {
        Self::of_keys(["metadata", "annotations", name])
    }

    /// A path of keys alone; they need no quoting here. No keys at all are the whole object.
    pub fn of_keys<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self { segments: keys.into_iter().map(|key| Segment::Key(key.into())).collect() }
    }

    /// Refuses paths that can't be left out of an object: elements keep their places, so a path must end in a key
    /// and lead through no single element.
    pub(crate) fn check_cut(&self) -> Result<(), FieldPathError> {
        let reason = match self.segments.last() {
            Some(Segment::Key(_)) if !self.segments.iter().any(|s| matches!(s, Segment::Index(_))) => {
                return Ok(());
            }
            Some(Segment::Key(_)) => "a single element can't be treated apart",
            _ => "only fields with a name can be left out",
        };
        Err(self.refuse(reason))
    }

    /// The error of a path that can be read and not be used.
    pub(crate) fn refuse(&self, reason: &'static str) -> FieldPathError {
        let path = self.to_string();
        FieldPathError { at: path.len(), path, reason }
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

impl FromStr for FieldPath {
    type Err = FieldPathError;

    fn from_str(path: &str) -> Result<Self, FieldPathError> {
        let owned = |segment: Segment<Cow<'_, str>>| match segment {
            Segment::Key(key) => Segment::Key(key.into()),
            Segment::Each => Segment::Each,
            Segment::Index(index) => Segment::Index(index),
        };
        let segments = Segments::of(path).map(|segment| segment.map(owned));
        Ok(Self { segments: segments.collect::<Result<_, _>>()? })
    }
}

/// Reads a path, segment by segment.
pub(crate) struct Segments<'a> {
    path: &'a str,
    at: usize,
}

impl<'a> Segments<'a> {
    pub(crate) fn of(path: &'a str) -> Self {
        Self::after(path, 0)
    }

    /// Those after the first so many bytes, which are whole segments.
    pub(crate) fn after(path: &'a str, at: usize) -> Self {
        Self { path, at }
    }

    fn segment(&mut self) -> Result<Segment<Cow<'a, str>>, (usize, &'static str)> {
        let (path, at) = (self.path, self.at);
        let rest = &path[at..];
        if let Some(inside) = rest.strip_prefix('[') {
            if inside.starts_with('"') {
                // The string's end is where serde_json finds it.
                let mut strings = serde_json::Deserializer::from_str(inside).into_iter::<String>();
                let Some(Ok(key)) = strings.next() else { return Err((at, "a broken string")) };
                let end = strings.byte_offset();
                if !inside[end..].starts_with(']') {
                    return Err((at + 1 + end, "a missing `]`"));
                }
                self.at += end + 2;
                return Ok(Segment::Key(key.into()));
            }
            let (number, _) = inside.split_once(']').ok_or((at, "a missing `]`"))?;
            self.at += number.len() + 2;
            return match (number, number.parse()) {
                ("", _) => Ok(Segment::Each),
                (_, Ok(index)) if number.bytes().all(|b| b.is_ascii_digit()) => Ok(Segment::Index(index)),
                _ => Err((at + 1, "neither a number nor a quoted key")),
            };
        }
        let start = match rest.starts_with('.') {
            true if at == 0 => return Err((at, "a dot before the first key")),
            true => at + 1,
            false if at == 0 => at,
            false => return Err((at, "a missing dot")),
        };
        let end = path[start..].find(['.', '[', ']', '"']).map_or(path.len(), |len| start + len);
        if start == end {
            return Err((start, "an empty key"));
        }
        self.at = end;
        Ok(Segment::Key(path[start..end].into()))
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Result<Segment<Cow<'a, str>>, FieldPathError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.path.len() {
            return None;
        }
        Some(self.segment().map_err(|(at, reason)| {
            let path = self.path.to_owned();
            self.at = path.len();
            FieldPathError { path, at, reason }
        }))
    }
}

impl TryFrom<&str> for FieldPath {
    type Error = FieldPathError;

    fn try_from(path: &str) -> Result<Self, FieldPathError> {
        path.parse()
    }
}

impl From<Infallible> for FieldPathError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Key(key) if key.is_empty() || key.contains(['.', '[', ']', '"', '\\']) => {
                    write!(f, "[{}]", serde_json::Value::from(&**key))?;
                }
                Segment::Key(key) if i == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Each => f.write_str("[]")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_and_written() {
        for text in [
            "",
            "metadata",
            "metadata.managedFields",
            r#"metadata.annotations["a.b/c"].x"#,
            r#"["a\"b"].c[""]"#,
            "spec.containers[].ports[0].name",
        ] {
            assert_eq!(text.parse::<FieldPath>().unwrap().to_string(), text);
        }
        assert_eq!(r#"a["b"]"#.parse::<FieldPath>().unwrap(), FieldPath::of_keys(["a", "b"]));
        assert_eq!(FieldPath::managed_fields(), "metadata.managedFields".parse().unwrap());
        let note = FieldPath::annotation("a.b/c");
        assert_eq!(note.to_string().parse::<FieldPath>().unwrap(), note);
    }

    #[test]
    fn broken_paths_say_where() {
        for (text, at) in [
            (".a", 0),
            ("a.", 2),
            ("a..b", 2),
            ("a]", 1),
            ("a[", 1),
            ("a[x]", 2),
            ("a[+1]", 2),
            ("a[99999999999999999999]", 2),
            (r#"a["b"#, 1),
            (r#"a["b""#, 5),
            ("a[]b", 3),
        ] {
            let error = text.parse::<FieldPath>().unwrap_err();
            assert_eq!(error.at, at, "{error}");
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
