//! What can be said of a value's sign from the graph alone: where CNTK's guards against zero cannot fire, they are left out.

use super::Lower;
use cntk_parser::model::Source;
use cntk_parser::ops::Operator;
use cntk_parser::ops::attributes::Reduction;

impl Lower<'_, '_, '_> {
    /// Is every element above zero, far enough not to be lost in rounding? Looks at most `depth` functions back.
    pub(crate) fn is_positive(&self, source: Source, depth: u32) -> bool {
        let Some((f, depth)) = self.step(source, depth) else {
            return self.literals(source).is_some_and(|v| v.iter().all(|v| *v > 0.0));
        };
        let model = self.graph.model;
        let inputs = model.inputs(f);
        match model.operator(f) {
            Operator::Cosh => true,
            Operator::Plus => {
                (self.is_positive(inputs[0], depth) && self.is_non_negative(inputs[1], depth))
                    || (self.is_positive(inputs[1], depth) && self.is_non_negative(inputs[0], depth))
            }
            Operator::ElementTimes => same(inputs) && self.is_positive(inputs[0], depth),
            Operator::Pass
            | Operator::NoOp
            | Operator::StopGradient
            | Operator::Sqrt
            | Operator::Reshape(_)
            | Operator::ReconcileDynamicAxis => self.is_positive(inputs[0], depth),
            Operator::ReduceElements(r) => {
                matches!(r.reduction, Reduction::Sum | Reduction::Mean | Reduction::Max | Reduction::Min)
                    && self.is_positive(inputs[0], depth)
            }
            _ => false,
        }
    }

    /// Is every element zero or above?
    pub(crate) fn is_non_negative(&self, source: Source, depth: u32) -> bool {
        let Some((f, depth)) = self.step(source, depth) else {
            return self.literals(source).is_some_and(|v| v.iter().all(|v| *v >= 0.0));
        };
        let model = self.graph.model;
        let inputs = model.inputs(f);
        match model.operator(f) {
            Operator::Exp
            | Operator::Sigmoid
            | Operator::StableSigmoid
            | Operator::Abs
            | Operator::ReLU
            | Operator::Sqrt
            | Operator::Softmax
            | Operator::Cosh => true,
            Operator::ElementTimes if same(inputs) => true,
            Operator::Plus | Operator::ElementTimes => inputs.iter().all(|i| self.is_non_negative(*i, depth)),
            Operator::Reciprocal
            | Operator::Pass
            | Operator::NoOp
            | Operator::StopGradient
            | Operator::Reshape(_)
            | Operator::ReconcileDynamicAxis => self.is_non_negative(inputs[0], depth),
            Operator::ReduceElements(r) => {
                matches!(
                    r.reduction,
                    Reduction::Sum | Reduction::Mean | Reduction::Max | Reduction::Min | Reduction::Prod
                ) && self.is_non_negative(inputs[0], depth)
            }
            _ => false,
        }
    }

    fn step(&self, source: Source, depth: u32) -> Option<(cntk_parser::model::FunctionId, u32)> {
        match source {
            Source::Output(f, 0) if self.graph.model.loop_of(f).is_none() => Some((f, depth.checked_sub(1)?)),
            _ => None,
        }
    }
}

fn same(inputs: &[Source]) -> bool {
    inputs.len() == 2 && inputs[0] == inputs[1]
}
