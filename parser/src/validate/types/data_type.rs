//! Infers element types (spec 4.3).

use super::node::Node;
use crate::model::DataType;
use crate::ops::Operator;
use crate::validate::rules;

/// The element type of a function's outputs.
pub(crate) fn infer(node: &mut Node<'_, '_, '_, '_>, operator: &Operator<'_>) -> DataType {
    match operator {
        Operator::Cast(cast) => cast.new_data_type,
        Operator::RandomDistribution(random) if node.operands.is_empty() => {
            random.new_data_type.unwrap_or(DataType::Unknown)
        }
        Operator::CustomProxyOp(custom) => custom.new_data_type.unwrap_or_else(|| common(node, usize::MAX)),
        // A batch normalization in half precision has statistics in single precision.
        Operator::BatchNormalization(_) if first(node) == Some(DataType::Float16) => DataType::Float16,
        _ => common(node, usize::MAX),
    }
}

fn first(node: &Node<'_, '_, '_, '_>) -> Option<DataType> {
    Some(node.operands.first()?.value.data_type)
}

/// The common type of the first `count` operands. Constants are converted to it; the others must agree.
fn common(node: &mut Node<'_, '_, '_, '_>, count: usize) -> DataType {
    let operands = node.operands;
    let mut found: Option<(usize, DataType)> = None;
    let known = |o: &&super::value::Operand<'_>| o.value.data_type != DataType::Unknown;
    for (i, operand) in operands.iter().enumerate().take(count).filter(|(_, o)| !o.constant && known(o)) {
        let data_type = operand.value.data_type;
        match found {
            None => found = Some((i, data_type)),
            Some((_, first)) if first == data_type => {}
            Some((other, first)) => {
                let text = format!("input {i} has the data type {data_type:?}, input {other} has {first:?}");
                node.input::<()>(&rules::DATA_TYPE, i, text);
                return first;
            }
        }
    }
    let constant = || operands.iter().find(known).map(|o| o.value.data_type);
    found.map(|(_, data_type)| data_type).or_else(constant).unwrap_or(DataType::Unknown)
}
