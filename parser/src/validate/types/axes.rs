//! Infers dynamic axes (spec 4.3): which of them a value has, and which sequence axis.

use super::node::Node;
use super::value::show as show_shape;
use crate::model::{Axis, AxisKind, DynamicAxes, Source};
use crate::ops::{Class, Operator};
use crate::validate::findings::Quoted;
use crate::validate::rules;

/// The dynamic axes of a function's outputs; `None` while they cannot be known.
pub(crate) fn infer<'a>(node: &mut Node<'_, '_, '_, 'a>, operator: &Operator<'a>) -> Option<DynamicAxes> {
    suit(node, operator)?;
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

/// Checks which operands have dynamic axes and which have none, as CNTK does when it loads or evaluates an operator.
fn suit(node: &mut Node<'_, '_, '_, '_>, operator: &Operator<'_>) -> Option<()> {
    let (needed, refused) = dynamic_operands(operator);
    for i in needed {
        if node.is_fixed(*i) == Some(true) {
            let text = format!("input {i} has no dynamic axes, and CNTK looks for its samples");
            return node.input(&rules::DYNAMIC_AXES, *i, text);
        }
    }
    for i in refused {
        if node.is_fixed(*i) == Some(false) {
            let text = format!("input {i} has dynamic axes, and CNTK takes one without");
            return node.input(&rules::DYNAMIC_AXES, *i, text);
        }
    }
    let apart = match (node.is_fixed(0), node.is_fixed(1), operator) {
        (
            Some(a),
            Some(b),
            Operator::CosDistance | Operator::CosDistanceWithNegativeSamples | Operator::Unpooling(_),
        ) => a != b,
        (Some(x), Some(reference), Operator::Crop(_)) => x && !reference,
        _ => false,
    };
    if apart {
        let text = "one of the first two inputs has dynamic axes and the other has none".to_owned();
        return node.input(&rules::DYNAMIC_AXES, 1, text);
    }
    match operator {
        Operator::Convolution(_) => whole_samples(node, 1),
        Operator::BatchNormalization(_) => whole_samples(node, 0),
        _ => Some(()),
    }
}

/// The operands that must have a dynamic axis, and those that must have none.
fn dynamic_operands(operator: &Operator<'_>) -> (&'static [usize], &'static [usize]) {
    match operator {
        Operator::Where(_) | Operator::UnpackBatch => (&[0], &[]),
        Operator::GatherPacked | Operator::ReconcileDynamicAxis => (&[1], &[]),
        // The N of ClassificationError is a number.
        Operator::PackedIndex
        | Operator::SquaredError
        | Operator::CrossEntropyWithSoftmax
        | Operator::ClassificationError
        | Operator::EditDistanceError(_)
        | Operator::ForwardBackward(_)
        | Operator::ROIPooling(_) => (&[0, 1], &[]),
        Operator::ScatterPacked | Operator::Logistic | Operator::LambdaRank | Operator::NDCG => (&[0, 1, 2], &[]),
        Operator::Convolution(_) | Operator::RandomSample(_) | Operator::RandomSampleInclusionFrequency(_) => {
            (&[], &[0])
        }
        Operator::Gather | Operator::OptimizedRNNStack(_) => (&[], &[1]),
        Operator::Assign => (&[], &[0, 1]),
        Operator::BatchNormalization(_) => (&[], &[1, 2, 3, 4, 5]),
        _ => (&[], &[]),
    }
}

/// Checks the operand of an operator that works on whole samples. CNTK takes each column of a value without dynamic axes for one, though
/// columns have the length of the first file axis: it reads and writes beyond the value. (A pooling stays within it.)
fn whole_samples(node: &mut Node<'_, '_, '_, '_>, i: usize) -> Option<()> {
    let columns = node.shape(i).and_then(|shape| shape.split_last()).map_or(&[][..], |(_, columns)| columns);
    if Node::is_one(columns) || node.is_fixed(i) != Some(true) {
        return Some(());
    }
    let shape = show_shape(node.shape(i)?);
    let text = format!("input {i} of shape {shape} has no dynamic axes: CNTK takes each of its columns for a sample");
    node.input(&rules::DYNAMIC_AXES, i, text)
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
