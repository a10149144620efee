//! Lowers CNTK functions to Python statements, with a module for each operator family.
//!
//! To add an operator, write a function in the module of its family and name it in [`dispatch`]. The function gets the
//! operands as [`Val`]s and returns the results. It may also include functions that follow: a product and its bias are
//! one `nn.Linear`.

mod blocks;
mod cells;
mod convolution;
mod criteria;
mod dispatch;
mod elementwise;
mod indexing;
mod linear;
mod loops;
mod naming;
mod normalization;
mod output_lengths;
mod owner;
mod pooling;
mod random;
mod reduction;
mod refusal;
mod region;
mod reshaping;
mod sequence;
mod shape;
mod stack;
mod uses;
mod value;

use super::python::body::Body;
use super::python::expr::{Expr, StateId, ValueId, args, of};
use super::python::names::{Names, identifier};
use super::state::State;
use crate::graph::{self, Graph};
use crate::layout::{Batch, Layout, Lead};
use crate::report::Reason;
use cntk_parser::model::{FunctionId, LoopId, SequenceAxisId, Source, VariableId, VariableKind};
use smallvec::SmallVec;
use std::collections::{HashMap, HashSet};

pub(crate) use cells::class::Class;
pub(crate) use owner::Owner;
pub(crate) use value::{Elem, Val};

pub(crate) type Lowered = graph::Lowered<Val>;
pub(crate) type Node<'m, 'a> = graph::Node<'m, 'a, Val>;

/// Values known in one block of the body.
#[derive(Default)]
pub(crate) struct Scope {
    values: HashMap<Source, Val>,
    masks: HashMap<SequenceAxisId, ValueId>,
}

/// A reduction that keeps its axes.
#[derive(Clone)]
pub(crate) struct Kept {
    /// The reduced static axes.
    axes: Vec<usize>,
    /// The same reduction without them.
    without: Expr,
}

/// A lengths argument of `forward`.
#[derive(Clone, Debug)]
pub(crate) struct Lengths {
    pub(crate) axis: SequenceAxisId,
    pub(crate) name: String,
    /// The argument that it belongs to.
    pub(crate) variable: VariableId,
}

/// The most blocks around a layer that are looked at.
const BLOCKS: usize = 4;

/// The state of a lowering.
pub(crate) struct Lower<'g, 'm, 'a> {
    pub(crate) body: Body,
    pub(crate) graph: &'g Graph<'m, 'a>,
    pub(crate) layout: &'g Layout,
    pub(crate) equal_lengths: bool,
    pub(crate) stub: bool,
    scopes: Vec<Scope>,
    /// The sequence axes of the open loops, innermost last, and the names of their steps.
    running: Vec<(SequenceAxisId, String)>,
    /// The name of the step in loops, once there is a loop.
    step: Option<String>,
    pub(crate) states: Vec<State>,
    /// The function that is being lowered.
    at: Option<FunctionId>,
    pub(crate) owners: HashMap<VariableId, Owner>,
    modules: HashMap<String, StateId>,
    /// Loops that are recurrent layers.
    layers: HashMap<LoopId, cells::Found>,
    /// Recurrent layers that the file has to define, with their names.
    pub(crate) classes: Vec<(Class, String)>,
    /// Names of arguments, of Python variables that live long, and of helpers.
    pub(crate) names: Names,
    /// Names of the classes and functions that the file defines.
    pub(crate) globals: Names,
    /// Names of arguments, in the order of the graph's arguments.
    pub(crate) arguments: Vec<String>,
    consumers: HashMap<Source, Vec<FunctionId>>,
    wanted: HashSet<Source>,
    readers: HashMap<VariableId, usize>,
    done: HashSet<FunctionId>,
    pub(crate) lengths: Vec<Lengths>,
    length_values: HashMap<SequenceAxisId, ValueId>,
    /// For each sequence axis, a value from which its size can be read.
    timed: HashMap<SequenceAxisId, ValueId>,
    /// For each batch, a value from which its size can be read.
    batched: HashMap<Batch, ValueId>,
    /// Tensors from which new ones take type and device: one of single and one of double precision.
    likes: [Option<ValueId>; 2],
    /// Arguments in half precision: the value used in computations, and the given one.
    halves: Vec<(ValueId, ValueId)>,
    /// One-hot rows: the value used in computations, and the bool tensor from which it is made.
    hot: Vec<(ValueId, ValueId)>,
    /// Arguments that are indices, and the number of classes.
    pub(crate) ids: HashMap<VariableId, (Val, u64)>,
    /// For each free dimension, the value and axis from which its size can be read.
    free: HashMap<u32, (ValueId, usize)>,
    /// The bool tensors from which tensors of numbers were made.
    pub(crate) truths: HashMap<ValueId, ValueId>,
    /// For each value that is a reshaped one, the original.
    pub(crate) views: HashMap<ValueId, Val>,
    /// Reductions that keep their axes.
    pub(crate) kept: HashMap<ValueId, Kept>,
    /// The int64 tensors (counts, indices) from which tensors of numbers were made.
    pub(crate) counts: HashMap<ValueId, ValueId>,
    /// Stubs: method name and reason.
    pub(crate) stubs: Vec<(String, String)>,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) warnings: Vec<String>,
}

impl<'g, 'm, 'a> Lower<'g, 'm, 'a> {
    pub(crate) fn new(graph: &'g Graph<'m, 'a>, layout: &'g Layout, equal_lengths: bool, stub: bool) -> Self {
        let mut consumers: HashMap<Source, Vec<FunctionId>> = HashMap::new();
        let mut readers: HashMap<VariableId, usize> = HashMap::new();
        for f in graph.functions() {
            for s in graph.model.inputs(f) {
                consumers.entry(*s).or_default().push(f);
                if let Source::Variable(v) = s {
                    *readers.entry(*v).or_default() += 1;
                }
            }
        }
        let mut lower = Self {
            body: Body::new(),
            graph,
            layout,
            equal_lengths,
            stub,
            scopes: vec![Scope::default()],
            running: Vec::new(),
            step: None,
            states: Vec::new(),
            at: None,
            owners: HashMap::new(),
            modules: HashMap::new(),
            layers: HashMap::new(),
            classes: Vec::new(),
            names: Names::of_variables(),
            globals: Names::of_variables(),
            arguments: Vec::new(),
            consumers,
            wanted: graph.outputs.iter().map(|o| o.source).collect(),
            readers,
            done: HashSet::new(),
            lengths: Vec::new(),
            length_values: HashMap::new(),
            timed: HashMap::new(),
            batched: HashMap::new(),
            likes: [None; 2],
            halves: Vec::new(),
            hot: Vec::new(),
            ids: HashMap::new(),
            free: HashMap::new(),
            truths: HashMap::new(),
            views: HashMap::new(),
            kept: HashMap::new(),
            counts: HashMap::new(),
            stubs: Vec::new(),
            reasons: Vec::new(),
            warnings: Vec::new(),
        };
        super::helpers::ALL.iter().for_each(|h| {
            lower.names.take(h.name);
            lower.globals.take(h.name);
        });
        lower.declare_arguments();
        lower.layers = cells::find(&lower);
        lower
    }

    fn declare_arguments(&mut self) {
        for argument in &self.graph.arguments {
            let source = Source::Variable(argument.variable);
            let ty = self.graph.model.type_of(source);
            let renamed = argument.name != argument.given;
            let cntk = if renamed { &argument.name } else { self.graph.model.variable(argument.variable).name };
            let name = match identifier(cntk) {
                Some(name) => self.names.unique(&name),
                None if self.graph.arguments.len() == 1 => self.names.unique("x"),
                None => self.names.numbered("input"),
            };
            let Some(elem) = Elem::new(ty.data_type) else {
                self.reasons.push(Reason {
                    uid: self.graph.model.variable(argument.variable).uid.to_owned(),
                    ..Reason::new("data_type", "the input's element type is not known")
                });
                continue;
            };
            let mut id = self.body.atom(Expr::local(name.clone()));
            self.arguments.push(name);
            if let Some(classes) = argument.classes {
                self.declare_ids(argument.variable, id, elem, classes);
                continue;
            }
            if elem == Elem::Half {
                let given = id;
                id = self.compute(of(given).method("float", args![]));
                self.halves.push((id, given));
            }
            let val = Val { id, lead: self.layout.lead(source, ty.axes), dims: ty.shape.clone(), elem, literal: None };
            self.remember(&val);
            self.offer_like(&val, ty.data_type);
            self.bind(source, val);
        }
    }

    /// Lowers everything that the outputs need, and returns their values.
    pub(crate) fn run(&mut self) -> Vec<ValueId> {
        let functions: Vec<FunctionId> = self.graph.functions().collect();
        let mut loops = HashSet::new();
        for f in functions {
            match self.graph.model.loop_of(f) {
                None => self.lower_one(f),
                Some(id) if loops.insert(id) => self.lower_loop(id),
                Some(_) => {}
            }
        }
        let mut outputs = Vec::new();
        for o in &self.graph.outputs {
            let Ok(Some(v)) = self.value(o.source) else { continue };
            let v = self.tensor(&v);
            let half = self.graph.model.type_of(o.source).data_type == cntk_parser::model::DataType::Float16;
            let value = &self.body.values[v.id.0 as usize];
            // Do not return a parameter itself.
            let is_weight = matches!(*value.expr, Expr::Weight(_) | Expr::State(_));
            let id = match (half, is_weight) {
                (true, _) => match self.halves.first() {
                    Some((_, given)) => self.compute(of(v.id).method("type_as", args![*given])),
                    None => self.compute(of(v.id).method("half", args![])),
                },
                (false, true) => self.compute(of(v.id).method("clone", args![])),
                (false, false) => v.id,
            };
            outputs.push(id);
        }
        outputs
    }

    /// Lowers one function in the current scope. Does nothing if an operand is missing because its lowering was
    /// refused, which was reported.
    fn lower_one(&mut self, f: FunctionId) {
        if self.done.contains(&f) {
            return;
        }
        self.at = Some(f);
        let model = self.graph.model;
        let sources = model.inputs(f);
        let mut inputs = SmallVec::new();
        for s in sources {
            match self.value(*s) {
                Ok(Some(v)) => inputs.push(v),
                Ok(None) => return,
                Err(reason) => return self.refuse(f, reason),
            }
        }
        let node = self.graph.node(f, inputs);
        match dispatch::lower(self, &node) {
            Ok(outputs) => self.bind_outputs(f, outputs),
            Err(reason) if self.stub => self.bind_stub(&node, reason),
            Err(reason) => self.refuse(f, reason),
        }
    }

    /// Binds the outputs of a function, and suggests the model's name for them.
    pub(crate) fn bind_outputs(&mut self, f: FunctionId, outputs: SmallVec<[Val; 1]>) {
        for (i, mut v) in outputs.into_iter().enumerate() {
            if let Some(ty) = self.graph.model.output_types(f).get(i) {
                // A literal operand may have had axes that are not visible in its text.
                v = self.with_rank_of(v, ty);
            }
            if let Some(name) = self.local_name(f).filter(|_| i == 0) {
                self.body.hint(v.id, name);
            }
            self.remember(&v);
            if let Some(ty) = self.graph.model.output_types(f).get(i) {
                self.offer_like(&v, ty.data_type);
            }
            self.bind(Source::Output(f, i as u32), v);
        }
    }

    pub(crate) fn bind(&mut self, source: Source, value: Val) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.values.insert(source, value);
        }
    }

    /// The value of a source; `None` if its lowering was refused. Inside of a loop, a value with the loop's axis is
    /// read at the current step.
    pub(crate) fn value(&mut self, source: Source) -> Result<Option<Val>, Reason> {
        let found = self.scopes.iter().enumerate().rev().find_map(|(i, s)| Some((i, s.values.get(&source)?.clone())));
        if let Some((_, v)) = found {
            return Ok(Some(self.at_step(source, v)));
        }
        match source {
            Source::Variable(id)
                if matches!(self.graph.model.variable(id).kind, VariableKind::Parameter | VariableKind::Constant) =>
            {
                self.constant(id).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Marks a function as included in the lowering of another.
    pub(crate) fn take(&mut self, f: FunctionId) {
        self.done.insert(f);
    }

    /// The lead of a value in the current scope: inside of a loop body, the loop's axis is not a dimension.
    pub(crate) fn lead(&self, source: Source) -> Lead {
        let mut lead = self.layout.lead(source, self.graph.model.type_of(source).axes);
        if lead.sequence.is_some_and(|s| self.running.iter().any(|(r, _)| *r == s)) {
            lead.sequence = None;
        }
        lead
    }

    /// Adds a piece of state.
    pub(crate) fn hold(&mut self, mut state: State) -> StateId {
        let parent = |f: &FunctionId| self.graph.model.parent(*f);
        state.within = std::iter::successors(self.at.as_ref().and_then(parent), parent).take(BLOCKS).collect();
        let id = StateId(self.states.len() as u32);
        self.states.push(state);
        id
    }

    /// The name of a class that the file has to define.
    fn class(&mut self, class: &Class) -> String {
        if let Some((_, name)) = self.classes.iter().find(|(c, _)| c == class) {
            return name.clone();
        }
        let name = self.globals.unique(&class.name());
        self.classes.push((class.clone(), name.clone()));
        name
    }

    fn lower_loop(&mut self, id: LoopId) {
        if cells::lower(self, id) {
            return;
        }
        if let Err((f, reason)) = loops::lower(self, id) {
            self.refuse(f, reason);
        }
    }
}
