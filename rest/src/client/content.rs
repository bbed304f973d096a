//! What a client sends and asks for, computed once.

use std::sync::atomic::{AtomicBool, Ordering};

use http::HeaderValue;
use kubewire_config::Config;

use crate::error::ClientError;
use crate::{MediaType, RequestError};

const JSON: &str = "application/json";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const CBOR: &str = "application/cbor";

/// What is wanted beyond what a config says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Preferences {
    pub(super) protobuf: bool,
    /// CBOR counts where the config names it; it is read as JSON otherwise.
    pub(super) allow_cbor: bool,
    pub(super) cbor: bool,
}

/// A client's content types.
#[derive(Debug)]
pub(crate) struct Content {
    configured: Wire,
    /// In place of CBOR, once the server has refused it.
    fallback: Option<Wire>,
    is_cbor_refused: AtomicBool,
}

/// How objects go over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    /// The `Accept` header.
    pub(crate) accept: HeaderValue,
    /// The `Content-Type` of typed bodies.
    pub(crate) content_type: HeaderValue,
    /// What that is; also what an answer without a content type is taken for.
    pub(crate) media_type: MediaType,
}

impl Content {
    pub(super) fn new(config: &Config, preferences: Preferences) -> Result<Self, ClientError> {
        let configured = config.content_type.as_deref().filter(|text| !text.is_empty());
        let accepted = config.accept_content_types.as_deref().filter(|text| !text.is_empty());
        let (content_type, accept) = match (configured, accepted) {
            (None, None) if preferences.protobuf => (PROTOBUF.to_owned(), format!("{PROTOBUF},{JSON}")),
            _ => {
                let allowed = if preferences.allow_cbor { str::to_owned } else { without_cbor };
                let content_type = allowed(configured.unwrap_or(if preferences.cbor { CBOR } else { JSON }));
                let accept = accepted.map_or_else(|| or_anything(&content_type), allowed);
                (content_type, accept)
            }
        };
        let configured = Wire::new(&content_type, &accept)?;
        let fallback = match configured.media_type {
            // An accept list that was configured stays.
            MediaType::Cbor => {
                Some(Wire::new(JSON, &accepted.map_or_else(|| or_anything(JSON), str::to_owned))?)
            }
            _ => None,
        };
        Ok(Self { configured, fallback, is_cbor_refused: AtomicBool::new(false) })
    }

    /// How objects are sent and asked for now.
    pub(crate) fn wire(&self) -> &Wire {
        match &self.fallback {
            Some(fallback) if self.is_cbor_refused() => fallback,
            _ => &self.configured,
        }
    }

    /// Whether the server has refused a body of CBOR: none is sent any more.
    pub(crate) fn is_cbor_refused(&self) -> bool {
        self.is_cbor_refused.load(Ordering::Relaxed)
    }

    /// The server has refused a body of CBOR.
    #[cfg(feature = "cbor")]
    pub(crate) fn refuse_cbor(&self) {
        self.is_cbor_refused.store(true, Ordering::Relaxed);
    }
}

/// A copy is for another client, of whose server nothing is known yet.
impl Clone for Content {
    fn clone(&self) -> Self {
        Self {
            configured: self.configured.clone(),
            fallback: self.fallback.clone(),
            is_cbor_refused: AtomicBool::new(false),
        }
    }
}

fn or_anything(content_type: &str) -> String {
    format!("{content_type}, */*")
}

impl Wire {
    fn new(content_type: &str, accept: &str) -> Result<Self, ClientError> {
        let media_type = MediaType::parse(content_type).ok_or_else(|| ClientError::Setting {
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
            accept: header("accept_content_types", accept)?,
            content_type: header("content_type", content_type)?,
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
            MediaType::Cbor => encode_cbor(object)?,
            _ => {
                let name = String::from_utf8_lossy(self.content_type.as_bytes()).into_owned();
                return Err(RequestError::NoEncoder(name));
            }
        };
        Ok(Some(encoded).filter(|bytes| !is_null(bytes)))
    }
}

/// Whether an encoded value is null, in any form.
pub(crate) fn is_null(encoded: &[u8]) -> bool {
    matches!(encoded.trim_ascii(), b"null" | b"\xd9\xd9\xf7\xf6")
}

pub(crate) fn encode_json<T: serde::Serialize + ?Sized>(object: &T) -> Result<Vec<u8>, RequestError> {
    serde_json::to_vec(object).map_err(|error| RequestError::Encode(error.into()))
}

#[cfg(not(feature = "cbor"))]
pub(crate) fn encode_cbor<T: serde::Serialize + ?Sized>(_: &T) -> Result<Vec<u8>, RequestError> {
    Err(RequestError::NoEncoder(CBOR.to_owned()))
}

#[cfg(feature = "cbor")]
pub(crate) fn encode_cbor<T: serde::Serialize + ?Sized>(object: &T) -> Result<Vec<u8>, RequestError> {
    crate::cbor::encode(object).map_err(|error| RequestError::Encode(error.into()))
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

    use super::{Content, Preferences};
    use crate::MediaType;

    fn content(content_type: &str, accept: &str, preferences: Preferences) -> Content {
        let config = Config {
            content_type: Some(content_type.to_owned()),
            accept_content_types: Some(accept.to_owned()),
            ..Config::new("localhost")
        };
        Content::new(&config, preferences).unwrap()
    }

    /// What is sent and what is asked for.
    fn headers(content: &Content) -> (&str, &str) {
        let wire = content.wire();
        (wire.content_type.to_str().unwrap(), wire.accept.to_str().unwrap())
    }

    // BH-R2, BH-R11, BH-R12
    #[test]
    fn accept_and_content_type() {
        const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
        let none = Preferences::default();
        let protobuf = Preferences { protobuf: true, ..none };
        for (content_type, accept, preferences, sent, asked) in [
            ("", "", none, "application/json", "application/json, */*"),
            ("application/yaml", "", none, "application/yaml", "application/yaml, */*"),
            ("", "text/plain", none, "application/json", "text/plain"),
            ("", "", protobuf, PROTOBUF, "application/vnd.kubernetes.protobuf,application/json"),
            ("application/json", "", protobuf, "application/json", "application/json, */*"),
            ("", "application/json", protobuf, "application/json", "application/json"),
            ("application/cbor", "", none, "application/json", "application/json, */*"),
            (
                "Application/CBOR",
                "application/cbor;q=0.9, application/json;q=0.8",
                none,
                "application/json",
                "application/json;q=0.9,application/json;q=0.8",
            ),
        ] {
            let content = content(content_type, accept, preferences);
            assert_eq!(headers(&content), (sent, asked), "{content_type:?} {accept:?}");
        }
    }

    // BH-R2, BH-R11, BH-R12, BH-X9
    #[cfg(feature = "cbor")]
    #[test]
    fn cbor_where_it_is_allowed_until_it_is_refused() {
        const CBOR: &str = "application/cbor";
        const JSON: &str = "application/json";
        const BOTH: &str = "application/cbor;q=0.9, application/json;q=0.8";
        let allowed = Preferences { allow_cbor: true, ..Preferences::default() };
        let preferred = Preferences { cbor: true, ..allowed };
        let protobuf = Preferences { protobuf: true, ..preferred };
        for (content_type, accept, preferences, before, after) in [
            ("", "", allowed, (JSON, "application/json, */*"), (JSON, "application/json, */*")),
            (CBOR, "", allowed, (CBOR, "application/cbor, */*"), (JSON, "application/json, */*")),
            (CBOR, BOTH, allowed, (CBOR, BOTH), (JSON, BOTH)),
            ("", BOTH, allowed, (JSON, BOTH), (JSON, BOTH)),
            ("", "", preferred, (CBOR, "application/cbor, */*"), (JSON, "application/json, */*")),
            ("", JSON, preferred, (CBOR, JSON), (JSON, JSON)),
            (JSON, "", preferred, (JSON, "application/json, */*"), (JSON, "application/json, */*")),
            ("", BOTH, protobuf, (CBOR, BOTH), (JSON, BOTH)),
        ] {
            let content = content(content_type, accept, preferences);
            assert_eq!(headers(&content), before, "{content_type:?} {accept:?}");
            content.refuse_cbor();
            assert_eq!(headers(&content), after, "{content_type:?} {accept:?}");
            assert_eq!(headers(&content.clone()), before, "{content_type:?} {accept:?}");
        }
        let content = content("", "", protobuf);
        assert_eq!(content.wire().media_type, MediaType::Protobuf);
    }

    #[test]
    fn encodes_and_leaves_out_what_is_absent() {
        let none = Preferences::default();
        let json = content("", "", none);
        assert_eq!(json.wire().encode(&[1, 2]).unwrap().unwrap(), b"[1,2]");
        assert_eq!(json.wire().encode(&None::<u8>).unwrap(), None);
        let yaml = content("application/yaml", "", none);
        assert_eq!(yaml.wire().media_type, MediaType::Yaml);
        assert_eq!(yaml.wire().encode(&[1, 2]).unwrap().unwrap(), b"- 1\n- 2\n");
        assert_eq!(yaml.wire().encode(&None::<u8>).unwrap(), None);
        #[cfg(feature = "cbor")]
        {
            let cbor = content("application/cbor", "", Preferences { allow_cbor: true, ..none });
            assert_eq!(cbor.wire().encode(&[1, 2]).unwrap().unwrap(), b"\xd9\xd9\xf7\x82\x01\x02");
            assert_eq!(cbor.wire().encode(&None::<u8>).unwrap(), None);
        }
        let protobuf = content("", "", Preferences { protobuf: true, ..none });
        assert!(protobuf.wire().encode(&1).unwrap_err().to_string().contains("no encoder"));
        let config = Config { content_type: Some("application/,x".into()), ..Config::new("h") };
        assert!(Content::new(&config, none).unwrap_err().to_string().contains("media type"));
    }
}
