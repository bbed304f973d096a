//! What is inside of arrays and objects.

use std::borrow::Cow;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Error;

use super::number;
use super::reader::Reader;

/// The elements of an array, the members of an object, or an enum's variant with its value, which is an object of one
/// member.
pub(super) struct Inside<'r, 'de, 'a>(pub(super) &'r mut Reader<'de, 'a>);

impl<'de> SeqAccess<'de> for Inside<'_, 'de, '_> {
    type Error = Error;

    #[inline(always)]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.0.peek() == b']' {
            return Ok(None);
        }
        seed.deserialize(&mut *self.0).map(Some)
    }

    /// Exact, so that a vector asks for its memory once, and for no more than it needs.
    fn size_hint(&self) -> Option<usize> {
        Some(self.0.values_left())
    }
}

impl<'de> MapAccess<'de> for Inside<'_, 'de, '_> {
    type Error = Error;

    #[inline(always)]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        if self.0.peek() == b'}' {
            return Ok(None);
        }
        seed.deserialize(Key(&mut *self.0)).map(Some)
    }

    #[inline(always)]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(&mut *self.0)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.values_left() / 2)
    }
}

/// A member's key: a string, though a type may want the number or the truth value that it spells.
struct Key<'r, 'de, 'a>(&'r mut Reader<'de, 'a>);

macro_rules! read_spelled {
    ($($method:ident: $read:path,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            $read(plain(self.0)?, visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Key<'_, 'de, '_> {
    type Error = Error;

    #[inline(always)]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_str(visitor)
    }

    read_spelled! {
        deserialize_bool: spelled_bool,
        deserialize_i8: number::spelled, deserialize_i16: number::spelled, deserialize_i32: number::spelled,
        deserialize_i64: number::spelled, deserialize_u8: number::spelled, deserialize_u16: number::spelled,
        deserialize_u32: number::spelled, deserialize_u64: number::spelled, deserialize_f32: number::spelled,
        deserialize_f64: number::spelled, deserialize_i128: number::spelled_i128,
        deserialize_u128: number::spelled_u128,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == RAW_VALUE {
            return self.0.deserialize_newtype_struct(name, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_bytes(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_bytes(visitor)
    }

    forward_to_deserialize_any! {
        char str string unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// Takes a key that spells something: that has no escapes.
fn plain<'de>(reader: &mut Reader<'de, '_>) -> Result<&'de str, Error> {
    match reader.string()? {
        Cow::Borrowed(text) => Ok(text),
        Cow::Owned(text) => {
            Err(de::Error::invalid_type(Unexpected::Str(&text), &"a number or a truth value in quotes"))
        }
    }
}

fn spelled_bool<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, Error> {
    match text {
        "true" => visitor.visit_bool(true),
        "false" => visitor.visit_bool(false),
        _ => Err(de::Error::invalid_type(Unexpected::Str(text), &visitor)),
    }
}

impl<'de> EnumAccess<'de> for Inside<'_, 'de, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        if self.0.peek() != b'"' {
            return Err(de::Error::custom("an empty object names no variant"));
        }
        let variant = seed.deserialize(&mut *self.0)?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Inside<'_, 'de, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        <()>::deserialize(self.0)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        name: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_struct("", name, visitor)
    }
}

/// The name by which serde_json's `RawValue` asks for a text as it stands.
pub(super) const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// A text as it stands, in the form that `RawValue` wants: an object with this one member.
pub(super) struct RawText<'de>(Option<&'de str>);

impl<'de> RawText<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self(Some(text))
    }
}

impl<'de> MapAccess<'de> for RawText<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        if self.0.is_none() {
            return Ok(None);
        }
        seed.deserialize(BorrowedStrDeserializer::new(RAW_VALUE)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(BorrowedStrDeserializer::new(self.0.take().unwrap_or_default()))
    }
}
