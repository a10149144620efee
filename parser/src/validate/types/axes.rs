//! Infers dynamic axes (spec 4.3): which of them a value has, and which sequence axis.

use super::node::Node;
use crate::model::{Axis, AxisKind, DynamicAxes, Source};
use crate::ops::{Class, Operator};
use crate::validate::findings::Quoted;
use crate::validate::rules;

/// The dynamic axes of a function's outputs; `None` while they cannot be known.
pub(crate) fn infer<'a>(node: &mut Node<'_, '_, '_, 'a>, operator: &Operator<'a>) -> Option<DynamicAxes> {
    for i in minibatches(operator) {
        if operand(node, *i) == Some(DynamicAxes::default()) {
            let text = format!("input {i} has no dynamic axes, and CNTK looks for its samples");
            return node.input(&rules::DYNAMIC_AXES, *i, text);
        }
    }
    for i in fixed(operator) {
        if operand(node, *i).is_some_and(|axes| axes != DynamicAxes::default()) {
            let text = format!("input {i} has dynamic axes, and CNTK takes one without");
            return node.input(&rules::DYNAMIC_AXES, *i, text);
        }
    }
    if operator.facts().class == Class::Similarity {
        let (a, b) = (operand(node, 0), operand(node, 1));
        if a.zip(b).is_some_and(|(a, b)| (a == DynamicAxes::default()) != (b == DynamicAxes::default())) {
            let text = "CNTK compares values that both have dynamic axes, or that both have none".to_owned();
            return node.input(&rules::DYNAMIC_AXES, 1, text);
        }
    }
    let batch = DynamicAxes { batch: true, sequence: None };
    let without_sequence = |axes: DynamicAxes| DynamicAxes { sequence: None, ..axes };
    match operator {
        Operator::SumAll | Operator::UnpackBatch => Some(DynamicAxes::default()),
        // CNTK compares the axes of a criterion's operands at evaluation, by their lengths.
        _ if operator.facts().class == Class::Criterion => Some(DynamicAxes::default()),
        Operator::ToBatch => Some(batch),
        Operator::PackedIndex
        | Operator::GatherPacked
        | Operator::ReconcileDynamicAxis
        | Operator::ToSequenceLike(_) => operand(node, 1),
        Operator::ScatterPacked => operand(node, 2),
        Operator::PastValue(_) | Operator::FutureValue(_) | Operator::OptimizedRNNStack(_) => operand(node, 0),
        Operator::UnpackSequence(_) => operand(node, 0).map(without_sequence),
        Operator::ConvolutionSequenceShape(_) => operand(node, 1).map(without_sequence),
        Operator::Times(times) if times.reduces_sequence() => union(node).map(without_sequence),
        Operator::ReduceElements(reduce) => {
            let axes = operand(node, 0)?;
            Some(reduce.axes.iter().fold(axes, |axes, reduced| match reduced.kind() {
                AxisKind::All | AxisKind::Batch => DynamicAxes::default(),
                AxisKind::Sequence => without_sequence(axes),
                _ => axes,
            }))
        }
        Operator::Where(attributes) => match &attributes.new_dynamic_axes {
            Some(axes) => listed(node, axes),
            // Written before the axes of the condition were known. With these factors it selects one frame of each
            // sequence.
            None if (attributes.length_scaling, attributes.length_additive) == (Some(0), Some(1)) => Some(batch),
            None => {
                let condition = node.operands.first()?.source;
                Some(DynamicAxes { batch: true, sequence: Some(node.context.axes.made_by(condition)) })
            }
        },
        Operator::ToSequence(attributes) => match &attributes.new_dynamic_axes {
            Some(axes) => listed(node, axes),
            None => {
                let made = node.context.axes.made_by(Source::Output(node.id, 0));
                Some(DynamicAxes { batch: true, sequence: Some(made) })
            }
        },
        _ => union(node),
    }
}

/// The operands that must have a dynamic axis.
fn minibatches(operator: &Operator<'_>) -> &'static [usize] {
    match operator {
        Operator::Where(_) => &[0],
        Operator::PackedIndex => &[0, 1],
        Operator::GatherPacked | Operator::ReconcileDynamicAxis => &[1],
        // The N of ClassificationError is a number.
        Operator::SquaredError
        | Operator::CrossEntropyWithSoftmax
        | Operator::ClassificationError
        | Operator::EditDistanceError(_)
        | Operator::ForwardBackward(_) => &[0, 1],
        Operator::ScatterPacked | Operator::Logistic | Operator::LambdaRank | Operator::NDCG => &[0, 1, 2],
        _ => &[],
    }
}

/// The operands that must not have a dynamic axis.
fn fixed(operator: &Operator<'_>) -> &'static [usize] {
    match operator {
        Operator::Gather => &[1],
        Operator::Assign => &[0, 1],
        _ => &[],
    }
}

/// The axes of one operand.
fn operand(node: &Node<'_, '_, '_, '_>, i: usize) -> Option<DynamicAxes> {
    node.operands.get(i)?.axes()
}

/// The dynamic axes that an attribute lists.
fn listed<'a>(node: &mut Node<'_, '_, '_, 'a>, axes: &[Axis<'a>]) -> Option<DynamicAxes> {
    let key = "newDynamicAxes";
    if axes.is_empty() {
        return node.attribute(&rules::ATTRIBUTE_LENGTH, key, "no axis".to_owned());
    }
    let repeated = |(i, axis): (usize, &Axis<'a>)| axes.iter().take(i).any(|other| other.name == axis.name);
    if axes.len() > 2 || axes.iter().enumerate().any(repeated) {
        let text = "more than a sequence axis and the batch axis".to_owned();
        return node.attribute(&rules::ATTRIBUTE_LENGTH, key, text);
    }
    let own = operand(node, 0)?.sequence;
    node.context.axes.of(axes, own, Source::Output(node.id, 0))
}

/// The common dynamic axes of the operands. All operands that have any must have the same; unknown ones are skipped.
fn union(node: &mut Node<'_, '_, '_, '_>) -> Option<DynamicAxes> {
    let mut found: Option<(usize, DynamicAxes)> = None;
    let mut known = node.operands.is_empty();
    for (i, operand) in node.operands.iter().enumerate() {
        let Some(axes) = operand.axes() else { continue };
        known = true;
        if axes == DynamicAxes::default() {
            continue;
        }
        match found {
            None => found = Some((i, axes)),
            Some((_, first)) if first == axes => {}
            Some((other, first)) => {
                let text = format!(
                    "input {i} has the dynamic axes {}, input {other} has {}",
                    show(node, axes),
                    show(node, first)
                );
                return node.input(&rules::DYNAMIC_AXES, i, text);
            }
        }
    }
    // Operands without dynamic axes decide nothing while another operand is unknown.
    let all = node.operands.iter().all(|o| o.axes().is_some());
    match found {
        Some((_, axes)) => Some(axes),
        None if known && all => Some(DynamicAxes::default()),
        None => None,
    }
}

fn show(node: &Node<'_, '_, '_, '_>, axes: DynamicAxes) -> String {
    let sequence = axes.sequence.and_then(|id| node.context.axes.get(id)).map(|axis| Quoted(axis.name));
    match (axes.batch, sequence) {
        (true, Some(name)) => format!("[batch, sequence {name}]"),
        (true, None) => "[batch]".to_owned(),
        (false, Some(name)) => format!("[sequence {name}]"),
        (false, None) => "[]".to_owned(),
    }
}
