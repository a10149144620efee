//! Who reads a value or a weight: what a layer may take in.

use super::Lower;
use cntk_parser::model::{FunctionId, Source, VariableId, VariableKind};
use cntk_parser::ops::Operator;

impl Lower<'_, '_, '_> {
    /// Is there one consumer of `source`, in the same loop or outside of any, and is it no output of the model?
    pub(crate) fn only_consumer(&self, source: Source) -> Option<FunctionId> {
        let [one] = self.consumers.get(&source)?.as_slice() else { return None };
        let Source::Output(f, _) = source else { return None };
        let model = self.graph.model;
        (!self.wanted.contains(&source) && model.loop_of(*one) == model.loop_of(f)).then_some(*one)
    }

    /// The Plus that adds a parameter to the result of `f`, if nothing else reads that: with the parameter.
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

    /// Is `bias` read only where it is added to what `weight` makes, and that everywhere?
    pub(crate) fn is_bias_of(&self, bias: VariableId, weight: VariableId) -> bool {
        let Some(all) = self.consumers.get(&Source::Variable(weight)) else { return false };
        let added = || all.iter().all(|f| self.bias_of(*f).is_some_and(|(_, b)| b == bias));
        self.readers(bias) == 1 || (self.readers(bias) == all.len() && added())
    }

    /// Is `bias` held by nobody yet, or by the layer that holds `weight`?
    pub(crate) fn may_join(&self, bias: VariableId, weight: VariableId) -> bool {
        let state = |v| self.owners.get(&v).map(|o| o.state);
        state(bias).is_none() || state(bias) == state(weight)
    }

    /// How many operands of functions a variable is.
    pub(crate) fn readers(&self, v: VariableId) -> usize {
        self.readers.get(&v).copied().unwrap_or(0)
    }
}
