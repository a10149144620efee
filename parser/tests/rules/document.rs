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
    ("v1", "The format of CNTK 1"),
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

/// Attacks on readers of these files that have been published or shown, and what meets each.
const ATTACKS: &[(&str, &[&str])] = &[
    ("Python source in `module` or `class` of a user-defined function", &["code.python", "code.statement-injection"]),
    (
        "A library loaded for a native user-defined function, from a path or a share",
        &["code.native", "code.library-path"],
    ),
    ("An op code with the keys of a user-defined function", &["record.disguised-user-function"]),
    ("Files or shares opened by a training criterion", &["code.file-path"]),
    (
        "An operator with too few inputs (GatherPacked, PackedIndex, ScatterPacked and all others)",
        &["function.too-few-inputs"],
    ),
    ("A Gather that reads beyond its table", &["data.gather-index"]),
    (
        "A shape whose product wraps",
        &["tensor.shape-overflow", "tensor.count", "attribute.reshape", "type.dimension-range"],
    ),
    ("A shape that makes the reader allocate", &["tensor.count", "container.tail-short", "type.allocation-bomb"]),
    ("A division by a dimension of 0", &["attribute.zero-dimension"]),
    (
        "A value without a payload, or with another member than its type says",
        &["dictionary.member-missing", "dictionary.member-mismatch"],
    ),
    (
        "A storage format other than dense, a data type that does not exist",
        &["tensor.storage-format", "tensor.data-type"],
    ),
    ("Lengths that run past their parent or the file", &["wire.past-end", "wire.truncated"]),
    ("An op number above 32 bits, or as another wire type", &["record.op", "wire.type"]),
    ("A tensor taken from the tail because its count does not match", &["tensor.count", "container.tail-elsewhere"]),
    ("Data hidden after the tail", &["container.tail-long"]),
    (
        "Keys or uids given twice, or cut by a NUL, so that readers differ",
        &["dictionary.duplicate-key", "dictionary.nul-in-key", "graph.uid-duplicate"],
    ),
    ("A root that does not exist", &["graph.root", "block.root"]),
    ("Blocks that contain themselves, placeholders in a ring", &["block.recursion", "graph.alias-ring"]),
    ("Argument maps with keys that are not the block's", &["block.map-key", "block.scope", "record.block-map"]),
    (
        "Nesting, chains and blocks that overflow or stall a recursive reader",
        &["wire.nesting", "resource.deep-chain", "resource.deep-blocks"],
    ),
    ("A cycle that never ends", &["graph.cycle", "graph.mixed-directions"]),
    ("A branch that only one input triggers", &["data.hidden-branch"]),
    (
        "Weights that poison or slow down evaluation",
        &["data.not-finite", "data.extreme", "data.denormals", "data.not-half"],
    ),
    ("Names that forge lines of a report", &["text.control-characters", "text.long"]),
];

fn document() -> String {
    let mut out = String::from(
        "# The rules\n\n\
         Made from the table in `parser/src/validate/rules.rs`; `BLESS=1 cargo test -p cntk-parser --test rules` writes it.\n\n\
         A rule says what holds of a sound file. An *error* refuses the file, a *warning* and a *note* do not. Reading stops\n\
         at the first error of the groups up to *The format of CNTK 1*; everything after that is collected in one pass. Where CNTK 2.7 is\n\
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
    out.push_str("\n## Attacks and the rules that meet them\n\n| attack | rules |\n| --- | --- |\n");
    for (attack, ids) in ATTACKS {
        let ids: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
        writeln!(out, "| {attack} | {} |", ids.join(", ")).unwrap();
    }
    out
}

#[test]
fn attacks_name_rules() {
    for id in ATTACKS.iter().flat_map(|(_, ids)| *ids) {
        assert!(rules().iter().any(|rule| rule.id == *id), "{id}");
    }
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
