//! Lowers CNTK functions to ONNX nodes, with a module for each operator family.
//!
//! To add an operator, write a function in the module of its family and name it in [`dispatch`]. The function gets the
//! operands as [`Val`]s and returns the results; this module takes care of names, order, loops and refusals.

mod convolution;
mod criteria;
mod dispatch;
mod elementwise;
mod indexing;
mod linear;
mod naming;
mod normalization;
mod pooling;
mod random;
mod recurrence;
mod reduction;
mod region;
mod reshaping;
mod sequence;
mod sizes;
mod sparse;
mod value;
mod values;

pub use dispatch::entry;

use super::builder::{Builder, Measured};
use super::graph::{Dim, ElemType, OnnxModel, Stored};
use crate::graph::{self, Graph};
use crate::layout::{Batch, Layout, Lead};
use crate::options::Options;
use crate::report::{Reason, Refusal};
use cntk_parser::model::{DataType, FunctionId, SequenceAxisId, Source, VariableId, VariableKind};
use hashbrown::{HashMap, HashSet};
use smallvec::SmallVec;
use std::borrow::Cow;

pub(crate) use value::Val;
use values::Values;

pub(crate) type Lowered = graph::Lowered<Val>;
pub(crate) type Node<'m, 'a> = graph::Node<'m, 'a, Val>;

/// The state of a lowering.
pub(crate) struct Lowering<'g, 'm, 'a> {
    /// The ONNX graph under construction.
    pub(crate) b: Builder,
    pub(crate) graph: &'g Graph<'m, 'a>,
    pub(crate) layout: &'g Layout,
    pub(crate) options: &'g Options,
    pub(crate) values: Values,
    /// The sequence axes of the open loop bodies, innermost last. Values inside of a body lack the dimension of its
    /// axis.
    pub(crate) running: Vec<SequenceAxisId>,
    /// The dimensions of CNTK's free sizes.
    free: HashMap<u32, Dim>,
    /// Sizes of batch axes.
    batches: HashMap<Batch, Dim>,
    /// The dimensions of sequence axes.
    pub(crate) sequence_dims: HashMap<SequenceAxisId, Dim>,
    pub(crate) sequences: sequence::Sequences,
    pub(crate) recurrences: recurrence::Recurrences,
    names: HashSet<Cow<'g, str>>,
    naming: naming::Naming<'m, 'a>,
    /// Inputs that are indices, and how many classes there are.
    pub(crate) ids: HashMap<VariableId, (Val, u64)>,
    reasons: Vec<Reason>,
    pub(crate) warnings: Vec<String>,
}

/// A lowered model, and the warnings.
pub(crate) struct Done {
    pub(crate) model: OnnxModel,
    pub(crate) warnings: Vec<String>,
}

/// Lowers the needed part of a model.
pub(crate) fn lower(graph: &Graph<'_, '_>, layout: &Layout, options: &Options) -> Result<Done, Refusal> {
    // Files of CNTK 2.0 beta have no uid of the whole model, and ONNX requires a name.
    let model = graph.model.model();
    let names = [model.name, model.uid, model.root];
    let name = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let mut cx = Lowering {
        b: Builder::new(name.to_owned(), options.opset),
        graph,
        layout,
        options,
        values: Values::new(graph.model.model()),
        running: Vec::new(),
        free: HashMap::new(),
        batches: HashMap::new(),
        sequence_dims: HashMap::new(),
        sequences: sequence::Sequences::default(),
        recurrences: recurrence::Recurrences::default(),
        names: HashSet::new(),
        naming: naming::Naming::new(graph),
        ids: HashMap::new(),
        reasons: Vec::new(),
        warnings: Vec::new(),
    };
    cx.reserve_names();
    cx.fix_sizes();
    cx.declare_inputs();
    cx.lower_all();
    if let Err(unmeasured) = cx.declare_outputs() {
        cx.reasons.push(unmeasured.into());
    }
    cx.sort_lengths();
    if !cx.reasons.is_empty() {
        return Err(Refusal { reasons: cx.reasons });
    }
    if cx.b.narrowed() > 0 {
        cx.warnings.push(format!(
            "{} double-precision nodes run in float: ONNX Runtime has no double kernel for them",
            cx.b.narrowed()
        ));
    }
    Ok(Done { model: cx.b.finish(), warnings: cx.warnings })
}

impl<'g, 'm, 'a> Lowering<'g, 'm, 'a> {
    fn reserve_names(&mut self) {
        self.names.reserve(self.graph.model.model().variables.len());
        let graph = self.graph;
        let ports = graph.arguments.iter().map(|a| &a.name).chain(graph.outputs.iter().map(|o| &o.name));
        self.names.extend(ports.map(Cow::from));
    }

    fn declare_inputs(&mut self) {
        for argument in &self.graph.arguments {
            let source = Source::Variable(argument.variable);
            let ty = self.graph.model.type_of(source);
            let lead = self.layout.lead(source, ty.axes);
            let Some(elem) = elem_type(ty.data_type) else {
                self.reasons.push(Reason {
                    uid: self.graph.model.variable(argument.variable).uid.to_owned(),
                    ..Reason::new("data_type", "the input's element type is not known")
                });
                continue;
            };
            let mut dims = self.dims_with(lead, ty);
            let elem = if argument.classes.is_some() { ElemType::Int64 } else { elem };
            dims.truncate(dims.len() - usize::from(argument.classes.is_some()));
            let id = self.b.input(argument.name.clone(), elem, dims);
            self.b.identify(id, self.graph.model.variable(argument.variable).uid);
            let input = Val { id, lead };
            match argument.classes {
                Some(classes) => drop(self.ids.insert(argument.variable, (input, classes))),
                None => self.values.bind_outside(source, input),
            }
        }
    }

    fn lower_all(&mut self) {
        let mut done_loops = HashSet::new();
        let functions: Vec<FunctionId> = self.graph.functions().collect();
        for f in functions {
            match self.graph.model.loop_of(f) {
                None => self.lower_one(f),
                Some(id) => {
                    if done_loops.insert(id) {
                        recurrence::lower(self, id);
                    }
                }
            }
        }
    }

    /// Lowers one function in the current scope. Does nothing if an operand is missing because its lowering was
    /// refused, which was reported.
    pub(crate) fn lower_one(&mut self, f: FunctionId) {
        let model = self.graph.model;
        let sources = model.inputs(f);
        let mut inputs = SmallVec::new();
        for s in sources {
            match self.value(*s) {
                Ok(Some(v)) if model.operator(f).repeats() => inputs.push(v),
                Ok(Some(v)) => match self.full(v, *s) {
                    Ok(v) => inputs.push(v),
                    Err(unmeasured) => return self.refuse(f, unmeasured.into()),
                },
                Ok(None) => return,
                Err(reason) => return self.refuse(f, reason),
            }
        }
        let node = self.graph.node(f, inputs);
        let before = self.b.begin(self.naming.origin(f));
        let lowered = dispatch::lower(self, &node);
        if let Ok(outputs) = &lowered {
            self.label(f, outputs);
        }
        self.b.resume(before);
        match lowered {
            Ok(outputs) => {
                self.learn_sizes(node.types, &outputs);
                for (i, v) in outputs.into_iter().enumerate() {
                    self.values.bind(Source::Output(f, i as u32), v);
                }
            }
            Err(reason) => self.refuse(f, reason),
        }
    }

    /// Records the reason why `f` cannot be lowered.
    pub(crate) fn refuse(&mut self, f: FunctionId, reason: Reason) {
        self.reasons.push(reason.of(self.graph.model, f));
    }

    /// The value of a source; `None` if its lowering was refused. A weight becomes an initializer on first use.
    pub(crate) fn value(&mut self, source: Source) -> Result<Option<Val>, Reason> {
        if let Some(v) = self.values.get(source) {
            return Ok(Some(v));
        }
        match source {
            Source::Variable(id)
                if matches!(self.graph.model.variable(id).kind, VariableKind::Parameter | VariableKind::Constant) =>
            {
                let v = self.weight(id)?;
                self.values.bind_outside(source, v);
                Ok(Some(v))
            }
            Source::Variable(id) if self.ids.contains_key(&id) => {
                let v = indexing::rows_of(self, id)?;
                self.values.bind_outside(source, v);
                Ok(Some(v))
            }
            _ => Ok(None),
        }
    }

    fn weight(&mut self, variable_id: VariableId) -> Result<Val, Reason> {
        let variable = self.graph.model.variable(variable_id);
        let Some(array) = &variable.value else {
            return Err(Reason::new(variable.uid, "the parameter has no value"));
        };
        let elem = elem_type(array.data_type)
            .ok_or_else(|| Reason::new(variable.uid, "the parameter's element type is not known"))?;
        let dims: SmallVec<[u64; 4]> = array.shape.0.iter().rev().copied().collect();
        let count: u64 = dims.iter().product();
        let id = match (&array.range, stored(array.data_type)) {
            // Small tensors become literals, because lowerings look at their values.
            (Some(range), Some(stored)) if count > 16 => self.b.stored(None, elem, &dims, range.clone(), stored),
            _ => {
                let values = graph::literal::elements(array);
                self.b.own_tensor(elem, &dims, values)
            }
        };
        if self.b.value_name(id).is_none() {
            let wanted = self.naming.weight(variable_id);
            let name = self.unique(wanted.into(), variable.uid.into());
            self.b.name_value(id, name);
            self.b.identify(id, variable.uid);
        }
        Ok(Val { id, lead: Lead::default() })
    }

    /// A unique name: `wanted`, or `uid` if that is taken, or `uid` with a number.
    pub(crate) fn unique(&mut self, wanted: Cow<'g, str>, uid: Cow<'g, str>) -> String {
        let numbered = (2..).map(|n| Cow::from(format!("{uid}_{n}")));
        let mut names = [wanted, uid.clone()].into_iter().chain(numbered);
        names.find(|name| self.names.insert(name.clone())).unwrap_or_default().into_owned()
    }

    /// Gives a function's node and results their names.
    fn label(&mut self, f: FunctionId, outputs: &[Val]) {
        for (i, v) in outputs.iter().enumerate() {
            if self.b.value_name(v.id).is_some() {
                continue;
            }
            self.b.name_node(v.id);
            // If something else in the file has this name, the finishing pass makes the names unique.
            self.b.name_value(v.id, self.naming.value(f, i, outputs.len()));
        }
    }

    fn declare_outputs(&mut self) -> Measured<()> {
        let mut given = HashSet::new();
        let mut derived = Vec::new();
        for o in &self.graph.outputs {
            let Ok(Some(v)) = self.value(o.source) else {
                if self.reasons.is_empty() {
                    self.reasons.push(Reason::new("outputs", format!("{} could not be computed", o.uid)));
                }
                continue;
            };
            let v = self.full(v, o.source)?;
            if let Some(axis) = v.lead.sequence.filter(|axis| !self.is_argument_axis(*axis)) {
                derived.push((o.name.clone(), axis));
            }
            let plain = !self.b.is_input(v.id) && self.b.constant(v.id).is_none() && given.insert(v.id);
            let id = if plain { v.id } else { self.b.unary("Identity", v.id) };
            self.b.name_value(id, o.name.clone());
            self.b.identify(id, &o.uid);
            self.b.output(id);
        }
        for (name, axis) in derived {
            let lengths = self.lengths(axis)?;
            let id = self.b.unary("Identity", lengths);
            let name = format!("{name}_lengths");
            let name = self.unique(name.clone().into(), name.into());
            self.b.name_value(id, name);
            self.b.output(id);
        }
        Ok(())
    }
}

/// The ONNX element type for one of CNTK's.
pub(crate) fn elem_type(t: DataType) -> Option<ElemType> {
    Some(match t {
        DataType::Float => ElemType::Float,
        DataType::Double => ElemType::Double,
        DataType::Float16 => ElemType::Float16,
        DataType::Int8 => ElemType::Int8,
        DataType::Int16 => ElemType::Int16,
        DataType::Unknown => return None,
    })
}

fn stored(t: DataType) -> Option<Stored> {
    Some(match t {
        DataType::Float | DataType::Float16 => Stored::F32,
        DataType::Double => Stored::F64,
        DataType::Int8 => Stored::I8,
        DataType::Int16 | DataType::Unknown => return None,
    })
}
