use serde::{Deserialize, Deserializer, Serialize};

use super::null_as_default;

/// A list of objects, as a server answers it: its kind ends in `List`.
///
/// Reading it takes `items` to be there (`null` is an empty list), so that an answer that is no list is not
/// mistaken for an empty one.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct List<T> {
    /// The list's own metadata: its version, and where it goes on.
    pub metadata: ListMeta,
    /// The objects.
    pub items: Vec<T>,
}

/// The metadata of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMeta {
    /// The version of the collection: a watch may begin here.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub resource_version: String,
    /// What to ask for the next page with; empty on the last one.
    #[serde(
        rename = "continue",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub continue_token: String,
    /// How many objects follow this page, where the server knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining_item_count: Option<i64>,
    /// The list's own URL; servers no longer fill it in.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_default")]
    pub self_link: String,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // With `deserialize_with` an `Option` may be null, but not left out.
        #[derive(Deserialize)]
        #[serde(bound = "T: Deserialize<'de>")]
        struct Wire<T> {
            #[serde(default, deserialize_with = "null_as_default")]
            metadata: ListMeta,
            #[serde(deserialize_with = "Option::deserialize")]
            items: Option<Vec<T>>,
        }
        let wire = Wire::deserialize(deserializer)?;
        Ok(Self { metadata: wire.metadata, items: wire.items.unwrap_or_default() })
    }
}

impl<T> IntoIterator for List<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::List;

    #[test]
    fn null_items_are_none_and_missing_items_are_an_error() {
        let list: List<u8> = serde_json::from_str(r#"{"metadata":null,"items":null}"#).unwrap();
        assert!(list.items.is_empty());
        let list: List<u8> = serde_json::from_str(
            r#"{"kind":"L","metadata":{"resourceVersion":"7","continue":"c"},"items":[1]}"#,
        )
        .unwrap();
        assert_eq!((list.metadata.resource_version.as_str(), list.items), ("7", vec![1]));
        assert_eq!(list.metadata.continue_token, "c");
        let error = serde_json::from_str::<List<u8>>(r#"{"kind":"Pod"}"#).unwrap_err();
        assert!(error.to_string().contains("items"), "{error}");
    }
}
