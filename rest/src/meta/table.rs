use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{ListMeta, expect_kind, null_as_default};

/// Objects as the rows of a table, with the columns that the server thinks a person wants to see.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// The list's metadata.
    pub metadata: ListMeta,
    /// The columns.
    pub column_definitions: Vec<TableColumn>,
    /// The rows.
    pub rows: Vec<TableRow>,
}

/// One column of a [`Table`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TableColumn {
    /// The heading.
    pub name: String,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    #[serde(rename = "type")]
    pub column_type: String,
    /// What the type means more closely, such as `name`.
    pub format: String,
    /// A sentence on the column.
    pub description: String,
    /// 0 for columns always shown, more for those shown on request.
    pub priority: i32,
}

/// One row of a [`Table`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TableRow {
    /// A value a column.
    #[serde(deserialize_with = "null_as_default")]
    pub cells: Vec<Value>,
    /// Remarks on the row.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_as_default")]
    pub conditions: Vec<TableRowCondition>,
    /// The object, as much of it as was asked for: its metadata unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Value>,
}

/// A remark on a row, such as `Completed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TableRowCondition {
    /// What it is about.
    #[serde(rename = "type")]
    pub condition_type: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// A word on why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// A sentence on why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            #[serde(default)]
            kind: String,
            #[serde(default, deserialize_with = "null_as_default")]
            metadata: ListMeta,
            #[serde(default, deserialize_with = "null_as_default")]
            column_definitions: Vec<TableColumn>,
            #[serde(default, deserialize_with = "null_as_default")]
            rows: Vec<TableRow>,
        }
        let Wire { kind, metadata, column_definitions, rows } = Wire::deserialize(deserializer)?;
        expect_kind(&kind, "Table")?;
        Ok(Self { metadata, column_definitions, rows })
    }
}
