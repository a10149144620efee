//! What an expression calls: layers that need a statement, and functions that make objects.

use super::expr::{Argument, Expr, Weighs};

/// The layers that a statement calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    /// The number of layers that need a statement of their own.
    pub(crate) layers: u32,
    pub(crate) blocks: u32,
}

impl Calls {
    pub(crate) fn and(self, other: Self) -> Self {
        Self { layers: self.layers + other.layers, blocks: self.blocks + other.blocks }
    }

    /// One layer, or a block with a layer before it and one after it.
    pub(crate) fn fit_a_statement(self) -> bool {
        self.blocks <= 1 && self.layers <= 1 + self.blocks
    }
}

impl Expr {
    /// The layer that it calls itself, not in its parts.
    pub(super) fn own_calls(&self) -> Calls {
        match self {
            Self::Layer(_, Weighs::Statement, _) | Self::Each(_, Weighs::Statement) => Calls { layers: 1, blocks: 0 },
            Self::Layer(_, Weighs::Block, _) | Self::Each(_, Weighs::Block) => Calls { layers: 0, blocks: 1 },
            _ => Calls::default(),
        }
    }

    /// The function and arguments of a call that makes an object, and the method called on what it makes.
    pub(crate) fn construction(&self) -> Option<(&Self, &[Argument], &str)> {
        let Self::Call(function, arguments) = self else { return None };
        match &**function {
            Self::Attribute(made, method) if arguments.is_empty() => {
                let (function, arguments, _) = made.construction()?;
                Some((function, arguments, method))
            }
            Self::Torch(..) | Self::Helper(_) | Self::Class(_) => Some((function, arguments, "")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pytorch::python::code::Code;
    use crate::pytorch::python::expr::{StateId, ValueId, args, functional};

    #[test]
    fn layers_that_take_a_statement() {
        let (x, state) = (ValueId(0), StateId(0));
        let one = Calls { layers: 1, blocks: 0 };
        let calls = |e: Expr| Code::from(e).calls();
        assert_eq!(calls(Expr::layer(state, args![x]).at(0)), one);
        assert_eq!(calls(Expr::wrapper(state, x)), Calls::default());
        assert_eq!(calls(functional("relu", args![x])), Calls::default());
        let block = calls(Expr::Layer(state, Weighs::Block, args![x]));
        assert!(one.and(block).fit_a_statement());
        assert!(!one.and(one).fit_a_statement() && !block.and(block).fit_a_statement());
    }
}
