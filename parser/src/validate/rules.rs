//! The rules: a stable id, a severity and one line each. `docs/rules.md` is made from this table.

use crate::report::Severity::{self, Error, Note, Warning};

/// A rule.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rule {
    /// Stable id.
    pub id: &'static str,
    /// The usual severity of a violation.
    pub severity: Severity,
    /// The requirement in one line.
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
    // Violations of these rules stop the reader. Their ids are the codes of `ErrorKind`.
    FILE_EMPTY = "file.empty", Error, "the file has bytes";
    FILE_CHECKPOINT = "file.checkpoint", Error, "the file is not a trainer checkpoint";
    FILE_ONNX = "file.onnx", Error, "the file is not ONNX already";
    FILE_TENSORFLOW = "file.tensorflow", Error, "the file is not a TensorFlow model";
    FILE_TFLITE = "file.tflite", Error, "the file is not a TensorFlow Lite model";
    FILE_CAFFE = "file.caffe", Error, "the file is not a Caffe model";
    FILE_TORCH = "file.torch", Error, "the file is not one of torch.save";
    FILE_KERAS = "file.keras", Error, "the file is not a Keras model";
    FILE_HDF5 = "file.hdf5", Error, "the file is not HDF5";
    FILE_SAFETENSORS = "file.safetensors", Error, "the file is not safetensors";
    FILE_NUMPY = "file.numpy", Error, "the file is not one of NumPy arrays";
    FILE_PICKLE = "file.pickle", Error, "the file is not a Python pickle";
    FILE_LFS = "file.lfs-pointer", Error, "the file is not a Git-LFS pointer";
    FILE_HTML = "file.html", Error, "the file is not a web page";
    FILE_GZIP = "file.gzip", Error, "the file is not compressed by gzip";
    FILE_ZIP = "file.zip", Error, "the file is not a ZIP archive";
    FILE_ARCHIVE = "file.archive", Error, "the file is not another archive";
    FILE_TEXT = "file.text", Error, "the file is not text";
    FILE_NOT_CNTK = "file.not-cntk", Error, "the file begins as a CNTK model does";
    WIRE_LINE_ENDS = "wire.line-ends", Error, "nothing has converted the line ends of the file";
    WIRE_RECODED = "wire.recoded", Error, "nothing has converted the file as if it were text";
    WIRE_TRUNCATED = "wire.truncated", Error, "the file does not end inside a field";
    WIRE_PAST_END = "wire.past-end", Error, "no field runs past the message that holds it (CNTK frees memory that it does not own)";
    WIRE_VARINT_LENGTH = "wire.varint-length", Error, "a varint has at most 10 bytes";
    WIRE_VARINT_OVERFLOW = "wire.varint-overflow", Error, "a varint has at most 64 bits";
    WIRE_FIELD_ZERO = "wire.field-zero", Error, "no field has the number 0";
    WIRE_FIELD_NUMBER = "wire.field-number", Error, "field numbers have at most 29 bits";
    WIRE_TYPE_UNKNOWN = "wire.type-unknown", Error, "wire types are those of protobuf";
    WIRE_GROUP = "wire.group", Error, "there are no groups";
    WIRE_TYPE = "wire.type", Error, "a known field has its wire type (CNTK takes another for absent: an op becomes Negate)";
    WIRE_REPEATED = "wire.repeated", Error, "a singular field is given once";
    WIRE_UTF8 = "wire.utf8", Error, "strings are UTF-8";
    WIRE_NESTING = "wire.nesting", Error, "messages nest at most 100 deep";
    WIRE_INT32 = "wire.int32", Error, "32-bit numbers fit 32 bits";
    DICTIONARY_DUPLICATE = "dictionary.duplicate-key", Error, "a key is given once (readers differ in which one they see)";
    DICTIONARY_NUL = "dictionary.nul-in-key", Error, "no key holds NUL (CNTK ends it there)";
    DICTIONARY_VALUE_TYPE = "dictionary.value-type", Error, "`value_type` is 0 to 11";
    DICTIONARY_MISMATCH = "dictionary.member-mismatch", Error, "a value holds the member that its type names (CNTK follows a wild pointer)";
    DICTIONARY_MISSING = "dictionary.member-missing", Error, "a value holds a member (CNTK follows a null pointer)";
    READ_TENSOR_TYPE = "tensor.data-type", Error, "a tensor's data type exists (CNTK crashes otherwise)";
    TENSOR_STORAGE = "tensor.storage-format", Error, "tensors are dense (CNTK crashes otherwise)";
    TENSOR_VALUES = "tensor.values-member", Error, "a tensor's values are in the member of its data type";
    TENSOR_OVERFLOW = "tensor.shape-overflow", Error, "the product of a tensor's dimensions fits 64 bits (CNTK's wraps)";
    TENSOR_SENTINEL = "tensor.sentinel", Error, "a tensor's dimensions are definite (CNTK crashes otherwise)";
    TENSOR_ZERO = "tensor.zero-dimension", Error, "no dimension of a tensor is 0";
    TENSOR_RANK = "tensor.rank", Error, "a shape has no more axes than its limit";
    TENSOR_COUNT = "tensor.count", Error, "a tensor has as many values as its shape says (CNTK allocates first, or takes them from the tail)";
    TENSOR_RAGGED = "tensor.ragged", Error, "packed values divide into elements";
    CONTAINER_LENGTH = "container.metadata-length", Error, "the metadata of the over-2-GB layout lies within the file";
    CONTAINER_SHORT = "container.tail-short", Error, "the tail holds every tensor";
    CONTAINER_LONG = "container.tail-long", Error, "nothing follows the last tensor of the tail";
    CONTAINER_ELSEWHERE = "container.tail-elsewhere", Error, "only values of `inputs` lie in the tail (elsewhere their order is undefined)";
    CONTAINER_TYPE = "container.tail-type", Error, "the tail holds Float, Double and Float16 only";
    RECORD_MISSING = "record.missing-key", Error, "records have the keys that CNTK requires";
    RECORD_KEY_TYPE = "record.wrong-type", Error, "keys have values of their type";
    RECORD_TYPE = "record.type", Error, "the `type` of a record is what its place asks for";
    RECORD_OP = "record.op", Error, "op numbers are 0 to 97, all 64 bits counted (CNTK drops the upper 32)";
    RECORD_VALUE = "record.value", Error, "enumerated keys have known values";
    RECORD_BLOCK_MAP = "record.block-map", Error, "a block's argument map has as many values as keys";
    V1_MARKER = "v1.marker", Error, "sections of a v1 file begin and end with their markers";
    V1_TEXT = "v1.text-end", Error, "every text of a v1 file has its terminator";
    V1_UTF16 = "v1.utf16", Error, "texts of a v1 file are UTF-16";
    V1_VERSION = "v1.version", Error, "a v1 file of model version 0 is like one of version 1";
    V1_COUNT = "v1.count", Error, "nothing is counted that the rest of the file cannot hold (CNTK allocates or loops first)";
    V1_OP = "v1.op", Error, "operators of a v1 file are known (what follows another cannot be read)";
    V1_PRECISION = "v1.precision", Error, "the precision of a node is float, double or half";
    V1_MATRIX = "v1.matrix-kind", Error, "a matrix is dense or sparse";
    V1_ELEMENT = "v1.element-size", Error, "a matrix has elements of its node's type";
    V1_MATRIX_SHAPE = "v1.matrix-shape", Error, "a matrix has the rows and columns of its shape";
    V1_SPARSE = "v1.sparse-index", Error, "the indices of a sparse matrix lie within it and its starts rise (CNTK reads and writes beyond)";
    V1_DUPLICATE = "v1.duplicate-node", Error, "node names differ by more than upper and lower case";
    V1_REFERENCE = "v1.node-reference", Error, "relations and groups name nodes of the file";
    V1_FORBIDDEN = "v1.forbidden", Error, "nothing stands in the file that CNTK cannot read";
    V1_QUANTIZED = "v1.quantized", Warning, "products are not quantised";
    V1_IGNORED = "v1.ignored", Warning, "CNTK 2.7 regards all that a v1 file says";
    V1_FLAG = "v1.flag", Warning, "Booleans of a v1 file are 0 or 1";
    V1_TRAILING = "v1.trailing", Warning, "nothing follows the end of a v1 model";
    LIMIT = "limit", Error, "no limit of the reader is passed";
    UNKNOWN_KEY = "record.unknown-key", Warning, "records have no keys that CNTK does not know";
    NEWER_VERSION = "record.newer-version", Warning, "no record is newer than CNTK 2.7";
    DISGUISED = "record.disguised-user-function", Warning, "a primitive has no key of a user-defined function";
    UNKNOWN_ATTRIBUTE = "record.unknown-attribute", Warning, "operators have no attributes that CNTK does not know";
    // Violations of the rules below are all collected by validation.
    UNKNOWN_ROOT = "graph.root", Error, "`root` names an existing function, not an output (CNTK crashes otherwise)";
    EMPTY_UID = "graph.uid-empty", Error, "no uid is empty";
    DUPLICATE_UID = "graph.uid-duplicate", Error, "a uid belongs to one record";
    UNRESOLVED_INPUT = "graph.reference", Error, "every reference names a variable or an output that exists";
    FORWARD_REFERENCE = "graph.forward-reference", Error, "what is read before it is made has a placeholder record (CNTK refuses the file otherwise)";
    OUTPUT_INDEX = "graph.output-index", Error, "a referenced output is one that the function has";
    ALIAS_RING = "graph.alias-ring", Error, "no placeholder or block output stands for itself";
    CYCLE = "graph.cycle", Error, "every cycle passes the state input of a delay";
    MIXED_DIRECTIONS = "graph.mixed-directions", Error, "a loop has delays of one direction";
    UNREACHABLE = "graph.unreachable", Warning, "the root needs every function";
    UNBOUND = "graph.unbound-placeholder", Warning, "every placeholder is bound, by a block or as a forward reference";
    UNKNOWN_BLOCK_ROOT = "block.root", Error, "the inner root of a block exists (CNTK crashes otherwise)";
    BLOCK_RECURSION = "block.recursion", Error, "no block contains itself";
    BLOCK_MAP_KEY = "block.map-key", Error, "the keys of a block's argument map are its placeholders, each once";
    BLOCK_SCOPE = "block.scope", Error, "the inside of a block uses its own placeholders only, and all are bound";
    BLOCK_SHARED = "block.shared", Error, "a function belongs to one block";
    BLOCK_INPUTS = "block.inputs", Warning, "a block's `inputs` lists its actual arguments";
    VARIABLE_KIND = "variable.kind", Error, "parameters and constants have a value, inputs and placeholders have none";
    VARIABLE_TYPE = "variable.data-type", Error, "the data type of an input, parameter or constant is known";
    VARIABLE_SHAPE = "variable.shape", Error, "dimensions are positive 32-bit sizes; those of a stored tensor are definite";
    VARIABLE_AXES = "variable.dynamic-axes", Error, "dynamic axes are at most one sequence axis and then the default batch axis; a stored tensor has none";
    TENSOR_TYPE = "tensor.record-type", Error, "a tensor has its record's data type";
    TENSOR_SHAPE = "tensor.record-shape", Error, "a tensor has its record's shape (a warning where only an OptimizedRNNStack reads it)";
    TOO_FEW_INPUTS = "function.too-few-inputs", Error, "a function has the inputs that its operator reads (CNTK reads out of bounds otherwise)";
    TOO_MANY_INPUTS = "function.too-many-inputs", Error, "a function has no more inputs than its operator takes";
    ASSIGN_TARGET = "function.assign-target", Error, "Assign overwrites a parameter or a constant";
    ATTRIBUTE_MISSING = "attribute.missing", Error, "required attributes are present";
    ATTRIBUTE_TYPE = "attribute.type", Error, "attributes have their types";
    ATTRIBUTE_VALUE = "attribute.value", Error, "enumerated attributes have known values";
    ATTRIBUTE_RANGE = "attribute.range", Error, "sizes, strides, pads, counts and rates are possible ones";
    ATTRIBUTE_LENGTH = "attribute.length", Error, "a list has one entry, or no more than its operand has axes";
    AXIS_RANGE = "attribute.axis", Error, "axes are axes of their operand";
    AXIS_REPEATED = "attribute.axis-repeated", Error, "no axis is given twice (a warning in a reduction, where CNTK takes it once)";
    PERMUTATION = "attribute.permutation", Error, "a permutation names each axis once";
    SLICE = "attribute.slice", Error, "a slice takes at least one element, within its operand";
    OUTPUT_RANK = "attribute.output-rank", Error, "`outputRank` suits the matrix";
    WINDOW = "attribute.window", Error, "a window fits its operand, and windows reach across all of it that is padded";
    RESHAPE = "attribute.reshape", Error, "a reshape keeps the number of elements";
    ZERO_DIMENSION = "attribute.zero-dimension", Error, "no dimension is 0 (CNTK divides by it)";
    DIMENSION_RANGE = "type.dimension-range", Error, "dimensions and their product are sizes that a tensor can have";
    UNSHARED_WEIGHTS = "attribute.sharing", Error, "convolution kernels are shared between positions";
    RNN_PARAMETERS = "type.rnn-parameters", Error, "the parameter of an OptimizedRNNStack has exactly the weights that it needs";
    SHAPE = "type.shape", Error, "the shapes of the operands go together";
    DATA_TYPE = "type.data-type", Error, "the element types of the operands agree";
    DYNAMIC_AXES = "type.dynamic-axes", Error, "operands with dynamic axes have the same ones (those of a criterion may differ); an operand has some where CNTK needs samples or frames, and none where it needs a tensor";
    DELAY_AXES = "type.delay-axes", Error, "a delayed value has a sequence axis and the batch axis";
    LOOP_SHAPES = "type.loop", Error, "the shapes of a loop settle";
    DECLARED = "type.declared", Error, "a placeholder can be read with the type that its record says (a warning or note where it merely is another than that of what it stands for)";
    RANK = "type.rank", Error, "no value has more than 12 axes (CNTK crashes otherwise)";
    ALLOCATION = "type.allocation-bomb", Error, "no value has more than 2^36 elements per sample";
    ASSUMED_TYPE = "type.assumed", Warning, "placeholders that nothing binds say their types";
    UNKNOWN_TYPE = "type.unknown", Warning, "the type of every value can be told";
    ODD_NUMBER = "attribute.number", Warning, "rates, scales and epsilons are finite and in range";
    OLD_VERSION = "function.version", Note, "an operator is not newer than its record's version";
    PYTHON_CODE = "code.python", Error, "no user-defined function in Python: loading it elsewhere imports and runs what it names";
    STATEMENT_INJECTION = "code.statement-injection", Error, "module and class of a user-defined function are names, not source text";
    NATIVE_CODE = "code.native", Error, "no native user-defined function: loading it elsewhere loads the library it names";
    LIBRARY_PATH = "code.library-path", Error, "no library of a user-defined function is a path or a network share";
    FILE_PATH = "code.file-path", Warning, "no attribute names a file to open; one on a network share is an error";
    CUSTOM_OP = "code.custom-op", Warning, "no function calls a registered native op by name";
    GATHER_INDEX = "data.gather-index", Error, "stored indices of a Gather lie within its table (CNTK discloses foreign memory)";
    HIDDEN_BRANCH = "data.hidden-branch", Note, "a choice by comparison with a stored number can hide a trigger";
    NOT_FINITE = "data.not-finite", Warning, "stored tensors hold no NaN and no infinity";
    DENORMALS = "data.denormals", Warning, "stored tensors hold few denormals, which slow evaluation down";
    EXTREME = "data.extreme", Warning, "no parameter holds numbers whose square overflows";
    NOT_HALF = "data.not-half", Warning, "the elements of a half-precision tensor are half-precision numbers";
    DEAD_UNITS = "data.dead-units", Note, "no unit of a layer is zero throughout, unless most are";
    DUPLICATE_UNITS = "data.duplicate-units", Note, "no unit of a layer equals another one bit by bit, unless most do";
    ISOLATED = "data.isolated", Note, "no few elements of a tensor are 50 times larger than all others";
    SCALE = "data.scale", Note, "no tensor is a thousand times larger or smaller than the other tensors";
    NOT_SCANNED = "data.not-scanned", Note, "all tensor data was looked at";
    DEEP_CHAIN = "resource.deep-chain", Note, "no chain of functions is so long that a recursive reader overflows";
    DEEP_BLOCKS = "resource.deep-blocks", Note, "blocks are not nested so deep that CNTK takes exponential time";
    OUTPUT_NAMES = "resource.outputs", Error, "the uids of the root's outputs do not take more room than the file";
    LONG_NAME = "text.long", Warning, "uids and names have at most 4096 bytes";
    CONTROL_CHARACTERS = "text.control-characters", Warning, "uids and names hold no control or bidirectional characters";
}

/// All rules.
pub fn rules() -> &'static [&'static Rule] {
    RULES
}
