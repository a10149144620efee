//! An ONNX graph in memory, which the lowering builds and the writer serialises. The graph and its subgraphs share one
//! arena of values and names; weights are described, not held.

pub use crate::weights::{Data, ElemType, Stored, View};
use hashbrown::HashMap;
use smallvec::SmallVec;

/// Index of a value in [`OnnxModel::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub u32);

/// A dimension of an ONNX value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dim {
    /// A fixed size.
    Known(u64),
    /// A symbol: index into [`OnnxModel::symbols`].
    Symbol(u32),
}

/// Dimensions of an ONNX value.
pub type Dims = SmallVec<[Dim; 4]>;

/// A value: a tensor that flows along an edge.
#[derive(Clone, Debug)]
pub struct Value {
    /// Unique name. For `None`, the writer generates a short, deterministic one.
    pub name: Option<String>,
    /// Element type.
    pub elem: ElemType,
    /// Shape; the rank is always known.
    pub dims: Dims,
}

/// An attribute value.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names are ONNX's")]
pub enum Attribute {
    Int(i64),
    Float(f32),
    String(String),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    Strings(Vec<String>),
    Tensor(Tensor),
    Graph(Box<Subgraph>),
}

/// A small literal tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Element type.
    pub elem: ElemType,
    /// Sizes.
    pub dims: SmallVec<[u64; 4]>,
    /// Little-endian elements, row-major.
    pub bytes: Vec<u8>,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// ONNX operator of the default domain.
    pub op: &'static str,
    /// Unique name once the model is finished.
    pub name: String,
    /// The CNTK function that it computes: index into [`OnnxModel::origins`].
    pub origin: Option<u32>,
    /// `None` is an omitted optional input.
    pub inputs: SmallVec<[Option<ValueId>; 4]>,
    /// `None` is an omitted optional output.
    pub outputs: SmallVec<[Option<ValueId>; 2]>,
    /// Attributes, in the order they are written.
    pub attributes: Vec<(&'static str, Attribute)>,
}

/// A CNTK function that was lowered to nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its path: the layer and its name.
    pub path: String,
    /// CNTK's uid.
    pub uid: String,
}

/// The body of a Scan, Loop or If. It may read values of the enclosing graphs.
#[derive(Clone, Debug, Default)]
pub struct Subgraph {
    /// Name.
    pub name: String,
    /// Formal inputs.
    pub inputs: Vec<ValueId>,
    /// Outputs.
    pub outputs: Vec<ValueId>,
    /// Nodes in topological order.
    pub nodes: Vec<Node>,
}

/// A constant of the main graph (subgraphs capture it).
#[derive(Clone, Debug)]
pub struct Initializer {
    /// The value it defines; element type and dims are the value's (all dims known).
    pub value: ValueId,
    /// Its bytes.
    pub data: Data,
}

/// A whole ONNX model, with descriptions of its weights.
#[derive(Clone, Debug, Default)]
pub struct OnnxModel {
    /// Graph name.
    pub name: String,
    /// Opset of the default domain.
    pub opset: i64,
    /// All values of the graph and its subgraphs.
    pub values: Vec<Value>,
    /// Names of symbolic dimensions.
    pub symbols: Vec<String>,
    /// Graph inputs.
    pub inputs: Vec<ValueId>,
    /// Graph outputs.
    pub outputs: Vec<ValueId>,
    /// Nodes in topological order.
    pub nodes: Vec<Node>,
    /// Constants.
    pub initializers: Vec<Initializer>,
    /// The CNTK functions that were lowered to nodes.
    pub origins: Vec<Origin>,
    /// CNTK's uids of inputs, outputs and weights.
    pub uids: HashMap<ValueId, String>,
    /// The model's `doc_string`.
    pub description: String,
    /// `metadata_props`, in order.
    pub metadata: Vec<(String, String)>,
}
