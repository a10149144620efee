//! A function of the graph as both back ends lower it.

use super::Graph;
use crate::report::Reason;
use cntk_parser::model::{FunctionId, Source, ValueType};
use cntk_parser::ops::Operator;
use smallvec::SmallVec;

/// The outputs of a lowered function, or the reason why it cannot be lowered. `V` is the back end's value.
pub(crate) type Lowered<V> = Result<SmallVec<[V; 1]>, Reason>;

/// A function being lowered, with its operands.
pub(crate) struct Node<'m, 'a, V> {
    pub(crate) id: FunctionId,
    /// Operator and attributes.
    pub(crate) op: &'m Operator<'a>,
    /// Operands, in the record's order.
    pub(crate) inputs: SmallVec<[V; 3]>,
    /// The sources of the operands.
    pub(crate) sources: &'m [Source],
    /// The types of its outputs, as CNTK infers them.
    pub(crate) types: &'m [ValueType],
}

impl<V> Node<'_, '_, V> {
    /// The source of its first output.
    pub(crate) fn result(&self) -> Source {
        Source::Output(self.id, 0)
    }
}

impl<'m, 'a> Graph<'m, 'a> {
    /// The function `id` with these operands.
    pub(crate) fn node<V>(&self, id: FunctionId, inputs: SmallVec<[V; 3]>) -> Node<'m, 'a, V> {
        let (op, sources, types) = (self.model.operator(id), self.model.inputs(id), self.model.output_types(id));
        Node { id, op, inputs, sources, types }
    }
}
