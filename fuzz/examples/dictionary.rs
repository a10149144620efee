//! Prints the libFuzzer dictionary: the keys of records, and the keys and names of the op table.
//! `cargo run --example dictionary > fuzz/dictionary.txt`

use cntk_parser::ops::Op;
use std::collections::BTreeSet;

/// Keys and texts of records that the op table does not name.
const RECORDS: [&str; 40] = [
    "version",
    "type",
    "root",
    "uid",
    "name",
    "inputs",
    "primitive_functions",
    "state",
    "kind",
    "data_type",
    "dynamic_axis",
    "is_sparse",
    "needs_gradient",
    "shape",
    "value",
    "op",
    "attributes",
    "block_function_op_name",
    "block_function_composite",
    "block_function_composite_arguments_map_keys",
    "block_function_composite_arguments_map_values",
    "native",
    "user_defined_state",
    "module",
    "class",
    "deserialize_method",
    "op_name",
    "CompositeFunction",
    "PrimitiveFunction",
    "UserDefinedFunction",
    "NativeUserDefinedFunction",
    "Variable",
    "defaultBatchAxis",
    "defaultDynamicAxis",
    "__operandSequenceAxis",
    "AllStaticAxes",
    "AllAxes",
    "UnknownAxes",
    "_Output_0",
    "ktnc",
];

/// Markers of files of CNTK 1, and texts in them.
const MARKERS: [&str; 33] = [
    "BCN",
    "BVersion",
    "EVersion",
    "BNodeList",
    "ENodeList",
    "BRelation",
    "ERelation",
    "BRootNodes",
    "BFeatureNodes",
    "EFeatureNodes",
    "BLabelNodes",
    "ELabelNodes",
    "BCriterionNodes",
    "ECriterionNodes",
    "BCriteriaNodes",
    "ECriteriaNodes",
    "BNodesReqMultiSeqHandling",
    "ENodesReqMultiSeqHandling",
    "BEvalNodes",
    "EEvalNodes",
    "BOutputNodes",
    "EOutputNodes",
    "BPairNodes",
    "EPairNodes",
    "ERootNodes",
    "ECN",
    "BMAT",
    "EMAT",
    "float",
    "double",
    "half",
    "__v2libuid__",
    "__v2libname__",
];

fn main() {
    let mut words: BTreeSet<&str> = RECORDS.into();
    for spec in Op::ALL.iter().map(|op| op.spec()) {
        words.insert(spec.uid_prefix);
        words.extend(spec.attributes.iter().map(|a| a.key));
    }
    let nodes: BTreeSet<&str> = MARKERS.into_iter().chain(cntk_fuzz::nodes::ops()).collect();
    println!("# Made by `cargo run --example dictionary` from the op table.");
    words.iter().for_each(|word| println!("{word:?}"));
    for word in nodes {
        let text: String =
            word.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).map(|b| format!("\\x{b:02x}")).collect();
        println!("v1_{word}=\"{text}\"");
    }
    // Sentinels: inferred, unknown and free dimensions, and the dynamic axis.
    for (name, bytes) in [
        ("inferred", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01].as_slice()),
        ("unknown", &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        ("free", &[0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        ("dynamic", &[0x08, 0xff, 0xff, 0xff, 0xff, 0x07]),
    ] {
        let text: String = bytes.iter().map(|b| format!("\\x{b:02x}")).collect();
        println!("{name}=\"{text}\"");
    }
}
