//! Lowers Pooling and Unpooling (spec 4.8, 4.12).

use super::convolution::{pad_for, push_ints, reversible_pads};
use super::{Lowered, Lowering, Node};
use crate::onnx::graph::{Attribute, Dim, Dims, ElemType, ValueId};
use crate::report::Reason;
use crate::resolve::pooling::{Pool, PoolingWindows, of_pooling};
use crate::resolve::window::Window;
use cntk_parser::ops::attributes::{Pooling, PoolingType, Unpooling};
use smallvec::smallvec;

pub(super) fn pooling(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &Pooling) -> Lowered {
    let x = node.inputs[0];
    let pool = Pool::new(a, &cx.known_tail(&x)).map_err(|why| Reason::new("poolingWindowShape", why))?;
    let bare = match &pool {
        Pool::Same => return Ok(smallvec![x]),
        Pool::Whole(first) => *first == 0,
        Pool::Windows(windows) => windows.bare,
    };
    let mut input = cx.as_batch(&x)?;
    if bare {
        input = cx.b.unsqueeze(input, &[1]);
    }
    let id = match (pool, a.kind) {
        (Pool::Windows(windows), PoolingType::Max) => max_pool(cx, input, &windows.list)?,
        (Pool::Windows(windows), PoolingType::Average) => average_pool(cx, input, &windows.list, a.include_pad)?,
        (_, kind) => pool_all(cx, input, kind),
    };
    let id = if bare { cx.b.squeeze(id, &[1]) } else { id };
    let result = cx.unbatch(id, x.lead)?;
    cx.with_rank(result, &node.types[0])
}

/// One window over all axes after the channel axis.
fn pool_all(cx: &mut Lowering<'_, '_, '_>, x: ValueId, kind: PoolingType) -> ValueId {
    let rank = cx.b.rank(x);
    match kind {
        // ReduceMax, because importers lack GlobalMaxPool.
        PoolingType::Max => cx.b.reduce("ReduceMax", x, &(2..rank).collect::<Vec<_>>(), true),
        PoolingType::Average => {
            let mut dims = cx.b.dims(x).clone();
            dims.iter_mut().skip(2).for_each(|d| *d = Dim::Known(1));
            let elem = cx.b.elem(x);
            cx.b.emit("GlobalAveragePool", &[x], vec![], elem, dims)
        }
    }
}

fn max_pool(cx: &mut Lowering<'_, '_, '_>, x: ValueId, windows: &[Window]) -> Result<ValueId, Reason> {
    let (x, pads, sizes) = pooled(cx, x, windows, f64::NEG_INFINITY)?;
    let (attributes, dims) = describe(cx, x, windows, pads, sizes);
    let elem = cx.b.elem(x);
    Ok(cx.b.emit("MaxPool", &[x], attributes, elem, dims))
}

/// Pools with pads. ONNX requires each pad to be smaller than the kernel; larger ones, which rounding up may need, are
/// added by Pad.
fn pooled(
    cx: &mut Lowering<'_, '_, '_>,
    x: ValueId,
    windows: &[Window],
    fill: f64,
) -> Result<(ValueId, Vec<i64>, Dims), Reason> {
    let (mut x, mut pads, sizes) = pad_for(cx, x, windows, fill, true)?;
    let n = windows.len();
    let too_large = (0..n).any(|i| pads[i].max(pads[n + i]) >= windows[i].kernel as i64);
    if too_large {
        let amount =
            |side: &[i64]| -> Vec<u64> { [0u64, 0].into_iter().chain(side.iter().map(|p| p.unsigned_abs())).collect() };
        x = cx.b.pad(x, &amount(&pads[..n]), &amount(&pads[n..]), "constant", fill);
        pads = vec![0; 2 * n];
    }
    Ok((x, pads, sizes))
}

fn describe(
    cx: &mut Lowering<'_, '_, '_>,
    x: ValueId,
    windows: &[Window],
    pads: Vec<i64>,
    sizes: Dims,
) -> (Vec<(&'static str, Attribute)>, Dims) {
    let mut dims: Dims = cx.b.dims(x)[..2].into();
    dims.extend(sizes);
    let mut attributes = vec![("kernel_shape", Attribute::Ints(windows.iter().map(|w| w.kernel as i64).collect()))];
    if pads.iter().any(|p| *p != 0) {
        attributes.push(("pads", Attribute::Ints(pads)));
    }
    push_ints(&mut attributes, "strides", windows.iter().map(|w| w.stride), 1);
    (attributes, dims)
}

/// The most output cells whose factors are listed one by one, because a number in a file must not cause gigabytes of
/// output.
const MOST_CELLS: u64 = 1 << 18;

/// The average over the real cells of each window, or over the whole window if padding counts.
fn average_pool(
    cx: &mut Lowering<'_, '_, '_>,
    x: ValueId,
    windows: &[Window],
    include_pad: bool,
) -> Result<ValueId, Reason> {
    let real: Option<Vec<u64>> =
        cx.b.dims(x)[2..].iter().map(|d| if let Dim::Known(n) = d { Some(*n) } else { None }).collect();
    let n = windows.len();
    let (padded, pads, sizes) = pad_for(cx, x, windows, 0.0, true)?;
    let fits = (0..n).all(|i| pads[i] == pads[n + i] && pads[i] < windows[i].kernel as i64);
    let elem = cx.b.elem(x);
    if fits || real.is_none() {
        let any = pads.iter().any(|p| *p != 0);
        let (mut attributes, dims) = describe(cx, padded, windows, pads, sizes);
        if include_pad && any {
            attributes.insert(0, ("count_include_pad", Attribute::Int(1)));
        }
        let mean = cx.b.emit("AveragePool", &[padded], attributes, elem, dims);
        return if padded == x || include_pad { Ok(mean) } else { by_real_cells(cx, x, mean, windows) };
    }
    // Pads that differ between both sides: pad with zeros, average whole windows, then correct for the zeros.
    let amount =
        |side: &[i64]| -> Vec<u64> { [0u64, 0].into_iter().chain(side.iter().map(|p| p.unsigned_abs())).collect() };
    let (lo, hi) = (amount(&pads[..n]), amount(&pads[n..]));
    let with_zeros = cx.b.pad(padded, &lo, &hi, "constant", 0.0);
    let (attributes, dims) = describe(cx, with_zeros, windows, vec![0; 2 * n], sizes.clone());
    let mean = cx.b.emit("AveragePool", &[with_zeros], attributes, elem, dims);
    let (false, Some(real)) = (include_pad, real) else { return Ok(mean) };
    let cells = sizes.iter().try_fold(1_u64, |n, d| if let Dim::Known(d) = d { n.checked_mul(*d) } else { Some(n) });
    if cells.is_none_or(|n| n > MOST_CELLS) {
        return Err(Reason::new("autoPadding", "an average over so many unevenly padded cells is not supported"));
    }
    let factors = window_factors(windows, &real);
    if factors.iter().all(|f| *f == 1.0) {
        return Ok(mean);
    }
    let shape: Option<Vec<u64>> = sizes.iter().map(|d| if let Dim::Known(n) = d { Some(*n) } else { None }).collect();
    let shape = shape.ok_or_else(|| Reason::new("autoPadding", "sizes are not known"))?;
    let map = cx.b.tensor(elem, &shape, &factors);
    Ok(cx.b.mul(mean, map))
}

/// A mean over whole windows, into which zeros may have been padded at run time, divided by the share of real cells in
/// each window, which is the same mean of ones.
fn by_real_cells(
    cx: &mut Lowering<'_, '_, '_>,
    x: ValueId,
    mean: ValueId,
    windows: &[Window],
) -> Result<ValueId, Reason> {
    let elem = cx.b.elem(x);
    let mut dims = cx.b.dims(x).clone();
    dims[0] = Dim::Known(1);
    dims[1] = Dim::Known(1);
    let ones = cx.b.filled(elem, &dims, 1.0)?;
    let (padded, pads, sizes) = pad_for(cx, ones, windows, 0.0, true)?;
    let (attributes, out) = describe(cx, padded, windows, pads, sizes);
    let share = cx.b.emit("AveragePool", &[padded], attributes, elem, out);
    let dims = cx.b.dims(mean).clone();
    Ok(cx.b.emit("Div", &[mean, share], vec![], elem, dims))
}

/// For each output cell in row-major order, the size of the window divided by the number of real cells in it.
fn window_factors(windows: &[Window], real: &[u64]) -> Vec<f64> {
    let mut factors = vec![1.0];
    for (w, n) in windows.iter().zip(real) {
        let Some(p) = w.place(*n) else { return factors };
        let axis: Vec<f64> = (0..p.size as i64)
            .map(|o| {
                let start = o * w.stride as i64 - p.before;
                let cells = (start + w.kernel as i64).min(*n as i64) - start.max(0);
                w.kernel as f64 / cells.max(1) as f64
            })
            .collect();
        factors = factors.iter().flat_map(|f| axis.iter().map(move |a| f * a)).collect();
    }
    factors
}

/// Writes each pooled value to the position of the largest element in its window of the original input; all other
/// elements are 0.
pub(super) fn unpooling(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &Unpooling) -> Lowered {
    let (pooled_in, original) = (node.inputs[0], node.inputs[1]);
    let PoolingWindows { list, bare } =
        of_pooling(a.into(), &cx.known_tail(&original)).map_err(|why| Reason::new("unpoolingWindowShape", why))?;
    if pooled_in.lead != original.lead {
        return Err(Reason::new("", "the operands have different dynamic axes"));
    }
    if list.is_empty() {
        // Without a spatial axis, each window has one element, to which its value returns.
        return Ok(smallvec![pooled_in]);
    }
    let mut x = cx.as_batch(&original)?;
    if bare {
        x = cx.b.unsqueeze(x, &[1]);
    }
    // MaxPool counts positions in its operand. That is the original if `pads` can express the padding; otherwise the
    // original is padded or cropped first, and the result is cropped or padded back.
    let whole = x;
    let (padded, own_pads, own_sizes) = pad_for(cx, x, &list, f64::NEG_INFINITY, true)?;
    let (pads, sizes, undo) = if padded == x {
        (own_pads, own_sizes, None)
    } else {
        let (amounts, sizes) = reversible_pads(cx, x, &list)?;
        let mut dims = cx.b.dims(x).clone();
        dims.iter_mut().skip(2).for_each(|d| *d = cx.b.fresh_dim());
        x = cx.b.pad_dynamic(x, amounts, "constant", f64::NEG_INFINITY, dims);
        (vec![0; 2 * list.len()], sizes, Some(amounts))
    };
    let (attributes, dims) = describe(cx, x, &list, pads, sizes);
    let elem = cx.b.elem(x);
    let made =
        cx.b.emit_all("MaxPool", smallvec![Some(x)], attributes, &[(elem, dims.clone()), (ElemType::Int64, dims)]);
    let indices = made[1];
    let values = cx.as_batch(&pooled_in)?;
    // MaxPool's indices are those of the flattened tensor, so the scatter works on that.
    let flat = |cx: &mut Lowering<'_, '_, '_>, v: ValueId| {
        let d = cx.b.dims(v).clone();
        let n = cx.b.product(&d);
        cx.b.reshape(v, &[n])
    };
    let (values, indices, base) = (flat(cx, values)?, flat(cx, indices)?, flat(cx, x)?);
    let total = cx.b.dims(base).clone();
    let zeros = cx.b.filled(elem, &total, 0.0)?;
    let scattered = cx.b.emit("ScatterElements", &[zeros, indices, values], vec![], elem, total);
    let shape = cx.b.dims(x).clone();
    let mut restored = cx.b.reshape(scattered, &shape)?;
    if let Some(amounts) = undo {
        let back = cx.b.unary("Neg", amounts);
        let shape = cx.b.dims(whole).clone();
        restored = cx.b.pad_dynamic(restored, back, "constant", 0.0, shape);
    }
    if bare {
        restored = cx.b.squeeze(restored, &[1]);
    }
    Ok(smallvec![cx.unbatch(restored, original.lead)?])
}
