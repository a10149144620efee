//! Which variables a gradient reaches from the outputs: comparisons, choices and indices let none through.

use crate::graph::Graph;
use cntk_parser::model::{Source, VariableId};
use cntk_parser::ops::Operator;
use cntk_parser::ops::attributes::Reduction;
use hashbrown::HashSet;

/// The variables that the outputs depend on in a way that can be differentiated.
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

/// Does a gradient of this output go on to this operand?
fn passes(op: &Operator<'_>, output: u32, operand: usize) -> bool {
    match op {
        Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::LessEqual
        | Operator::Greater
        | Operator::GreaterEqual
        | Operator::Hardmax
        | Operator::OneHot(_)
        | Operator::StopGradient
        | Operator::ClassificationError
        | Operator::EditDistanceError(_)
        | Operator::Where(_)
        | Operator::PackedIndex
        | Operator::RandomSample(_)
        | Operator::RandomSampleInclusionFrequency(_)
        | Operator::RandomDistribution(_)
        | Operator::EyeLikeOp(_) => false,
        Operator::ReduceElements(r) => {
            !matches!(r.reduction, Reduction::Argmax | Reduction::Argmin | Reduction::All | Reduction::Any)
        }
        Operator::TopK(_) | Operator::UnpackSequence(_) => output == 0,
        Operator::Select => operand > 0,
        Operator::Crop(_) | Operator::ReconcileDynamicAxis | Operator::ToSequence(_) | Operator::ToSequenceLike(_) => {
            operand == 0
        }
        _ => true,
    }
}
