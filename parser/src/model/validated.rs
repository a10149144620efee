//! The validated model: every reference is resolved and every type inferred.

use super::{DataType, Dims, Function, FunctionId, LoopId, Model, SequenceAxisId, Variable, VariableId};
use crate::ops::Operator;
use crate::validate::Operators;
use hashbrown::HashSet;
use smallvec::SmallVec;
use std::fmt;

/// Where a value comes from: the variable or operator that is left after resolving blocks, `Combine` and placeholders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// A parameter, constant, input, or unbound placeholder.
    Variable(VariableId),
    /// Output `1` of a primitive or user-defined function.
    Output(FunctionId, u32),
}

/// A sequence axis: values with the same sequence axis have the same lengths.
#[derive(Clone, Debug)]
pub struct SequenceAxis<'a> {
    /// Its name in the file, without meaning; empty if the file does not name it.
    pub name: &'a str,
    /// The first value in file order that has this axis: an input variable, or the op that creates it (Where,
    /// ToSequence…).
    pub origin: Source,
}

/// The dynamic axes of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DynamicAxes {
    /// Does the value have the batch axis?
    pub batch: bool,
    /// The value's sequence axis, if it has one.
    pub sequence: Option<SequenceAxisId>,
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueType {
    /// **Row-major** static shape.
    pub shape: Dims,
    /// Element type.
    pub data_type: DataType,
    /// Dynamic axes.
    pub axes: DynamicAxes,
}

/// A recurrence: a strongly connected component of the inlined graph. Every cycle in it passes a delay, and all these
/// delays have the same direction.
#[derive(Clone, Debug)]
pub struct Loop {
    /// Its functions, in topological order once the state inputs (input 0) of its delays are cut.
    pub members: Vec<FunctionId>,
    /// True when its delays are FutureValue.
    pub backward: bool,
}

/// An output of the model's root function.
#[derive(Clone, Debug)]
pub struct Output<'a> {
    /// CNTK's uid of this output: for a block's output, the one with the block's uid; for a variable, its own.
    pub uid: std::borrow::Cow<'a, str>,
    /// CNTK's name, which may be empty. The second output of a named TopK or UnpackSequence has its own name.
    pub name: std::borrow::Cow<'a, str>,
    /// What computes the output.
    pub source: Source,
    /// The function with that uid as the author sees it: a block stays a block. `None` for a variable.
    pub function: Option<FunctionId>,
}

/// Name and uid, as messages show them: `NAME (UID)`, or the uid alone.
impl fmt::Display for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() { f.write_str(&self.uid) } else { write!(f, "{} ({})", self.name, self.uid) }
    }
}

/// A model that passed validation without an error. Only [`crate::validate()`] makes one.
#[derive(Clone, Debug)]
pub struct ValidatedModel<'a> {
    pub(crate) model: Model<'a>,
    pub(crate) operators: Operators<'a>,
    pub(crate) inputs: Vec<SmallVec<[Source; 3]>>,
    pub(crate) output_types: Vec<SmallVec<[ValueType; 1]>>,
    pub(crate) variable_types: Vec<ValueType>,
    pub(crate) unbound: Vec<VariableId>,
    /// Values whose shape or dynamic axes could not be inferred.
    pub(crate) unknown: HashSet<Source>,
    pub(crate) parents: Vec<Option<FunctionId>>,
    pub(crate) order: Vec<FunctionId>,
    pub(crate) loops: Vec<Loop>,
    pub(crate) loop_of: Vec<Option<LoopId>>,
    pub(crate) outputs: Vec<Output<'a>>,
    pub(crate) sequence_axes: Vec<SequenceAxis<'a>>,
    /// For a block, the innermost root that is not itself a block; for another function, the function.
    pub(crate) terminals: Vec<FunctionId>,
    /// The actual argument of each formal placeholder.
    pub(crate) arguments: Vec<Option<Source>>,
}

#[expect(clippy::indexing_slicing, reason = "an id belongs to one model, and the lists are as long as its records")]
impl<'a> ValidatedModel<'a> {
    /// The model as parsed.
    pub fn model(&self) -> &Model<'a> {
        &self.model
    }

    /// The ids of all functions, blocks and unreachable ones included, in file order.
    pub fn function_ids(&self) -> impl Iterator<Item = FunctionId> + use<> {
        (0..).take(self.model.functions.len()).map(FunctionId)
    }

    /// The ids of all variables, in file order.
    pub fn variable_ids(&self) -> impl Iterator<Item = VariableId> + use<> {
        (0..).take(self.model.variables.len()).map(VariableId)
    }

    /// The ids of the recurrences, in the order of [`Self::loops`].
    pub fn loop_ids(&self) -> impl Iterator<Item = LoopId> + use<> {
        (0..).take(self.loops.len()).map(LoopId)
    }

    /// The ids of the sequence axes, in the order of [`Self::sequence_axes`].
    pub fn sequence_axis_ids(&self) -> impl Iterator<Item = SequenceAxisId> + use<> {
        (0..).take(self.sequence_axes.len()).map(SequenceAxisId)
    }

    /// Recurrences by id.
    pub fn recurrence(&self, id: LoopId) -> &Loop {
        &self.loops[id.index()]
    }

    /// Function records by id.
    pub fn function(&self, id: FunctionId) -> &Function<'a> {
        &self.model.functions[id.0 as usize]
    }

    /// Variable records by id.
    pub fn variable(&self, id: VariableId) -> &Variable<'a> {
        &self.model.variables[id.0 as usize]
    }

    /// The operator and typed attributes of a function.
    pub fn operator(&self, id: FunctionId) -> &Operator<'a> {
        self.operators.get(id).unwrap_or(&Operator::User)
    }

    /// The inputs of a function in the record's order, with blocks, `Combine` and placeholders resolved.
    pub fn inputs(&self, id: FunctionId) -> &[Source] {
        &self.inputs[id.0 as usize]
    }

    /// The types of a function's outputs.
    pub fn output_types(&self, id: FunctionId) -> &[ValueType] {
        &self.output_types[id.0 as usize]
    }

    /// The type of a value.
    pub fn type_of(&self, source: Source) -> &ValueType {
        match source {
            Source::Variable(v) => &self.variable_types[v.0 as usize],
            Source::Output(f, i) => &self.output_types[f.0 as usize][i as usize],
        }
    }

    /// The placeholders that nothing in the file binds, in file order. They are left to the program that loads the
    /// model, and are treated as inputs.
    pub fn unbound(&self) -> &[VariableId] {
        &self.unbound
    }

    /// Are the shape and dynamic axes of a value known? They may be unknown behind a user-defined function or an
    /// unbound placeholder; [`Self::type_of`] then says nothing about them.
    pub fn is_known(&self, source: Source) -> bool {
        !self.unknown.contains(&source)
    }

    /// The block whose composite holds this function, `None` at the top level.
    pub fn parent(&self, id: FunctionId) -> Option<FunctionId> {
        self.parents[id.0 as usize]
    }

    /// All primitive and user-defined functions, including unreachable ones but not blocks and `Combine`. Producers
    /// come before consumers; the members of a loop are consecutive, in the order of [`Loop::members`].
    pub fn order(&self) -> &[FunctionId] {
        &self.order
    }

    /// The recurrences.
    pub fn loops(&self) -> &[Loop] {
        &self.loops
    }

    /// The loop that a function is a member of.
    pub fn loop_of(&self, id: FunctionId) -> Option<LoopId> {
        self.loop_of[id.0 as usize]
    }

    /// The outputs of the root, in CNTK's order.
    pub fn outputs(&self) -> &[Output<'a>] {
        &self.outputs
    }

    /// The value with this CNTK uid or name: a variable, an output of a function or block, or a function (its first
    /// output). Uids take precedence over names; among equal names, outputs of the root come first, then functions
    /// outside of blocks, in file order.
    pub fn find(&self, uid_or_name: &str) -> Option<Output<'a>> {
        self.find_all(uid_or_name).into_iter().next()
    }

    /// All values that a CNTK uid or name may mean, in the order of [`find`](Self::find). There is more than one if
    /// several outputs of the root, several functions or several variables have the name, and nothing of higher
    /// precedence has it.
    pub fn find_all(&self, uid_or_name: &str) -> Vec<Output<'a>> {
        super::find::find(self, uid_or_name)
    }

    /// Output `index` of a function or block, with blocks and `Combine` resolved.
    pub fn output_of(&self, function: FunctionId, index: u32) -> Option<Output<'a>> {
        super::find::of_function(self, function, index)
    }

    /// The sequence axes of the model.
    pub fn sequence_axes(&self) -> &[SequenceAxis<'a>] {
        &self.sequence_axes
    }
}
