//! Generates recurrences: a delay that reads a value computed from it, through a placeholder with that value's uid.

use super::maker::Maker;
use super::values::{entry, number};
use crate::mutate::{Choice, tagged};
use crate::schema::{DictionaryValue, Member};
use cntk_parser::ops::Op;

/// A loop over a sequence.
pub(super) fn recurrence(maker: &mut Maker<'_, '_>) -> Option<()> {
    let x = maker.pick(|v| v.sequence.is_some() && v.batch && v.known().is_some())?;
    let dims = x.known()?;
    let op = [Op::PastValue, Op::FutureValue][maker.choice.below(2)];
    let offset = if maker.choice.one_in(4) { 2 } else { 1 };
    let initial = maker.tensor_of(&[], true, x.elem, Some(0.25));
    let place = maker.functions.len();
    let first = maker.pool.len();
    let state = maker.function(op, &[&x, &initial], vec![entry("offset", number(offset))], x.like());
    let joined = [Op::Plus, Op::ElementTimes, Op::Minus][maker.choice.below(3)];
    let mut value = maker.function(joined, &[&x, &state], vec![], x.like());
    for _ in 0..maker.choice.below(3) {
        value = match maker.choice.below(4) {
            0 if dims.len() == 1 => {
                let w = maker.tensor_of(&[dims[0], dims[0]], false, x.elem, None);
                let attributes = super::ops::times(1);
                maker.function(Op::Times, &[&w, &value], attributes, x.like())
            }
            1 => maker.function(Op::Tanh, &[&value], vec![], x.like()),
            2 => maker.function(Op::Plus, &[&value, &state], vec![], x.like()),
            _ => {
                let w = maker.tensor_of(&dims, false, x.elem, None);
                maker.function(Op::ElementTimes, &[&w, &value], vec![], x.like())
            }
        };
    }
    // Not everything within the loop is to be read from outside.
    let last = value.clone();
    maker.pool.truncate(first);
    maker.pool.push(last);
    maker.placeholder(&value, Some(value.uid.clone()));
    redirect(&mut maker.functions[place], &value.uid);
    Some(())
}

/// Sets input 0 of a function to `uid`.
fn redirect(function: &mut DictionaryValue, uid: &str) {
    let Some(Member::Dictionary(record)) = &mut function.value else { return };
    for entry in record.data.iter_mut().filter(|e| e.key == "inputs") {
        if let Some(Member::Vector(inputs)) = entry.value.as_mut().and_then(|v| v.value.as_mut()) {
            inputs.value[0] = tagged(Member::String(uid.to_owned()));
        }
    }
}
