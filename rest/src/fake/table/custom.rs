//! The columns that definitions bring.

use jiff::Timestamp;
use serde_json::Value;

use super::ages::age;
use super::cells::list;

pub(super) fn cells(columns: &[Value], o: &Value, now: Timestamp) -> Vec<Value> {
    let own = columns.iter().map(|c| custom_cell(c, o, now));
    std::iter::once(o["metadata"]["name"].clone()).chain(own).collect()
}

/// A column of a definition: a simple JSON path (`.spec.a.b`, `.items[0].c`, `.list[?(@.type=="x")].c`).
fn custom_cell(column: &Value, o: &Value, now: Timestamp) -> Value {
    let found = simple_path(o, column["jsonPath"].as_str().unwrap_or_default());
    match (column["type"].as_str(), found) {
        (_, None) => Value::Null,
        (Some("date"), Some(time)) => age(time, now).into(),
        (Some("string"), Some(value)) if !value.is_string() => value.to_string().into(),
        (_, Some(value)) => value.clone(),
    }
}

fn simple_path<'a>(mut at: &'a Value, path: &str) -> Option<&'a Value> {
    let mut rest = path.trim_start_matches('.');
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (index, after) = inside.split_once(']')?;
            rest = after.trim_start_matches('.');
            at = if let Some(test) = index.strip_prefix("?(@.").and_then(|t| t.strip_suffix(')')) {
                let (field, value) = test.split_once("==")?;
                let value = value.trim().trim_matches(['"', '\'']);
                list(at).iter().find(|item| item[field.trim()] == value)?
            } else if let Ok(index) = index.parse::<usize>() {
                at.get(index)?
            } else {
                at.get(index.trim_matches(['"', '\'']))?
            };
            continue;
        }
        let mut end = rest.len();
        let mut escaped = false;
        for (i, c) in rest.char_indices() {
            if !escaped && (c == '.' || c == '[') {
                end = i;
                break;
            }
            escaped = c == '\\' && !escaped;
        }
        at = at.get(rest[..end].replace('\\', ""))?;
        rest = rest[end..].trim_start_matches('.');
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn custom_columns_follow_their_path() {
        let o = json!({"spec": {"a.b": 1, "list": [{"type": "x", "v": "one"}, {"type": "y", "v": "two"}]}});
        let at = |path: &str| simple_path(&o, path).cloned();
        assert_eq!(at(".spec.list[1].v"), Some(json!("two")));
        assert_eq!(at(".spec.list[?(@.type==\"x\")].v"), Some(json!("one")));
        assert_eq!(at(".spec.a\\.b"), Some(json!(1)));
        assert_eq!(at(".spec.none.x"), None);
        assert_eq!(at(".spec.list[9]"), None);
    }
}
