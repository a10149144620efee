//! Lowers operators that rearrange elements (spec 4.12): TransposeAxes, Slice, Reshape, Squeeze, Splice, Pad, and those
//! that convert between the batch axis and a static one.

use super::{Lowered, Lowering, Node, Val};
use crate::layout::Lead;
use crate::onnx::graph::{Dim, Dims, ValueId};
use crate::report::Reason;
use cntk_parser::model::AxisKind;
use cntk_parser::ops::attributes::{Pad, PaddingMode, Slice, Splice, TransposeAxes};
use smallvec::smallvec;

/// A permutation of the static axes. Axes beyond the rank are new outer axes of size 1.
pub(super) fn transpose(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &TransposeAxes<'_>) -> Lowered {
    let x = node.inputs[0];
    let out_rank = node.types[0].shape.len();
    let missing = out_rank.saturating_sub(cx.static_rank(&x));
    let lead = x.lead.rank();
    let id = cx.b.unsqueeze(x.id, &(0..missing).map(|i| lead + i).collect::<Vec<_>>());
    let row =
        |axis: &cntk_parser::model::Axis<'_>| axis.row(out_rank).ok_or_else(|| Reason::new("axis", "out of range"));
    let mut order: Vec<usize> = (0..out_rank).collect();
    match a {
        TransposeAxes::Swap(one, other) => order.swap(row(one)?, row(other)?),
        TransposeAxes::Permute(axes) => {
            if axes.len() != out_rank {
                return Err(Reason::new("axisVec", "does not name every axis"));
            }
            // Row-major: p[j] = n-1 - axisVec[n-1-j].
            for (j, axis) in axes.iter().rev().enumerate() {
                order[j] = row(axis)?;
            }
        }
    }
    let order: Vec<usize> = (0..lead).chain(order.iter().map(|p| p + lead)).collect();
    Ok(smallvec![Val { id: cx.b.transpose(id, &order), lead: x.lead }])
}

/// Slices of static axes. An end of 0 or less counts from the end of the axis; a negative stride walks the range
/// backwards.
pub(super) fn slice(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &Slice<'_>) -> Lowered {
    let x = node.inputs[0];
    let (rank, lead) = (cx.static_rank(&x), x.lead.rank());
    let out = cx.static_dims(&node.types[0]);
    let mut id = x.id;
    let mut plain = Vec::new();
    for r in &a.ranges {
        let axis = match r.axis.kind() {
            AxisKind::Static(_) => r.axis.row(rank).ok_or_else(|| Reason::new("axis", "out of range"))?,
            _ => return Err(Reason::new("axis", "only static axes can be sliced by this op")),
        };
        let (begin, stride) = (i64::from(r.begin), i64::from(r.stride));
        let end = if r.end == 0 { i64::MAX } else { i64::from(r.end) };
        if begin == 0 && end == i64::MAX && stride == 1 {
            continue;
        }
        let Some(size) = out.get(axis).copied() else {
            return Err(Reason::new("axis", "the operand has another rank than its type says"));
        };
        if stride > 0 {
            plain.push((axis + lead, begin, end, stride, size));
            continue;
        }
        // NumPy's x[begin:end][::stride]: cut the range, then walk it backwards.
        let window = match cx.b.dims(id)[axis + lead] {
            Dim::Known(n) => {
                let n = i64::try_from(n).unwrap_or(i64::MAX);
                let from = if begin < 0 { begin + n } else { begin };
                let to = if r.end <= 0 { i64::from(r.end) + n } else { i64::from(r.end) };
                Dim::Known(u64::try_from(to - from).unwrap_or(0))
            }
            Dim::Symbol(_) => cx.b.fresh_dim(),
        };
        id = cx.b.slice(id, axis + lead, begin, end, 1, window);
        id = cx.b.slice(id, axis + lead, -1, i64::MIN, stride, size);
    }
    if !plain.is_empty() {
        id = cx.b.slice_all(id, &plain);
    }
    Ok(smallvec![cx.with(id, &x)])
}

/// Operators that keep the elements in memory order (Reshape, Squeeze).
pub(super) fn reshape(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = node.inputs[0];
    let mut to = cx.static_dims(&node.types[0]);
    // An inferred free dimension may be the product of several dimensions of the operand. Find it if it is the only
    // one.
    let tail = cx.tail(&x);
    keep_symbols(&tail, &mut to);
    Ok(smallvec![cx.with_static(x.id, x.lead, &to)?])
}

/// If operand and result have one unknown dimension each and the known sizes agree, the result gets the operand's
/// dimension.
fn keep_symbols(from: &[Dim], to: &mut Dims) {
    let unknown = |d: &[Dim]| d.iter().filter(|d| matches!(d, Dim::Symbol(_))).copied().collect::<Vec<_>>();
    let known = |d: &[Dim]| d.iter().map(|d| if let Dim::Known(n) = d { *n } else { 1 }).product::<u64>();
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
pub(super) fn splice(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &Splice<'_>) -> Lowered {
    let rank = node.types[0].shape.len();
    let axis = a.axis.row(rank).ok_or_else(|| Reason::new("axis", "out of range"))?;
    let unified = cx.unify(&node.inputs);
    let lead = unified.iter().fold(Lead::default(), |l, v| l.union(v.lead));
    let mut all = Vec::new();
    for v in &unified {
        let own = cx.static_rank(v);
        // Add axes of size 1 in front, up to the rank.
        let ones: Vec<usize> = (0..rank.saturating_sub(own)).map(|i| v.lead.rank() + i).collect();
        all.push(Val { id: cx.b.unsqueeze(v.id, &ones), lead: v.lead });
    }
    // Take the sizes of the other axes from the operands, because the type may not know them.
    let tails: Vec<Dims> = all.iter().map(|v| cx.tail(v)).collect();
    let out: Dims = (0..rank).map(|i| common(tails.iter().map(|tail| tail[i]))).collect();
    let mut parts = Vec::new();
    for (v, tail) in all.iter().zip(&tails) {
        let mut want = out.clone();
        want[axis] = tail[axis];
        let same = v.lead == lead && tail.iter().zip(&want).all(|(a, b)| a == b || !matches!(a, Dim::Known(1)));
        parts.push(if same { v.id } else { cx.broadcast_to(v, lead, &want)?.id });
    }
    Ok(smallvec![Val { id: cx.b.concat(&parts, axis + lead.rank()), lead }])
}

/// The size to which sizes broadcast: a known one other than 1, else one that is only known at run time, else 1.
fn common(sizes: impl Iterator<Item = Dim>) -> Dim {
    sizes.fold(Dim::Known(1), |found, size| match (found, size) {
        (Dim::Known(1), size) | (Dim::Symbol(_), size @ Dim::Known(2..)) => size,
        _ => found,
    })
}

/// The longest axis that can be mirrored. Its elements are listed one by one, and a number in a file must not cause
/// gigabytes of output.
const MOST_MIRRORED: u64 = 1 << 20;

/// NumPy's `pad` of the static axes.
pub(super) fn pad(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &Pad) -> Lowered {
    let x = node.inputs[0];
    let (rank, lead) = (cx.static_rank(&x), x.lead.rank());
    let amount = |list: &[u64], row: usize| list.get(rank - 1 - row).copied().unwrap_or(0);
    let before: Vec<u64> = (0..rank).map(|r| amount(&a.head, r)).collect();
    let after: Vec<u64> = (0..rank).map(|r| amount(&a.foot, r)).collect();
    let id = match a.mode {
        PaddingMode::Constant => {
            let zeros = vec![0; lead];
            let lo: Vec<u64> = zeros.iter().chain(&before).copied().collect();
            let hi: Vec<u64> = zeros.iter().chain(&after).copied().collect();
            cx.b.pad(x.id, &lo, &hi, "constant", a.constant_value)
        }
        // Gather by index, because some runtimes can reflect only spatial axes, and ONNX's Pad has no symmetric mode.
        PaddingMode::Reflect | PaddingMode::Symmetric => {
            let tail = cx.tail(&x);
            let mut id = x.id;
            for axis in 0..rank {
                let (lo, hi) = (before[axis], after[axis]);
                if lo + hi == 0 {
                    continue;
                }
                let symmetric = a.mode == PaddingMode::Symmetric;
                let Dim::Known(n) = tail[axis] else {
                    let index = mirrored_at_run_time(cx, tail[axis], lo, hi, symmetric)?;
                    id = cx.b.gather(id, index, axis + lead);
                    continue;
                };
                if n.saturating_add(lo).saturating_add(hi) > MOST_MIRRORED {
                    return Err(Reason::new(
                        "paddingMode",
                        "reflecting an axis of more than a million elements is not supported",
                    ));
                }
                let index: Vec<i64> = mirrored(n, lo, hi, symmetric);
                let index = cx.b.ints(&index);
                id = cx.b.gather(id, index, axis + lead);
            }
            id
        }
    };
    Ok(smallvec![cx.with(id, &x)])
}

/// The source indices of an axis of `n` elements with `lo` and `hi` mirrored elements at its ends.
fn mirrored(n: u64, lo: u64, hi: u64, symmetric: bool) -> Vec<i64> {
    let n = i64::try_from(n).unwrap_or(i64::MAX);
    let (lo, hi) = (i64::try_from(lo).unwrap_or(0), i64::try_from(hi).unwrap_or(0));
    let edge = i64::from(symmetric);
    (-lo..n + hi)
        .map(|i| {
            let i = if i < 0 { -i - edge } else { i };
            if i >= n { 2 * (n - 1) - i + edge } else { i }
        })
        .map(|i| i.clamp(0, n - 1))
        .collect()
}

/// The same for an axis whose size only the run tells.
fn mirrored_at_run_time(
    cx: &mut Lowering<'_, '_, '_>,
    n: Dim,
    lo: u64,
    hi: u64,
    symmetric: bool,
) -> Result<ValueId, Reason> {
    let number = |amount: u64| {
        i32::try_from(amount)
            .map(i64::from)
            .map_err(|_| Reason::new("paddingMode", "mirrors more than two billion elements"))
    };
    let (lo, hi, edge) = (number(lo)?, number(hi)?, i64::from(symmetric));
    let size = cx.b.dim_value(n)?;
    let more = cx.b.ints(&[lo + hi]);
    let all = cx.b.add(size, more);
    let to = cx.b.fresh_dim();
    cx.b.measure(to, all);
    let places = cx.b.range(to)?;
    let before = cx.b.ints(&[lo]);
    let places = cx.b.sub(places, before);
    // Left of the first element i becomes -i - edge, right of the last one 2 (n - 1) - i + edge.
    let first = cx.b.ints(&[-edge]);
    let turned = cx.b.sub(first, places);
    let places = cx.b.binary("Max", places, turned);
    let (one, two, edge) = (cx.b.ints(&[1]), cx.b.ints(&[2]), cx.b.ints(&[edge - 2]));
    let twice = cx.b.mul(size, two);
    let end = cx.b.add(twice, edge);
    let turned = cx.b.sub(end, places);
    let places = cx.b.binary("Min", places, turned);
    let (zero, last) = (cx.b.ints(&[0]), cx.b.sub(size, one));
    let places = cx.b.binary("Max", places, zero);
    Ok(cx.b.binary("Min", places, last))
}

/// The batch axis becomes the outermost static axis, or the reverse. The tensor does not change.
pub(super) fn relabel_batch(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = node.inputs[0];
    let lead = cx.lead(node.result());
    if x.lead.sequence.is_some() {
        return Err(Reason::new("", "the batch axis of a sequence cannot become static"));
    }
    if cx.b.rank(x.id) != lead.rank() + node.types[0].shape.len() {
        // CNTK loads UnpackBatch of a constant, but does not run it.
        return Err(Reason::new("", "its operand has no batch axis to unpack"));
    }
    if let (Some(batch), Some(samples)) = (lead.batch, cx.b.dims(x.id).first().copied()) {
        cx.define_batch(batch, samples);
    }
    Ok(smallvec![Val { id: x.id, lead }])
}
