//! Builds an [`OnnxModel`] node by node, tracking every value's element type and shape.
//!
//! Lowering code speaks in tensors and dimensions; this module knows which inputs, attributes and casts ONNX needs. It
//! folds constants where that costs nothing: a transpose or reshape of a weight becomes another view of the same bytes.

mod constants;
mod control;
mod elementwise;
mod shape;
mod tensor;

use super::graph::{Attribute, Dim, Dims, ElemType, Node, OnnxModel, Origin, Value, ValueId, View};
use crate::report::Reason;
use hashbrown::HashMap;
use smallvec::SmallVec;

use constants::Constants;
pub(crate) use control::ScanPart;

/// Attributes of a node under construction.
pub(crate) type Attributes = Vec<(&'static str, Attribute)>;

/// The content of a literal: element type, sizes, bytes.
type Literal = (i32, SmallVec<[u64; 4]>, Vec<u8>);

/// The content of an initializer of several views: element type, sizes, views.
type Joined = (i32, SmallVec<[u64; 4]>, Vec<View>);

/// A value from whose shape a symbolic dimension can be read.
#[derive(Clone, Copy)]
struct Home {
    value: ValueId,
    axis: usize,
    /// Is it a value of the main graph?
    main: bool,
}

/// The error for a run-time size that no value of the graph has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unmeasured;

/// The result of building something with run-time sizes, which may not be readable.
pub(crate) type Measured<T> = Result<T, Unmeasured>;

impl From<Unmeasured> for Reason {
    fn from(_: Unmeasured) -> Self {
        Self::new("", "depends on a run-time size that no tensor of the graph has")
    }
}

/// Builds one model.
pub(crate) struct Builder {
    model: OnnxModel,
    /// Node lists of the main graph and of the subgraphs being built, outermost first.
    scopes: Vec<Vec<Node>>,
    /// For each value: is it computed inside a subgraph?
    inside: Vec<bool>,
    /// What is known of constant values.
    constants: Constants,
    /// The literals that exist, by content.
    literals: HashMap<Literal, ValueId>,
    /// The initializers of several views that exist, by content.
    joined: HashMap<Joined, ValueId>,
    /// For each symbolic dimension, a value from which it can be read at run time.
    homes: Vec<Option<Home>>,
    /// The run-time dimensions that were already read, as int64 [1] in the main graph.
    read_dims: HashMap<u32, ValueId>,
    /// The symbols of products of several dimensions.
    products: HashMap<SmallVec<[Dim; 4]>, u32>,
    /// The bool tensors from which tensors of numbers were cast.
    truths: HashMap<ValueId, ValueId>,
    /// The number of nodes that run in float because ONNX Runtime has no double kernel.
    narrowed: usize,
    /// The CNTK function whose nodes are being added.
    origin: Option<u32>,
}

/// Operators without a double kernel in ONNX Runtime's CPU provider. They run in float between Casts.
const NO_DOUBLE: &[&str] = &[
    "Acosh",
    "Asinh",
    "Atanh",
    "AveragePool",
    "Conv",
    "ConvTranspose",
    "Cosh",
    "Elu",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "Hardmax",
    "HardSigmoid",
    "LRN",
    "LeakyRelu",
    "LpNormalization",
    "MaxPool",
    "MaxRoiPool",
    "MaxUnpool",
    "MeanVarianceNormalization",
    "PRelu",
    "Selu",
    "Sinh",
    "Softplus",
    "Softsign",
    "Tan",
    "Acos",
    "Asin",
    "Atan",
    "Cos",
    "Gelu",
    "Erf",
    "LSTM",
    "GRU",
    "RNN",
    "Mish",
    "ThresholdedRelu",
];

impl Builder {
    pub(crate) fn new(name: String, opset: i64) -> Self {
        Self {
            model: OnnxModel { name, opset, ..OnnxModel::default() },
            scopes: vec![Vec::new()],
            inside: Vec::new(),
            constants: Constants::default(),
            literals: HashMap::new(),
            joined: HashMap::new(),
            homes: Vec::new(),
            read_dims: HashMap::new(),
            products: HashMap::new(),
            truths: HashMap::new(),
            narrowed: 0,
            origin: None,
        }
    }

    pub(crate) fn opset(&self) -> i64 {
        self.model.opset
    }

    /// The number of nodes that run in float because ONNX Runtime has no double kernel.
    pub(crate) fn narrowed(&self) -> usize {
        self.narrowed
    }

    /// Adds a value that has no producer yet.
    pub(crate) fn value(&mut self, name: Option<String>, elem: ElemType, dims: impl Into<Dims>) -> ValueId {
        let id = ValueId(u32::try_from(self.model.values.len()).expect("fewer than 2^32 values"));
        let dims = dims.into();
        let main = self.scopes.len() == 1;
        for (axis, dim) in dims.iter().enumerate() {
            if let Dim::Symbol(s) = dim {
                let home = &mut self.homes[*s as usize];
                if home.is_none_or(|h| main && !h.main) {
                    *home = Some(Home { value: id, axis, main });
                }
            }
        }
        self.model.values.push(Value { name, elem, dims });
        self.inside.push(!main);
        id
    }

    /// Declares a graph input.
    pub(crate) fn input(&mut self, name: String, elem: ElemType, dims: impl Into<Dims>) -> ValueId {
        let depth = std::mem::take(&mut self.scopes);
        self.scopes = vec![Vec::new()];
        let id = self.value(Some(name), elem, dims);
        self.scopes = depth;
        self.model.inputs.push(id);
        id
    }

    /// Sorts the inputs after the first `after` ones by `place`.
    pub(crate) fn sort_inputs(&mut self, after: usize, place: impl Fn(ValueId) -> usize) {
        if let Some(inputs) = self.model.inputs.get_mut(after..) {
            inputs.sort_by_key(|id| place(*id));
        }
    }

    /// A new symbolic dimension.
    pub(crate) fn symbol(&mut self, name: String) -> Dim {
        let id = u32::try_from(self.model.symbols.len()).expect("fewer than 2^32 symbols");
        self.model.symbols.push(name);
        self.homes.push(None);
        Dim::Symbol(id)
    }

    /// A new symbolic dimension without a counterpart in the CNTK model.
    pub(crate) fn fresh_dim(&mut self) -> Dim {
        let name = format!("d{}", self.model.symbols.len());
        self.symbol(name)
    }

    pub(crate) fn elem(&self, id: ValueId) -> ElemType {
        self.model.values[id.0 as usize].elem
    }

    pub(crate) fn dims(&self, id: ValueId) -> &Dims {
        &self.model.values[id.0 as usize].dims
    }

    pub(crate) fn rank(&self, id: ValueId) -> usize {
        self.dims(id).len()
    }

    pub(crate) fn name_value(&mut self, id: ValueId, name: String) {
        self.model.values[id.0 as usize].name = Some(name);
    }

    pub(crate) fn value_name(&self, id: ValueId) -> Option<&str> {
        self.model.values[id.0 as usize].name.as_deref()
    }

    /// Names the node that computes `id` after its CNTK function, if it is the newest of the current scope and has no
    /// name yet.
    pub(crate) fn name_node(&mut self, id: ValueId) {
        let Some(origin) = self.origin.and_then(|origin| self.model.origins.get(origin as usize)) else { return };
        if let Some(node) = self.scopes.last_mut().and_then(|nodes| nodes.last_mut())
            && node.outputs.contains(&Some(id))
            && node.name.is_empty()
        {
            node.name.clone_from(&origin.path);
        }
    }

    /// Makes this the CNTK function of the nodes added from now on. Returns the one before, for [`Self::resume`].
    pub(crate) fn begin(&mut self, origin: Origin) -> Option<u32> {
        let new = u32::try_from(self.model.origins.len()).ok();
        self.model.origins.push(origin);
        std::mem::replace(&mut self.origin, new)
    }

    /// Makes an earlier function the CNTK function of the nodes added from now on.
    pub(crate) fn resume(&mut self, origin: Option<u32>) {
        self.origin = origin;
    }

    /// Records the uid of the CNTK variable or output that a value is.
    pub(crate) fn identify(&mut self, id: ValueId, uid: &str) {
        self.model.uids.insert(id, uid.to_owned());
    }

    /// Adds a node with one output.
    pub(crate) fn emit(
        &mut self,
        op: &'static str,
        inputs: &[ValueId],
        attributes: Attributes,
        elem: ElemType,
        dims: impl Into<Dims>,
    ) -> ValueId {
        let inputs: SmallVec<[Option<ValueId>; 4]> = inputs.iter().copied().map(Some).collect();
        self.emit_all(op, inputs, attributes, &[(elem, dims.into())])[0]
    }

    /// Adds a node with several outputs or omitted inputs. In the body of a loop, a node that does not depend on the
    /// step is added before the loop instead.
    pub(crate) fn emit_all(
        &mut self,
        op: &'static str,
        mut inputs: SmallVec<[Option<ValueId>; 4]>,
        attributes: Attributes,
        outputs: &[(ElemType, Dims)],
    ) -> SmallVec<[ValueId; 2]> {
        if self.is_invariant(op, &inputs) {
            return self.in_main(|b| b.emit_all(op, inputs, attributes, outputs));
        }
        let double = |b: &Self, v: Option<ValueId>| v.is_some_and(|v| b.elem(v) == ElemType::Double);
        let narrow = inputs.iter().any(|v| double(self, *v)) && NO_DOUBLE.contains(&op);
        if narrow {
            self.narrowed += 1;
            for v in &mut inputs {
                if double(self, *v) {
                    *v = v.map(|v| self.cast(v, ElemType::Float));
                }
            }
        }
        let made: SmallVec<[ValueId; 2]> = outputs
            .iter()
            .map(|(elem, dims)| {
                let elem = if narrow && *elem == ElemType::Double { ElemType::Float } else { *elem };
                self.value(None, elem, dims.clone())
            })
            .collect();
        let outs = made.iter().copied().map(Some).collect();
        self.push(Node { op, name: String::new(), origin: self.origin, inputs, outputs: outs, attributes });
        if !narrow {
            return made;
        }
        made.iter()
            .zip(outputs)
            .map(|(v, (elem, _))| if *elem == ElemType::Double { self.cast(*v, ElemType::Double) } else { *v })
            .collect()
    }

    /// Would a node be added to a loop's body although none of its inputs is computed there?
    fn is_invariant(&self, op: &str, inputs: &[Option<ValueId>]) -> bool {
        self.scopes.len() > 1
            && !inputs.is_empty()
            && !op.starts_with("Random")
            && !matches!(op, "Bernoulli" | "Multinomial")
            && inputs.iter().flatten().all(|v| !self.inside[v.0 as usize])
    }

    fn push(&mut self, node: Node) {
        self.scopes.last_mut().expect("the main graph is a scope").push(node);
    }

    /// Runs `make` with the main graph as the scope, so that its nodes come before the subgraphs being built.
    pub(crate) fn in_main<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        if self.scopes.len() == 1 {
            return make(self);
        }
        let inner = self.scopes.split_off(1);
        let made = make(self);
        self.scopes.extend(inner);
        made
    }

    /// Declares a graph output.
    pub(crate) fn output(&mut self, id: ValueId) {
        self.model.outputs.push(id);
    }

    pub(crate) fn is_input(&self, id: ValueId) -> bool {
        self.model.inputs.contains(&id)
    }

    /// The finished model.
    pub(crate) fn finish(mut self) -> OnnxModel {
        assert_eq!(self.scopes.len(), 1, "every subgraph was closed");
        self.model.nodes = self.scopes.remove(0);
        self.model
    }
}
