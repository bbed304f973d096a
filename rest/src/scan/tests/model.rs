//! Arbitrary documents with everything that makes scanning hard, and what their fields are by serde_json.

use proptest::prelude::*;
use serde_json::Value;

use super::super::path::Segment;
use super::FieldPath;

/// Text of a value whose keys are few, so that paths hit them; with duplicates, escapes and blanks.
pub(crate) fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        3 => prop::sample::select(vec!["null", "true", "false", "0", "-0", "7", "-12.5e+3", "1E2", "123456789012345678901234567890"])
            .prop_map(str::to_owned),
        1 => any::<i64>().prop_map(|n| n.to_string()),
        1 => any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| serde_json::to_string(&n).unwrap()),
        4 => string(),
    ];
    scalar.prop_recursive(6, 60, 6, |inner| {
        let object = prop::collection::vec((key(), blank(), blank(), inner.clone(), blank()), 0..6).prop_map(
            |members| {
                let members: Vec<String> =
                    members.iter().map(|(k, a, b, v, c)| format!("{a}{k}{b}:{c}{v}{b}")).collect();
                format!("{{{}}}", members.join(","))
            },
        );
        let array = prop::collection::vec((blank(), inner, blank()), 0..5).prop_map(|elements| {
            let elements: Vec<String> = elements.iter().map(|(a, v, b)| format!("{a}{v}{b}")).collect();
            format!("[{}]", elements.join(","))
        });
        prop_oneof![3 => object, 1 => array]
    })
}

/// Keys that paths speak of, some with escapes, and others.
fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        r#""metadata""#,
        r#""metadata""#,
        r#""meta\u0064ata""#,
        r#""managedFields""#,
        r#""managed\u0046ields""#,
        r#""name""#,
        r#""n\u0061me""#,
        r#""annotations""#,
        r#""a.b/c""#,
        r#""a.b\/c""#,
        r#""spec""#,
        r#""sp\u0065c""#,
        r#""status""#,
        r#""phase""#,
        r#""list""#,
        r#""items""#,
        r#""""#,
        r#""x\"y""#,
        r#""größe""#,
        r#""\\""#,
        r#""{""#,
        r#"",""#,
    ])
    .prop_map(str::to_owned)
}

fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            r#""""#,
            r#""\\""#,
            r#""\\\"""#,
            r#""}{][,:""#,
            r#""\ud83d\ude00\u00e9""#,
            r#""\/\b\f\n\r\t""#
        ])
        .prop_map(str::to_owned),
        any::<String>().prop_map(|s| serde_json::to_string(&s).unwrap()),
        "[ -~]{0,90}".prop_map(|s| serde_json::to_string(&s).unwrap()),
        // Long runs of backslashes: an odd number of them before a quote would escape it.
        (0_usize..70).prop_map(|n| format!("\"{}\"", "\\\\".repeat(n))),
    ]
}

fn blank() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just(String::new()),
        1 => prop::sample::select(vec![" ", "\n", "\t \r\n", "  "]).prop_map(str::to_owned),
        1 => (0_usize..140).prop_map(|n| " ".repeat(n)),
    ]
}

/// Takes out what a path leads to.
pub(crate) fn remove(value: &mut Value, path: &FieldPath) {
    fn go(value: &mut Value, path: &[Segment]) {
        match (path, value) {
            ([Segment::Key(key)], Value::Object(map)) => drop(map.remove(&**key)),
            ([Segment::Key(key), rest @ ..], Value::Object(map)) => {
                if let Some(value) = map.get_mut(&**key) {
                    go(value, rest);
                }
            }
            ([Segment::Each, rest @ ..], Value::Array(values)) => {
                values.iter_mut().for_each(|value| go(value, rest));
            }
            _ => {}
        }
    }
    go(value, path.segments());
}

/// What paths lead to, and what it lies in; values of another form than the paths say stay whole.
pub(super) fn project(value: &Value, paths: &[&[Segment]]) -> Value {
    if paths.iter().any(|path| path.is_empty()) {
        return value.clone();
    }
    match value {
        Value::Object(map)
            if paths.iter().all(|path| matches!(path[0], Segment::Each)) && !paths.is_empty() =>
        {
            Value::Object(map.clone())
        }
        Value::Object(map) => Value::Object(
            map.iter()
                .filter_map(|(key, value)| {
                    let below: Vec<&[Segment]> = paths
                        .iter()
                        .filter(|path| matches!(&path[0], Segment::Key(name) if **name == **key))
                        .map(|path| &path[1..])
                        .collect();
                    (!below.is_empty()).then(|| (key.clone(), project(value, &below)))
                })
                .collect(),
        ),
        Value::Array(values) => {
            let below: Vec<&[Segment]> =
                paths.iter().filter(|path| matches!(path[0], Segment::Each)).map(|path| &path[1..]).collect();
            if below.is_empty() {
                return value.clone();
            }
            Value::Array(values.iter().map(|value| project(value, &below)).collect())
        }
        _ => value.clone(),
    }
}
