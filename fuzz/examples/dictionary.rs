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

fn main() {
    let mut words: BTreeSet<&str> = RECORDS.into();
    for spec in Op::ALL.iter().map(|op| op.spec()) {
        words.insert(spec.uid_prefix);
        words.extend(spec.attributes.iter().map(|a| a.key));
    }
    println!("# Made by `cargo run --example dictionary` from the op table.");
    words.iter().for_each(|word| println!("{word:?}"));
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
