//! Adds variables and functions to the model that is being built.

use super::relations::{Child, Graph};
use super::said::Said;
use crate::dictionary::Dictionary;
use crate::error::{Error, ErrorKind};
use crate::file::ModelFile;
use crate::model::{
    Array, Attributes, Axis, DataType, ElementStorage, Function, FunctionKind, Origin, Shape, Variable, VariableKind,
};
use crate::ops::{Op, Operator};

/// The op-set version of the functions.
const VERSION: u64 = 24;

/// The model so far, and the current node.
pub(super) struct Emitter<'g, 'a> {
    pub(super) file: &'a ModelFile<'a>,
    pub(super) graph: &'g Graph<'a>,
    pub(super) variables: Vec<Variable<'a>>,
    pub(super) functions: Vec<Function<'a>>,
    /// The variable of each node that is one.
    pub(super) variable_of: Vec<Option<u32>>,
    pub(super) node: usize,
    /// How many uids were generated for the current node.
    made: usize,
}

impl<'g, 'a> Emitter<'g, 'a> {
    pub(super) fn new(file: &'a ModelFile<'a>, graph: &'g Graph<'a>) -> Self {
        let variable_of = vec![None; graph.nodes.len()];
        Self { file, graph, variables: Vec::new(), functions: Vec::new(), variable_of, node: 0, made: 0 }
    }

    /// Makes this the current node.
    pub(super) fn start(&mut self, node: usize) {
        self.node = node;
        self.made = 0;
    }

    /// The position of the current node, for reports.
    pub(super) fn origin(&self) -> Origin<'a> {
        Origin::Node {
            index: u32::try_from(self.node).unwrap_or(u32::MAX),
            uid: self.uid(),
            body: self.graph.nodes.get(self.node).map_or(0, |node| node.body),
            relations: self.graph.relation_at(self.node),
        }
    }

    fn at(&self) -> u64 {
        self.graph.nodes.get(self.node).map_or(0, |node| node.at)
    }

    fn uid(&self) -> &'a str {
        self.graph.names.get(self.node).map_or("", |names| names.uid)
    }

    /// References to the node's children in v2's order; an error if there are not `N` of them.
    pub(super) fn inputs<const N: usize>(&self) -> Result<[&'a str; N], Error> {
        self.all_inputs().try_into().map_err(|found: Vec<_>| self.wrong_count(found.len(), N, N))
    }

    pub(super) fn all_inputs(&self) -> Vec<&'a str> {
        self.graph.inputs(self.node).iter().map(|child| self.reference(*child)).collect()
    }

    /// The error for a wrong number of children.
    pub(super) fn wrong_count(&self, found: usize, least: usize, most: usize) -> Error {
        let op = self.graph.nodes.get(self.node).map_or("", |node| node.op);
        let kind = ErrorKind::Children { op, found: found as u64, least: least as u64, most: most as u64 };
        Error::new(kind, self.graph.relation_at(self.node)).in_key("inputs")
    }

    /// The reference to a child's value.
    pub(super) fn reference(&self, child: Child<'a>) -> &'a str {
        let node = match child {
            Child::Node(node) => node as usize,
            Child::Unknown(name) => return name,
        };
        let Some(names) = self.graph.names.get(node) else { return "" };
        match self.graph.nodes.get(node).map(|node| &node.said) {
            Some(Said::Composed(composition)) => match (&**composition, self.graph.children(node).first()) {
                (super::said::Composition::Multiplexer, Some(Child::Node(child))) => self.output_of(node, *child),
                _ => names.output,
            },
            _ if self.variable_of.get(node).is_some_and(Option::is_some) => names.uid,
            _ => names.output,
        }
    }

    /// The output that a multiplexer selects from a function with several: the number at the end of the multiplexer's
    /// uid.
    fn output_of(&self, multiplexer: usize, function: u32) -> &'a str {
        let uid = self.graph.names.get(function as usize).map_or("", |names| names.uid);
        let own = self.graph.names.get(multiplexer).map_or("", |names| names.uid);
        let index = own.rsplit_once("_Output_").map_or("0", |(_, index)| index);
        self.file.keep_text(format!("{uid}_Output_{index}"))
    }

    /// A new uid for a function, and that of its output.
    fn fresh(&mut self) -> (&'a str, &'a str) {
        self.made = self.made.saturating_add(1);
        let uid = self.uid();
        let number = self.made;
        let output = self.file.keep_text(format!("{uid}/{number}_Output_0"));
        (output.strip_suffix("_Output_0").unwrap_or(output), output)
    }

    /// Adds a constant of the node's type.
    pub(super) fn constant(&mut self, shape: Shape, values: &[f64]) -> &'a str {
        let data_type = self.graph.nodes.get(self.node).map_or(DataType::Float, |node| node.data_type);
        #[expect(clippy::cast_possible_truncation, reason = "the node computes in this type")]
        let bytes: Vec<u8> = match data_type {
            DataType::Double => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            _ => values.iter().flat_map(|value| (*value as f32).to_le_bytes()).collect(),
        };
        let elements = ElementStorage::Contiguous(self.file.keep_bytes(bytes));
        let at = self.at();
        let value = Array { data_type, shape: shape.clone(), elements, at, range: None };
        let (uid, _) = self.fresh();
        self.variables.push(Variable {
            uid,
            name: "",
            kind: VariableKind::Constant,
            data_type,
            shape,
            dynamic_axes: Vec::new(),
            is_sparse: false,
            needs_gradient: false,
            value: Some(value),
            version: 1,
            at,
            origin: self.origin(),
        });
        uid
    }

    /// Adds a constant without axes.
    pub(super) fn scalar(&mut self, value: f64) -> &'a str {
        self.constant(Shape::default(), &[value])
    }

    /// Adds a placeholder of unknown type that stands for `uid`.
    pub(super) fn placeholder(&mut self, uid: &'a str) {
        const UNKNOWN_AXES: i32 = 2_147_483_645;
        self.variables.push(Variable {
            uid,
            name: "",
            kind: VariableKind::Placeholder,
            data_type: DataType::Unknown,
            shape: Shape::from([Shape::UNKNOWN]),
            dynamic_axes: vec![Axis { index: UNKNOWN_AXES, name: "", ordered: false }],
            is_sparse: false,
            needs_gradient: false,
            value: None,
            version: 1,
            at: self.at(),
            origin: self.origin(),
        });
    }

    /// Adds a formal placeholder of a block.
    pub(super) fn formal(&mut self) -> &'a str {
        let (uid, _) = self.fresh();
        self.placeholder(uid);
        uid
    }

    /// Adds a function that does not correspond to a node, and returns the reference to its output.
    pub(super) fn inner(&mut self, operator: Operator<'a>, inputs: &[&'a str]) -> &'a str {
        let (uid, output) = self.fresh();
        self.add(uid, "", of(operator), inputs.to_vec());
        output
    }

    /// Adds the function of the current node.
    pub(super) fn finish(&mut self, operator: Operator<'a>, inputs: Vec<&'a str>) {
        self.finish_as(of(operator), inputs);
    }

    /// Adds the function of the current node, which need not be an operator.
    pub(super) fn finish_as(&mut self, (kind, attributes): (FunctionKind<'a>, Attributes<'a>), inputs: Vec<&'a str>) {
        let Some(names) = self.graph.names.get(self.node) else { return };
        self.add(names.uid, names.name, (kind, attributes), inputs);
    }

    fn add(
        &mut self,
        uid: &'a str,
        name: &'a str,
        (kind, attributes): (FunctionKind<'a>, Attributes<'a>),
        inputs: Vec<&'a str>,
    ) {
        self.functions.push(Function {
            uid,
            name,
            version: VERSION,
            kind,
            inputs,
            attributes,
            at: self.at(),
            origin: self.origin(),
        });
    }

    /// Adds a Combine of all outputs as the root, needed unless there is exactly one function.
    pub(super) fn combine(&mut self, inputs: Vec<&'a str>) -> &'a str {
        const ROOT: &str = "/root";
        self.add(ROOT, "", plain(Op::Combine), inputs);
        ROOT
    }
}

/// A primitive without attributes.
pub(super) fn plain<'a>(op: Op) -> (FunctionKind<'a>, Attributes<'a>) {
    (FunctionKind::Primitive(op), Attributes::Record(Dictionary::default()))
}

/// A primitive with typed attributes.
pub(super) fn of<'a>(operator: Operator<'a>) -> (FunctionKind<'a>, Attributes<'a>) {
    // Readers only make primitives, so the fallback is never used.
    let op = operator.op().unwrap_or(Op::Pass);
    (FunctionKind::Primitive(op), Attributes::Typed(Box::new(operator)))
}
