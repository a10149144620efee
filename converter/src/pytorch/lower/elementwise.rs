//! Lowers element-wise operators (spec 4.4), with CNTK's results in special cases.

use super::{Elem, Lower, Lowered, Node, Val};
use crate::graph::sign::{is_non_negative, is_positive};
use crate::pytorch::python::expr::{
    Argument, Binary, Expr, Module, ValueId, args, functional, helper, keyword, of, torch,
};
use crate::report::Reason;
use cntk_parser::model::{DataType, Source};
use cntk_parser::ops::Operator;
use cntk_parser::ops::attributes::Cast;
use smallvec::smallvec;

/// The argument `min=`: the number whose logarithm is -85.1, which CNTK gives for all numbers below 1e-37.
pub(super) fn least() -> Argument {
    keyword("min", Expr::number(1.10037215e-37, false))
}

/// The expression that `make` gives for the operand.
pub(super) fn unary(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, make: impl FnOnce(ValueId) -> Expr) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let id = cx.compute(make(x.id));
    Ok(smallvec![x.with(id)])
}

/// A method of the operand, without arguments.
pub(super) fn method(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, name: &'static str) -> Lowered {
    unary(cx, node, |x| of(x).method(name, args![]))
}

/// The operand itself.
pub(super) fn pass(node: &Node<'_, '_>, input: usize) -> Lowered {
    Ok(smallvec![node.inputs[input].clone()])
}

/// A binary operator with broadcasting. A neutral number on the right is left out.
pub(super) fn binary(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, op: Binary) -> Lowered {
    if node.inputs.iter().all(|v| v.literal.is_some()) {
        let a = cx.tensor(&node.inputs[0]);
        let (ids, like) = cx.align(&[a, node.inputs[1].clone()], node.sources);
        let id = cx.compute(Expr::binary(op, ids[0], ids[1]));
        return Ok(smallvec![like.with(id)]);
    }
    let (ids, like) = cx.align(&node.inputs, node.sources);
    let fits = node.inputs[1].rank() <= node.inputs[0].rank();
    let id = match (node.inputs[0].literal, node.inputs[1].literal, op.turned()) {
        // Numbers go to the right.
        (Some(_), None, Some(turned)) => cx.compute(Expr::binary(turned, ids[1], ids[0])),
        (None, Some(right), _) if fits && op.neutral() == Some(right) => ids[0],
        _ => cx.compute(Expr::binary(op, ids[0], ids[1])),
    };
    Ok(smallvec![like.with(id)])
}

/// A product, or a quotient if one operand is a reciprocal.
pub(super) fn times(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    for (numerator, denominator) in [(0, 1), (1, 0)] {
        let Source::Output(f, 0) = node.sources[denominator] else { continue };
        let model = cx.graph.model;
        if !matches!(model.operator(f), Operator::Reciprocal) || model.loop_of(f) != model.loop_of(node.id) {
            continue;
        }
        let below = model.inputs(f)[0];
        if !is_positive(cx.graph.model, below, 8) {
            continue;
        }
        let Ok(Some(divisor)) = cx.value(below) else { continue };
        let sources = [node.sources[numerator], below];
        let mut operands = vec![node.inputs[numerator].clone(), divisor];
        if operands.iter().all(|v| v.literal.is_some()) {
            operands[0] = cx.tensor(&operands[0]);
        }
        let (ids, like) = cx.align(&operands, &sources);
        let id = cx.compute(if operands[0].literal.is_some() {
            torch("div", args![ids[0], ids[1]])
        } else {
            of(ids[0]) / ids[1]
        });
        return Ok(smallvec![like.with(id)]);
    }
    binary(cx, node, Binary::Times)
}

/// Comparisons give 1.0 or 0.0.
pub(super) fn compare(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, op: Binary) -> Lowered {
    let mut inputs = node.inputs.clone();
    if inputs.iter().all(|v| v.literal.is_some()) {
        inputs[0] = cx.tensor(&inputs[0]);
    }
    let (ids, like) = cx.align(&inputs, node.sources);
    let truth = cx.compute(match (inputs[0].literal, op.turned()) {
        // With a number on the left, reverse the comparison.
        (Some(_), Some(turned)) => Expr::binary(turned, ids[1], ids[0]),
        _ => Expr::binary(op, ids[0], ids[1]),
    });
    let number = usize::from(inputs[0].literal.is_some());
    let id = cx.numeric(of(truth), &like.with(ids[number]));
    cx.truths.insert(id, truth);
    Ok(smallvec![like.with(id)])
}

/// ln x, or -85.1 for any x below 1e-37.
pub(super) fn log(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    if is_positive(cx.graph.model, node.sources[0], 8) {
        return method(cx, node, "log");
    }
    unary(cx, node, |x| of(x).method("clamp", args![least()]).method("log", args![]))
}

/// sqrt(max(0, x)).
pub(super) fn sqrt(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    if is_non_negative(cx.graph.model, node.sources[0], 8) {
        return method(cx, node, "sqrt");
    }
    let x = cx.tensor(&node.inputs[0]);
    // CNTK gives 0 for NaN, too.
    let finite = of(x.id).method("nan_to_num", args![Expr::number(0.0, true), Expr::number(f64::INFINITY, true)]);
    let id = cx.compute(finite.method("clamp", args![keyword("min", 0)]).method("sqrt", args![]));
    Ok(smallvec![x.with(id)])
}

/// 1/x with 1/0 = 0.
pub(super) fn reciprocal(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    if is_positive(cx.graph.model, node.sources[0], 8) {
        return method(cx, node, "reciprocal");
    }
    unary(cx, node, |x| helper("reciprocal", args![x]))
}

/// base^exponent with 0^negative = 0.
pub(super) fn pow(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let mut inputs = node.inputs.clone();
    let never_negative = cx.literals(node.sources[1]).is_some_and(|e| e.iter().all(|e| *e >= 0.0));
    let plain = never_negative || is_positive(cx.graph.model, node.sources[0], 8);
    inputs[0] = cx.tensor(&inputs[0]);
    if !plain {
        inputs[1] = cx.tensor(&inputs[1]);
    }
    let (ids, like) = cx.align(&inputs, node.sources);
    let id = match (plain, inputs[1].literal) {
        (true, Some(2.0)) => of(ids[0]).method("square", args![]),
        (true, _) => torch("pow", args![ids[0], ids[1]]),
        (false, _) => helper("power", args![ids[0], ids[1]]),
    };
    let id = cx.compute(id);
    Ok(smallvec![like.with(id)])
}

/// ln(e^a + e^b), computed stably; softplus if one operand is 0.
pub(super) fn log_plus(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    for (x, zero) in [(0, 1), (1, 0)] {
        if node.inputs[zero].literal == Some(0.0) && node.inputs[zero].rank() <= node.inputs[x].rank() {
            let v = cx.tensor(&node.inputs[x]);
            let id = cx.compute(functional("softplus", args![v.id]));
            return Ok(smallvec![v.with(id)]);
        }
    }
    let inputs = [cx.tensor(&node.inputs[0]), cx.tensor(&node.inputs[1])];
    let (ids, like) = cx.align(&inputs, node.sources);
    let id = cx.compute(torch("logaddexp", args![ids[0], ids[1]]));
    Ok(smallvec![like.with(id)])
}

/// 1 above 0, else -1. The gradient is that of the identity, clipped.
pub(super) fn straight_through(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    unary(cx, node, |x| helper("straight_through", args![x]))
}

/// `then` where the condition is not 0 (NaN counts as true).
pub(super) fn select(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let condition = cx.tensor(&node.inputs[0]);
    let truth = cx.truth(&condition);
    let condition = condition.with(truth);
    let branches = cx.unify(&node.inputs[1..], &node.sources[1..]);
    let branches: Vec<Val> = branches.iter().map(|b| cx.tensor(b)).collect();
    let (ids, like) = cx.place_all(&[condition, branches[0].clone(), branches[1].clone()]);
    let id = cx.compute(torch("where", args![ids[0], ids[1], ids[2]]));
    Ok(smallvec![Val { elem: branches[0].elem, ..like.with(id) }])
}

/// `x < min ? min : x > max ? max : x`.
pub(super) fn clip(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    if let (Some(lo), Some(hi)) = (node.inputs[1].literal, node.inputs[2].literal)
        && lo <= hi
        && node.inputs[1..].iter().all(|v| v.rank() <= node.inputs[0].rank())
    {
        let x = cx.tensor(&node.inputs[0]);
        let single = !x.elem.is_double();
        let id = cx.compute(of(x.id).method("clamp", args![Expr::number(lo, single), Expr::number(hi, single)]));
        return Ok(smallvec![x.with(id)]);
    }
    let inputs: Vec<Val> = node.inputs.iter().map(|v| cx.tensor(v)).collect();
    let (ids, like) = cx.align(&inputs, node.sources);
    let (x, lo, hi) = (ids[0], ids[1], ids[2]);
    let below = Expr::binary(Binary::Less, x, lo);
    let id = cx.compute(torch("where", args![below, lo, torch("minimum", args![x, hi])]));
    Ok(smallvec![like.with(id)])
}

/// Cast to another element type. A cast to half precision rounds to half.
pub(super) fn cast(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &Cast) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let elem = Elem::new(a.new_data_type).ok_or_else(|| Reason::new("newDataType", "not a type that PyTorch has"))?;
    let to = |name: &'static str| of(x.id).method("to", args![Expr::Torch(Module::Torch, name.into())]);
    let id = match a.new_data_type {
        DataType::Float16 if x.elem != Elem::Half => {
            let rounded = of(x.id).method("half", args![]);
            if x.elem.is_double() {
                let rounded = cx.compute(rounded);
                cx.converted(rounded, elem)
            } else {
                cx.compute(rounded.method("type_as", args![x.id]))
            }
        }
        DataType::Int8 => cx.compute(to("int8")),
        DataType::Int16 => cx.compute(to("int16")),
        _ if x.elem.is_double() != elem.is_double() => cx.converted(x.id, elem),
        _ => x.id,
    };
    Ok(smallvec![Val { elem, ..x.with(id) }])
}

/// `fill` in the shape of the operand.
pub(super) fn constant_like(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, fill: f64) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let id = cx.compute(match fill {
        0.0 => torch("zeros_like", args![x.id]),
        1.0 => torch("ones_like", args![x.id]),
        other => torch("full_like", args![x.id, Expr::number(other, !x.elem.is_double())]),
    });
    Ok(smallvec![x.with(id)])
}

impl Lower<'_, '_, '_> {
    /// Which elements are not 0: bool.
    pub(crate) fn truth(&mut self, v: &Val) -> ValueId {
        match self.truths.get(&v.id) {
            Some(truth) => *truth,
            None => self.compute(Expr::binary(Binary::NotEqual, v.id, 0)),
        }
    }

    /// The elements of a small constant.
    pub(crate) fn literals(&self, source: Source) -> Option<Vec<f64>> {
        let Source::Variable(v) = source else { return None };
        let variable = self.graph.model.variable(v);
        if variable.kind != cntk_parser::model::VariableKind::Constant {
            return None;
        }
        crate::pytorch::weights::small(variable, 16)
    }
}
