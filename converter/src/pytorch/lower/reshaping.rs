//! Lowers operators that rearrange elements (spec 4.12): TransposeAxes, Slice, Reshape, Squeeze, Splice, Pad, and those
//! that convert between the batch axis and a static one.

use super::shape::broadcast;
use super::{Lower, Lowered, Node, Val};
use crate::layout::Lead;
use crate::pytorch::python::expr::{
    Argument, Expr, Subscript, ValueId, args, functional, helper, keyword, list, of, torch,
};
use crate::report::Reason;
use cntk_parser::model::{AxisKind, Dim, Dims};
use cntk_parser::ops::attributes::{Pad, PaddingMode, Slice, Splice, TransposeAxes};
use smallvec::smallvec;

/// A permutation of the static axes. Axes beyond the rank are new outer axes of size 1.
pub(super) fn transpose(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &TransposeAxes<'_>) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let out = &node.types[0].shape;
    let missing = out.len().saturating_sub(x.rank());
    let lead = x.lead.rank();
    let axes: Vec<usize> = (0..missing).map(|i| lead + i).collect();
    let id = cx.unsqueeze(x.id, &axes, lead + x.rank());
    let row =
        |axis: &cntk_parser::model::Axis<'_>| axis.row(out.len()).ok_or_else(|| Reason::new("axis", "out of range"));
    let mut order: Vec<usize> = (0..out.len()).collect();
    match a {
        TransposeAxes::Swap(one, other) => order.swap(row(one)?, row(other)?),
        TransposeAxes::Permute(axes) => {
            if axes.len() != out.len() {
                return Err(Reason::new("axisVec", "does not name every axis"));
            }
            // Row-major: p[j] = n-1 - axisVec[n-1-j].
            for (j, axis) in axes.iter().rev().enumerate() {
                order[j] = row(axis)?;
            }
        }
    }
    let moved: Vec<usize> = (0..order.len()).filter(|i| order[*i] != *i).collect();
    let id = match moved.as_slice() {
        [] => id,
        [i, j] => cx.compute(of(id).method("transpose", args![i + lead, j + lead])),
        _ => {
            let all = (0..lead).chain(order.iter().map(|p| p + lead)).map(Argument::from);
            cx.compute(of(id).method("permute", all.collect()))
        }
    };
    Ok(smallvec![Val { dims: out.clone(), ..x.with(id) }])
}

/// Slices of static axes. An end of 0 or less counts from the end of the axis; a negative stride walks the range
/// backwards.
pub(super) fn slice(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &Slice<'_>) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let (rank, lead) = (x.rank(), x.lead.rank());
    let mut index = vec![Subscript::ALL; lead + rank];
    let mut backwards: Vec<(usize, i64)> = Vec::new();
    for r in &a.ranges {
        let axis = match r.axis.kind() {
            AxisKind::Static(_) => r.axis.row(rank).ok_or_else(|| Reason::new("axis", "out of range"))?,
            _ => return Err(Reason::new("axis", "only static axes can be sliced by this op")),
        };
        let begin = (r.begin != 0).then(|| r.begin.into());
        let whole = r.end == 0 || x.dims[axis].known().is_some_and(|n| u64::try_from(r.end) == Ok(n));
        let end = (!whole).then(|| r.end.into());
        let step = u64::try_from(r.stride).ok().filter(|s| *s > 1);
        if index[axis + lead] != Subscript::ALL {
            return Err(Reason::new("axis", "an axis is sliced twice"));
        }
        index[axis + lead] = Subscript::Range(begin, end, step);
        if r.stride < 0 {
            backwards.push((axis + lead, i64::from(r.stride)));
        }
    }
    let id = subscript(cx, x.id, index);
    let mut y = Val { dims: node.types[0].shape.clone(), ..x.with(id) };
    // NumPy's x[begin:end][::stride]: cut the range, then walk it backwards.
    for (axis, stride) in backwards {
        y.id = cx.compute(of(y.id).method("flip", args![axis]));
        if stride < -1 {
            let mut index = vec![Subscript::ALL; axis];
            index.push(Subscript::Range(None, None, Some(stride.unsigned_abs())));
            y.id = subscript(cx, y.id, index);
        }
    }
    Ok(smallvec![y])
}

/// Slices a value. Trailing slices that take everything are left out.
pub(super) fn subscript(cx: &mut Lower<'_, '_, '_>, id: ValueId, mut index: Vec<Subscript>) -> ValueId {
    while index.last() == Some(&Subscript::ALL) {
        index.pop();
    }
    if index.is_empty() {
        return id;
    }
    cx.compute(of(id).index(index))
}

/// Operators that keep the elements in memory order (Reshape, Squeeze).
pub(super) fn reshape(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = node.inputs[0].clone();
    let mut to = node.types[0].shape.clone();
    keep_free(&x.dims, &mut to);
    Ok(smallvec![cx.reshape(&x, &to)?])
}

/// If operand and result have one unknown dimension each and the known sizes agree, the result gets the operand's
/// dimension.
fn keep_free(from: &[Dim], to: &mut Dims) {
    let unknown = |d: &[Dim]| d.iter().filter(|d| d.known().is_none()).copied().collect::<Vec<_>>();
    let known = |d: &[Dim]| d.iter().filter_map(|d| d.known()).product::<u64>();
    let (a, b) = (unknown(from), unknown(to));
    if let ([one], [other]) = (a.as_slice(), b.as_slice())
        && one != other
        && known(from) == known(to)
    {
        for d in to.iter_mut().filter(|d| *d == other) {
            *d = *one;
        }
    }
}

/// Concatenation along one axis, which may be one beyond the rank; other axes of size 1 are broadcast.
pub(super) fn splice(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &Splice<'_>) -> Lowered {
    let out = &node.types[0].shape;
    let axis = a.axis.row(out.len()).ok_or_else(|| Reason::new("axis", "out of range"))?;
    let unified = cx.unify(&node.inputs, node.sources);
    let lead = unified.iter().fold(Lead::default(), |l, v| l.union(v.lead));
    let mut all = Vec::new();
    for v in &unified {
        let v = cx.tensor(v);
        // Add axes of size 1 in front, up to the rank.
        let ones: Vec<usize> = (0..out.len().saturating_sub(v.rank())).map(|i| v.lead.rank() + i).collect();
        let id = cx.unsqueeze(v.id, &ones, v.lead.rank() + v.rank());
        let dims: Dims = ones.iter().map(|_| Dim::Known(1)).chain(v.dims.iter().copied()).collect();
        all.push(Val { dims, ..v.with(id) });
    }
    // Take the sizes of the other axes from the operands, because the type may not know them.
    let common = all.iter().fold(Dims::new(), |dims, v| broadcast(&dims, &v.dims));
    let mut parts = Vec::new();
    for v in &all {
        let mut want = common.clone();
        want[axis] = v.dims[axis];
        let same = v.lead == lead && v.dims.iter().zip(&want).all(|(a, b)| a == b || !matches!(a, Dim::Known(1)));
        parts.push(if same { v.id } else { cx.expand(v, lead, &want)?.id });
    }
    let id = cx.compute(torch("cat", args![list(&parts), axis + lead.rank()]));
    Ok(smallvec![Val { id, lead, dims: out.clone(), elem: unified[0].elem, literal: None }])
}

/// NumPy's `pad` of the static axes.
pub(super) fn pad(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &Pad) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let (rank, lead) = (x.rank(), x.lead.rank());
    let amount = |list: &[u64], row: usize| list.get(rank - 1 - row).copied().unwrap_or(0);
    let all: Vec<(i64, i64)> =
        (0..rank).map(|r| (amount(&a.head, r).cast_signed(), amount(&a.foot, r).cast_signed())).collect();
    let mut id = x.id;
    match a.mode {
        PaddingMode::Constant => {
            let first = all.iter().position(|p| *p != (0, 0)).unwrap_or(rank);
            if first < rank {
                let mut arguments = args![id, super::convolution::pads(&all[first..])];
                if a.constant_value != 0.0 {
                    arguments.push(keyword("value", Expr::number(a.constant_value, !x.elem.is_double())));
                }
                id = cx.compute(functional("pad", arguments));
            }
        }
        PaddingMode::Reflect | PaddingMode::Symmetric => {
            let edge = usize::from(a.mode == PaddingMode::Reflect);
            for (axis, (before, after)) in all.iter().enumerate().filter(|(_, p)| **p != (0, 0)) {
                id = cx.compute(helper("mirror", args![id, axis + lead, *before, *after, edge]));
            }
        }
    }
    Ok(smallvec![Val { dims: node.types[0].shape.clone(), ..x.with(id) }])
}

/// The batch axis becomes the outermost static axis, or the reverse. The tensor does not change.
pub(super) fn relabel_batch(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let lead = cx.lead(node.result());
    if x.lead.sequence.is_some() {
        return Err(Reason::new("", "the batch axis of a sequence cannot become static"));
    }
    if x.lead.rank() + x.rank() != lead.rank() + node.types[0].shape.len() {
        return Err(Reason::new("", "its operand has no batch axis to unpack"));
    }
    Ok(smallvec![Val { lead, dims: node.types[0].shape.clone(), ..x }])
}
