//! Lowers element-wise operators (spec 4.4), with CNTK's results in special cases.

use super::{Lowered, Lowering, Node, Val, elem_type};
use crate::graph::sign::{is_non_negative, is_positive};
use crate::onnx::graph::{Attribute, ElemType, ValueId};
use crate::report::Reason;
use cntk_parser::ops::attributes::Cast;
use smallvec::smallvec;

/// How many functions back the sign of an operand is searched.
const SIGHT: u32 = 8;

/// CNTK's logarithm of any number below 1e-37.
pub(super) const LOG_OF_ZERO: f64 = -85.1;

/// A unary operator that ONNX has, perhaps under another name.
pub(super) fn unary(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, op: &'static str) -> Lowered {
    let x = node.inputs[0];
    let id = cx.b.unary(op, x.id);
    Ok(smallvec![cx.with(id, &x)])
}

/// The operand itself.
pub(super) fn pass(node: &Node<'_, '_>, input: usize) -> Lowered {
    Ok(smallvec![node.inputs[input]])
}

/// A broadcasting operator that ONNX has.
pub(super) fn binary(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, op: &'static str) -> Lowered {
    let (ids, lead) = cx.align(&node.inputs);
    Ok(smallvec![Val { id: cx.b.binary(op, ids[0], ids[1]), lead }])
}

/// Comparisons give 1.0 or 0.0.
pub(super) fn compare(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, op: &'static str) -> Lowered {
    compared(cx, node, |cx, a, b| cx.b.compare(op, a, b))
}

/// A comparison combined with Equal by Or, because importers lack GreaterOrEqual.
pub(super) fn compare_or_equal(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, op: &'static str) -> Lowered {
    compared(cx, node, |cx, a, b| {
        let truth = cx.b.compare(op, a, b);
        let equal = cx.b.compare("Equal", a, b);
        cx.b.compare("Or", truth, equal)
    })
}

/// NotEqual, the only comparison that is true for NaN.
pub(super) fn not_equal(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    compared(cx, node, |cx, a, b| {
        let truth = cx.b.compare("Equal", a, b);
        cx.b.unary("Not", truth)
    })
}

fn compared(
    cx: &mut Lowering<'_, '_, '_>,
    node: &Node<'_, '_>,
    truth: impl FnOnce(&mut Lowering<'_, '_, '_>, ValueId, ValueId) -> ValueId,
) -> Lowered {
    let (ids, lead) = cx.align(&node.inputs);
    let truth = truth(cx, ids[0], ids[1]);
    let elem = cx.b.elem(ids[0]);
    Ok(smallvec![Val { id: cx.b.cast(truth, elem), lead }])
}

/// ln x, or -85.1 for any x below 1e-37.
pub(super) fn log(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = node.inputs[0];
    let id = if cx.b.elem(x.id) == ElemType::Float16 {
        // Half precision has no number that small, so the result is clamped instead.
        let positive = cx.b.unary("Relu", x.id);
        let log = cx.b.unary("Log", positive);
        let least = cx.b.scalar_like(x.id, LOG_OF_ZERO);
        cx.b.binary("Max", log, least)
    } else {
        let least = cx.b.scalar_like(x.id, LOG_OF_ZERO.exp());
        let clamped =
            if is_positive(cx.graph.model, node.sources[0], SIGHT) { x.id } else { cx.b.binary("Max", x.id, least) };
        cx.b.unary("Log", clamped)
    };
    Ok(smallvec![cx.with(id, &x)])
}

/// sqrt(max(0, x)).
pub(super) fn sqrt(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = node.inputs[0];
    let clamped = if is_non_negative(cx.graph.model, node.sources[0], SIGHT) {
        x.id
    } else {
        // Where instead of Max, because CNTK gives 0 for NaN.
        let zero = cx.b.scalar_like(x.id, 0.0);
        let above = cx.b.compare("Greater", x.id, zero);
        cx.b.choose(above, x.id, zero)
    };
    let id = cx.b.unary("Sqrt", clamped);
    Ok(smallvec![cx.with(id, &x)])
}

/// 1/x with 1/0 = 0.
pub(super) fn reciprocal(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = node.inputs[0];
    let inverse = cx.b.unary("Reciprocal", x.id);
    let id =
        if is_positive(cx.graph.model, node.sources[0], SIGHT) { inverse } else { zero_where_zero(cx, x.id, inverse) };
    Ok(smallvec![cx.with(id, &x)])
}

/// `value`, or 0 where `x` is 0.
pub(super) fn zero_where_zero(cx: &mut Lowering<'_, '_, '_>, x: ValueId, value: ValueId) -> ValueId {
    let zero = cx.b.scalar_like(x, 0.0);
    let is_zero = cx.b.compare("Equal", x, zero);
    cx.b.choose(is_zero, zero, value)
}

/// base^exponent with 0^negative = 0.
pub(super) fn pow(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (ids, lead) = cx.align(&node.inputs);
    let (base, exponent) = (ids[0], ids[1]);
    let power = cx.b.binary("Pow", base, exponent);
    let never_negative = cx.b.literal(exponent).is_some_and(|e| e.iter().all(|e| *e >= 0.0));
    if never_negative || is_positive(cx.graph.model, node.sources[0], SIGHT) {
        return Ok(smallvec![Val { id: power, lead }]);
    }
    let zero = cx.b.scalar_like(base, 0.0);
    let is_zero = cx.b.compare("Equal", base, zero);
    let negative = cx.b.compare("Less", exponent, zero);
    let both = cx.b.compare("And", is_zero, negative);
    Ok(smallvec![Val { id: cx.b.choose(both, zero, power), lead }])
}

/// ln(e^a + e^b), computed stably; Softplus if one operand is 0.
pub(super) fn log_plus(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (ids, lead) = cx.align(&node.inputs);
    let (a, b) = (ids[0], ids[1]);
    for (x, zero) in [(a, b), (b, a)] {
        let is_zero = cx.b.literal(zero) == Some(&[0.0]) && cx.b.rank(zero) <= cx.b.rank(x);
        if is_zero {
            return Ok(smallvec![Val { id: cx.b.unary("Softplus", x), lead }]);
        }
    }
    let larger = cx.b.binary("Max", a, b);
    let difference = cx.b.sub(a, b);
    let distance = cx.b.unary("Abs", difference);
    let negative = cx.b.unary("Neg", distance);
    let rest = cx.b.unary("Softplus", negative);
    Ok(smallvec![Val { id: cx.b.add(larger, rest), lead }])
}

/// 1 above 0, else -1.
pub(super) fn straight_through(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = node.inputs[0];
    let zero = cx.b.scalar_like(x.id, 0.0);
    let one = cx.b.scalar_like(x.id, 1.0);
    let minus = cx.b.scalar_like(x.id, -1.0);
    let above = cx.b.compare("Greater", x.id, zero);
    let id = cx.b.choose(above, one, minus);
    Ok(smallvec![cx.with(id, &x)])
}

/// `then` where the condition is not 0 (NaN counts as true).
pub(super) fn select(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let condition = Val { id: cx.b.truth(node.inputs[0].id), lead: node.inputs[0].lead };
    let branches = cx.unify(&node.inputs[1..]);
    let (ids, lead) = cx.place_all(&[condition, branches[0], branches[1]]);
    Ok(smallvec![Val { id: cx.b.choose(ids[0], ids[1], ids[2]), lead }])
}

/// `x < min ? min : x > max ? max : x`.
pub(super) fn clip(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let bounds: Vec<Option<Vec<f64>>> =
        node.inputs[1..].iter().map(|v| cx.b.literal(v.id).map(<[f64]>::to_vec)).collect();
    if let [Some(lo), Some(hi)] = bounds.as_slice()
        && let ([lo], [hi]) = (lo.as_slice(), hi.as_slice())
        && lo <= hi
        && node.inputs[1..].iter().all(|v| cx.static_rank(v) <= cx.static_rank(&node.inputs[0]))
    {
        let x = node.inputs[0];
        let elem = cx.b.elem(x.id);
        let (lo, hi) = (cx.b.scalar(elem, *lo), cx.b.scalar(elem, *hi));
        // ONNX Runtime fuses Relu and Clip, and cannot load the model if they are double.
        let id = if elem == ElemType::Double {
            let above = cx.b.binary("Max", x.id, lo);
            cx.b.binary("Min", above, hi)
        } else {
            let dims = cx.b.dims(x.id).clone();
            cx.b.emit("Clip", &[x.id, lo, hi], vec![], elem, dims)
        };
        return Ok(smallvec![cx.with(id, &x)]);
    }
    let (ids, lead) = cx.align(&node.inputs);
    let below = cx.b.compare("Less", ids[0], ids[1]);
    let capped = cx.b.binary("Min", ids[0], ids[2]);
    Ok(smallvec![Val { id: cx.b.choose(below, ids[1], capped), lead }])
}

/// The Gelu that a function completes, which ONNX has since opset 20.
pub(super) fn gelu(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Option<Val> {
    let x = crate::resolve::gelu::gelu(cx.graph.model, node.id).filter(|_| cx.options.opset >= 20)?;
    let x = cx.value(x).ok()??;
    let (elem, dims) = (cx.b.elem(x.id), cx.b.dims(x.id).clone());
    let tanh = ("approximate", Attribute::String("tanh".to_owned()));
    let id = cx.b.emit("Gelu", &[x.id], vec![tanh], elem, dims);
    Some(cx.with(id, &x))
}

/// Cast to another element type.
pub(super) fn cast(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &Cast) -> Lowered {
    let x = node.inputs[0];
    let elem = elem_type(a.new_data_type).ok_or_else(|| Reason::new("newDataType", "not a type that ONNX has"))?;
    let id = cx.b.cast(x.id, elem);
    Ok(smallvec![cx.with(id, &x)])
}

/// `fill` in the shape of the operand.
pub(super) fn constant_like(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, fill: f64) -> Lowered {
    let x = node.inputs[0];
    let (elem, dims) = (cx.b.elem(x.id), cx.b.dims(x.id).clone());
    let id = cx.b.filled(elem, &dims, fill)?;
    Ok(smallvec![cx.with(id, &x)])
}
