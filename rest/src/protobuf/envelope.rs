//! The wrapper around every object: `k8s\0`, then runtime.Unknown.

use prost::Message;

use super::ProtobufErrorKind as Kind;
use super::meta::Types;
use super::wire::Fields;
use crate::TypeMeta;

/// What everything begins with.
pub(super) const MAGIC: [u8; 4] = *b"k8s\0";
/// The keys of the wrapper's and of its TypeMeta's first two fields, both bytes.
const FIRST: u8 = 0x0a;
const SECOND: u8 = 0x12;

/// Opens the wrapper: what it says is in it, and the message.
pub(crate) fn open(body: &[u8]) -> Result<(Types<'_>, &[u8]), Kind> {
    let wrapper = body.strip_prefix(&MAGIC).ok_or(Kind::Magic)?;
    let (mut types, mut message) = (Types::default(), &[][..]);
    for field in Fields::new(wrapper) {
        let field = field?;
        match field.number {
            1 => types.read(field.value.bytes()?)?,
            2 => message = field.value.bytes()?,
            // How it is encoded, and its media type.
            3 | 4 => drop(field.value.bytes()?),
            _ => {}
        }
    }
    Ok((types, message))
}

/// Wraps a message.
pub(crate) fn seal<M: Message>(types: &TypeMeta, message: &M) -> Result<Vec<u8>, prost::EncodeError> {
    let mut inner = Vec::new();
    for (key, text) in [(FIRST, &types.api_version), (SECOND, &types.kind)] {
        inner.push(key);
        prost::encode_length_delimiter(text.len(), &mut inner)?;
        inner.extend_from_slice(text.as_bytes());
    }
    let mut body = Vec::with_capacity(message.encoded_len() + inner.len() + 16);
    body.extend_from_slice(&MAGIC);
    body.push(FIRST);
    prost::encode_length_delimiter(inner.len(), &mut body)?;
    body.extend_from_slice(&inner);
    body.push(SECOND);
    message.encode_length_delimited(&mut body)?;
    Ok(body)
}
