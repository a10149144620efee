//! The types that variable records declare.

use super::node::Context;
use super::value::Certainty;
use crate::model::{Dim, Dims, DynamicAxes, MOST_AXES, Model, Shape, Source, ValueType, Variable, VariableId};
use crate::validate::arena::{PerId, ids};

/// The types of all variables.
pub(super) struct Variables {
    pub(super) types: PerId<VariableId, ValueType>,
    pub(super) certainty: PerId<VariableId, Certainty>,
}

/// Reads the types from the records.
pub(super) fn declared<'a>(model: &Model<'a>, context: &mut Context<'_, '_, 'a>) -> Variables {
    let mut types = Vec::with_capacity(model.variables.len());
    let mut certainty = Vec::with_capacity(model.variables.len());
    for (id, variable) in ids::<VariableId, _>(&model.variables) {
        let shape = shape(variable, context);
        let axes = axes(variable, id, context);
        certainty.push(Certainty { shape: shape.is_some(), axes: axes.is_some() });
        types.push(ValueType {
            shape: shape.unwrap_or_default(),
            data_type: variable.data_type,
            // While the axes are not known, assume a batch of samples.
            axes: axes.unwrap_or(DynamicAxes { batch: true, sequence: None }),
        });
    }
    Variables { types: PerId::from(types), certainty: PerId::from(certainty) }
}

/// The row-major shape; `None` if it is unknown in the record.
fn shape(variable: &Variable<'_>, context: &mut Context<'_, '_, '_>) -> Option<Dims> {
    if variable.shape.is_unknown() || variable.shape.rank() > MOST_AXES {
        return None;
    }
    let dim = |entry: &u64| match *entry {
        Shape::FREE | Shape::INFERRED => context.fresh(),
        n => Dim::Known(n),
    };
    Some(variable.shape.0.iter().rev().map(dim).collect())
}

/// The dynamic axes; `None` if they are unknown in the record.
fn axes<'a>(variable: &Variable<'a>, id: VariableId, context: &mut Context<'_, '_, 'a>) -> Option<DynamicAxes> {
    context.axes.of(&variable.dynamic_axes, None, Source::Variable(id))
}
