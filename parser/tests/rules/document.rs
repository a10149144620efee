//! `docs/rules.md` says what the rules say. `BLESS=1` writes it.

use cntk_parser::{Severity, rules};
use std::fmt::Write;
use std::path::Path;

/// What the first part of an id stands for.
const GROUPS: &[(&str, &str)] = &[
    ("file", "What the file is"),
    ("wire", "Protobuf"),
    ("dictionary", "Dictionaries and values"),
    ("container", "The layout for models over 2 GB"),
    ("tensor", "Tensors"),
    ("record", "Records"),
    ("limit", "Limits"),
    ("variable", "Variables"),
    ("function", "Functions"),
    ("attribute", "Attributes"),
    ("graph", "The graph"),
    ("block", "Blocks"),
    ("type", "Shapes, element types, dynamic axes"),
    ("code", "Code and files that loading or evaluating would touch"),
    ("data", "What tensors hold, and signs of tampering"),
    ("resource", "Resources"),
    ("text", "Text"),
];

fn document() -> String {
    let mut out = String::from(
        "# The rules\n\n\
         Made from the table in `parser/src/validate/rules.rs`; `BLESS=1 cargo test -p cntk-parser --test rules` writes it.\n\n\
         A rule says what holds of a sound file. An *error* refuses the file, a *warning* and a *note* do not. Reading stops\n\
         at the first error of the groups up to *Records*; everything after that is collected in one pass. Where CNTK 2.7 is\n\
         known to crash, to read memory that is not its own or to be misled, the rule says so.\n",
    );
    for (prefix, title) in GROUPS {
        write!(out, "\n## {title}\n\n| rule | severity | what holds |\n| --- | --- | --- |\n").unwrap();
        for rule in rules().iter().filter(|rule| rule.id.split('.').next() == Some(prefix)) {
            let severity = match rule.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            writeln!(out, "| `{}` | {severity} | {} |", rule.id, rule.summary).unwrap();
        }
    }
    out
}

#[test]
fn the_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules.md");
    let wanted = document();
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "{} is stale: run this test with BLESS=1", path.display());
}

#[test]
fn every_rule_belongs_to_a_group() {
    for rule in rules() {
        let prefix = rule.id.split('.').next().unwrap();
        assert!(GROUPS.iter().any(|(known, _)| *known == prefix), "{}", rule.id);
    }
}
