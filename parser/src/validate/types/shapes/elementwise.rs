//! Shapes of element-wise operators, with broadcasting.

use crate::model::{Dims, Source};
use crate::validate::arena::Id;
use crate::validate::rules;
use crate::validate::types::node::{Node, Stage};
use crate::validate::types::value::{count, show};

/// The shape of input `i`, unchanged.
pub(super) fn same_as(node: &Node<'_, '_, '_, '_>, i: usize) -> Option<Dims> {
    node.shape(i).cloned()
}

/// The shape that all operands broadcast to. In a recurrence, an operand that is not known yet is assumed to fit the
/// others, unless these are scalars.
pub(super) fn broadcast(node: &mut Node<'_, '_, '_, '_>) -> Option<Dims> {
    if node.operands.iter().any(|o| o.stays_unknown()) {
        return None;
    }
    let mut result: Option<Dims> = None;
    let mut all = true;
    for i in 0..node.operands.len() {
        let Some(shape) = node.shape(i) else {
            all = false;
            continue;
        };
        result = Some(match result {
            None => shape.clone(),
            Some(other) => match node.broadcast(&other, shape) {
                Some(joined) => joined,
                None => {
                    let text = format!("the shapes {} and {} do not broadcast", show(&other), show(shape));
                    return node.fail(&rules::SHAPE, text);
                }
            },
        });
    }
    let scalars = node.context.stage == Stage::Guessing;
    result.filter(|shape| all || scalars || !shape.is_empty())
}

/// Assign: a stored tensor is overwritten by a value with the same shape.
pub(super) fn assign(node: &mut Node<'_, '_, '_, '_>) -> Option<Dims> {
    let target = node.operands.first()?.source;
    let is_stored = match target {
        Source::Variable(v) => node.context.model.variables.get(v.place()).is_none_or(|v| v.value.is_some()),
        Source::Output(..) => false,
    };
    if !is_stored {
        let text = "the target of the assignment is neither a parameter nor a constant".to_owned();
        return node.input(&rules::ASSIGN_TARGET, 0, text);
    }
    let (target, value) = (node.shape(0)?, node.shape(1)?);
    let fits = target.len() == value.len() && target.iter().zip(value).all(|(a, b)| Node::equal(*a, *b));
    if fits { Some(value.clone()) } else { node.mismatch("target and value differ in shape", target, value) }
}

/// A delay: the delayed value broadcast with the initial state.
pub(super) fn delay(node: &mut Node<'_, '_, '_, '_>) -> Option<Dims> {
    if let Some(axes) = node.operands.first().and_then(|x| x.axes())
        && (!axes.batch || axes.sequence.is_none())
    {
        let text = "its first input needs a sequence axis and the batch axis".to_owned();
        return node.input(&rules::DELAY_AXES, 0, text);
    }
    let result = broadcast(node)?;
    // CNTK repeats a stored initial state along axes of size 1, but not one for each sample.
    if node.is_fixed(1) == Some(false)
        && let Some(initial) = node.shape(1)
        && count(initial).is_some_and(|n| count(&result).is_some_and(|all| n != all))
    {
        let text = format!("an initial state of shape {} for each sample of shape {}", show(initial), show(&result));
        return node.input(&rules::SHAPE, 1, text);
    }
    Some(result)
}
