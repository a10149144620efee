//! Finds the readers of a value or weight, to decide what a layer may include.

use super::Lower;
use cntk_parser::model::{FunctionId, Source, VariableId, VariableKind};
use cntk_parser::ops::Operator;

impl Lower<'_, '_, '_> {
    /// The only consumer of `source`, if it is in the same loop (or both in none) and `source` is not an output of the
    /// model.
    pub(crate) fn only_consumer(&self, source: Source) -> Option<FunctionId> {
        let [one] = self.consumers.get(&source)?.as_slice() else { return None };
        let Source::Output(f, _) = source else { return None };
        let model = self.graph.model;
        (!self.wanted.contains(&source) && model.loop_of(*one) == model.loop_of(f)).then_some(*one)
    }

    /// The Plus that adds a parameter to the result of `f`, and the parameter, if nothing else reads that result.
    pub(crate) fn bias_of(&self, f: FunctionId) -> Option<(FunctionId, VariableId)> {
        let source = Source::Output(f, 0);
        let plus = self.only_consumer(source)?;
        let model = self.graph.model;
        if !matches!(model.operator(plus), Operator::Plus) {
            return None;
        }
        let other = model.inputs(plus).iter().copied().find(|s| *s != source)?;
        let Source::Variable(v) = other else { return None };
        let is_weight = matches!(model.variable(v).kind, VariableKind::Parameter | VariableKind::Constant);
        is_weight.then_some((plus, v))
    }

    /// Is `bias` added to every product of `weight`, and read nowhere else?
    pub(crate) fn is_bias_of(&self, bias: VariableId, weight: VariableId) -> bool {
        let Some(all) = self.consumers.get(&Source::Variable(weight)) else { return false };
        let added = || all.iter().all(|f| self.bias_of(*f).is_some_and(|(_, b)| b == bias));
        self.readers(bias) == 1 || (self.readers(bias) == all.len() && added())
    }

    /// Is `bias` not held yet, or held by the layer that holds `weight`?
    pub(crate) fn may_join(&self, bias: VariableId, weight: VariableId) -> bool {
        let state = |v| self.owners.get(&v).map(|o| o.state);
        state(bias).is_none() || state(bias) == state(weight)
    }

    /// The number of operands of functions that are this variable.
    pub(crate) fn readers(&self, v: VariableId) -> usize {
        self.readers.get(&v).copied().unwrap_or(0)
    }
}
