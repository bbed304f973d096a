//! What a client sends and asks for, computed once.

use http::HeaderValue;
use kubewire_config::Config;

use crate::error::ClientError;
use crate::{MediaType, RequestError};

const JSON: &str = "application/json";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const CBOR: &str = "application/cbor";

/// A client's content types.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    /// The `Accept` header.
    pub(crate) accept: HeaderValue,
    /// The `Content-Type` of typed bodies.
    pub(crate) content_type: HeaderValue,
    /// What that is; also what an answer without a content type is taken for.
    pub(crate) media_type: MediaType,
}

impl Content {
    pub(crate) fn new(config: &Config, prefer_protobuf: bool) -> Result<Self, ClientError> {
        let configured = config.content_type.as_deref().filter(|text| !text.is_empty());
        let accepted = config.accept_content_types.as_deref().filter(|text| !text.is_empty());
        let (content_type, accept) = match (configured, accepted) {
            (None, None) if prefer_protobuf => (PROTOBUF.to_owned(), format!("{PROTOBUF},{JSON}")),
            _ => {
                let content_type = without_cbor(configured.unwrap_or(JSON));
                let accept = accepted.map_or_else(|| format!("{content_type}, */*"), without_cbor);
                (content_type, accept)
            }
        };
        let media_type = MediaType::parse(&content_type).ok_or_else(|| ClientError::Setting {
            setting: "content_type",
            why: format!("{content_type:?} is no media type"),
        })?;
        let header = |setting, text: &str| {
            HeaderValue::from_str(text).map_err(|_| ClientError::Setting {
                setting,
                why: format!("{text:?} can't stand in a header"),
            })
        };
        Ok(Self {
            accept: header("accept_content_types", &accept)?,
            content_type: header("content_type", &content_type)?,
            media_type,
        })
    }

    /// Encodes a typed object as the client's content type. `None` when there is none: the object is null.
    pub(crate) fn encode<T: serde::Serialize + ?Sized>(
        &self,
        object: &T,
    ) -> Result<Option<Vec<u8>>, RequestError> {
        let encoded = match self.media_type {
            MediaType::Json => encode_json(object)?,
            MediaType::Yaml => serde_yaml::to_string(object)
                .map(String::into_bytes)
                .map_err(|error| RequestError::Encode(error.into()))?,
            _ => {
                let name = String::from_utf8_lossy(self.content_type.as_bytes()).into_owned();
                return Err(RequestError::NoEncoder(name));
            }
        };
        Ok(Some(encoded).filter(|bytes| bytes.trim_ascii() != b"null"))
    }
}

pub(crate) fn encode_json<T: serde::Serialize + ?Sized>(object: &T) -> Result<Vec<u8>, RequestError> {
    serde_json::to_vec(object).map_err(|error| RequestError::Encode(error.into()))
}

/// A list of media types with CBOR read as JSON, each clause's parameters kept.
fn without_cbor(list: &str) -> String {
    if !list.to_ascii_lowercase().contains(CBOR) {
        return list.to_owned();
    }
    let clauses: Vec<String> = list
        .split(',')
        .map(|clause| {
            let (essence, parameters) = clause.split_at(clause.find(';').unwrap_or(clause.len()));
            if essence.trim().eq_ignore_ascii_case(CBOR) {
                format!("{JSON}{parameters}")
            } else {
                clause.trim().to_owned()
            }
        })
        .collect();
    clauses.join(",")
}

#[cfg(test)]
mod tests {
    use kubewire_config::Config;

    use super::Content;
    use crate::MediaType;

    fn content(content_type: &str, accept: &str, prefer_protobuf: bool) -> (String, String) {
        let config = Config {
            content_type: Some(content_type.to_owned()),
            accept_content_types: Some(accept.to_owned()),
            ..Config::new("localhost")
        };
        let content = Content::new(&config, prefer_protobuf).unwrap();
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        (text(&content.content_type), text(&content.accept))
    }

    // BH-R2, BH-R11, BH-R12
    #[test]
    fn accept_and_content_type() {
        const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
        for (content_type, accept, prefer_protobuf, sent, asked) in [
            ("", "", false, "application/json", "application/json, */*"),
            ("application/yaml", "", false, "application/yaml", "application/yaml, */*"),
            ("", "text/plain", false, "application/json", "text/plain"),
            ("", "", true, PROTOBUF, "application/vnd.kubernetes.protobuf,application/json"),
            ("application/json", "", true, "application/json", "application/json, */*"),
            ("", "application/json", true, "application/json", "application/json"),
            ("application/cbor", "", false, "application/json", "application/json, */*"),
            (
                "Application/CBOR",
                "application/cbor;q=0.9, application/json;q=0.8",
                false,
                "application/json",
                "application/json;q=0.9,application/json;q=0.8",
            ),
        ] {
            let (is_sent, is_asked) = content(content_type, accept, prefer_protobuf);
            assert_eq!((is_sent.as_str(), is_asked.as_str()), (sent, asked), "{content_type:?} {accept:?}");
        }
    }

    #[test]
    fn encodes_and_leaves_out_what_is_absent() {
        let json = Content::new(&Config::new("h"), false).unwrap();
        assert_eq!(json.encode(&[1, 2]).unwrap().unwrap(), b"[1,2]");
        assert_eq!(json.encode(&None::<u8>).unwrap(), None);
        let config = Config { content_type: Some("application/yaml".into()), ..Config::new("h") };
        let yaml = Content::new(&config, false).unwrap();
        assert_eq!(yaml.media_type, MediaType::Yaml);
        assert_eq!(yaml.encode(&[1, 2]).unwrap().unwrap(), b"- 1\n- 2\n");
        assert_eq!(yaml.encode(&None::<u8>).unwrap(), None);
        let protobuf = Content::new(&Config::new("h"), true).unwrap();
        assert!(protobuf.encode(&1).unwrap_err().to_string().contains("no encoder"));
        let config = Config { content_type: Some("application/,x".into()), ..Config::new("h") };
        assert!(Content::new(&config, false).unwrap_err().to_string().contains("media type"));
    }
}
