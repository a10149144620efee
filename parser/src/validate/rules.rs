//! The rules: a stable id, a severity and one line each. `docs/rules.md` is made from this table.

use crate::report::Severity::{self, Error, Warning};

/// A rule.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rule {
    /// Stable id.
    pub id: &'static str,
    /// How bad a violation is, as a rule.
    pub severity: Severity,
    /// What it asks for, in one line.
    pub summary: &'static str,
}

macro_rules! rules {
    ($($name:ident = $id:literal, $severity:expr, $summary:literal;)*) => {
        $(pub(crate) static $name: Rule = Rule { id: $id, severity: $severity, summary: $summary };)*

        /// All rules, by group.
        static RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    UNKNOWN_ROOT = "graph.root", Error, "`root` names an existing function, not an output (CNTK crashes otherwise)";
    EMPTY_UID = "graph.uid-empty", Error, "no uid is empty";
    DUPLICATE_UID = "graph.uid-duplicate", Error, "a uid belongs to one record";
    UNRESOLVED_INPUT = "graph.reference", Error, "every reference names a variable or an output that exists";
    OUTPUT_INDEX = "graph.output-index", Error, "a referenced output is one that the function has";
    ALIAS_RING = "graph.alias-ring", Error, "no placeholder or block output stands for itself";
    CYCLE = "graph.cycle", Error, "every cycle passes the state input of a delay";
    MIXED_DIRECTIONS = "graph.mixed-directions", Error, "a loop has delays of one direction";
    UNREACHABLE = "graph.unreachable", Warning, "the root needs every function";
    UNKNOWN_BLOCK_ROOT = "block.root", Error, "the inner root of a block exists (CNTK crashes otherwise)";
    BLOCK_RECURSION = "block.recursion", Error, "no block contains itself";
    BLOCK_MAP_KEY = "block.map-key", Error, "the keys of a block's argument map are its placeholders, each once";
    BLOCK_SCOPE = "block.scope", Error, "the inside of a block uses its own placeholders only, and all are bound";
    BLOCK_SHARED = "block.shared", Error, "a function belongs to one block";
    TOO_FEW_INPUTS = "function.too-few-inputs", Error, "a function has the inputs that its operator reads (CNTK reads out of bounds otherwise)";
    TOO_MANY_INPUTS = "function.too-many-inputs", Error, "a function has no more inputs than its operator takes";
    ATTRIBUTE_MISSING = "attribute.missing", Error, "required attributes are present";
    ATTRIBUTE_TYPE = "attribute.type", Error, "attributes have their types";
    ATTRIBUTE_VALUE = "attribute.value", Error, "enumerated attributes have known values";
    ATTRIBUTE_RANGE = "attribute.range", Error, "sizes, strides, pads and counts are possible ones within 32 bits";
    AXIS_RANGE = "attribute.axis", Error, "axes are axes of their operand";
    AXIS_REPEATED = "attribute.axis-repeated", Error, "no axis is given twice";
    PERMUTATION = "attribute.permutation", Error, "a permutation names each axis once";
    SLICE = "attribute.slice", Error, "a slice takes at least one element, within its operand";
    OUTPUT_RANK = "attribute.output-rank", Error, "`outputRank` suits the matrix";
    WINDOW = "attribute.window", Error, "a window fits its padded operand";
    RESHAPE = "attribute.reshape", Error, "a reshape keeps the number of elements";
    ZERO_DIMENSION = "attribute.zero-dimension", Error, "no dimension is 0 (CNTK divides by it)";
    DIMENSION_RANGE = "type.dimension-range", Error, "dimensions and their product are sizes that a tensor can have";
    UNSHARED_WEIGHTS = "attribute.sharing", Error, "convolution kernels are shared between positions";
    RNN_PARAMETERS = "type.rnn-parameters", Error, "the parameter of an OptimizedRNNStack has exactly the weights that it needs";
    SHAPE = "type.shape", Error, "the shapes of the operands go together";
    DATA_TYPE = "type.data-type", Error, "the element types of the operands agree";
    DYNAMIC_AXES = "type.dynamic-axes", Error, "operands with dynamic axes have the same ones";
    DELAY_AXES = "type.delay-axes", Error, "a delayed value has a sequence axis and the batch axis";
    LOOP_SHAPES = "type.loop", Error, "the shapes of a loop settle";
    UNKNOWN_TYPE = "type.unknown", Warning, "the type of every value can be told";
}

/// All rules.
pub fn rules() -> &'static [&'static Rule] {
    RULES
}
