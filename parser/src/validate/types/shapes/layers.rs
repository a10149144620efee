//! Shapes of BatchNormalization and OptimizedRNNStack, which have parameters of their own.

use crate::model::{Dim, Dims, MAX_DIM, Source};
use crate::ops::attributes::{BatchNormalization, OptimizedRnnStack, RecurrentOp};
use crate::validate::rules;
use crate::validate::types::node::Node;
use crate::validate::types::value::{count, show};

/// BatchNormalization (spec 4.9): scale, bias, mean and variance have an element per channel or per element.
pub(super) fn batch_normalization(node: &mut Node<'_, '_, '_, '_>, attributes: &BatchNormalization) -> Option<Dims> {
    let x = node.shape(0)?;
    let wanted = if attributes.spatial { x.first().copied().unwrap_or(Dim::Known(1)).known() } else { count(x) };
    for i in 1..node.operands.len().min(5) {
        let Some(shape) = node.shape(i) else { continue };
        if let (Some(found), Some(wanted)) = (count(shape), wanted)
            && found != wanted
        {
            let text = format!("the shape {} where {wanted} elements are needed for {}", show(shape), show(x));
            return node.input(&rules::SHAPE, i, text);
        }
    }
    // Files before 2.0 have no count.
    if let Some(counter) = node.shape(5).filter(|dims| dims.len() > 1 || !Node::is_one(dims)) {
        let text = format!("a running count of shape {}, not a number", show(counter));
        return node.input(&rules::SHAPE, 5, text);
    }
    Some(x.clone())
}

/// OptimizedRNNStack (spec 4.10): the hidden states of the last layer. Checks that the parameter has all weights.
pub(super) fn rnn_stack(node: &mut Node<'_, '_, '_, '_>, stack: &OptimizedRnnStack) -> Option<Dims> {
    for (value, key) in [(stack.hidden_size, "hiddenSize"), (stack.num_layers, "numLayers")] {
        if !(1..=MAX_DIM).contains(&value) {
            return node.attribute(&rules::ATTRIBUTE_RANGE, key, format!("{value} is not between 1 and {MAX_DIM}"));
        }
    }
    let directions = if stack.bidirectional { 2 } else { 1 };
    let width = stack.hidden_size.checked_mul(directions)?;
    let x = node.shape(0)?;
    let [input] = x.as_slice() else {
        return node.input(&rules::SHAPE, 0, format!("an input of shape {}, not a vector", show(x)));
    };
    if let (Some(input), Some(parameter)) = (input.known(), node.shape(1)) {
        let found = count(parameter);
        let needed = weights(stack, input, directions);
        if found.is_some() && found != needed {
            let needed = needed.map_or_else(|| "more than 2^64".to_owned(), |n| n.to_string());
            let text = format!("a parameter of shape {} where {needed} elements are needed", show(parameter));
            return node.input(&rules::RNN_PARAMETERS, 1, text);
        }
    }
    if matches!(node.operands.get(1).map(|o| o.source), Some(Source::Output(..))) {
        return node.input(&rules::RNN_PARAMETERS, 1, "the weights are computed, not stored".to_owned());
    }
    Some([Dim::Known(width)].into_iter().collect())
}

/// The number of weights in the packed parameter.
fn weights(stack: &OptimizedRnnStack, input: u64, directions: u64) -> Option<u64> {
    let gates: u64 = match stack.recurrent_op {
        RecurrentOp::Lstm => 4,
        RecurrentOp::Gru => 3,
        RecurrentOp::RnnRelu | RecurrentOp::RnnTanh => 1,
    };
    let hidden = stack.hidden_size;
    let rows = gates.checked_mul(hidden)?.checked_mul(directions)?;
    // W, R and two biases. Each layer after the first reads the hidden states of both directions.
    let layer = |input: u64| rows.checked_mul(input.checked_add(hidden)?.checked_add(2)?);
    let others = layer(hidden.checked_mul(directions)?)?.checked_mul(stack.num_layers.checked_sub(1)?)?;
    layer(input)?.checked_add(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_parameter_length() {
        let stack =
            OptimizedRnnStack { hidden_size: 4, num_layers: 2, bidirectional: true, recurrent_op: RecurrentOp::Lstm };
        assert_eq!(weights(&stack, 4, 2), Some(768));
    }
}
