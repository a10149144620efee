//! What an expression reads as data, and what for no more than its shape, type or device.

use crate::pytorch::python::expr::{Expr, ValueId};

/// Calls `f` with every value that an expression reads, and whether it is read for its shape, type or device alone.
pub(super) fn reads(expr: &Expr, f: &mut impl FnMut(ValueId, bool)) {
    let mut weak = Vec::new();
    expr.each(&mut |e| {
        if let Some(Expr::Value(v)) = looked_at(e) {
            weak.push(*v);
        }
    });
    for v in expr.values() {
        let at = weak.iter().position(|w| *w == v);
        if let Some(at) = at {
            weak.swap_remove(at);
        }
        f(v, at.is_some());
    }
}

/// What an expression reads for its shape, type or device alone.
pub(super) fn looked_at(expr: &Expr) -> Option<&Expr> {
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
