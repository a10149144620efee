//! Masks ask what they mask for its number of steps: `y.masked_fill(~valid_steps(y, lengths), 0.0)` instead of
//! `valid_steps(z, lengths)`, where `y` is `F.relu(z + self.b)`. A layer then reads no shapes but those of its entry.

use super::Network;
use crate::pytorch::python::expr::{Binary, Expr, Module, ValueId};
use crate::pytorch::python::uses::Uses;
use smallvec::SmallVec;

/// The most functions between two values of one shape.
const LONGEST: usize = 4;

/// Lets masks do so.
pub(super) fn ask_what_they_mask(network: &mut Network<'_>, uses: &Uses) {
    for v in uses.needed() {
        let reads: SmallVec<[ValueId; 4]> = network.body.code(v).values().collect();
        for mask in reads.iter().copied() {
            let Some(asked) = asked(network.body.expr(mask)) else { continue };
            let behind = |v: &ValueId| std::iter::successors(Some(*v), |v| like(network, *v)).take(LONGEST).skip(1);
            let masked = reads.iter().copied().find(|v| *v < mask && behind(v).any(|w| w == asked));
            if let Some(masked) = masked {
                let value = &mut network.body.values[mask.0 as usize];
                value.expr =
                    value.expr.rewrite(&mut |e| (*e == Expr::Value(asked)).then_some(Expr::Value(masked))).into();
            }
        }
    }
}

/// The value that a mask takes the number of steps from.
fn asked(expr: &Expr) -> Option<ValueId> {
    let Expr::Call(function, arguments) = expr else { return None };
    match (&**function, arguments.first().map(|a| &a.value)) {
        (Expr::Helper("valid_steps"), Some(Expr::Value(v))) => Some(*v),
        _ => None,
    }
}

/// The operand with the shape of a value: that of a function of each element, or of a sum with a bias.
fn like(network: &Network<'_>, v: ValueId) -> Option<ValueId> {
    let value = |e: &Expr| match e {
        Expr::Value(v) => Some(*v),
        _ => None,
    };
    match network.body.expr(v) {
        Expr::Call(function, arguments) => match &**function {
            Expr::Torch(Module::Functional, name) if name == "relu" => value(&arguments.first()?.value),
            Expr::Attribute(x, name) if matches!(&**name, "tanh" | "sigmoid") => value(x),
            _ => None,
        },
        Expr::Binary(Binary::Plus, a, b) => {
            let Expr::State(bias) = network.body.expr(value(b)?) else { return None };
            let held = network.states[bias.0 as usize].tensors.first()?;
            value(a).filter(|_| held.dims.len() < 2)
        }
        _ => None,
    }
}
