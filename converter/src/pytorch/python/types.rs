//! What a type checker knows to be a tensor.

use super::expr::{Binary, Expr, Module};
use super::plan::Plan;

impl Expr {
    /// Does a type checker know that this is a tensor, from the annotations of PyTorch or of the file?
    pub(crate) fn is_plainly_tensor(&self) -> bool {
        const KNOWN: [&str; 12] = [
            "relu",
            "elu",
            "leaky_relu",
            "softmax",
            "log_softmax",
            "pad",
            "conv1d",
            "conv2d",
            "conv3d",
            "conv_transpose1d",
            "conv_transpose2d",
            "conv_transpose3d",
        ];
        let Self::Call(function, arguments) = self else { return false };
        match &**function {
            Self::Torch(Module::Torch, _) | Self::Helper(_) => !arguments.is_empty(),
            Self::Torch(Module::Functional, name) => KNOWN.contains(&&**name),
            _ => false,
        }
    }
}

impl Expr {
    /// Is it a list, or one repeated?
    pub(super) fn is_list(&self) -> bool {
        match self {
            Self::Binary(_, a, _) => a.is_list(),
            _ => matches!(self, Self::List(_)),
        }
    }
}

impl Plan<'_> {
    /// Does a type checker know that this is a tensor?
    pub(super) fn is_plainly_tensor(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Value(v) if self.is_written_out(*v) => self.is_plainly_tensor(&self.body.values[v.0 as usize].expr),
            _ => expr.is_plainly_tensor(),
        }
    }

    /// Does a type checker know that this is a tensor once arguments and variables are annotated?
    pub(super) fn gives_tensor(&self, expr: &Expr) -> bool {
        const METHODS: [&str; 14] = [
            "flatten",
            "mean",
            "sum",
            "sigmoid",
            "tanh",
            "exp",
            "log",
            "sqrt",
            "square",
            "reshape",
            "transpose",
            "squeeze",
            "new_zeros",
            "new_full",
        ];
        match expr {
            Expr::Value(v) if self.inlined[v.0 as usize] => self.gives_tensor(&self.body.values[v.0 as usize].expr),
            Expr::Value(v) => {
                let value = &self.body.values[v.0 as usize];
                !value.is_atom || matches!(*value.expr, Expr::Local(_))
            }
            // What is added to something of an unknown type has one, too.
            Expr::Binary(Binary::Plus | Binary::Minus | Binary::Times | Binary::MatMul, a, b) => {
                self.gives_tensor(a) && (matches!(**b, Expr::Int(_) | Expr::Number(_)) || self.gives_tensor(b))
            }
            Expr::Call(function, _) => match &**function {
                Expr::Attribute(x, name) => METHODS.contains(&&**name) && self.gives_tensor(x),
                _ => expr.is_plainly_tensor(),
            },
            _ => expr.is_plainly_tensor(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::pytorch::python::expr::{ValueId, args, functional, helper, list, of, torch};

    #[test]
    fn what_a_type_checker_takes_for_a_tensor() {
        let x = ValueId(0);
        assert!(torch("cat", args![list(&[x]), 1]).is_plainly_tensor());
        assert!(helper("hardmax", args![x, 1]).is_plainly_tensor());
        assert!((list(&[x]) * 2).is_list() && !(of(x) * 2).is_list());
        assert!(!functional("one_hot", args![x, 1]).is_plainly_tensor());
        assert!(!of(x).method("exp", args![]).is_plainly_tensor());
    }
}
