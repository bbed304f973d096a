//! What a scraper accepts.

use http::HeaderValue;

const OPENMETRICS: &str = "application/openmetrics-text";

/// A format of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Prometheus' own.
    Text,
    /// OpenMetrics, which looks the same in both versions.
    OpenMetrics {
        /// Whether the scraper knows no version but the draft, 0.0.1.
        draft: bool,
    },
}

impl Format {
    /// The format for `Accept` headers: OpenMetrics where it is asked for by name and nothing else is preferred.
    pub(super) fn choose<'a>(accept: impl IntoIterator<Item = &'a HeaderValue>) -> Self {
        let (mut openmetrics, mut text) = (None, 0.0_f32);
        for range in ranges(accept) {
            match range.name {
                name if name.eq_ignore_ascii_case(OPENMETRICS) => {
                    let draft = range.parameter("version") == Some("0.0.1");
                    if range.quality > openmetrics.map_or(0.0, |(quality, _)| quality) {
                        openmetrics = Some((range.quality, draft));
                    }
                }
                name if name.eq_ignore_ascii_case("text/plain") => text = text.max(range.quality),
                _ => {}
            }
        }
        match openmetrics {
            Some((quality, draft)) if quality >= text => Self::OpenMetrics { draft },
            _ => Self::Text,
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics { draft: false } => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
            Self::OpenMetrics { draft: true } => "application/openmetrics-text; version=0.0.1; charset=utf-8",
        }
    }
}

/// Whether `Accept-Encoding` headers allow gzip.
pub(super) fn accepts_gzip<'a>(accept: impl IntoIterator<Item = &'a HeaderValue>) -> bool {
    let mut any = false;
    for range in ranges(accept) {
        match range.name {
            name if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => {
                return range.quality > 0.0;
            }
            "*" => any = range.quality > 0.0,
            _ => {}
        }
    }
    any
}

/// One entry of a header such as `Accept`.
struct Range<'a> {
    name: &'a str,
    parameters: &'a str,
    quality: f32,
}

impl<'a> Range<'a> {
    fn parameter(&self, wanted: &str) -> Option<&'a str> {
        parameter(self.parameters, wanted)
    }
}

fn parameter<'a>(parameters: &'a str, wanted: &str) -> Option<&'a str> {
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"'))
    })
}

/// The entries of all headers. One with a quality that is no number counts as not accepted.
fn ranges<'a>(headers: impl IntoIterator<Item = &'a HeaderValue>) -> impl Iterator<Item = Range<'a>> {
    headers.into_iter().filter_map(|header| header.to_str().ok()).flat_map(|header| header.split(',')).map(
        |entry| {
            let (name, parameters) = entry.split_once(';').unwrap_or((entry, ""));
            let quality = parameter(parameters, "q").map_or(1.0, |quality| quality.parse().unwrap_or(0.0));
            Range { name: name.trim(), parameters, quality }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> [HeaderValue; 1] {
        [HeaderValue::from_str(text).unwrap()]
    }

    #[test]
    fn openmetrics_only_where_it_is_asked_for() {
        let draft = Format::OpenMetrics { draft: true };
        let current = Format::OpenMetrics { draft: false };
        for (accept, expected) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/plain", Format::Text),
            ("text/html, application/*", Format::Text),
            ("application/openmetrics-text", current),
            ("Application/OpenMetrics-Text; Version=1.0.0", current),
            ("application/openmetrics-text;version=\"0.0.1\"", draft),
            ("application/openmetrics-text;q=0", Format::Text),
            ("application/openmetrics-text;q=nonsense", Format::Text),
            ("application/openmetrics-text;q=0.3, text/plain;q=0.5", Format::Text),
            // Prometheus 2 and 3.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                current,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                 application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                current,
            ),
        ] {
            assert_eq!(Format::choose(&header(accept)), expected, "{accept}");
        }
        assert_eq!(Format::choose([]), Format::Text);
        assert_eq!(Format::choose(&[HeaderValue::from_bytes(b"\xff").unwrap()]), Format::Text);
    }

    #[test]
    fn gzip_where_it_is_accepted() {
        for (accept, expected) in [
            ("", false),
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0, *", false),
            ("*", true),
            ("*;q=0", false),
            ("identity", false),
        ] {
            assert_eq!(accepts_gzip(&header(accept)), expected, "{accept}");
        }
        assert!(!accepts_gzip([]));
    }
}
