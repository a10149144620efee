//! What machines are told follows the published schemas.

use super::tool::{Folder, corpus};
use serde_json::Value;
use std::{collections::HashSet, fs, path::Path};

/// Asserts that a value follows a schema: the part of JSON Schema that the schemas in `docs/` use.
pub fn follows(value: &Value, schema: &Value, root: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        return follows(value, root.pointer(reference.trim_start_matches('#')).unwrap(), root, at);
    }
    let fits = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{at}: the schema has the type {other}"),
    };
    let kinds: Vec<_> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    assert!(kinds.is_empty() || kinds.iter().any(|kind| fits(kind)), "{at}: {value} is none of {kinds:?}");
    if let Some(only) = schema.get("const") {
        assert_eq!(value, only, "{at}");
    }
    for rule in schema["allOf"].as_array().into_iter().flatten() {
        if applies(&rule["if"]["properties"], value) {
            follows(value, &rule["then"], root, at);
        }
    }
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(allowed.contains(value), "{at}: {value}");
    }
    if let Some(entries) = value.as_object() {
        for key in schema["required"].as_array().into_iter().flatten() {
            assert!(entries.contains_key(key.as_str().unwrap()), "{at} lacks {key}");
        }
        for (key, entry) in entries {
            match &schema["properties"][key] {
                Value::Null => assert_ne!(schema["additionalProperties"], false, "{at}.{key} is not in the schema"),
                known => follows(entry, known, root, &format!("{at}.{key}")),
            }
        }
    }
    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
        follows(item, &schema["items"], root, &format!("{at}[{i}]"));
    }
}

/// Has `value` the entries that a condition names?
fn applies(condition: &Value, value: &Value) -> bool {
    condition.as_object().unwrap().iter().all(|(key, wanted)| match (wanted.get("const"), wanted["enum"].as_array()) {
        (Some(only), _) => value[key] == *only,
        (None, Some(allowed)) => allowed.contains(&value[key]),
        _ => panic!("a condition is const or enum: {wanted}"),
    })
}

/// Asserts that a document follows `docs/json.schema.json`, and by one of its rules.
pub fn check(document: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/json.schema.json");
    let schema: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let rules = schema["allOf"].as_array().unwrap();
    assert!(rules.iter().any(|rule| applies(&rule["if"]["properties"], document)), "no rule is for {document}");
    follows(document, &schema, &schema, "document");
}

/// Every command that prints JSON, done, rejected, refused and failed.
#[test]
fn documents_follow_the_schema() {
    let folder = Folder::with_model();
    folder.write("tagger.model", &fs::read(corpus("zoo/gru_tagger.model")).unwrap());
    folder.write("bad.model", b"<html>");
    folder.write("x.model", &cntk_testing::models::dense(3, 2));
    let header = r#"{"x":{"dtype":"F32","shape":[1,3],"data_offsets":[0,12]}}"#;
    let packed = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[0; 12]].concat();
    folder.write("in.safetensors", &packed);
    folder.write("key.pem", include_bytes!("../../../signing/tests/keys/p256.pem"));
    folder.write("key.pub", include_bytes!("../../../signing/tests/keys/p256.pub.pem"));
    folder.run(&["sign", "x.model", "--key", "key.pem", "--signature", "x.sig"]).done();
    let mut ends = HashSet::new();
    for line in [
        "convert m.model",
        "convert tagger.model --hash --weights external --force",
        "convert m.model --to pytorch -o net",
        "convert m.model --to safetensors",
        "convert bad.model",
        "convert m.model --outputs nothing -o n.onnx",
        "convert missing.model",
        "validate .",
        "validate m.model",
        "validate missing.model",
        "validate --limits",
        "inspect m.model",
        "inspect tagger.model --nodes --tree",
        "inspect bad.model",
        "eval x.model --inputs in.safetensors",
        "eval x.model --inputs missing.npz",
        "diff m.model tagger.model",
        "diff m.model m.model",
        "check x.model --signature x.sig --public-key key.pub",
        "check m.model --signature x.sig --public-key key.pub",
        "ops",
        "explain",
        "explain wire.truncated",
    ] {
        let words: Vec<&str> = line.split(' ').chain(["--format", "json"]).collect();
        let run = folder.run(&words);
        let document = serde_json::from_slice(&run.stdout).unwrap_or_else(|e| panic!("{line}: {e} {}", run.stderr));
        check(&document);
        ends.insert((document["command"].as_str().unwrap().to_owned(), document["exit_code"].as_u64()));
    }
    assert!(ends.len() >= 15, "{ends:?}");
}
