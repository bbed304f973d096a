//! Bodies become objects.

use std::any::TypeId;
use std::sync::LazyLock;

use bytes::Bytes;
use memchr::memmem::Finder;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::media_type::MediaType;
use crate::error::DecodeFault;
use crate::json;
use crate::{GroupVersion, Status, TypeMeta};

/// Reads `body` as a `T`.
pub(crate) fn decode<T: DeserializeOwned>(
    body: &Bytes,
    media_type: Option<MediaType>,
) -> Result<T, DecodeFault> {
    if body.is_empty() {
        return Err(DecodeFault::Empty);
    }
    match media_type {
        Some(MediaType::Json) => Ok(json::from_slice(body)?),
        Some(MediaType::Yaml) => Ok(serde_yaml::from_slice(body)?),
        Some(_) => Err(DecodeFault::NoDecoder),
        None => Err(DecodeFault::ContentType),
    }
}

/// The body in a form that serde reads, and which that is: CBOR becomes the JSON that it stands for, of so many bytes
/// at the most.
#[cfg_attr(not(feature = "cbor"), expect(unused_variables, reason = "all else stays as it is"))]
pub(crate) fn readable(
    body: &Bytes,
    media_type: Option<MediaType>,
    limit: usize,
) -> Result<(Bytes, Option<MediaType>), DecodeFault> {
    #[cfg(feature = "cbor")]
    if media_type == Some(MediaType::Cbor) && !body.is_empty() {
        let json = crate::cbor::to_json(body, limit).map_err(crate::ItemError::from)?;
        return Ok((json.into(), Some(MediaType::Json)));
    }
    Ok((body.clone(), media_type))
}

/// What a body says it is, when it says it.
pub(crate) fn sniff(body: &Bytes, media_type: Option<MediaType>) -> TypeMeta {
    #[cfg(feature = "protobuf")]
    if media_type == Some(MediaType::Protobuf) {
        return crate::protobuf::open(body).map(|(types, _)| types.into()).unwrap_or_default();
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Head {
        api_version: Option<String>,
        kind: Option<String>,
    }
    let head: Head = decode(body, media_type).unwrap_or_default();
    TypeMeta { api_version: head.api_version.unwrap_or_default(), kind: head.kind.unwrap_or_default() }
}

/// Whether JSON is no Status, as far as that can be told without parsing it.
fn is_clearly_no_status(json: &[u8]) -> bool {
    // Objects hardly ever hold this text.
    static NAME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"Status\""));

    match leading_kind(json) {
        Some(kind) => kind != b"Status",
        None => NAME.find(json).is_none(),
    }
}

/// The kind of a JSON object where servers write it: first, or after the version. That it is there twice would be an
/// error.
fn leading_kind(json: &[u8]) -> Option<&[u8]> {
    let text_after = |name: &[u8], json| {
        let json: &[u8] = <[u8]>::strip_prefix(json, name)?;
        json.split_at_checked(memchr::memchr(b'"', json)?)
    };
    let fields = json.strip_prefix(b"{")?;
    let fields = match text_after(b"\"apiVersion\":\"", fields) {
        Some((_, rest)) => rest.strip_prefix(b"\",")?,
        None => fields,
    };
    let (kind, _) = text_after(b"\"kind\":\"", fields)?;
    (!kind.contains(&b'\\')).then_some(kind)
}

/// Reads `body` as a Status.
fn decode_status(body: &Bytes, media_type: Option<MediaType>) -> Result<Status, DecodeFault> {
    match media_type {
        #[cfg(feature = "protobuf")]
        Some(MediaType::Protobuf) => Ok(crate::protobuf::status(body)?),
        _ => decode(body, media_type),
    }
}

/// Whether something of these types is the API's Status.
pub(crate) fn is_status(types: &TypeMeta) -> bool {
    types.kind == "Status" && matches!(types.api_version.as_str(), "v1" | "meta.k8s.io/v1")
}

/// The Status in the body of an error: it may leave its version out, but not its kind, and is a failure.
pub(crate) fn failure_status(body: &Bytes, media_type: Option<MediaType>) -> Option<Status> {
    let mut status = decode_status(body, media_type).ok()?;
    if status.api_version.is_empty() {
        status.api_version = GroupVersion::V1.version.to_string();
    }
    let types = TypeMeta { api_version: status.api_version.clone(), kind: status.kind.clone() };
    (is_status(&types) && status.is_failure()).then_some(status)
}

/// A Status that is no success, in the body of an answer whose code says success, unless a Status is what was asked for.
/// One that can't be read is an error, and never taken for a `T`.
pub(crate) fn hidden_failure<T: 'static>(
    body: &Bytes,
    media_type: Option<MediaType>,
) -> Result<Option<Status>, DecodeFault> {
    if TypeId::of::<T>() == TypeId::of::<Status>()
        || media_type == Some(MediaType::Json) && is_clearly_no_status(body)
        || !is_status(&sniff(body, media_type))
    {
        return Ok(None);
    }
    let status = decode_status(body, media_type)?;
    Ok((status.status != Status::SUCCESS).then_some(status))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::Value;

    use super::{MediaType, hidden_failure};

    #[test]
    fn a_failure_is_found_wherever_its_kind_stands() {
        for (body, is_failure) in [
            (r#"{"kind":"Status","apiVersion":"v1","status":"Failure"}"#, true),
            (r#"{"apiVersion":"v1","kind":"Status","status":"Failure"}"#, true),
            (r#"{"apiVersion":"v1", "kind":"Status","status":"Failure"}"#, true),
            (r#" {"status":"Failure","metadata":{},"kind":"Status","apiVersion":"v1"}"#, true),
            (r#"{"apiVersion":"v1","status":"Failure","kind":"Status"}"#, true),
            (r#"{"kind":"\u0053tatus","apiVersion":"v1","status":"Failure","of":"Status"}"#, true),
            (r#"{"kind":"Status","apiVersion":"v1","status":"Success"}"#, false),
            (r#"{"kind":"Pod","apiVersion":"v1","of":{"kind":"Status"}}"#, false),
            (r#"{"apiVersion":"v1","kind":"Pod","of":{"kind":"Status"}}"#, false),
            (r#"{"apiVersion":"v1","spec":{"kind":"Status","apiVersion":"v1"}}"#, false),
            (r#"{"apiVersion":"my/v1","kind":"Status","status":"Failure"}"#, false),
            (r#"{"kind":"Pod","kind":"Status","apiVersion":"v1"}"#, false),
            (r#"{"kind":"Status"#, false),
            (r#"{"kind":"#, false),
            ("{", false),
        ] {
            let found = hidden_failure::<Value>(&Bytes::from_static(body.as_bytes()), Some(MediaType::Json));
            assert_eq!(found.unwrap().is_some(), is_failure, "{body}");
        }
    }
}
