//! Everything that can be wrong with a file.

use super::Foreign;
use crate::escape::Escaped;
use std::fmt;

/// What is wrong. Codes are stable; messages are not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "fields are named after what they hold")]
pub enum ErrorKind {
    /// An empty file.
    Empty,
    /// The state of a trainer (`.ckp`), saved beside the model.
    TrainerCheckpoint,
    /// A file of another kind.
    Foreign(Foreign),
    /// A model in which every line feed became a carriage return and a line feed, or the other way round.
    LineEnds { feeds: u64 },
    /// A model that was converted as if it were text: its bytes above 0x7f form valid UTF-8, or it has no such bytes.
    Recoded { high: u64 },

    /// The file ends inside a field: `needed` bytes are required but `left` remain before `end`, the end of the file.
    Truncated { needed: u64, left: u64, end: u64 },
    /// A field runs past the end of the message that holds it.
    PastEnd { needed: u64, left: u64, end: u64 },
    /// A varint of more than 10 bytes.
    VarintTooLong,
    /// A varint of more than 64 bits.
    VarintOverflow,
    /// Field number 0.
    FieldNumberZero,
    /// A field number above 2^29 - 1.
    FieldNumberTooLarge,
    /// A wire type that does not exist.
    UnknownWireType(u8),
    /// A group (wire types 3 and 4), which no CNTK file has.
    Group,
    /// A known field with a wire type that it cannot have.
    WrongWireType { field: &'static str, found: &'static str },
    /// A second occurrence of a field that may occur once.
    RepeatedField { field: &'static str },
    /// A string that is not UTF-8.
    NotUtf8 { field: &'static str },
    /// Messages nested too deep.
    Nesting { limit: u64 },
    /// A number that does not fit 32 bits.
    NotInt32 { field: &'static str },

    /// The same key twice in one dictionary.
    DuplicateKey { key: String },
    /// A key with a NUL in it; CNTK sees only the part before it.
    NulInKey,
    /// A `value_type` outside 0 to 11.
    UnknownValueType(u64),
    /// `value_type` names a member other than the one that is set.
    MemberMismatch { declared: &'static str, found: &'static str },
    /// `value_type` names a member that is not there.
    MissingMember { declared: &'static str },

    /// A tensor's `data_type` that does not exist.
    UnknownDataType(u64),
    /// A tensor that is not dense.
    StorageFormat(u64),
    /// A tensor's values are in the wrong member.
    WrongValues { data_type: &'static str, found: &'static str },
    /// The product of the dimensions, or the size in bytes, does not fit 64 bits.
    ShapeOverflow,
    /// A stored tensor with a dimension that is free or to be inferred.
    SentinelDimension,
    /// A stored tensor without elements.
    ZeroDimension,
    /// More axes than the limit.
    Rank { rank: u64, limit: u64 },
    /// The number of values is not the product of the dimensions.
    ValueCount { found: u64, expected: u64 },
    /// Packed values that do not divide into elements.
    RaggedValues { bytes: u64, element: u64 },

    /// The over-2-GB layout's metadata length does not fit the file.
    MetadataLength { length: u64, left: u64 },
    /// A tensor of the over-2-GB layout runs past the end of the file.
    TailTooShort { needed: u64, left: u64 },
    /// Bytes after the last tensor of the over-2-GB layout.
    TailTooLong { extra: u64 },
    /// A tensor without values outside of `inputs`, where the order in the tail is not defined.
    TailElsewhere,
    /// A type that the tail cannot hold.
    TailDataType { data_type: &'static str },

    /// A required key is missing.
    MissingKey { record: &'static str, key: &'static str },
    /// A key whose value has the wrong type.
    WrongType { expected: &'static str, found: &'static str },
    /// A record whose `type` is not the expected one.
    WrongRecord { expected: &'static str, found: String },
    /// An op number that CNTK 2.7 does not know, with its name if a later development version knew it.
    UnknownOp { code: u64, name: Option<&'static str>, last: usize },
    /// A value that is not possible for its key.
    BadValue { expected: &'static str, found: String },
    /// A block's argument map has keys without values or the other way round.
    BlockMap { keys: u64, values: u64 },
    /// An operator lacks an attribute.
    MissingAttribute { op: &'static str, key: &'static str },
    /// An operator's attribute has the wrong type.
    AttributeType { op: &'static str, key: &'static str, expected: &'static str, found: &'static str },
    /// An operator's attribute has an impossible value.
    AttributeValue { op: &'static str, key: &'static str, expected: &'static str, found: String },

    /// A section of a v1 file does not begin or end where it should.
    Marker { expected: &'static str, found: String },
    /// A text of a v1 file without the NUL that ends it.
    OpenText,
    /// A text of a v1 file with half of a surrogate pair.
    NotUtf16,
    /// A model version that does not exist.
    ModelVersion(u64),
    /// A count that is larger than the remaining bytes can hold.
    Count { what: &'static str, count: u64, left: u64 },
    /// An operator name that no version of CNTK knows. Nodes carry no length, so nothing after it can be read.
    UnknownNode { op: String },
    /// A node's precision that does not exist.
    Precision { found: String },
    /// A matrix that is neither dense nor sparse.
    MatrixKind(u8),
    /// Elements whose size is not that of the node's type.
    ElementSize { found: u64, expected: u64 },
    /// A matrix whose rows and columns do not match its shape.
    MatrixShape { rows: u64, columns: u64, expected: Vec<u64> },
    /// A sparse matrix with an index outside of it, or with starts that do not rise.
    SparseIndex,
    /// Two nodes with the same name; CNTK does not distinguish upper and lower case.
    DuplicateNode { name: String },
    /// A relation or a group names a node that does not exist.
    NoSuchNode { name: String },
    /// A node has fewer children than its operator reads, or more.
    Children { op: &'static str, found: u64, least: u64, most: u64 },
    /// A part of the format that CNTK itself cannot read.
    Forbidden { what: &'static str },

    /// A limit of the reader is exceeded.
    Limit { limit: &'static str, value: u64, max: u64 },
}

impl ErrorKind {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "file.empty",
            Self::TrainerCheckpoint => "file.checkpoint",
            Self::Foreign(foreign) => foreign.code(),
            Self::LineEnds { .. } => "wire.line-ends",
            Self::Recoded { .. } => "wire.recoded",
            Self::Truncated { .. } => "wire.truncated",
            Self::PastEnd { .. } => "wire.past-end",
            Self::VarintTooLong => "wire.varint-length",
            Self::VarintOverflow => "wire.varint-overflow",
            Self::FieldNumberZero => "wire.field-zero",
            Self::FieldNumberTooLarge => "wire.field-number",
            Self::UnknownWireType(_) => "wire.type-unknown",
            Self::Group => "wire.group",
            Self::WrongWireType { .. } => "wire.type",
            Self::RepeatedField { .. } => "wire.repeated",
            Self::NotUtf8 { .. } => "wire.utf8",
            Self::Nesting { .. } => "wire.nesting",
            Self::NotInt32 { .. } => "wire.int32",
            Self::DuplicateKey { .. } => "dictionary.duplicate-key",
            Self::NulInKey => "dictionary.nul-in-key",
            Self::UnknownValueType(_) => "dictionary.value-type",
            Self::MemberMismatch { .. } => "dictionary.member-mismatch",
            Self::MissingMember { .. } => "dictionary.member-missing",
            Self::UnknownDataType(_) => "tensor.data-type",
            Self::StorageFormat(_) => "tensor.storage-format",
            Self::WrongValues { .. } => "tensor.values-member",
            Self::ShapeOverflow => "tensor.shape-overflow",
            Self::SentinelDimension => "tensor.sentinel",
            Self::ZeroDimension => "tensor.zero-dimension",
            Self::Rank { .. } => "tensor.rank",
            Self::ValueCount { .. } => "tensor.count",
            Self::RaggedValues { .. } => "tensor.ragged",
            Self::MetadataLength { .. } => "container.metadata-length",
            Self::TailTooShort { .. } => "container.tail-short",
            Self::TailTooLong { .. } => "container.tail-long",
            Self::TailElsewhere => "container.tail-elsewhere",
            Self::TailDataType { .. } => "container.tail-type",
            Self::MissingKey { .. } => "record.missing-key",
            Self::WrongType { .. } => "record.wrong-type",
            Self::WrongRecord { .. } => "record.type",
            Self::UnknownOp { .. } => "record.op",
            Self::BadValue { .. } => "record.value",
            Self::BlockMap { .. } => "record.block-map",
            Self::MissingAttribute { .. } => "attribute.missing",
            Self::AttributeType { .. } => "attribute.type",
            Self::AttributeValue { .. } => "attribute.value",
            Self::Marker { .. } => "v1.marker",
            Self::OpenText => "v1.text-end",
            Self::NotUtf16 => "v1.utf16",
            Self::ModelVersion(_) => "v1.version",
            Self::Count { .. } => "v1.count",
            Self::UnknownNode { .. } => "v1.op",
            Self::Precision { .. } => "v1.precision",
            Self::MatrixKind(_) => "v1.matrix-kind",
            Self::ElementSize { .. } => "v1.element-size",
            Self::MatrixShape { .. } => "v1.matrix-shape",
            Self::SparseIndex => "v1.sparse-index",
            Self::DuplicateNode { .. } => "v1.duplicate-node",
            Self::NoSuchNode { .. } => "v1.node-reference",
            Self::Children { found, least, .. } if found < least => "function.too-few-inputs",
            Self::Children { .. } => "function.too-many-inputs",
            Self::Forbidden { .. } => "v1.forbidden",
            Self::Limit { .. } => "limit",
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Empty => "the download or the save did not finish; get the file again",
            Self::TrainerCheckpoint => "the model lies beside it: pass the file of the same name without `.ckp`",
            Self::Foreign(foreign) => foreign.hint(),
            Self::LineEnds { .. } => {
                "get the original again, as binary: mark *.model as binary in .gitattributes, use FTP's binary mode"
            }
            Self::Recoded { .. } => {
                "get the original again, and do not pass it through anything that takes it for text"
            }
            Self::Truncated { .. } => {
                "the file is cut off or damaged; compare its size with the original and get it again"
            }
            Self::MissingKey { record: "model", .. } => {
                "the file may be cut off between two entries; compare its size with the original"
            }
            Self::TailTooShort { .. } => "the file is cut off; compare its size with the original and get it again",
            Self::Limit { .. } => "if the file is trusted, raise the limit",
            _ => return None,
        })
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the file is empty"),
            Self::TrainerCheckpoint => write!(f, "this is a trainer checkpoint (.ckp), not a model"),
            Self::Foreign(Foreign::LfsPointer) => write!(f, "this is {}", Foreign::LfsPointer.describe()),
            Self::Foreign(Foreign::Unknown) => write!(f, "this is not a CNTK model"),
            Self::Foreign(foreign) => write!(f, "this is {}, not a CNTK model", foreign.describe()),
            Self::LineEnds { feeds } => {
                write!(f, "line ends were converted: each of the {feeds} bytes 0x0a has a 0x0d before it")
            }
            Self::Recoded { high: 0 } => write!(f, "the file was converted as if it were text: no byte is above 0x7f"),
            Self::Recoded { high } => {
                write!(
                    f,
                    "the file was converted as if it were text: its {high} bytes above 0x7f are UTF-8, as weights never are"
                )
            }
            Self::Truncated { needed, left, end } => {
                write!(f, "the file ends inside a field: {needed} bytes needed, {left} left before its end at {end:#x}")
            }
            Self::PastEnd { needed, left, end } => {
                write!(f, "a field runs past its message: {needed} bytes needed, {left} left before {end:#x}")
            }
            Self::VarintTooLong => write!(f, "a varint has more than 10 bytes"),
            Self::VarintOverflow => write!(f, "a varint has more than 64 bits"),
            Self::FieldNumberZero => write!(f, "field number 0 is illegal"),
            Self::FieldNumberTooLarge => write!(f, "a field number is above 2^29 - 1"),
            Self::UnknownWireType(n) => write!(f, "wire type {n} does not exist"),
            Self::Group => write!(f, "a group, which no CNTK file has"),
            Self::WrongWireType { field, found } => write!(f, "field `{field}` cannot be a {found}"),
            Self::RepeatedField { field } => write!(f, "field `{field}` is given twice"),
            Self::NotUtf8 { field } => write!(f, "`{field}` is not UTF-8"),
            Self::Nesting { limit } => write!(f, "messages nest deeper than {limit}"),
            Self::NotInt32 { field } => write!(f, "`{field}` does not fit 32 bits"),
            Self::DuplicateKey { key } => write!(f, "key `{}` is given twice", Escaped(key)),
            Self::NulInKey => write!(f, "a key contains NUL; CNTK would see only what stands before it"),
            Self::UnknownValueType(n) => write!(f, "value type {n} does not exist"),
            Self::MemberMismatch { declared, found } => {
                write!(f, "the value's type says {declared}, but it holds a {found}")
            }
            Self::MissingMember { declared } => write!(f, "the value's type says {declared}, but it holds nothing"),
            Self::UnknownDataType(n) => write!(f, "data_type {n} does not exist"),
            Self::StorageFormat(n) => write!(f, "storage_format {n} is not dense; CNTK stores dense tensors only"),
            Self::WrongValues { data_type, found } => write!(f, "a {data_type} tensor cannot hold {found}"),
            Self::ShapeOverflow => write!(f, "the product of the shape's dimensions overflows"),
            Self::SentinelDimension => write!(f, "the shape of a stored tensor has a free or inferred dimension"),
            Self::ZeroDimension => write!(f, "the shape of a stored tensor has a dimension of 0"),
            Self::Rank { rank, limit } => write!(f, "a shape of {rank} axes; the limit is {limit}"),
            Self::ValueCount { found, expected } => {
                write!(f, "the tensor holds {found} values, its shape needs {expected}")
            }
            Self::RaggedValues { bytes, element } => {
                write!(f, "{bytes} bytes of packed values do not divide into elements of {element} bytes")
            }
            Self::MetadataLength { length, left } => {
                write!(f, "the metadata length is {length}, but {left} bytes follow (and 2^31 - 1 is the most)")
            }
            Self::TailTooShort { needed, left } => {
                write!(f, "the tensor needs {needed} bytes of the tail, {left} are left")
            }
            Self::TailTooLong { extra } => write!(f, "{extra} bytes follow the last tensor of the tail"),
            Self::TailElsewhere => write!(f, "a tensor without values that is not the value of an entry of `inputs`"),
            Self::TailDataType { data_type } => write!(f, "the tail cannot hold {data_type} tensors"),
            Self::MissingKey { record, key } => write!(f, "the {record} lacks the key `{key}`"),
            Self::WrongType { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::WrongRecord { expected, found } => {
                write!(f, "the type is \"{}\", expected \"{expected}\"", Escaped(found))
            }
            Self::UnknownOp { code, name: Some(name), .. } => {
                write!(f, "op {code} ({name}) belongs to a development version after CNTK 2.7")
            }
            Self::UnknownOp { code, name: None, last } => write!(f, "op {code} does not exist (0 to {last} do)"),
            Self::BadValue { expected, found } => write!(f, "expected {expected}, found {}", Escaped(found)),
            Self::BlockMap { keys, values } => {
                write!(f, "block_function_composite_arguments_map has {keys} keys but {values} values")
            }
            Self::MissingAttribute { op, key } => write!(f, "{op} lacks its attribute `{key}`"),
            Self::AttributeType { op, key, expected, found } => {
                write!(f, "attribute `{key}` of {op} is a {found}, expected {expected}")
            }
            Self::AttributeValue { op, key, expected, found } => {
                write!(f, "attribute `{key}` of {op} is {}, expected {expected}", Escaped(found))
            }
            Self::Marker { expected, found } => {
                write!(f, "expected the marker {expected}, found \"{}\"", Escaped(found))
            }
            Self::OpenText => write!(f, "a text without an end: no NUL follows"),
            Self::NotUtf16 => write!(f, "a text with half of a surrogate pair"),
            Self::ModelVersion(n) => write!(f, "model version {n} does not exist"),
            Self::Count { what, count, left } => write!(f, "{count} {what}, but only {left} bytes are left"),
            Self::UnknownNode { op } => write!(
                f,
                "the operator \"{}\" is not known; nodes have no length, so nothing after it can be read",
                Escaped(op)
            ),
            Self::Precision { found } => {
                write!(f, "the precision \"{}\" is none of float, double, half", Escaped(found))
            }
            Self::MatrixKind(kind) => write!(f, "a matrix of kind {kind:#04x}, neither dense nor sparse"),
            Self::ElementSize { found, expected } => {
                write!(f, "elements of {found} bytes; the type of the node takes {expected}")
            }
            Self::MatrixShape { rows, columns, expected } => {
                write!(f, "a matrix of {rows} x {columns} for the shape {expected:?}")
            }
            Self::SparseIndex => write!(f, "an index of a sparse matrix is outside of it, or its starts do not rise"),
            Self::DuplicateNode { name } => {
                write!(f, "a second node \"{}\" (upper and lower case are the same)", Escaped(name))
            }
            Self::NoSuchNode { name } => write!(f, "there is no node \"{}\"", Escaped(name)),
            Self::Children { op, found, least, most } if least == most => {
                write!(f, "{op} takes {least} inputs, {found} are given")
            }
            Self::Children { op, found, least, most } => {
                write!(f, "{op} takes {least} to {most} inputs, {found} are given")
            }
            Self::Forbidden { what } => write!(f, "{what}, which CNTK does not read either"),
            Self::Limit { limit, value, max } => write!(f, "{value} is over the limit `{limit}` of {max}"),
        }
    }
}
