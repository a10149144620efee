//! Who holds a weight.

use crate::pytorch::python::expr::{Expr, StateId, shape};

/// The module or parameter that holds a CNTK variable, so that other code can read it there.
#[derive(Clone)]
pub(crate) struct Owner {
    pub(crate) state: StateId,
    /// The name of the layer's tensor; empty if it is not in a layer.
    pub(crate) tensor: &'static str,
    /// An expression for the CNTK array; `None` if there is no short one.
    pub(crate) array: Option<Expr>,
}

impl Owner {
    /// A variable that is held as it is.
    pub(super) fn alone(state: StateId) -> Self {
        Self { state, tensor: "", array: Some(Expr::State(state)) }
    }

    /// A variable that is a tensor of a layer.
    pub(super) fn tensor(state: StateId, tensor: &'static str) -> Self {
        Self { state, tensor, array: Some(Expr::State(state).attribute(tensor)) }
    }

    /// A variable that a layer holds in an order of its own.
    pub(super) fn rearranged(state: StateId) -> Self {
        Self { state, tensor: "", array: None }
    }

    /// The same owner, with the array expression changed by `make`.
    pub(super) fn map(self, make: impl FnOnce(Expr) -> Expr) -> Self {
        Self { array: self.array.map(make), ..self }
    }

    /// The same owner, with the array reshaped to its sizes in CNTK if these differ.
    pub(super) fn shaped(self, sizes: &[u64], same: bool) -> Self {
        let shape = || shape(sizes.iter().map(|n| (*n).into()).collect());
        if same { self } else { self.map(|x| x.method("reshape", shape())) }
    }
}
