//! The expressions of a body, with what they read at hand.
//!
//! Passes over a body ask for that more often than for anything else, and a walk through a tree fetches each of its nodes
//! from memory.

use super::calls::Calls;
use super::expr::{Expr, StateId, ValueId};
use smallvec::SmallVec;
use std::ops::Deref;

/// An expression, with what it reads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Code {
    expr: Expr,
    reads: SmallVec<[Read; 2]>,
    states: SmallVec<[StateId; 2]>,
    calls: Calls,
}

/// A value that an expression reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) value: ValueId,
    /// Is it read for its shape, type or device alone?
    pub(crate) weakly: bool,
}

impl Code {
    /// The values that it reads, in the order of the text.
    pub(crate) fn reads(&self) -> &[Read] {
        &self.reads
    }

    /// As [`Self::reads`], the values alone.
    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = ValueId> {
        self.reads.iter().map(|r| r.value)
    }

    /// The state of the module that it reads, in the order of the text.
    pub(crate) fn states(&self) -> &[StateId] {
        &self.states
    }

    /// The layers that it calls.
    pub(crate) fn calls(&self) -> Calls {
        self.calls
    }
}

impl From<Expr> for Code {
    fn from(expr: Expr) -> Self {
        let mut reads = SmallVec::<[Read; 2]>::new();
        let mut weak = SmallVec::<[ValueId; 2]>::new();
        let (mut states, mut calls) = (SmallVec::new(), Calls::default());
        expr.each(&mut |e| {
            match e {
                Expr::Value(value) => reads.push(Read { value: *value, weakly: false }),
                Expr::State(id) | Expr::Layer(id, ..) => states.push(*id),
                _ => {}
            }
            calls = calls.and(e.own_calls());
            if let Some(Expr::Value(v)) = looked_at(e) {
                weak.push(*v);
            }
        });
        for read in &mut reads {
            let at = weak.iter().position(|v| *v == read.value);
            read.weakly = at.map(|at| weak.swap_remove(at)).is_some();
        }
        Self { expr, reads, states, calls }
    }
}

impl Deref for Code {
    type Target = Expr;

    fn deref(&self) -> &Expr {
        &self.expr
    }
}

/// What an expression reads for its shape, type or device alone.
pub(crate) fn looked_at(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Attribute(x, name) => {
            let looks = matches!(&**name, "shape" | "device" | "dtype" | "new_full" | "new_zeros" | "new_ones");
            looks.then_some(&**x)
        }
        Expr::Call(function, arguments) => {
            let looks = match &**function {
                Expr::Helper(name) => matches!(*name, "valid_steps" | "full_lengths"),
                Expr::Torch(_, name) => name.ends_with("s_like") || matches!(&**name, "full_like" | "empty_like"),
                Expr::Attribute(_, name) => name == "type_as",
                _ => false,
            };
            arguments.first().filter(|_| looks).map(|a| &a.value)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pytorch::python::expr::{args, of};

    #[test]
    fn values_that_are_read_for_their_shapes_are_marked() {
        let (x, y) = (ValueId(0), ValueId(1));
        let code = Code::from(of(x) + of(y).method("new_full", args![of(x).attribute("shape"), 1]));
        let weakly = |value, weakly| Read { value, weakly };
        // Which of two reads of one value is the weak one is not told apart.
        assert_eq!(code.reads(), [weakly(x, true), weakly(y, true), weakly(x, false)]);
        let code = Code::from(Expr::layer(StateId(3), args![x]) + Expr::State(StateId(4)));
        assert_eq!((code.states(), code.calls().layers), ([StateId(3), StateId(4)].as_slice(), 1));
    }
}
