//! Lowers Pooling and Unpooling (spec 4.8).

use super::convolution::{by_leftover, known, pad, pads};
use super::{Kept, Lower, Lowered, Node, Val};
use crate::pytorch::python::expr::{
    Argument, Subscript, ValueId, args, dimensions, functional, helper, keyword, list, numbers, of, torch,
};
use crate::report::Reason;
use crate::resolve::pooling::{Pool, PoolingWindows, of_pooling};
use crate::resolve::window::{Padding, Placed, Window};
use cntk_parser::model::{Dim, Dims};
use cntk_parser::ops::attributes::{Pooling, PoolingType, Unpooling};
use smallvec::smallvec;

pub(super) fn pooling(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &Pooling) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let out = node.types[0].shape.clone();
    let pool = Pool::new(a, &known(&x.dims)).map_err(|why| Reason::new("poolingWindowShape", why))?;
    let PoolingWindows { list, bare } = match pool {
        Pool::Same => return Ok(smallvec![x]),
        Pool::Whole(first) => return whole(cx, &x, first, a.kind, out),
        Pool::Windows(windows) => windows,
    };
    if list.len() > 3 {
        return Err(Reason::new("poolingWindowShape", "PyTorch pools over at most three axes"));
    }
    let tail = &x.dims[usize::from(!bare)..];
    let mut input = cx.as_batch(&x);
    if bare {
        input = cx.compute(of(input).method("unsqueeze", args![1]));
    }
    let id = match a.kind {
        PoolingType::Max => max_pool(cx, input, &list, tail)?,
        PoolingType::Average => average_pool(cx, input, &list, tail, a.include_pad)?,
    };
    let id = if bare { cx.compute(of(id).method("squeeze", args![1])) } else { id };
    Ok(smallvec![cx.spread_batch(id, &x, out)])
}

/// One window over all static axes from `first` on.
fn whole(cx: &mut Lower<'_, '_, '_>, x: &Val, first: usize, kind: PoolingType, out: Dims) -> Lowered {
    let axes: Vec<usize> = (first..x.rank()).map(|a| a + x.lead.rank()).collect();
    let function = match kind {
        PoolingType::Max => "amax",
        PoolingType::Average => "mean",
    };
    let over = || of(x.id).method(function, args![dimensions(&axes)]);
    let id = cx.compute(of(x.id).method(function, args![dimensions(&axes), keyword("keepdim", true)]));
    cx.kept.insert(id, Kept { axes: (first..x.rank()).collect(), without: over() });
    Ok(smallvec![Val { dims: out, ..x.with(id) }])
}

/// The arguments operand, window, stride and padding.
fn arguments(x: ValueId, windows: &[Window], padding: &[i64]) -> Vec<Argument> {
    let kernel: Vec<u64> = windows.iter().map(|w| w.kernel).collect();
    let stride: Vec<u64> = windows.iter().map(|w| w.stride).collect();
    let mut all = args![x, numbers(&kernel)];
    if stride != kernel {
        all.push(keyword("stride", numbers(&stride)));
    }
    if padding.iter().any(|p| *p != 0) {
        all.push(keyword("padding", numbers(padding)));
    }
    all
}

fn max_pool(cx: &mut Lower<'_, '_, '_>, x: ValueId, windows: &[Window], tail: &[Dim]) -> Result<ValueId, Reason> {
    let (x, padding) = pad(cx, x, windows, tail, f64::NEG_INFINITY, Some(2))?;
    Ok(cx.compute(functional(format!("max_pool{}d", windows.len()), arguments(x, windows, &padding))))
}

/// The average over the real cells of each window, or over the whole window if padding counts.
fn average_pool(
    cx: &mut Lower<'_, '_, '_>,
    x: ValueId,
    windows: &[Window],
    tail: &[Dim],
    include_pad: bool,
) -> Result<ValueId, Reason> {
    let n = windows.len();
    let (padded, padding) = pad(cx, x, windows, tail, 0.0, Some(2))?;
    let average = |x| arguments(x, windows, &padding);
    let function = format!("avg_pool{n}d");
    if padded == x || include_pad {
        let mut all = average(padded);
        if !include_pad && padding.iter().any(|p| *p != 0) {
            all.push(keyword("count_include_pad", false));
        }
        return Ok(cx.compute(functional(function, all)));
    }
    let mean = cx.compute(functional(function.clone(), average(padded)));
    if windows
        .iter()
        .zip(tail)
        .all(|(w, n)| n.known().is_some_and(|n| w.place(n).is_some_and(|p| p.before <= 0 && p.after <= 0)))
    {
        return Ok(mean);
    }
    // The share of real cells in each window.
    let one = || Subscript::Range(None, Some(1.into()), None);
    let ones = cx.compute(torch("ones_like", args![of(x).index(vec![one(), one()])]));
    let (ones, _) = pad(cx, ones, windows, tail, 0.0, Some(2))?;
    let share = cx.compute(functional(function, average(ones)));
    Ok(cx.compute(of(mean) / share))
}

/// Writes each pooled value to the position of the largest element in its window of the original input; all other
/// elements are 0.
pub(super) fn unpooling(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &Unpooling) -> Lowered {
    let (pooled, original) = (cx.tensor(&node.inputs[0]), cx.tensor(&node.inputs[1]));
    let PoolingWindows { list, bare } =
        of_pooling(a.into(), &known(&original.dims)).map_err(|why| Reason::new("unpoolingWindowShape", why))?;
    if pooled.lead != original.lead {
        return Err(Reason::new("", "the operands have different dynamic axes"));
    }
    if list.is_empty() {
        // Without a spatial axis, each window has one element, to which its value returns.
        return Ok(smallvec![node.inputs[0].clone()]);
    }
    if list.len() > 3 {
        return Err(Reason::new("unpoolingWindowShape", "PyTorch pools over one to three axes"));
    }
    let mut x = cx.as_batch(&original);
    let mut values = cx.as_batch(&pooled);
    if bare {
        x = cx.compute(of(x).method("unsqueeze", args![1]));
        values = cx.compute(of(values).method("unsqueeze", args![1]));
    }
    let tail: Dims = original.dims[usize::from(!bare)..].into();
    let (padded, padding) = pad(cx, x, &list, &tail, f64::NEG_INFINITY, Some(2))?;
    let mut all = arguments(padded, &list, &padding);
    all.push(keyword("return_indices", true));
    let indices = cx.compute(functional(format!("max_pool{}d", list.len()), all).at(1));
    let mut id = cx.compute(helper("max_unpool", args![values, indices, padded]));
    if padded != x {
        id = crop(cx, id, x, &list, &tail);
    }
    let id = if bare { cx.compute(of(id).method("squeeze", args![1])) } else { id };
    Ok(smallvec![cx.spread_batch(id, &original, original.dims.clone())])
}

/// Cuts off what padding put around `x`: `y` is of the padded size.
fn crop(cx: &mut Lower<'_, '_, '_>, y: ValueId, x: ValueId, windows: &[Window], tail: &[Dim]) -> ValueId {
    let back = |(w, n): (&Window, &Dim)| match (n, w.padding) {
        (Dim::Known(n), _) => w.place(*n).map_or((0, 0), |Placed { before, after, .. }| (-before, -after.max(0))),
        (Dim::Free(_), Padding::Explicit(before, after)) => (-before.cast_signed(), -after.cast_signed()),
        (Dim::Free(_), Padding::Auto) if w.stride == 1 => {
            let k = w.extent().cast_signed();
            (-((k - 1) / 2), -(k - 1 - (k - 1) / 2))
        }
        (Dim::Free(_), Padding::Auto) => (0, 0),
    };
    let back: Vec<(i64, i64)> = windows.iter().zip(tail).map(back).collect();
    let mut y = y;
    if back.iter().any(|p| *p != (0, 0)) {
        y = cx.compute(functional("pad", args![y, pads(&back)]));
    }
    if windows.iter().zip(tail).any(|(w, n)| by_leftover(w, *n)) {
        let kernel = windows.iter().zip(tail).map(|(w, n)| if by_leftover(w, *n) { w.extent() } else { 1 });
        let kernel: Vec<u64> = kernel.collect();
        y = cx.compute(helper("auto_crop", args![y, x, list(&kernel)]));
    }
    y
}
