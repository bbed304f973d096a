use serde::{Deserialize, Deserializer, Serialize};

use super::{List, ObjectMeta, TypeMeta, expect_kind};

/// An object cut down to what it is and its metadata, as the server does it on request.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PartialObjectMetadata {
    /// `PartialObjectMetadata` of `meta.k8s.io/v1`.
    #[serde(flatten)]
    pub types: TypeMeta,
    /// The object's metadata.
    pub metadata: ObjectMeta,
}

/// A list of objects cut down to their metadata.
pub type PartialObjectMetadataList = List<PartialObjectMetadata>;

impl<'de> Deserialize<'de> for PartialObjectMetadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            #[serde(default)]
            api_version: String,
            #[serde(default)]
            kind: String,
            #[serde(default)]
            metadata: ObjectMeta,
        }
        let Wire { api_version, kind, metadata } = Wire::deserialize(deserializer)?;
        expect_kind(&kind, "PartialObjectMetadata")?;
        Ok(Self { types: TypeMeta { api_version, kind }, metadata })
    }
}

#[cfg(test)]
mod tests {
    use super::PartialObjectMetadata;

    #[test]
    fn another_kind_is_an_error_that_names_both() {
        let text =
            r#"{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadata","metadata":{"name":"a"}}"#;
        let partial: PartialObjectMetadata = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&partial).unwrap(), text);
        let error =
            serde_json::from_str::<PartialObjectMetadata>(r#"{"kind":"Pod"}"#).unwrap_err().to_string();
        assert!(error.contains("Pod") && error.contains("PartialObjectMetadata"), "{error}");
    }
}
