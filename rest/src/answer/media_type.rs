//! Media types of bodies.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The forms of bodies that Kubernetes speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaType {
    /// `application/json`
    Json,
    /// `application/yaml`
    Yaml,
    /// `application/vnd.kubernetes.protobuf`
    Protobuf,
    /// `application/cbor`
    Cbor,
    /// `application/cbor-seq`
    CborSeq,
    /// Any other.
    Other,
}

impl MediaType {
    /// The form that `content_type` names, whatever its parameters; `None` when it is no media type.
    pub fn parse(content_type: &str) -> Option<Self> {
        // The form that nearly every answer has takes no parsing.
        if content_type == "application/json" {
            return Some(Self::Json);
        }
        let Ok(parsed) = content_type.trim().parse::<mime::Mime>() else {
            // A single word is no type that we know, but it is one.
            let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            let word = content_type.trim();
            return (!word.is_empty() && word.bytes().all(is_word)).then_some(Self::Other);
        };
        Some(match parsed.essence_str() {
            "application/json" => Self::Json,
            "application/yaml" => Self::Yaml,
            "application/vnd.kubernetes.protobuf" => Self::Protobuf,
            "application/cbor" => Self::Cbor,
            "application/cbor-seq" => Self::CborSeq,
            _ => Self::Other,
        })
    }
}

/// The answer's content type as it stands in its headers; empty when there is none.
pub(crate) fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether a body with this content type can be shown to a person: text, or no type at all.
pub(crate) fn is_text(content_type: &str) -> bool {
    content_type.is_empty()
        || content_type.trim().parse::<mime::Mime>().is_ok_and(|parsed| parsed.type_() == mime::TEXT)
}

#[cfg(test)]
mod tests {
    use super::{MediaType, is_text};

    // BH-A2
    #[test]
    fn parses() {
        for (text, media_type) in [
            ("application/json", Some(MediaType::Json)),
            ("application/json; charset=utf-8", Some(MediaType::Json)),
            ("Application/JSON;as=Table;v=v1;g=meta.k8s.io", Some(MediaType::Json)),
            ("application/yaml", Some(MediaType::Yaml)),
            ("application/vnd.kubernetes.protobuf", Some(MediaType::Protobuf)),
            ("application/vnd.kubernetes.protobuf;stream=watch", Some(MediaType::Protobuf)),
            ("application/cbor", Some(MediaType::Cbor)),
            ("application/cbor-seq", Some(MediaType::CborSeq)),
            ("text/plain; charset=utf-8", Some(MediaType::Other)),
            ("application/,others", None),
            ("", None),
            ("application/json; charset", None),
            ("foobar", Some(MediaType::Other)),
        ] {
            assert_eq!(MediaType::parse(text), media_type, "{text:?}");
        }
        assert!(is_text("") && is_text("text/html; charset=x") && !is_text("application/json"));
    }
}
