//! The text of expressions, with parentheses only where precedence needs them.

use super::expr::{Argument, Binary, Expr, Module, Prec, StateId, Subscript, Unary, ValueId};
use std::fmt::Write;

/// The text of values and state.
pub(crate) trait Names {
    /// Writes a value, in parentheses if it binds less tightly than `need`.
    fn value(&mut self, id: ValueId, need: Prec, out: &mut String);
    /// Writes the name after `self.`.
    fn state(&mut self, id: StateId, out: &mut String);
}

/// Appends the text of an expression.
pub(crate) fn write(expr: &Expr, names: &mut impl Names, out: &mut String) {
    match expr {
        Expr::Value(id) => names.value(*id, Prec::Lowest, out),
        Expr::State(id) => {
            out.push_str("self.");
            names.state(*id, out);
        }
        // Weights were replaced before anything is written.
        Expr::Weight(_) => {}
        Expr::Local(name) | Expr::Class(name) | Expr::Number(name) | Expr::Each(name, _) => out.push_str(name),
        Expr::Torch(module, name) => {
            out.push_str(prefix(*module));
            out.push_str(name);
        }
        Expr::Helper(name) => out.push_str(name),
        Expr::Stub(name) => {
            out.push_str("self.");
            out.push_str(name);
        }
        Expr::Int(n) => {
            let _ = write!(out, "{n}");
        }
        Expr::Quoted(text) => {
            let _ = write!(out, "\"{text}\"");
        }
        Expr::Bool(value) => out.push_str(if *value { "True" } else { "False" }),
        Expr::Attribute(x, name) => {
            operand(x, Prec::Primary, names, out);
            out.push('.');
            out.push_str(name);
        }
        Expr::Call(function, list) => {
            operand(function, Prec::Primary, names, out);
            arguments(list, names, out);
        }
        Expr::Layer(id, _, list) => {
            out.push_str("self.");
            names.state(*id, out);
            arguments(list, names, out);
        }
        Expr::Index(x, index) => {
            operand(x, Prec::Primary, names, out);
            out.push('[');
            separated(index, out, |s, out| subscript(s, names, out));
            out.push(']');
        }
        Expr::Unary(op, x) => {
            out.push(if *op == Unary::Negative { '-' } else { '~' });
            operand(x, Prec::Unary, names, out);
        }
        Expr::Binary(op, a, b) => binary(*op, a, b, names, out),
        Expr::Tuple(all) => {
            out.push('(');
            separated(all, out, |e, out| operand(e, Prec::Compare, names, out));
            out.push_str(if all.len() == 1 { ",)" } else { ")" });
        }
        // A comprehension that is the only item of a list is the list itself, without a star.
        Expr::List(all) if matches!(all.as_slice(), [Expr::Repeat(..)]) => {
            let mut text = String::new();
            write(&all[0], names, &mut text);
            out.push_str(&text[1..]);
        }
        Expr::List(all) => {
            out.push('[');
            separated(all, out, |e, out| operand(e, Prec::Compare, names, out));
            out.push(']');
        }
        Expr::Repeat(item, variables, over) => {
            out.push_str("*[");
            write(item, names, out);
            let _ = write!(out, " for {variables} in ");
            write(over, names, out);
            out.push(']');
        }
        Expr::If(parts) => choice(parts, names, out),
        Expr::Nothing => out.push_str("None"),
        Expr::Bare(all) => separated(all, out, |e, out| operand(e, Prec::Compare, names, out)),
    }
}

fn prefix(module: Module) -> &'static str {
    match module {
        Module::Torch => "torch.",
        Module::Functional => "F.",
        Module::Nn => "nn.",
    }
}

fn binary(op: Binary, a: &Expr, b: &Expr, names: &mut impl Names, out: &mut String) {
    let (left, sign, right) = around(op);
    operand(a, left, names, out);
    // Powers of names and numbers take no spaces.
    let simple = |e: &Expr| matches!(e, Expr::Int(0..) | Expr::Local(_));
    let tight = op == Binary::Power && simple(a) && simple(b);
    out.push_str(if tight { sign.trim() } else { sign });
    operand(b, right, names, out);
}

/// Appends `yes if condition else no`.
fn choice([condition, yes, no]: &[Expr; 3], names: &mut impl Names, out: &mut String) {
    operand(yes, Prec::Or, names, out);
    out.push_str(" if ");
    operand(condition, Prec::Compare, names, out);
    out.push_str(" else ");
    operand(no, Prec::Or, names, out);
}

/// Appends an operand, in parentheses if it binds less tightly than `need`.
pub(crate) fn operand(expr: &Expr, need: Prec, names: &mut impl Names, out: &mut String) {
    if let Expr::Value(id) = expr {
        return names.value(*id, need, out);
    }
    let loose = expr.precedence() < need;
    if loose {
        out.push('(');
    }
    write(expr, names, out);
    if loose {
        out.push(')');
    }
}

/// The precedence that an operator needs on its left, its sign, and the precedence on its right.
fn around(op: Binary) -> (Prec, &'static str, Prec) {
    let compares = |sign| (Prec::Or, sign, Prec::Or);
    match op {
        Binary::Plus => (Prec::Sum, " + ", Prec::Product),
        Binary::Minus => (Prec::Sum, " - ", Prec::Product),
        Binary::Times => (Prec::Product, " * ", Prec::Unary),
        Binary::Over => (Prec::Product, " / ", Prec::Unary),
        Binary::Floor => (Prec::Product, " // ", Prec::Unary),
        Binary::Modulo => (Prec::Product, " % ", Prec::Unary),
        Binary::MatMul => (Prec::Product, " @ ", Prec::Unary),
        Binary::Power => (Prec::Primary, " ** ", Prec::Unary),
        Binary::And => (Prec::And, " & ", Prec::Sum),
        Binary::Equal => compares(" == "),
        Binary::NotEqual => compares(" != "),
        Binary::Less => compares(" < "),
        Binary::LessEqual => compares(" <= "),
        Binary::Greater => compares(" > "),
        Binary::GreaterEqual => compares(" >= "),
        Binary::Is => compares(" is "),
    }
}

fn arguments(list: &[Argument], names: &mut impl Names, out: &mut String) {
    out.push('(');
    separated(list, out, |a, out| {
        if let Some(name) = a.name {
            out.push_str(name);
            out.push('=');
        }
        operand(&a.value, Prec::Compare, names, out);
    });
    out.push(')');
}

fn subscript(s: &Subscript, names: &mut impl Names, out: &mut String) {
    match s {
        Subscript::At(e) => operand(e, Prec::Compare, names, out),
        Subscript::New => out.push_str("None"),
        Subscript::Ellipsis => out.push_str("..."),
        Subscript::Range(from, to, step) => {
            // Spaces around the colon if an end is more than a name or a number.
            let plain = |e: &Option<Expr>| {
                e.as_ref().is_none_or(|e| matches!(e, Expr::Value(_) | Expr::Local(_) | Expr::Int(_)))
            };
            let space = if plain(from) && plain(to) { "" } else { " " };
            if let Some(e) = from {
                operand(e, Prec::Compare, names, out);
                out.push_str(space);
            }
            out.push(':');
            if let Some(e) = to {
                out.push_str(space);
                operand(e, Prec::Compare, names, out);
            }
            if let Some(step) = step {
                let _ = write!(out, ":{step}");
            }
        }
    }
}

fn separated<T>(all: &[T], out: &mut String, mut one: impl FnMut(&T, &mut String)) {
    for (i, x) in all.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        one(x, out);
    }
}

/// Names for expressions without values and state.
struct Nameless;

impl Names for Nameless {
    fn value(&mut self, _: ValueId, _: Prec, _: &mut String) {}

    fn state(&mut self, _: StateId, _: &mut String) {}
}

/// The text of an expression that reads no value and no state.
pub(crate) fn constant(expr: &Expr) -> String {
    let mut out = String::new();
    write(expr, &mut Nameless, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::super::expr::{args, dimensions, functional, keyword, of, torch};
    use super::*;

    struct Letters;

    impl Names for Letters {
        fn value(&mut self, id: ValueId, _: Prec, out: &mut String) {
            out.push(['a', 'b', 'c'][id.0 as usize]);
        }

        fn state(&mut self, _: StateId, out: &mut String) {
            out.push_str("layer");
        }
    }

    fn text(e: Expr) -> String {
        let mut out = String::new();
        write(&e, &mut Letters, &mut out);
        out
    }

    #[test]
    fn parentheses_where_precedence_asks_for_them() {
        let [a, b, c] = [0, 1, 2].map(ValueId);
        assert_eq!(text((of(a) + b) * c), "(a + b) * c");
        assert_eq!(text(of(a) + of(b) * c), "a + b * c");
        assert_eq!(text(of(a) - (of(b) - c)), "a - (b - c)");
        assert_eq!(text(-(of(a) * b).method("sum", args![1])), "-(a * b).sum(1)");
        assert_eq!(text(of(a) / (of(b) * c)), "a / (b * c)");
        assert_eq!(text(Expr::binary(Binary::Power, Expr::Int(2), Expr::local("i"))), "2**i");
        let either = Expr::If(Box::new([Expr::binary(Binary::Is, a, Expr::Nothing), of(b) & c, of(c) + b]));
        assert_eq!(text(of(a) + either), "a + (b & c if a is None else c + b)");
        assert_eq!(text(Expr::binary(Binary::Power, Expr::Int(1) - a, b)), "(1 - a) ** b");
        assert_eq!(text(Expr::binary(Binary::NotEqual, of(a) & b, c)), "a & b != c");
        assert_eq!(text(Expr::number(-1.5, true).method("exp", args![])), "(-1.5).exp()");
    }

    #[test]
    fn calls_and_indices() {
        let [a, b, _] = [0, 1, 2].map(ValueId);
        assert_eq!(text(functional("relu", args![a])), "F.relu(a)");
        assert_eq!(text(torch("cat", args![Expr::List(vec![of(a), of(b)]), 1])), "torch.cat([a, b], 1)");
        assert_eq!(
            text(of(a).method("mean", args![dimensions(&[2, 3]), keyword("keepdim", true)])),
            "a.mean((2, 3), keepdim=True)"
        );
        assert_eq!(text(of(a).index(vec![Subscript::ALL, Subscript::New])), "a[:, None]");
        let to = Subscript::Range(None, Some(of(b).size(1)), None);
        assert_eq!(text(of(a).index(vec![Subscript::ALL, to])), "a[:, : b.shape[1]]");
        assert_eq!(text(of(a).index(vec![Subscript::Range(Some(2.into()), None, Some(2))])), "a[2::2]");
        assert_eq!(text(Expr::layer(StateId(0), args![a]).at(0)), "self.layer(a)[0]");
    }
}
