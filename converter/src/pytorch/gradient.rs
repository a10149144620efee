//! Finds the variables that a gradient reaches from the outputs. None passes through comparisons, conditions and
//! indices.

use crate::graph::Graph;
use cntk_parser::model::{Source, VariableId};
use cntk_parser::ops::Operator;
use cntk_parser::ops::attributes::Reduction;
use cntk_parser::ops::facts::Gradient;
use hashbrown::HashSet;

/// The variables on which the outputs depend differentiably.
pub(super) fn reached(graph: &Graph<'_, '_>) -> HashSet<VariableId> {
    let mut seen: HashSet<Source> = HashSet::new();
    let mut stack: Vec<Source> = graph.outputs.iter().map(|o| o.source).collect();
    let mut variables = HashSet::new();
    while let Some(source) = stack.pop() {
        if !seen.insert(source) {
            continue;
        }
        match source {
            Source::Variable(v) => {
                variables.insert(v);
            }
            Source::Output(f, output) => {
                let op = graph.model.operator(f);
                let inputs = graph.model.inputs(f).iter().enumerate();
                stack.extend(inputs.filter(|(operand, _)| passes(op, output, *operand)).map(|(_, s)| *s));
            }
        }
    }
    variables
}

/// Does a gradient flow from this output to this operand?
fn passes(op: &Operator<'_>, output: u32, operand: usize) -> bool {
    if let Operator::ReduceElements(r) = op {
        return !matches!(r.reduction, Reduction::Argmax | Reduction::Argmin);
    }
    match op.facts().gradient {
        Gradient::All => true,
        Gradient::None => false,
        Gradient::FirstOperand => operand == 0,
        Gradient::OtherOperands => operand > 0,
        Gradient::FirstOutput => output == 0,
    }
}
