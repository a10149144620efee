//! Random numbers.

use crate::generate::maker::{FLOAT, HALF, Maker, Value};
use crate::generate::values::{double, entry, flag, int, list, number, row_shape, text};
use crate::mutate::Choice;
use crate::schema::Entry;
use cntk_parser::ops::Op;

fn state() -> [Entry; 2] {
    [entry("rngSeed", number(3)), entry("rngOffset", number(0))]
}

pub(super) fn distribution(m: &mut Maker<'_, '_>) -> Option<()> {
    let (name, arguments): (_, &[f64]) =
        [("uniform", &[0.0, 1.0][..]), ("normal", &[0.0, 1.0]), ("gumbel", &[0.0, 1.0]), ("bernoulli", &[0.5])]
            [m.choice.below(4)];
    let mut attributes = vec![
        entry("randomDistributionType", text(name)),
        entry("randomDistributionArgs", list(arguments.iter().map(|x| double(*x)).collect())),
    ];
    attributes.extend(state());
    let x = m.pick(|_| true)?;
    if m.choice.one_in(2) {
        m.function(Op::RandomDistribution, &[&x], attributes, x.like());
        return Some(());
    }
    let shape: Vec<_> = m.shape(3).into_iter().map(Some).collect();
    attributes.push(entry("newShape", row_shape(&shape)));
    // CNTK draws no half-precision numbers.
    let elem = if x.elem == HALF { FLOAT } else { x.elem };
    attributes.push(entry("newDataType", int(elem as i32)));
    let made = Value { batch: false, sequence: None, elem, ..x.shaped(shape) };
    m.function(Op::RandomDistribution, &[], attributes, made);
    Some(())
}

pub(super) fn sample(m: &mut Maker<'_, '_>, op: Op) -> Option<()> {
    let classes = 2 + m.size();
    let count = m.size().min(classes - 1);
    let weights = m.tensor_of(&[classes], false, FLOAT, Some(0.5));
    let mut attributes = vec![entry("numSamples", number(count)), entry("allowDuplicates", flag(m.choice.one_in(2)))];
    attributes.extend(state());
    let shape = if op == Op::RandomSample { vec![Some(count), Some(classes)] } else { vec![Some(classes)] };
    m.function(op, &[&weights], attributes, weights.shaped(shape));
    Some(())
}
